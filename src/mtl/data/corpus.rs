//! The rows of all tasks, with their labels.

use super::{
    format::{self, Format},
    reader::{self, Cell, Column, Row, RowReader},
    tasks::TaskSource,
};
use crate::{Error, Result};
use serde::Serialize;
use serde_json::Value;
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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
}

/// Reads the rows of all tasks. Tasks that name the same file and text column share its rows.
///
/// A label is true for `1`, `true`, `yes`, false for `0`, `false`, `no` (any case; also `1.0`, `0.0` and JSON's booleans
/// and numbers), or what the task declares instead; missing if empty, `-1` or `null`. Anything else is an error.
///
/// # Errors
/// [`Error::Task`] for a bad or repeated name or a task without both classes among its rows, [`Error::File`] and
/// [`Error::Line`] for what is wrong in a file, [`Error::Io`] for what cannot be read.
pub fn read(tasks: &[TaskSource]) -> Result<Corpus> {
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
        reading.read(&tasks, &mut corpus)?;
    }
    for slot in 0..corpus.tasks.len() {
        corpus.check_classes(slot)?;
    }
    Ok(corpus)
}

impl Corpus {
    /// Both classes must occur among the rows to learn from.
    fn check_classes(&self, slot: usize) -> Result<()> {
        let count = |label| {
            self.records.iter().filter(|record| !record.validation && record.labels[slot] == Some(label)).count()
        };
        let message = match (count(true), count(false)) {
            (0, 0) => "no row has a label".into(),
            (0, rows) => format!("all {rows} labelled rows are false, expected both classes"),
            (rows, 0) => format!("all {rows} labelled rows are true, expected both classes"),
            _ => return Ok(()),
        };
        Err(Error::task(&self.tasks[slot], message))
    }
}

/// A file to be read once, for the tasks with these slots.
struct Reading<'t> {
    path: &'t Path,
    text: &'t str,
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
                reading.validation == validation && reading.text == task.text && same(reading.path, path)
            });
            match shared {
                Some(reading) => reading.slots.push(slot),
                None => readings.push(Reading { path, text: &task.text, validation, slots: vec![slot] }),
            }
        }
    }
    Ok(readings)
}

impl Reading<'_> {
    /// Appends the file and its rows to `corpus`.
    fn read(&self, tasks: &[&TaskSource], corpus: &mut Corpus) -> Result<()> {
        let columns = self.columns()?;
        let find = |names: &[&str]| reader::find_column(self.path, &columns, names);
        let text = find(&[self.text])?;
        let labels = self
            .slots
            .iter()
            .map(|&slot| Ok((slot, find(&tasks[slot].label_candidates())?)))
            .collect::<Result<Vec<(usize, Column)>>>()?;

        let source = corpus.sources.len() as u32;
        let first = corpus.records.len();
        let mut rows = RowReader::open(self.path)?;
        while let Some(row) = rows.next_row()? {
            let fail = |message| Error::line(self.path, row.line, message);
            let mut record = Record {
                source,
                line: row.line,
                text: text_of(&row, &text).map_err(fail)?.to_owned(),
                labels: vec![None; tasks.len()],
                validation: self.validation,
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
        });
        Ok(())
    }

    /// The columns of the file. JSON Lines names them row by row, and may leave out those without a value.
    fn columns(&self) -> Result<Vec<String>> {
        let mut rows = RowReader::open(self.path)?;
        let mut columns = rows.columns().to_vec();
        if Format::of(self.path)? == Format::Jsonl {
            while let Some(row) = rows.next_row()? {
                if let reader::Cells::Object(object) = row.cells {
                    for key in object.keys() {
                        if !columns.contains(key) {
                            columns.push(key.clone());
                        }
                    }
                }
            }
        }
        Ok(columns)
    }
}

/// The text of a row, or what is wrong with it.
pub(super) fn text_of<'r>(row: &'r Row, column: &Column) -> std::result::Result<&'r str, String> {
    match row.cell(column) {
        Cell::Text(text) => Ok(text),
        Cell::Value(other) => Err(format!("\"{}\" is {}, expected a text", column.name, reader::kind(other))),
        Cell::Absent => Err(format!("no \"{}\", expected a text", column.name)),
    }
}

/// The label of a row, or what is wrong with it.
fn label_of(row: &Row, column: &Column, task: &TaskSource) -> std::result::Result<Option<bool>, String> {
    let spelt; // a JSON number or boolean as text
    let text = match row.cell(column) {
        Cell::Absent | Cell::Value(Value::Null) => return Ok(None),
        Cell::Text(text) => text.trim(),
        Cell::Value(value @ (Value::Bool(_) | Value::Number(_))) => {
            spelt = value.to_string();
            &spelt
        }
        Cell::Value(other) => {
            return Err(format!("\"{}\" is {}, expected a label", column.name, reader::kind(other)));
        }
    };
    let is = |known: &[&str]| known.iter().any(|known| text.eq_ignore_ascii_case(known));
    match (&task.positive, &task.negative) {
        (Some(positive), _) if text == positive.trim() => Ok(Some(true)),
        (_, Some(negative)) if text == negative.trim() => Ok(Some(false)),
        _ if is(&["", "-1", "-1.0", "null"]) => Ok(None),
        (Some(positive), Some(negative)) => {
            Err(format!("label {text:?} in column \"{}\": expected {positive:?}, {negative:?} or empty", column.name))
        }
        _ if is(&["1", "1.0", "true", "yes"]) => Ok(Some(true)),
        _ if is(&["0", "0.0", "false", "no"]) => Ok(Some(false)),
        _ => Err(format!("label {text:?} in column \"{}\": expected 0, 1 or empty", column.name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// A directory with these files, and its corpus for tasks in the command line's form.
    fn corpus(files: &[(&str, &str)], tasks: &[&str]) -> std::result::Result<Corpus, String> {
        let directory = tempfile::tempdir().unwrap();
        for (name, content) in files {
            fs::write(directory.path().join(name), content).unwrap();
        }
        let tasks: Vec<TaskSource> = tasks
            .iter()
            .map(|task| {
                let mut task: TaskSource = task.parse().unwrap();
                task.file = directory.path().join(task.file);
                task
            })
            .collect();
        read(&tasks).map_err(|error| error.to_string().replace(&format!("{}/", directory.path().display()), ""))
    }

    fn labels(corpus: &Corpus) -> Vec<Vec<Option<bool>>> {
        corpus.records.iter().map(|record| record.labels.clone()).collect()
    }

    const T: Option<bool> = Some(true);
    const F: Option<bool> = Some(false);

    #[test]
    fn two_files_and_labels_missing() {
        let files = [("a.tsv", "text\tlabel\nx\t1\ny\t0\n"), ("b.tsv", "text\tlabel\nz\t1\nx\t0\n")];
        let forward = corpus(&files, &["one=a.tsv", "two=b.tsv"]).unwrap();
        assert_eq!(labels(&forward), [[T, None], [F, None], [None, T], [None, F]]);
        assert_eq!(forward.records[3].line, 3);
        let backward = corpus(&files, &["two=b.tsv", "one=a.tsv"]).unwrap();
        assert_eq!((&forward.tasks, &forward.records), (&backward.tasks, &backward.records));
    }

    #[test]
    fn one_file_and_both_labels() {
        let files = [("a.csv", "text,two,one\nx,1,0\ny,,1\nz,0,-1\n")];
        let corpus = corpus(&files, &["two=a.csv", "one=a.csv"]).unwrap();
        assert_eq!(corpus.tasks, ["one", "two"]);
        assert_eq!(labels(&corpus), [[F, T], [T, None], [None, F]]);
        assert_eq!((corpus.sources.len(), corpus.sources[0].rows), (1, 3));
        assert_eq!(corpus.sources[0].tasks, ["one", "two"]);
    }

    #[test]
    fn spellings_of_labels() {
        let content =
            "text\ta\nx\t1\nx\t0\nx\ttrue\nx\tFALSE\nx\tYes\nx\tno\nx\t1.0\nx\t0.0\nx\t\nx\t-1\nx\tNULL\nx\t-1.0\n";
        let found = labels(&corpus(&[("d.tsv", content)], &["a=d.tsv"]).unwrap());
        assert_eq!(found.concat(), [T, F, T, F, T, F, T, F, None, None, None, None]);
    }

    #[test]
    fn json_labels_and_keys_that_come_late() {
        let lines = [
            r#"{"text":"x"}"#,
            r#"{"text":"x","a":true}"#,
            r#"{"text":"x","a":0}"#,
            r#"{"text":"x","a":null}"#,
            r#"{"text":"x","a":"yes"}"#,
            r#"{"a":-1.0,"text":"x"}"#,
        ];
        let found = labels(&corpus(&[("d.jsonl", &lines.join("\n"))], &["a=d.jsonl"]).unwrap());
        assert_eq!(found.concat(), [None, T, F, None, T, None]);
    }

    #[test]
    fn a_declared_pair_and_a_validation_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        fs::write(path("d.tsv"), "tweet\tflu\nx\tsick\ny\twell\nz\t\n").unwrap();
        fs::write(path("v.tsv"), "flu\ttweet\nwell\tw\n").unwrap();
        let task = TaskSource {
            text: "tweet".into(),
            positive: Some("sick".into()),
            negative: Some("well".into()),
            validation: Some(path("v.tsv")),
            ..TaskSource::new("flu", path("d.tsv"))
        };
        let corpus = read(std::slice::from_ref(&task)).unwrap();
        assert_eq!(labels(&corpus).concat(), [T, F, None, F]);
        assert_eq!(
            corpus.records.iter().map(|record| record.validation).collect::<Vec<_>>(),
            [false, false, false, true]
        );
        assert_eq!((corpus.records[3].source, corpus.records[3].text.as_str()), (1, "w"));

        fs::write(path("v.tsv"), "flu\ttweet\n1\tw\n").unwrap();
        let message = read(std::slice::from_ref(&task)).unwrap_err().to_string();
        assert!(
            message.ends_with("v.tsv:2: label \"1\" in column \"flu\": expected \"sick\", \"well\" or empty"),
            "{message}"
        );
        let same = TaskSource { validation: Some(path("d.tsv")), ..task };
        assert_eq!(
            read(&[same]).unwrap_err().to_string(),
            "task `flu`: its validation file is the file it learns from"
        );
    }

    #[test]
    fn an_empty_text_is_a_text() {
        let corpus = corpus(&[("d.tsv", "text\ta\n\t1\nx\t0\n")], &["a=d.tsv"]).unwrap();
        assert_eq!(corpus.records[0].text, "");
    }

    #[test]
    fn bad_input_is_named() {
        for (content, message) in [
            ("", "d.tsv: the file is empty"),
            ("text\tflu\n", "d.tsv: there is a header but no row"),
            ("txt\tflu\nx\t1\n", "d.tsv: no column \"text\"; the columns are: txt, flu; did you mean \"txt\"?"),
            ("text\ty\nx\t1\n", "d.tsv: no column \"flu\" or \"label\"; the columns are: text, y"),
            ("text\tflu\nx\t1\ny\tyep\n", "d.tsv:3: label \"yep\" in column \"flu\": expected 0, 1 or empty"),
            ("text\tflu\nx\t1\ny\tNA\n", "d.tsv:3: label \"NA\" in column \"flu\": expected 0, 1 or empty"),
            ("text\tflu\nx\t1\ny\n", "d.tsv:3: found 1 fields, expected 2"),
            ("text\tflu\nx\0\t1\n", "d.tsv:2: a NUL byte at byte 2 of the line: is this a text file?"),
            ("text\tflu\nx\t1\ny\t1\n", "task `flu`: all 2 labelled rows are true, expected both classes"),
            ("text\tflu\nx\t0\ny\t\n", "task `flu`: all 1 labelled rows are false, expected both classes"),
            ("text\tflu\nx\t\n", "task `flu`: no row has a label"),
        ] {
            assert_eq!(corpus(&[("d.tsv", content)], &["flu=d.tsv"]).unwrap_err(), message);
        }
        for (content, message) in [
            (r#"{"flu":1}"#, "d.jsonl: no column \"text\"; the columns are: flu"),
            ("{\"text\":\"x\",\"flu\":1}\n{\"flu\":1}", "d.jsonl:2: no \"text\", expected a text"),
            (r#"{"text":3,"flu":1}"#, "d.jsonl:1: \"text\" is 3, expected a text"),
            (r#"{"text":"x","flu":[1]}"#, "d.jsonl:1: \"flu\" is an array, expected a label"),
            (r#"{"text":"x","flu":2}"#, "d.jsonl:1: label \"2\" in column \"flu\": expected 0, 1 or empty"),
            ("{\"text\":\n\"x\"}", "d.jsonl:1: not JSON: EOF while parsing a value at column 8"),
        ] {
            assert_eq!(corpus(&[("d.jsonl", content)], &["flu=d.jsonl"]).unwrap_err(), message);
        }
        let good = ("d.tsv", "text\tflu\nx\t1\ny\t0\n");
        assert_eq!(corpus(&[good], &["flu=d.tsv", "flu=d.tsv"]).unwrap_err(), "task `flu`: two tasks have this name");
        assert!(corpus(&[], &["flu=d.tsv"]).unwrap_err().starts_with("d.tsv: No such file"));
    }
}
