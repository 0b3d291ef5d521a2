//! Reading a published table.

use crate::{Error, Result};
use serde::Serialize;
use std::{fmt, fs::File, io::Read, path::Path};

/// The columns of a table, in any order; further ones are ignored.
const COLUMNS: [&str; 7] = ["task", "layer", "arm", "accuracy", "f", "rows", "positives"];

/// A percentage as it is printed. The number of digits matters: 85.62 stands for anything from 85.615 to 85.625.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(into = "f64")]
pub struct Percent {
    value: f64,
    decimals: usize,
}

impl Percent {
    /// Reads a number from 0 to 100 in plain digits, such as `85.62`; `None` if `text` is anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let plain = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
        let value: f64 = text.parse().ok()?;
        (plain(whole) && plain(fraction) && value <= 100.0).then_some(Self { value, decimals: fraction.len() })
    }

    /// The printed number, in percent.
    pub fn value(self) -> f64 {
        self.value
    }

    /// Half a unit of the last printed digit, in percent.
    pub fn half_unit(self) -> f64 {
        0.5 / 10f64.powi(self.decimals as i32)
    }
}

impl From<Percent> for f64 {
    fn from(percent: Percent) -> Self {
        percent.value
    }
}

/// Prints the number as the table did.
impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{:.*}", self.decimals, self.value))
    }
}

/// One result of a published table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cell {
    /// The task's name.
    pub task: String,
    /// The shared layer, or whatever else tells models apart.
    pub layer: String,
    /// STL, MTL or another arm.
    pub arm: String,
    /// The printed accuracy.
    pub accuracy: Percent,
    /// The printed F-score.
    pub f: Percent,
    /// How many labelled rows the task has; above 0.
    pub rows: u64,
    /// How many of them are labelled true.
    pub positives: u64,
}

/// Reads a table from a CSV file with the columns task, layer, arm, accuracy, f (both in percent, with the digits that were
/// printed), rows and positives.
///
/// # Errors
/// If the file cannot be read, lacks a column or has no row, or if a line has the wrong number of fields or a field that
/// is not what its column needs. A table whose figures are all at most 1 is refused, since they are shares.
pub fn read(path: impl AsRef<Path>) -> Result<Vec<Cell>> {
    let path = path.as_ref();
    read_from(File::open(path).map_err(Error::io(path))?, path)
}

/// As [`read`], from `input`, which errors call `path`.
///
/// # Errors
/// As [`read`].
pub fn read_from(input: impl Read, path: &Path) -> Result<Vec<Cell>> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(input);
    let header = reader.headers().map_err(|error| csv_error(path, error))?.clone();
    if header.is_empty() {
        return Err(Error::file(path, "the file is empty"));
    }
    let columns = columns(path, &header)?;
    let mut cells = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| csv_error(path, error))?;
        let line = record.position().map_or(0, csv::Position::line);
        cells.push(cell(columns.map(|column| &record[column])).map_err(|message| Error::line(path, line, message))?);
    }
    if cells.is_empty() {
        return Err(Error::file(path, "the table has no row"));
    }
    if cells.iter().all(|cell| cell.accuracy.value <= 1.0 && cell.f.value <= 1.0) {
        return Err(Error::file(
            path,
            "no accuracy and no F is above 1: expected percent (85.62), not shares (0.8562)",
        ));
    }
    Ok(cells)
}

/// Where each of [`COLUMNS`] is.
fn columns(path: &Path, header: &csv::StringRecord) -> Result<[usize; 7]> {
    let found = || header.iter().collect::<Vec<_>>().join(", ");
    let mut columns = [0; 7];
    for (column, name) in columns.iter_mut().zip(COLUMNS) {
        *column = header.iter().position(|field| field == name).ok_or_else(|| {
            Error::line(path, 1, format!("no column `{name}`; expected {}, found {}", COLUMNS.join(", "), found()))
        })?;
    }
    Ok(columns)
}

/// Makes a cell of the fields in the order of [`COLUMNS`], or says which is wrong.
fn cell([task, layer, arm, accuracy, f, rows, positives]: [&str; 7]) -> std::result::Result<Cell, String> {
    let percent = |column: &str, text: &str| {
        Percent::parse(text)
            .ok_or_else(|| format!("{column} \"{text}\": expected a percentage from 0 to 100, such as 85.62"))
    };
    let count = |column: &str, text: &str| {
        text.parse::<u64>().map_err(|_| format!("{column} \"{text}\": expected a whole number, such as 2661"))
    };
    let cell = Cell {
        task: task.to_owned(),
        layer: layer.to_owned(),
        arm: arm.to_owned(),
        accuracy: percent("accuracy", accuracy)?,
        f: percent("f", f)?,
        rows: count("rows", rows)?,
        positives: count("positives", positives)?,
    };
    match (cell.rows, cell.positives) {
        (0, _) => Err("rows \"0\": expected at least 1".to_owned()),
        (rows, positives) if positives > rows => {
            Err(format!("positives \"{positives}\": expected at most the {rows} rows"))
        }
        _ => Ok(cell),
    }
}

/// A `csv::Error` in our words, with its line where it has one.
fn csv_error(path: &Path, error: csv::Error) -> Error {
    let line = error.position().map(csv::Position::line);
    let message = match error.into_kind() {
        csv::ErrorKind::Io(source) => return Error::io(path)(source),
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("found {len} fields, expected {expected_len} as in the header")
        }
        csv::ErrorKind::Utf8 { err, .. } => format!("field {} is not valid UTF-8", err.field() + 1),
        other => format!("{other:?}"),
    };
    line.map_or_else(|| Error::file(path, message.clone()), |line| Error::line(path, line, message.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    const HEADER: &str = "task,layer,arm,accuracy,f,rows,positives\n";

    fn read_text(bytes: &[u8]) -> std::result::Result<Vec<Cell>, String> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        let name = file.path().display().to_string();
        read(file.path()).map_err(|error| error.to_string().replace(&name, "table.csv"))
    }

    fn message(rows: &str) -> String {
        read_text(format!("{HEADER}{rows}").as_bytes()).unwrap_err()
    }

    #[test]
    fn columns_are_found_by_name_in_any_order() {
        let cells = read_text(
            b"\xef\xbb\xbff,note,accuracy,rows,positives,task,layer,arm\n75.9, x ,76.52,2661,1304,influenza,B,STL\n",
        )
        .unwrap();
        assert_eq!(cells.len(), 1);
        assert_eq!((cells[0].task.as_str(), cells[0].layer.as_str(), cells[0].arm.as_str()), ("influenza", "B", "STL"));
        assert_eq!((cells[0].accuracy.value(), cells[0].f.value()), (76.52, 75.9));
        assert_eq!((cells[0].accuracy.half_unit(), cells[0].f.half_unit()), (0.005, 0.05));
        assert_eq!((cells[0].rows, cells[0].positives), (2661, 1304));
    }

    #[test]
    fn a_percentage_is_printed_as_it_was_read() {
        for text in ["75.90", "100", "0.0", "7.125"] {
            assert_eq!(Percent::parse(text).unwrap().to_string(), text);
        }
        for text in ["", "-1", "1e1", "NaN", "inf", "100.01", "85,62", "85.62%", "+5"] {
            assert_eq!(Percent::parse(text), None, "{text}");
        }
    }

    #[test]
    fn every_mistake_is_named_with_its_line_and_column() {
        assert_eq!(
            message("a,B,STL,76.52,75.90,2661,1304\na,B,MTL,high,75.90,2661,1304\n"),
            "table.csv:3: accuracy \"high\": expected a percentage from 0 to 100, such as 85.62"
        );
        assert_eq!(
            message("a,B,STL,76.52,175.90,2661,1304\n"),
            "table.csv:2: f \"175.90\": expected a percentage from 0 to 100, such as 85.62"
        );
        assert_eq!(
            message("a,B,STL,76.52,75.90,\"2,661\",1304\n"),
            "table.csv:2: rows \"2,661\": expected a whole number, such as 2661"
        );
        assert_eq!(
            message("a,B,STL,76.52,75.90,2661,2662\n"),
            "table.csv:2: positives \"2662\": expected at most the 2661 rows"
        );
        assert_eq!(message("a,B,STL,76.52,75.90,0,0\n"), "table.csv:2: rows \"0\": expected at least 1");
        assert_eq!(message("a,B,STL,76.52\n"), "table.csv:2: found 4 fields, expected 7 as in the header");
        assert_eq!(message(""), "table.csv: the table has no row");
        assert_eq!(
            message("a,B,STL,0.7652,0.7590,2661,1304\n"),
            "table.csv: no accuracy and no F is above 1: expected percent (85.62), not shares (0.8562)"
        );
    }

    #[test]
    fn a_file_that_is_no_such_table_is_named() {
        assert_eq!(
            read_text(b"task,accuracy\na,5\n").unwrap_err(),
            "table.csv:1: no column `layer`; expected task, layer, arm, accuracy, f, rows, positives, found task, accuracy"
        );
        let not_utf8 = [HEADER.as_bytes(), b"a,\xff,STL,76.52,75.90,2661,1304\n"].concat();
        assert_eq!(read_text(&not_utf8).unwrap_err(), "table.csv:2: field 2 is not valid UTF-8");
        assert!(matches!(read("no such file.csv"), Err(Error::Io { .. })));
        assert_eq!(read_text(b"").unwrap_err(), "table.csv: the file is empty");
    }
}
