//! `errors.csv`: written to be filled in, and read back.

use std::{collections::BTreeMap, path::Path};

use super::{ErrorKind, SampledError, TaskDecisions};
use crate::mtl::{
    data::{Cell, Column, Row, RowReader},
    files,
};
use crate::{Error, Result};

/// The name of the file.
pub const ERRORS: &str = "errors.csv";

const COLUMNS: [&str; 12] =
    ["pair", "task", "shared", "kind", "wrong", "file", "line", "text", "truth", "p_stl", "p_mtl", "category"];

/// Writes a sample with an empty `category` for each error.
///
/// # Errors
/// [`Error::File`] if the file is there and is not as this function leaves it: somebody's work would be lost. `force`
/// replaces it. [`Error::Io`] if it cannot be written.
pub fn write_errors(path: &Path, errors: &[SampledError], force: bool) -> Result<()> {
    if !force && path.exists() {
        let filled = filled_in(path).map_err(|_| "it is not as this command writes it".to_owned());
        let lost = filled.and_then(|rows| match rows {
            0 => Ok(()),
            1 => Err("1 category is filled in".to_owned()),
            rows => Err(format!("{rows} categories are filled in")),
        });
        lost.map_err(|lost| {
            Error::file(
                path,
                format!("{lost}, and nothing was written; choose another --out, or replace it with --force"),
            )
        })?;
    }
    files::write_atomically(path, |output| {
        let mut csv = csv::Writer::from_writer(output);
        csv.write_record(COLUMNS)?;
        for error in errors {
            let SampledError { pair, task, wrong, file, text, .. } = error;
            let (shared, kind) = (error.shared.word(), error.kind.word());
            let (line, truth) = (error.line.to_string(), u8::from(error.truth).to_string());
            let [p_stl, p_mtl] = [error.p_stl, error.p_mtl].map(|p| format!("{p:.6}"));
            let fields = [pair, task, shared, kind, wrong, file, &line, text, &truth, &p_stl, &p_mtl, ""];
            csv.write_record(fields)?;
        }
        csv.flush()
    })
}

/// How many categories are filled in, in a file that is otherwise as it was written.
fn filled_in(path: &Path) -> Result<usize> {
    let mut rows = RowReader::open(path)?;
    let category = rows.column("category")?;
    let mut filled = usize::from(rows.columns() != COLUMNS);
    while let Some(row) = rows.next_row()? {
        filled += usize::from(category_of(&row, &category).is_some());
    }
    Ok(filled)
}

/// A file whose categories somebody has filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct Categories {
    /// Its rows, in its order.
    pub rows: Vec<CategoryRow>,
}

/// An error and what it was sorted into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CategoryRow {
    /// Which task with which layer: an index into what the file was read against.
    pub task: usize,
    /// What it was sampled as.
    pub kind: ErrorKind,
    /// The row of the pair.
    pub row: usize,
    /// The category in small letters, without white space around it; `None` if it is empty.
    pub category: Option<String>,
}

/// Reads a file with categories back (CSV, or TSV by its name). Columns may be added and moved, rows left out and sorted.
///
/// # Errors
/// [`Error::Line`] if a column is missing, for a row that is no error of this study, or that occurs twice; what [`RowReader`]
/// finds.
pub fn read_categories(path: &Path, tasks: &[TaskDecisions<'_>]) -> Result<Categories> {
    let mut reader = RowReader::open(path)?;
    let column = |name: &str| {
        reader.column(name).map_err(|error| match error {
            Error::File { path, message } => Error::line(path, 1, message),
            error => error,
        })
    };
    let columns = [column("pair")?, column("task")?, column("shared")?, column("kind")?, column("file")?];
    let (line, category) = (column("line")?, column("category")?);
    let index = Index::new(tasks);
    let mut lines: BTreeMap<(usize, ErrorKind, usize), u64> = BTreeMap::new();
    let mut rows = Vec::new();
    while let Some(row) = reader.next_row()? {
        let fields = columns.each_ref().map(|column| field(&row, column));
        let (task, kind, place) =
            index.find(fields, field(&row, &line)).map_err(|message| Error::line(path, row.line, message))?;
        if let Some(before) = lines.insert((task, kind, place), row.line) {
            return Err(Error::line(path, row.line, format!("the same error as in line {before}; expected it once")));
        }
        rows.push(CategoryRow { task, kind, row: place, category: category_of(&row, &category) });
    }
    Ok(Categories { rows })
}

fn field<'r>(row: &'r Row, column: &Column) -> &'r str {
    match row.cell(column) {
        Cell::Text(text) => text.trim(),
        Cell::Value(_) | Cell::Absent => "", // JSON Lines, which no column of text can hold
    }
}

fn category_of(row: &Row, column: &Column) -> Option<String> {
    Some(field(row, column).to_lowercase()).filter(|category| !category.is_empty())
}

/// The decisions of a study by what a file says of them.
struct Index<'s> {
    tasks: &'s [TaskDecisions<'s>],
    places: Vec<BTreeMap<(String, u64), usize>>, // file and line → place among the decisions, for each of `tasks`
}

impl<'s> Index<'s> {
    fn new(tasks: &'s [TaskDecisions<'s>]) -> Self {
        let places = tasks.iter().map(|task| {
            let place = |(place, decision)| {
                let (record, source) = task.record(decision);
                ((source.path.display().to_string(), record.line), place)
            };
            task.decisions.iter().enumerate().map(place).collect()
        });
        Self { tasks, places: places.collect() }
    }

    /// The error that a row speaks of, or why it is none of this study.
    fn find(
        &self,
        [pair, task, shared, kind, file]: [&str; 5],
        line: &str,
    ) -> std::result::Result<(usize, ErrorKind, usize), String> {
        let is_it = |of: &TaskDecisions<'_>| of.pair.name == pair && of.task == task && of.shared.word() == shared;
        let index = self.tasks.iter().position(is_it).ok_or_else(|| {
            let all = self.tasks.iter().map(|of| format!("{}, {}, {}", of.pair.name, of.task, of.shared.word()));
            let all = all.collect::<Vec<_>>().join("; ");
            format!(
                "not of this study: pair, task and shared are {pair:?}, {task:?}, {shared:?}; expected one of: {all}"
            )
        })?;
        let kind = ErrorKind::ALL
            .iter()
            .copied()
            .find(|known| known.word() == kind)
            .ok_or_else(|| format!("kind {kind:?}: expected {}", ErrorKind::WORDS.join(", ")))?;
        let number: u64 =
            line.parse().map_err(|_| format!("line {line:?}: expected the number of a line of {file}"))?;
        let place = self.places[index].get(&(file.to_owned(), number)).ok_or_else(|| {
            format!("not of this study: it tested no text of line {line} of {file:?} for the task `{task}`")
        })?;
        let decision = &self.tasks[index].decisions[*place];
        if !kind.holds(decision) {
            let right = |right: bool| if right { "right" } else { "wrong" };
            let (stl, mtl) = (right(decision.stl_right), right(decision.mtl_right));
            return Err(format!(
                "not of this study: here STL is {stl} and MTL {mtl} on line {line} of {file}, which is not {}",
                kind.word()
            ));
        }
        Ok((index, kind, decision.row))
    }
}
