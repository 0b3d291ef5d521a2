//! A stream of rows from TSV, CSV or JSON Lines, each with its line number and all its columns.

mod header;
mod lines;
mod object;
mod records;

pub(super) use header::Header;
pub(super) use object::kind;
#[cfg(feature = "hydrate")]
pub(super) use object::parse as parse_object;
pub use object::{Json, Object};

use super::{
    dialect::{Delimiter, Dialect},
    format::Format,
    input::{self, Input, decoded, read_line},
};
use crate::printable::quoted;
use crate::{Error, Result};
use header::{CARRIAGE_RETURN, QUOTED};
use lines::Lines;
use records::Records;
pub(super) use records::require_columns;
use std::{
    io::{Cursor, Read},
    path::{Path, PathBuf},
};

/// The longest text, in bytes: to learn from it takes up to some thousand times as much memory.
const LONGEST_TEXT: usize = 1 << 20;

/// What a row holds, in the order of its file.
#[derive(Clone, Debug, PartialEq)]
pub enum Cells {
    /// One string a column: TSV and CSV.
    Fields(Fields),
    /// One object with its own keys: JSON Lines.
    Object(Object),
}

/// The fields of a row, in one string: between them stand NUL bytes, which no text holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fields(String);

impl Fields {
    /// The fields, in order; at least one.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split(NUL)
    }

    /// Appends the field of a place to a row that is being put together.
    fn push(row: &mut String, place: usize, field: &str) {
        if place > 0 {
            row.push(NUL);
        }
        row.push_str(field);
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
    /// Another value of JSON Lines, as it is spelt there.
    Value(&'a str),
    /// JSON Lines only: the row has no such key.
    Absent,
}

impl Row {
    /// What the row has in `column`.
    pub fn cell(&self, column: &Column) -> Cell<'_> {
        match &self.cells {
            Cells::Fields(fields) => Cell::Text(fields.iter().nth(column.index).expect("a field for each column")),
            Cells::Object(object) => match object.get(&column.name) {
                Some(Json::Text(text)) => Cell::Text(text),
                Some(Json::Other(other)) => Cell::Value(other),
                None => Cell::Absent,
            },
        }
    }

    /// The text that the row has in `column`.
    ///
    /// # Errors
    /// What is wrong, if it has none there, or one that is longer than 1 MiB.
    pub fn text(&self, column: &Column) -> std::result::Result<&str, String> {
        let name = || quoted(&column.name);
        match self.cell(column) {
            Cell::Text(text) if text.len() > LONGEST_TEXT => {
                let (found, most) = (text.len(), LONGEST_TEXT >> 20);
                Err(format!("{} has {found} bytes, more than the {most} MiB that a text may have; cut it", name()))
            }
            Cell::Text(text) => Ok(text),
            Cell::Value(other) => Err(format!("{} is {}, expected a text", name(), kind(other))),
            Cell::Absent => Err(format!("no {}, expected a text", name())),
        }
    }
}

/// Reads rows one at a time, in memory that does not depend on their number.
///
/// Text is UTF-8, or UTF-16 with a byte order mark; `\r\n` ends a line as `\n` does, empty lines are skipped (except in a
/// TSV file of one column, where they are empty texts). A CSV file whose header has no comma is one of semicolons, tabs or
/// bars, whichever the header has most of; a first line such as `sep=;`, which Excel writes, is understood.
pub struct RowReader {
    rows: Rows,
    name: PathBuf,
    format: Format,
    delimiter: Delimiter,
    quotes_are_text: bool,
    columns: Vec<String>,
    header_line: u64,
    peeked: Option<Row>, // the first row of JSON Lines, which was read for its keys
}

enum Rows {
    Tsv(Lines),
    Csv(Box<Records>),
    Jsonl(Lines),
}

impl RowReader {
    /// Opens a file, whose extension names the format.
    ///
    /// # Errors
    /// As [`RowReader::new`], and [`Error::Io`] or [`Error::File`] if the file cannot be opened or its format is unknown.
    pub fn open(path: &Path) -> Result<Self> {
        Self::open_as(path, Dialect::default())
    }

    /// Opens a file of which something is known.
    ///
    /// # Errors
    /// As [`RowReader::open`].
    pub fn open_as(path: &Path, dialect: Dialect) -> Result<Self> {
        let format = dialect.format_of(path)?;
        Self::new(input::open(path)?, format, dialect, path.to_owned())
    }

    /// Reads from `input`, which errors call `name`; reads the header. Of the dialect's format it matters only whether it
    /// was said: if not, a TSV file must not look as if it had quotes.
    ///
    /// # Errors
    /// [`Error::File`] if there is not even a header, [`Error::Line`] if it is malformed.
    pub fn new(input: Input<'static>, format: Format, dialect: Dialect, name: PathBuf) -> Result<Self> {
        if format == Format::Jsonl && dialect.delimiter.is_some() {
            let message = format!("{} is JSON Lines, which has no delimiter", name.display());
            return Err(Error::config("delimiter", message));
        }
        let mut input = decoded(input).map_err(lines::at(&name, 1))?;
        let mut before = 0;
        let delimiter = match (dialect.delimiter, format) {
            (Some(delimiter), _) => delimiter,
            (None, Format::Csv) => {
                let mut first = Vec::new();
                let is_there = read_line(&mut input, &mut first).map_err(lines::at(&name, 1))?;
                match first.trim_ascii_end() {
                    [b's', b'e', b'p', b'=', said] if let Ok(said) = Delimiter::of(char::from(*said)) => {
                        before = 1;
                        said
                    }
                    _ => {
                        let delimiter = Delimiter::of_header(&first);
                        if is_there {
                            first.push(b'\n');
                        }
                        input = Box::new(Cursor::new(first).chain(input));
                        delimiter
                    }
                }
            }
            (None, _) => Delimiter::TAB,
        };
        let rows = match format {
            Format::Tsv => Rows::Tsv(Lines::new(input, 0)),
            Format::Csv => Rows::Csv(Box::new(Records::new(input, delimiter, before))),
            Format::Jsonl => Rows::Jsonl(Lines::new(input, 0)),
        };
        let quotes_are_text = dialect.format.is_some();
        let mut reader =
            Self { rows, name, format, delimiter, quotes_are_text, columns: Vec::new(), header_line: 1, peeked: None };
        let Some(first) = reader.read()? else {
            return Err(Error::file(&reader.name, "the file is empty"));
        };
        reader.header_line = first.line;
        match first.cells {
            Cells::Fields(columns) => {
                if columns.iter().any(has_lone_return) {
                    return Err(Error::line(&reader.name, first.line, CARRIAGE_RETURN.trim_start_matches("; ")));
                }
                reader.columns = columns.iter().map(str::to_owned).collect();
            }
            Cells::Object(ref object) => {
                reader.columns = object.keys().cloned().collect();
                reader.peeked = Some(first);
            }
        }
        Ok(reader)
    }

    /// The reader of a table without a header: its first line is a row, and `names` are those of its columns.
    ///
    /// # Panics
    /// If the number of names is another, or the file is JSON Lines, which has no header.
    pub fn without_header(mut self, names: Vec<String>) -> Self {
        assert!(self.format != Format::Jsonl && names.len() == self.columns.len(), "a name for each column");
        let first = std::mem::replace(&mut self.columns, names);
        self.peeked = Some(Row { line: self.header_line, cells: Cells::Fields(Fields(first.join("\0"))) });
        self
    }

    /// The names of the columns, in the order of the file. For JSON Lines, those of the first row.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The first name that two columns have, if any.
    pub fn repeated_column(&self) -> Option<&str> {
        header::repeated(&self.columns)
    }

    /// What stands between two columns; of no meaning for JSON Lines.
    pub fn delimiter(&self) -> Delimiter {
        self.delimiter
    }

    /// Finds the column `name`.
    ///
    /// # Errors
    /// [`Error::File`] if the file has no such column, or two.
    pub fn column(&self, name: &str) -> Result<Column> {
        self.column_or(name, "")
    }

    /// As [`column`](Self::column), with what the error says of naming another one.
    ///
    /// # Errors
    /// As [`column`](Self::column).
    pub fn column_or(&self, name: &str, cure: &str) -> Result<Column> {
        Header { path: &self.name, columns: &self.columns, format: self.format, cure }.find(&[name])
    }

    /// The next row, or `None` at the end.
    ///
    /// # Errors
    /// [`Error::Line`] for text that is not UTF-8, a NUL byte, a row with more or fewer fields than columns, quotes in TSV, a
    /// line that is not a JSON object, a key that occurs twice, a line of more than 64 MiB; [`Error::Io`] if reading fails.
    pub fn next_row(&mut self) -> Result<Option<Row>> {
        if let Some(row) = self.peeked.take() {
            return Ok(Some(row));
        }
        let row = self.read()?;
        if let Some(Row { line, cells: Cells::Fields(fields) }) = &row {
            self.check(fields).map_err(|message| Error::line(&self.name, *line, message))?;
        }
        Ok(row)
    }

    /// Whether there is a field for each column, and none that was meant to be read otherwise.
    fn check(&self, fields: &Fields) -> std::result::Result<(), String> {
        let found = fields.iter().count();
        let may_be_quoted = self.format == Format::Tsv && !self.quotes_are_text && fields.0.contains('"');
        if found != self.columns.len() {
            let expected = self.columns.len();
            let hint = if fields.iter().any(has_lone_return) {
                CARRIAGE_RETURN.to_owned()
            } else if may_be_quoted && fields.iter().any(is_half_quoted) {
                format!("; {QUOTED}")
            } else {
                String::new()
            };
            return Err(format!("found {found} fields, expected {expected}{hint}"));
        }
        match fields.iter().find(|field| may_be_quoted && has_doubled_quotes(field)) {
            Some(field) => Err(format!("a text between quotes, with quotes doubled: {}; {QUOTED}", quoted(field))),
            None => Ok(()),
        }
    }

    /// The next row, whatever its number of fields.
    fn read(&mut self) -> Result<Option<Row>> {
        let is_single = self.columns.len() == 1;
        loop {
            let (line, cells) = match &mut self.rows {
                Rows::Jsonl(lines) => {
                    let Some((line, text)) = lines.next(&self.name)? else { return Ok(None) };
                    if text.trim_ascii().is_empty() {
                        continue;
                    }
                    let object = object::parse(text).map_err(|message| Error::line(&self.name, line, message))?;
                    (line, Cells::Object(object))
                }
                Rows::Tsv(lines) => {
                    let Some((line, text)) = lines.next(&self.name)? else { return Ok(None) };
                    let delimiter = char::from(self.delimiter.byte());
                    let found = 1 + memchr::memchr_iter(self.delimiter.byte(), text.as_bytes()).count();
                    require_columns(found).map_err(|message| Error::line(&self.name, line, message))?;
                    (line, Cells::Fields(Fields(text.replace(delimiter, "\0"))))
                }
                Rows::Csv(records) => {
                    let Some((line, fields)) = records.next(&self.name)? else { return Ok(None) };
                    (line, Cells::Fields(fields))
                }
            };
            match &cells {
                Cells::Fields(fields) if fields.0.is_empty() && !is_single => {}
                _ => return Ok(Some(Row { line, cells })),
            }
        }
    }
}

/// Whether a `\r` stands where no line ends.
fn has_lone_return(field: &str) -> bool {
    field.contains('\r') && field.replace("\r\n", "").contains('\r')
}

/// Whether one quote of two is in another field or line.
fn is_half_quoted(field: &str) -> bool {
    (field.starts_with('"') || field.ends_with('"')) && field.matches('"').count() % 2 == 1
}

/// Whether a field stands between quotes and has quotes inside, all of them doubled.
fn has_doubled_quotes(field: &str) -> bool {
    let inside = field.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inside.is_some_and(|inside| inside.contains('"') && !inside.replace("\"\"", "").contains('"'))
}

/// Bytes as text, or what is wrong with them.
fn text_of(bytes: &[u8]) -> std::result::Result<&str, String> {
    if let Some(at) = memchr::memchr(0, bytes) {
        return Err(format!(
            "a NUL byte at byte {} of the line: is this a text file? If it is UTF-16 without a byte order mark, save it as UTF-8",
            at + 1
        ));
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let valid = error.valid_up_to();
        format!(
            "not UTF-8 after {valid} bytes (byte 0x{:02x}): if it is Latin-1 or Windows-1252, save it as UTF-8 (in Excel, \
             \"CSV UTF-8\"), or convert it with `iconv -f WINDOWS-1252 -t UTF-8 OLD > NEW`",
            bytes[valid]
        )
    })
}

#[cfg(test)]
mod tests;
