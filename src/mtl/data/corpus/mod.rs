//! The rows of all tasks, with their labels.

use super::{
    Attrition,
    dialect::Dialect,
    format::{self, Format},
    input::require_file,
    reader::{Cell, Cells, Column, Header, Json, Row, RowReader, kind, require_columns},
    tasks::TaskSource,
};
use crate::printable::quoted;
use crate::{Error, Result};
use indexmap::IndexSet;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// All rows of a set of tasks.
#[derive(Clone, Debug, PartialEq)]
pub struct Corpus {
    /// The tasks' names, sorted. Labels are always in this order, so the order of declaring tasks never matters.
    pub tasks: Vec<String>,
    /// The files, ordered by the first task that they carry; a task's validation file after its file.
    pub sources: Vec<Source>,
    /// The rows, in the order of the sources and of their lines.
    pub records: Vec<Record>,
}

/// A file that was read.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Source {
    /// The file.
    pub path: PathBuf,
    /// The column of texts.
    pub text: String,
    /// The tasks whose labels it has, sorted.
    pub tasks: Vec<String>,
    /// SHA-256 of the file as it is on disk, in hexadecimal.
    pub sha256: String,
    /// Its rows.
    pub rows: usize,
    /// Whether it was declared as a validation file.
    pub validation: bool,
    /// How many of its posts are gone, if they were fetched by their ids.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attrition: Option<Attrition>,
}

/// One text and what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Index into [`Corpus::sources`].
    pub source: u32,
    /// The line of the file where its row begins.
    pub line: u64,
    /// The text, which may be empty.
    pub text: String,
    /// One slot a task; `None` is a missing label.
    pub labels: Vec<Option<bool>>,
    /// Whether it comes from a validation file.
    pub validation: bool,
    /// What it has in the column of groups, if there is one and it is not empty there.
    pub group: Option<String>,
}

/// Reads the rows of all tasks. Tasks that name the same file and text column share its rows.
///
/// A label is true for `1`, `true`, `yes`, false for `0`, `false`, `no` (any case; also `1.0`, `0.0` and JSON's booleans
/// and numbers), or what the task declares instead; missing if empty, `-1`, `NA`, `N/A`, `NaN`, `None` or `null`. Anything
/// else is an error.
///
/// # Errors
/// [`Error::Task`] for a bad or repeated name, [`Error::File`] and [`Error::Line`] for what is wrong in a file,
/// [`Error::Io`] for what cannot be read.
pub fn read(tasks: &[TaskSource]) -> Result<Corpus> {
    read_grouped(tasks, None)
}

/// As [`read`], with a column of all files, such as the author, whose rows belong together where they agree in it.
///
/// # Errors
/// As [`read`]; [`Error::File`] for a file without the column.
pub fn read_grouped(tasks: &[TaskSource], group: Option<&str>) -> Result<Corpus> {
    let mut tasks: Vec<&TaskSource> = tasks.iter().collect();
    tasks.sort_by(|a, b| a.name.cmp(&b.name));
    for task in &tasks {
        task.validate()?;
    }
    if let Some(pair) = tasks.windows(2).find(|pair| pair[0].name == pair[1].name) {
        return Err(Error::task(&pair[0].name, "two tasks have this name"));
    }
    let mut corpus = Corpus {
        tasks: tasks.iter().map(|task| task.name.clone()).collect(),
        sources: Vec::new(),
        records: Vec::new(),
    };
    for reading in readings(&tasks)? {
        reading.read(&tasks, group, &mut corpus)?;
    }
    Ok(corpus)
}

/// Checks that each task can be learnt: both classes occur among its rows, those of validation files aside.
///
/// [`read`] does not insist on it, since a model can be measured on rows of one class.
///
/// # Errors
/// [`Error::Task`] naming the first task of which a class is missing.
pub fn require_both_classes(corpus: &Corpus) -> Result<()> {
    for (slot, task) in corpus.tasks.iter().enumerate() {
        let learnt = corpus.records.iter().filter(|record| !record.validation);
        let labels: Vec<bool> = learnt.filter_map(|record| record.labels[slot]).collect();
        let positive = labels.iter().filter(|&&label| label).count();
        let message = match (positive, labels.len()) {
            (0, 0) => "no row has a label".into(),
            (0, rows) => format!("all {rows} labelled rows are false, expected both classes"),
            (positive, rows) if positive == rows => {
                format!("all {rows} labelled rows are true, expected both classes")
            }
            _ => continue,
        };
        return Err(Error::task(task, message));
    }
    Ok(())
}

/// A file to be read once, for the tasks with these slots.
struct Reading<'t> {
    path: &'t Path,
    text: &'t str,
    dialect: Dialect,
    validation: bool,
    slots: Vec<usize>,
}

/// What is to be read, in the order of the first task of each.
fn readings<'t>(tasks: &[&'t TaskSource]) -> Result<Vec<Reading<'t>>> {
    let same = |a: &Path, b: &Path| a == b || matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b);
    let mut readings: Vec<Reading<'t>> = Vec::new();
    for (slot, task) in tasks.iter().enumerate() {
        if task.validation.as_ref().is_some_and(|validation| same(validation, &task.file)) {
            return Err(Error::task(&task.name, "its validation file is the file it learns from"));
        }
        let files = [(Some(&task.file), false), (task.validation.as_ref(), true)];
        for (path, validation) in files.into_iter().filter_map(|(path, validation)| Some((path?, validation))) {
            let shared = readings.iter_mut().find(|reading| {
                reading.validation == validation
                    && (reading.text, reading.dialect) == (task.text_column(), task.dialect())
                    && same(reading.path, path)
            });
            match shared {
                Some(reading) => reading.slots.push(slot),
                None => {
                    require_file(path)?; // it is read several times
                    let (text, dialect) = (task.text_column(), task.dialect());
                    readings.push(Reading { path, text, dialect, validation, slots: vec![slot] });
                }
            }
        }
    }
    Ok(readings)
}

impl Reading<'_> {
    /// Appends the file and its rows to `corpus`.
    fn read(&self, tasks: &[&TaskSource], group: Option<&str>, corpus: &mut Corpus) -> Result<()> {
        let columns = self.columns()?;
        let format = self.dialect.format_of(self.path)?;
        let find = |names: &[&str], cure| Header { path: self.path, columns: &columns, format, cure }.find(names);
        let text = find(&[self.text], "say --text-column NAME")?;
        let group = group.map(|column| find(&[column], "say --group NAME")).transpose()?;
        let labels = self
            .slots
            .iter()
            .map(|&slot| Ok((slot, find(&tasks[slot].label_candidates(), "say --task NAME=FILE:LABEL_COLUMN")?)))
            .collect::<Result<Vec<(usize, Column)>>>()?;

        let source = corpus.sources.len() as u32;
        let first = corpus.records.len();
        let mut rows = RowReader::open_as(self.path, self.dialect)?;
        while let Some(row) = rows.next_row()? {
            let fail = |message| Error::line(self.path, row.line, message);
            let mut record = Record {
                source,
                line: row.line,
                text: row.text(&text).map_err(fail)?.to_owned(),
                labels: vec![None; tasks.len()],
                validation: self.validation,
                group: match &group {
                    Some(column) => group_of(&row, column).map_err(fail)?,
                    None => None,
                },
            };
            for (slot, column) in &labels {
                record.labels[*slot] = label_of(&row, column, tasks[*slot]).map_err(fail)?;
            }
            corpus.records.push(record);
        }
        let rows = corpus.records.len() - first;
        if rows == 0 {
            return Err(Error::file(self.path, "there is a header but no row"));
        }
        corpus.sources.push(Source {
            path: self.path.to_owned(),
            text: self.text.to_owned(),
            tasks: self.slots.iter().map(|&slot| tasks[slot].name.clone()).collect(),
            sha256: format::sha256(self.path)?,
            rows,
            validation: self.validation,
            attrition: Attrition::read(self.path)?,
        });
        Ok(())
    }

    /// The columns of the file. JSON Lines names them row by row, and may leave out those without a value.
    fn columns(&self) -> Result<Vec<String>> {
        let mut rows = RowReader::open_as(self.path, self.dialect)?;
        if self.dialect.format_of(self.path)? != Format::Jsonl {
            return Ok(rows.columns().to_vec());
        }
        let mut columns: IndexSet<String> = IndexSet::new();
        while let Some(row) = rows.next_row()? {
            if let Cells::Object(object) = row.cells {
                columns.extend(object.into_keys());
                require_columns(columns.len()).map_err(|message| Error::line(self.path, row.line, message))?;
            }
        }
        Ok(columns.into_iter().collect())
    }
}

/// The group of a row, or what is wrong with it.
fn group_of(row: &Row, column: &Column) -> std::result::Result<Option<String>, String> {
    let group = match row.cell(column) {
        Cell::Absent | Cell::Value(Json::NULL) => return Ok(None),
        Cell::Text(text) => text.trim(),
        Cell::Value(number) if is_number(number) => number,
        Cell::Value(other) => {
            return Err(format!("{} is {}, expected a text or a number", quoted(&column.name), kind(other)));
        }
    };
    Ok(Some(group).filter(|group| !group.is_empty()).map(str::to_owned))
}

/// The words for true, false and missing, beside the numbers 1, 0 and -1.
const TRUE: &[&str] = &["true", "yes"];
const FALSE: &[&str] = &["false", "no"];
const MISSING: &[&str] = &["", "na", "n/a", "#n/a", "<na>", "nan", "none", "null"];

/// What is said after a label that is none of them.
const BOOLEAN_ONLY: &str = "boolean only: make a class a task, or name the two words with --positive and --negative";

/// The label of a row, or what is wrong with it.
fn label_of(row: &Row, column: &Column, task: &TaskSource) -> std::result::Result<Option<bool>, String> {
    let name = || quoted(&column.name);
    let text = match row.cell(column) {
        Cell::Absent => return Ok(None),
        Cell::Text(text) => text.trim(),
        Cell::Value(value) if is_number(value) || ["true", "false", "null"].contains(&value) => value,
        Cell::Value(other) => return Err(format!("{} is {}, expected a label", name(), kind(other))),
    };
    let is = |known: &[&str]| known.iter().any(|known| text.eq_ignore_ascii_case(known));
    let number = text.parse::<f64>().ok();
    match (&task.positive, &task.negative) {
        (Some(positive), _) if text == positive.trim() => Ok(Some(true)),
        (_, Some(negative)) if text == negative.trim() => Ok(Some(false)),
        _ if is(MISSING) || number == Some(-1.0) => Ok(None),
        (Some(positive), Some(negative)) => Err(format!(
            "label {} in column {}: expected {}, {}, or empty, -1, NA, NaN, None, null for a missing one",
            quoted(text),
            name(),
            quoted(positive),
            quoted(negative)
        )),
        _ if is(TRUE) || number == Some(1.0) => Ok(Some(true)),
        _ if is(FALSE) || number == Some(0.0) => Ok(Some(false)),
        _ => Err(format!(
            "label {} in column {}: expected 1, true, yes or 0, false, no, or empty, -1, NA, NaN, None, null for a \
             missing one; {BOOLEAN_ONLY}",
            quoted(text),
            name()
        )),
    }
}

/// Whether a JSON value is a number, by how it is spelt.
fn is_number(spelt: &str) -> bool {
    spelt.starts_with(|c: char| c == '-' || c.is_ascii_digit())
}

#[cfg(test)]
mod tests;
