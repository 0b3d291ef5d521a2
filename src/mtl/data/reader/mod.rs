//! A stream of rows from TSV, CSV or JSON Lines, each with its line number and all its columns.

use super::format::{self, Format};
use crate::{Error, Result};
use serde_json::{Map, Value};
use std::{
    borrow::Cow,
    io::{self, BufRead, Cursor, Read},
    path::{Path, PathBuf},
};

/// What a row holds, in the order of its file.
#[derive(Clone, Debug, PartialEq)]
pub enum Cells {
    /// One string a column: TSV and CSV.
    Fields(Fields),
    /// One object with its own keys: JSON Lines.
    Object(Map<String, Value>),
}

/// The fields of a row, in one string: between them stand NUL bytes, which no text holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fields(String);

impl Fields {
    /// The fields, in order; at least one.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split(NUL)
    }
}

const NUL: char = '\0';

/// One row of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The line where the row begins, from 1; the header counts.
    pub line: u64,
    /// All columns of the row.
    pub cells: Cells,
}

/// A column of a [`RowReader`], found once and then used for every row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    index: usize, // unused for JSON Lines, whose rows are looked up by name
}

/// What a row has in a column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    /// A field of TSV or CSV, a string of JSON Lines.
    Text(&'a str),
    /// Another value of JSON Lines.
    Value(&'a Value),
    /// JSON Lines only: the row has no such key.
    Absent,
}

impl Row {
    /// What the row has in `column`.
    pub fn cell(&self, column: &Column) -> Cell<'_> {
        match &self.cells {
            Cells::Fields(fields) => Cell::Text(fields.iter().nth(column.index).expect("a field for each column")),
            Cells::Object(object) => match object.get(&column.name) {
                Some(Value::String(text)) => Cell::Text(text),
                Some(other) => Cell::Value(other),
                None => Cell::Absent,
            },
        }
    }
}

/// Put behind a CSV file: a record of its own if all quotes are closed, else the end of the field that was left open.
/// No text holds a NUL byte.
const CSV_END: &[u8] = b"\n\0";

/// Reads rows one at a time, in memory that does not depend on their number.
///
/// A UTF-8 byte order mark is skipped, `\r\n` ends a line as `\n` does, empty lines are skipped (except in a TSV file of
/// one column, where they are empty texts).
pub struct RowReader {
    rows: Rows,
    name: PathBuf,
    columns: Vec<String>,
    peeked: Option<Row>, // the first row of JSON Lines, which was read for its keys
}

enum Rows {
    Lines { lines: Lines, format: Format },
    Csv { reader: Box<csv::Reader<Box<dyn BufRead + Send>>>, record: csv::ByteRecord },
}

impl RowReader {
    /// Opens a file, whose extension names the format.
    ///
    /// # Errors
    /// As [`RowReader::new`], and [`Error::Io`] or [`Error::File`] if the file cannot be opened or its format is unknown.
    pub fn open(path: &Path) -> Result<Self> {
        let format = Format::of(path)?;
        Self::new(super::input::open(path)?, format, path.to_owned())
    }

    /// Reads from `input`, which errors call `name`; reads the header.
    ///
    /// # Errors
    /// [`Error::File`] if there is not even a header, [`Error::Line`] if it is malformed.
    pub fn new(input: Box<dyn BufRead + Send>, format: Format, name: PathBuf) -> Result<Self> {
        let input = without_byte_order_mark(input).map_err(Error::io(&name))?;
        let rows = match format {
            Format::Tsv | Format::Jsonl => Rows::Lines { lines: Lines { input, line: 0, bytes: Vec::new() }, format },
            // Ending rows at `\n` alone keeps the line numbers right where lines end in `\r\n`.
            Format::Csv => Rows::Csv {
                reader: Box::new(
                    csv::ReaderBuilder::new()
                        .has_headers(false)
                        .flexible(true)
                        .terminator(csv::Terminator::Any(b'\n'))
                        .from_reader(Box::new(input.chain(CSV_END))),
                ),
                record: csv::ByteRecord::new(),
            },
        };
        let mut reader = Self { rows, name, columns: Vec::new(), peeked: None };
        let Some(first) = reader.read()? else {
            return Err(Error::file(&reader.name, "the file is empty"));
        };
        match first.cells {
            Cells::Fields(columns) => reader.columns = columns.iter().map(str::to_owned).collect(),
            Cells::Object(ref object) => {
                reader.columns = object.keys().cloned().collect();
                reader.peeked = Some(first);
            }
        }
        Ok(reader)
    }

    /// The names of the columns, in the order of the file. For JSON Lines, those of the first row.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Finds the column `name`.
    ///
    /// # Errors
    /// [`Error::File`] if the file has no such column, or two.
    pub fn column(&self, name: &str) -> Result<Column> {
        find_column(&self.name, &self.columns, &[name])
    }

    /// The next row, or `None` at the end.
    ///
    /// # Errors
    /// [`Error::Line`] for invalid UTF-8, a NUL byte, a row with more or fewer fields than columns, a line that is not a
    /// JSON object; [`Error::Io`] if reading fails.
    pub fn next_row(&mut self) -> Result<Option<Row>> {
        if let Some(row) = self.peeked.take() {
            return Ok(Some(row));
        }
        let row = self.read()?;
        if let Some(Row { line, cells: Cells::Fields(fields) }) = &row
            && let found = fields.iter().count()
            && found != self.columns.len()
        {
            let message = format!("found {found} fields, expected {}", self.columns.len());
            return Err(Error::line(&self.name, *line, message));
        }
        Ok(row)
    }

    /// The next row, whatever its number of fields.
    fn read(&mut self) -> Result<Option<Row>> {
        let at = |line, message: String| Error::line(&self.name, line, message);
        match &mut self.rows {
            Rows::Lines { lines, format: Format::Jsonl } => loop {
                let Some((line, text)) = lines.next(&self.name)? else { return Ok(None) };
                if text.trim_ascii().is_empty() {
                    continue;
                }
                let cells = match serde_json::from_str(text) {
                    Ok(Value::Object(object)) => Cells::Object(object),
                    Ok(other) => return Err(at(line, format!("found {}, expected a JSON object", kind(&other)))),
                    Err(error) => return Err(at(line, format!("not JSON: {}", without_line(&error)))),
                };
                return Ok(Some(Row { line, cells }));
            },
            Rows::Lines { lines, .. } => loop {
                let Some((line, text)) = lines.next(&self.name)? else { return Ok(None) };
                if text.is_empty() && self.columns.len() != 1 {
                    continue;
                }
                let cells = Cells::Fields(Fields(text.replace('\t', "\0")));
                return Ok(Some(Row { line, cells }));
            },
            Rows::Csv { reader, record } => loop {
                let mut read = |record: &mut csv::ByteRecord| match reader.read_byte_record(record) {
                    Ok(found) => Ok((found, reader.position().line())),
                    Err(error) => Err(match error.into_kind() {
                        csv::ErrorKind::Io(source) => Error::io(&self.name)(source),
                        other => Error::file(&self.name, format!("not CSV: {other:?}")),
                    }),
                };
                // The record's own position would be that of the empty lines before it.
                let (found, end) = read(record)?;
                if !found || (record == &[b"\0"][..] && !read(&mut csv::ByteRecord::new())?.0) {
                    return Ok(None);
                }
                let breaks = |field: &[u8]| memchr::memchr_iter(b'\n', field).count() as u64;
                if let Some(open) = record.iter().next_back().filter(|last| last.ends_with(CSV_END)) {
                    return Err(at(end - breaks(open), "a quote is never closed".into()));
                }
                let line = end - 1 - record.iter().map(breaks).sum::<u64>();
                let mut fields = String::with_capacity(record.as_slice().len() + record.len());
                for (place, bytes) in record.iter().enumerate() {
                    let field = text_of(bytes).map_err(|message| at(line, message))?;
                    if place > 0 {
                        fields.push(NUL);
                    }
                    fields.push_str(field);
                }
                if fields.ends_with('\r') {
                    fields.pop();
                }
                if fields.is_empty() && self.columns.len() != 1 {
                    continue;
                }
                return Ok(Some(Row { line, cells: Cells::Fields(Fields(fields)) }));
            },
        }
    }
}

/// The first of `names` that is one of `columns`.
pub(super) fn find_column(path: &Path, columns: &[String], names: &[&str]) -> Result<Column> {
    for &name in names {
        let mut places = columns.iter().enumerate().filter(|(_, column)| *column == name);
        match (places.next(), places.next()) {
            (Some((index, _)), None) => return Ok(Column { name: name.to_owned(), index }),
            (Some(_), Some(_)) => return Err(Error::file(path, format!("two columns are called \"{name}\""))),
            (None, _) => {}
        }
    }
    let wanted = names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(" or ");
    let similarity = |column: &str| names.iter().map(|name| strsim::jaro_winkler(name, column)).fold(0.0, f64::max);
    let nearest = columns.iter().max_by(|a, b| similarity(a).total_cmp(&similarity(b)));
    let hint = match nearest.filter(|column| similarity(column) > 0.75) {
        Some(column) => format!("; did you mean \"{column}\"?"),
        None => String::new(),
    };
    Err(Error::file(path, format!("no column {wanted}; the columns are: {}{hint}", columns.join(", "))))
}

/// What a JSON value is, for messages.
pub(super) fn kind(value: &Value) -> Cow<'static, str> {
    match value {
        Value::Null => "null".into(),
        Value::Bool(_) | Value::Number(_) => value.to_string().into(),
        Value::String(_) => "a string".into(),
        Value::Array(_) => "an array".into(),
        Value::Object(_) => "an object".into(),
    }
}

/// The message of a JSON error. Its own line number is always 1, since lines are parsed one by one.
fn without_line(error: &serde_json::Error) -> String {
    let message = error.to_string();
    match message.rsplit_once(" at line ") {
        Some((what, _)) => format!("{what} at column {}", error.column()),
        None => message,
    }
}

/// Lines of text with their numbers, in one reused buffer.
struct Lines {
    input: Box<dyn BufRead + Send>,
    line: u64,
    bytes: Vec<u8>,
}

impl Lines {
    fn next(&mut self, name: &Path) -> Result<Option<(u64, &str)>> {
        self.bytes.clear();
        if self.input.read_until(b'\n', &mut self.bytes).map_err(Error::io(name))? == 0 {
            return Ok(None);
        }
        self.line += 1;
        let line = self.bytes.strip_suffix(b"\n").unwrap_or(&self.bytes);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let text = text_of(line).map_err(|message| Error::line(name, self.line, message))?;
        Ok(Some((self.line, text)))
    }
}

/// Bytes as text, or what is wrong with them.
fn text_of(bytes: &[u8]) -> std::result::Result<&str, String> {
    if let Some(at) = memchr::memchr(0, bytes) {
        return Err(format!("a NUL byte at byte {} of the line: is this a text file?", at + 1));
    }
    std::str::from_utf8(bytes).map_err(|error| format!("invalid UTF-8 after {} bytes", error.valid_up_to()))
}

fn without_byte_order_mark(mut input: Box<dyn BufRead + Send>) -> io::Result<Box<dyn BufRead + Send>> {
    let mut start = Vec::new();
    input.by_ref().take(3).read_to_end(&mut start)?;
    Ok(if start == b"\xef\xbb\xbf" { input } else { Box::new(Cursor::new(start).chain(input)) })
}

#[cfg(test)]
mod tests;
