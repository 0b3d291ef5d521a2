//! Files of ids with labels: TSV, CSV, columns of spaces or JSON Lines, with a header or without one.
//!
//! `table` and `json` take the rows that the neighbour `reader` finds; `digits` says what an id is.

mod digits;
mod json;
mod table;

use std::{
    collections::{HashMap, HashSet},
    io::{BufRead, Cursor, Read},
    path::{Path, PathBuf},
};

use crate::mtl::data::{
    Delimiter, Dialect, Format, RowReader,
    input::{Input, decoded, open, read_line},
};
use crate::printable::quoted;
use crate::{Error, Result};

/// Names that a column of ids has unless `columns` names another, the first that is there: `id` may be a rounded number
/// where `id_str` is not.
const ID_COLUMNS: [&str; 4] = ["id_str", "id", "tweet_id", "tweetid"];

/// The rows of a file of ids, in its order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ids {
    /// The file.
    pub path: PathBuf,
    /// Names of the columns behind the id.
    pub labels: Vec<String>,
    /// The rows; an id may have several.
    pub rows: Vec<IdRow>,
}

/// An id with its labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdRow {
    /// The digits of the id.
    pub id: String,
    /// A value for each of [`Ids::labels`], as it is spelt; empty where there is none.
    pub labels: Vec<String>,
}

impl Ids {
    /// Reads a file. `columns` names the id's column and those to keep: the columns in their order if the file has no header,
    /// or else some of the header's. Without it, all columns of the header are kept.
    ///
    /// # Errors
    /// [`Error::Line`] for what is no id, an id that was saved as a float and has lost digits, a row of another number of
    /// fields; [`Error::File`] for columns that are not there or have no name, an empty file, ids that a spreadsheet has
    /// rounded; [`Error::Io`] if it cannot be read.
    pub fn read(path: &Path, columns: &[String]) -> Result<Self> {
        let (format, reader) = open_rows(path)?;
        let ids = match format {
            Format::Jsonl => json::read(path, columns, reader)?,
            Format::Tsv | Format::Csv => table::read(path, columns, reader)?,
        };
        digits::refuse_rounded(path, &ids.rows)?;
        Ok(ids)
    }

    /// Each id once, in the order of its first row.
    pub fn distinct(&self) -> Vec<&str> {
        let mut seen = HashSet::new();
        self.rows.iter().map(|row| row.id.as_str()).filter(|id| seen.insert(*id)).collect()
    }

    /// How many rows repeat the id of an earlier one.
    pub fn repeated(&self) -> usize {
        self.rows.len() - self.distinct().len()
    }

    /// How many ids have rows with different labels.
    pub fn conflicting(&self) -> usize {
        let mut labels: HashMap<&str, (&[String], bool)> = HashMap::new();
        for row in &self.rows {
            let (first, conflicts) = labels.entry(&row.id).or_insert((&row.labels, false));
            *conflicts |= *first != row.labels;
        }
        labels.values().filter(|(_, conflicts)| *conflicts).count()
    }
}

/// Opens a file in the format that its first line shows, since data sets name theirs `.txt` or `.json_`.
fn open_rows(path: &Path) -> Result<(Format, RowReader)> {
    let mut input = decoded(open(path)?).map_err(Error::io(path))?;
    let mut start = Vec::new(); // up to the first line that is not blank
    while start.trim_ascii().is_empty() && read_line(&mut input, &mut start).map_err(Error::io(path))? {
        start.push(b'\n');
    }
    let line = start.trim_ascii();
    let has = |bytes: &[u8]| line.iter().any(|byte| bytes.contains(byte));
    let is_csv = matches!(Format::of(path), Ok(Format::Csv));
    // Tabs of CSV, not of TSV: a field may stand between quotes.
    let (format, delimiter) = match line {
        [b'{' | b'[', ..] => (Format::Jsonl, None),
        _ if has(b"\t") && !is_csv => (Format::Csv, Some(Delimiter::TAB)),
        _ if has(b" ") && !has(b",;|\t\"") => (Format::Tsv, None),
        _ => (Format::Csv, None),
    };
    let mut input: Input<'static> = Box::new(Cursor::new(start).chain(input));
    if format == Format::Tsv {
        input = tabs_for_spaces(path, input)?;
    }
    let dialect = Dialect { format: Some(format), delimiter };
    Ok((format, RowReader::new(input, format, dialect, path.into())?))
}

/// A table of spaces as one of tabs.
fn tabs_for_spaces(path: &Path, mut input: impl BufRead) -> Result<Input<'static>> {
    let (mut table, mut line) = (Vec::new(), Vec::new());
    while read_line(&mut input, &mut line).map_err(Error::io(path))? {
        let fields: Vec<&[u8]> = line.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty()).collect();
        table.extend(fields.join(&b'\t'));
        table.push(b'\n');
        line.clear();
    }
    Ok(Box::new(Cursor::new(table)))
}

/// The column that holds the ids by its name.
fn id_column(names: &[String]) -> Option<&String> {
    ID_COLUMNS.iter().find_map(|id| names.iter().find(|name| name.eq_ignore_ascii_case(id)))
}

/// Checks that the columns that are kept can stand beside the id and the text.
fn refuse_taken(path: &Path, labels: &[String]) -> Result<()> {
    if let Some(taken) = labels.iter().find(|name| ["id", "text"].contains(&name.as_str())) {
        let message =
            format!("the column {} would meet our own of that name; choose others by --columns", quoted(taken));
        return Err(Error::file(path, message));
    }
    let mut seen = HashSet::new();
    match labels.iter().find(|name| !seen.insert(*name)) {
        Some(name) => {
            Err(Error::file(path, format!("two columns are called {}; choose one by --columns", quoted(name))))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
