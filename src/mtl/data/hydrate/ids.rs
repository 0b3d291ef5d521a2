//! Files of ids with labels: TSV, CSV, spaces or JSON Lines, with a header or without one.

use std::{
    collections::HashMap,
    io::{BufRead, Read},
    path::{Path, PathBuf},
};

use serde_json::{Map, Value};

use crate::mtl::data::input::{decoded, open, read_line};
use crate::printable::{listed, quoted};
use crate::{Error, Result};

/// Names that a column of ids has, if nothing else is said.
const ID_COLUMNS: [&str; 4] = ["id", "tweet_id", "id_str", "tweetid"];

/// The most digits of an id, which has 63 bits.
const MOST_DIGITS: usize = 19;

/// Digits that a double keeps: what a spreadsheet makes of an id is right so far.
const KEPT_DIGITS: usize = 15;

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
        let mut input = decoded(open(path)?).map_err(Error::io(path))?;
        let mut first = Vec::new();
        read_line(&mut input, &mut first).map_err(Error::io(path))?;
        let ids = if first.trim_ascii_start().starts_with(b"{") {
            first.push(b'\n');
            from_json(path, columns, first.as_slice().chain(input))?
        } else {
            let separator = Separator::of(path, &first);
            first.push(b'\n');
            from_table(path, columns, separator, first.as_slice().chain(input))?
        };
        ids.refuse_rounded()?;
        Ok(ids)
    }

    /// Each id once, in the order of its first row.
    pub fn distinct(&self) -> Vec<&str> {
        let mut seen = std::collections::HashSet::new();
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

    /// Ids of today have 17 to 19 digits: if all of them end in zeros, a spreadsheet has rounded them.
    fn refuse_rounded(&self) -> Result<()> {
        let mut long = self.rows.iter().filter(|row| row.id.len() > KEPT_DIGITS + 1).peekable();
        let Some(example) = long.peek().map(|row| row.id.clone()) else { return Ok(()) };
        let (mut all, mut rounded) = (0, 0);
        for row in long {
            all += 1;
            rounded += usize::from(row.id[KEPT_DIGITS..].bytes().all(|digit| digit == b'0'));
        }
        if all < 3 || rounded < all {
            return Ok(());
        }
        let message = format!(
            "all its ids end in zeros, as in {example}: a spreadsheet has rounded them to {KEPT_DIGITS} digits, and the posts \
             cannot be found by them; take the original file, and open its ids as text"
        );
        Err(Error::file(&self.path, message))
    }
}

/// What stands between two columns.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Separator {
    Byte(u8),
    Spaces,
}

impl Separator {
    /// By the first line: a tab, comma or semicolon if it has one, else spaces.
    fn of(path: &Path, line: &[u8]) -> Self {
        let is_csv = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
        let order = if is_csv { b",;\t" } else { b"\t,;" };
        order.iter().find(|byte| line.contains(byte)).map_or(Self::Spaces, |byte| Self::Byte(*byte))
    }

    /// The fields of every line that is not empty, with the line's number.
    fn rows(self, path: &Path, input: impl Read) -> Result<Vec<(u64, Vec<String>)>> {
        let mut rows = Vec::new();
        match self {
            Self::Byte(delimiter) => {
                let mut reader = csv::ReaderBuilder::new()
                    .has_headers(false)
                    .delimiter(delimiter)
                    .flexible(true)
                    .trim(csv::Trim::All)
                    .from_reader(input);
                for record in reader.records() {
                    let record = record.map_err(|error| of_csv(path, error))?;
                    let line = record.position().map_or(0, |position| position.line());
                    rows.push((line, record.iter().map(str::to_owned).collect()));
                }
            }
            Self::Spaces => {
                for (line, text) in (1..).zip(std::io::BufReader::new(input).lines()) {
                    let text = text.map_err(|error| Error::line(path, line, error.to_string()))?;
                    let fields: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
                    if !fields.is_empty() {
                        rows.push((line, fields));
                    }
                }
            }
        }
        Ok(rows)
    }
}

fn of_csv(path: &Path, error: csv::Error) -> Error {
    let line = error.position().map_or(0, |position| position.line());
    match error.into_kind() {
        csv::ErrorKind::Io(source) => Error::io(path)(source),
        csv::ErrorKind::Utf8 { err, .. } => Error::line(path, line, format!("not UTF-8: {err}")),
        other => Error::line(path, line, format!("not a row of a table: {other:?}")),
    }
}

fn from_table(path: &Path, columns: &[String], separator: Separator, input: impl Read) -> Result<Ids> {
    let mut rows = separator.rows(path, input)?.into_iter().peekable();
    let Some((line, first)) = rows.peek().cloned() else { return Err(Error::file(path, "the file is empty")) };
    let names = match check_id(&first[0]) {
        Err(Wrong::NoId) => Some(first.clone()),
        Err(Wrong::Float) => return Err(Error::line(path, line, float(&first[0]))),
        Ok(()) => None,
    };
    if names.is_some() {
        rows.next();
    }
    let names = match (names, columns) {
        (Some(names), _) => names,
        (None, []) if first.len() == 1 => vec![ID_COLUMNS[0].to_owned()],
        (None, []) => {
            let message = format!(
                "its first line is a row, so its {} columns have no names; name them, as in --columns id,related",
                first.len()
            );
            return Err(Error::file(path, message));
        }
        (None, columns) if columns.len() == first.len() => columns.to_vec(),
        (None, columns) => {
            let message = format!(
                "its rows have {} fields, and --columns names {}: {}; name each, the id first",
                first.len(),
                columns.len(),
                listed(columns)
            );
            return Err(Error::file(path, message));
        }
    };
    let (id, labels) = chosen(path, &names, columns)?;
    let mut ids =
        Ids { path: path.into(), labels: labels.iter().map(|&place| names[place].clone()).collect(), rows: vec![] };
    for (line, fields) in rows {
        if fields.len() != names.len() {
            let message = format!("found {} fields, expected {}: {}", fields.len(), names.len(), listed(&names));
            return Err(Error::line(path, line, message));
        }
        let id = require_id(path, line, &fields[id])?;
        ids.rows.push(IdRow { id, labels: labels.iter().map(|&place| fields[place].clone()).collect() });
    }
    Ok(ids)
}

/// The places of the id and of the columns that are kept.
fn chosen(path: &Path, names: &[String], columns: &[String]) -> Result<(usize, Vec<usize>)> {
    let find = |name: &String| {
        let message = || format!("no column {}; the columns are: {}", quoted(name), listed(names));
        names.iter().position(|other| other == name).ok_or_else(|| Error::file(path, message()))
    };
    let (id, labels) = match columns {
        [id, labels @ ..] => (find(id)?, labels.iter().map(find).collect::<Result<Vec<_>>>()?),
        [] => {
            let id = ID_COLUMNS.iter().find_map(|id| names.iter().position(|name| name.eq_ignore_ascii_case(id)));
            let id = id.unwrap_or(0);
            (id, (0..names.len()).filter(|&place| place != id).collect())
        }
    };
    let kept: Vec<&String> = labels.iter().map(|&place| &names[place]).collect();
    if let Some(taken) = kept.iter().find(|name| ["id", "text"].contains(&name.as_str())) {
        let message =
            format!("the column {} would meet our own of that name; choose others by --columns", quoted(taken));
        return Err(Error::file(path, message));
    }
    if let Some(name) = kept.iter().enumerate().find(|(place, name)| kept[..*place].contains(name)) {
        return Err(Error::file(path, format!("two columns are called {}; choose one by --columns", quoted(name.1))));
    }
    Ok((id, labels))
}

/// A JSON object a line, with an id, and labels in an object `label` (as the flu-vaccine set has them) or beside the id.
fn from_json(path: &Path, columns: &[String], input: impl BufRead) -> Result<Ids> {
    let mut objects = Vec::new();
    for (line, text) in (1..).zip(input.lines()) {
        let text = text.map_err(|error| Error::line(path, line, error.to_string()))?;
        if text.trim().is_empty() {
            continue;
        }
        let object: Map<String, Value> = serde_json::from_str(&text)
            .map_err(|error| Error::line(path, line, format!("expected a JSON object: {error}")))?;
        objects.push((line, object));
    }
    let id_name = match columns.first() {
        Some(name) => name.clone(),
        None => {
            let first = objects.first().map(|(_, object)| object);
            let found =
                ["id_str", "id", "tweet_id"].iter().find(|id| first.is_some_and(|object| object.contains_key(**id)));
            found.copied().unwrap_or("id").to_owned()
        }
    };
    let labels = match columns {
        [_, labels @ ..] => labels.to_vec(),
        [] => {
            let mut names: Vec<String> = Vec::new();
            for name in objects.iter().filter_map(|(_, object)| object.get("label")?.as_object()).flat_map(Map::keys) {
                if !names.contains(name) {
                    names.push(name.clone());
                }
            }
            names
        }
    };
    let mut rows = Vec::new();
    for (line, object) in objects {
        let value = |name: &str| object.get("label").and_then(|label| label.get(name)).or_else(|| object.get(name));
        let id = object.get(&id_name).map(spelt);
        let id = id.ok_or_else(|| Error::line(path, line, format!("no {}, expected an id", quoted(&id_name))))?;
        let labels = labels.iter().map(|name| value(name).map_or(String::new(), spelt)).collect();
        rows.push(IdRow { id: require_id(path, line, &id)?, labels });
    }
    Ok(Ids { path: path.into(), labels, rows })
}

/// A scalar as a table has it.
fn spelt(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

enum Wrong {
    NoId,
    Float,
}

fn check_id(text: &str) -> std::result::Result<(), Wrong> {
    if (1..=MOST_DIGITS).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(());
    }
    let is_float = text.starts_with(|c: char| c.is_ascii_digit()) && text.contains(['.', 'e', 'E', ',']);
    if is_float && text.replace(',', ".").parse::<f64>().is_ok() { Err(Wrong::Float) } else { Err(Wrong::NoId) }
}

fn require_id(path: &Path, line: u64, text: &str) -> Result<String> {
    check_id(text).map_err(|wrong| {
        let message = match wrong {
            Wrong::Float => float(text),
            Wrong::NoId => format!("found {}, expected an id of 1 to {MOST_DIGITS} digits", quoted(text)),
        };
        Error::line(path, line, message)
    })?;
    Ok(text.to_owned())
}

fn float(text: &str) -> String {
    format!(
        "the id {} was saved as a float and has lost digits, so the post cannot be found by it; take the original file, and \
         read its ids as text (pandas: dtype=str)",
        quoted(text)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, content: &str, columns: &str) -> std::result::Result<Ids, String> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(name);
        std::fs::write(&path, content).unwrap();
        let columns: Vec<String> = columns.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect();
        let place = directory.path().to_str().unwrap().to_owned() + "/";
        Ids::read(&path, &columns).map_err(|error| error.to_string().replace(&place, ""))
    }

    fn row(id: &str, labels: &[&str]) -> IdRow {
        IdRow { id: id.into(), labels: labels.iter().map(|label| (*label).to_owned()).collect() }
    }

    /// The same two rows in the forms in which data sets are handed out.
    #[test]
    fn one_table_in_every_form() {
        for (name, content, columns) in [
            ("lamb.txt", "10\t1\n20\t0\n", "id,flu"),
            ("a.tsv", "\u{feff}id\tflu\r\n10\t1\r\n20\t0\r\n", ""),
            ("a.tsv", "tweet_id\tflu\n10\t1\n\n20\t0", ""),
            ("a.csv", "flu,id,more\n1,10,x\n0,20,y\n", "id,flu"),
            ("a.csv", "\"id\",\"flu\"\n\"10\",\"1\"\n\"20\",\"0\"\n", ""),
            ("a.csv", "id;flu\n10;1\n20;0\n", ""),
            ("a.txt", "10 1\n20   0\n", "id,flu"),
            ("a.json", "{\"id\":10,\"label\":{\"flu\":1}}\n{\"id\":20,\"label\":{\"flu\":0}}\n", ""),
            (
                "a.json",
                "{\"id_str\":\"10\",\"id\":9,\"label\":{\"flu\":1}}\n{\"id_str\":\"20\",\"id\":19,\"flu\":0}\n",
                "",
            ),
        ] {
            let ids = read(name, content, columns).unwrap();
            assert_eq!(ids.labels, ["flu"], "{content}");
            assert_eq!(ids.rows, [row("10", &["1"]), row("20", &["0"])], "{content}");
        }
        assert_eq!(read("a.txt", "10\n20\n", "").unwrap().rows, [row("10", &[]), row("20", &[])]);
    }

    #[test]
    fn a_label_that_is_missing_is_empty() {
        let content = "{\"id\":1,\"label\":{\"a\":true}}\n{\"id\":2,\"label\":{\"b\":null}}\n";
        let ids = read("flu.json", content, "").unwrap();
        assert_eq!(
            (ids.labels, ids.rows),
            (vec!["a".into(), "b".into()], vec![row("1", &["true", ""]), row("2", &["", ""])])
        );
    }

    #[test]
    fn repeated_ids_are_kept_and_conflicts_counted() {
        let ids = read("a.tsv", "id\tl\n5\t1\n6\t0\n5\t1\n7\t1\n7\t0\n7\t0\n", "").unwrap();
        assert_eq!((ids.rows.len(), ids.repeated(), ids.conflicting()), (6, 3, 1));
        assert_eq!(ids.distinct(), ["5", "6", "7"]);
    }

    #[test]
    fn what_cannot_be_fetched_is_refused_with_its_line() {
        for (name, content, columns, message) in [
            (
                "a.tsv",
                "id\tl\n1.39e18\t1\n",
                "",
                "a.tsv:2: the id \"1.39e18\" was saved as a float and has lost digits",
            ),
            (
                "a.tsv",
                "1390000000000000000.0\t1\n",
                "id,l",
                "a.tsv:1: the id \"1390000000000000000.0\" was saved as a float",
            ),
            ("a.csv", "id;l\n1,39E+18;1\n", "", "a.csv:2: the id \"1,39E+18\" was saved as a float"),
            ("a.tsv", "id\tl\nabc\t1\n", "", "a.tsv:2: found \"abc\", expected an id of 1 to 19 digits"),
            (
                "a.tsv",
                "id\tl\n12345678901234567890\t1\n",
                "",
                "a.tsv:2: found \"12345678901234567890\", expected an id",
            ),
            ("a.tsv", "id\tl\n1\t1\t1\n", "", "a.tsv:2: found 3 fields, expected 2: id, l"),
            ("a.tsv", "1\t1\n", "", "a.tsv: its first line is a row, so its 2 columns have no names; name them"),
            ("a.tsv", "1\t1\n", "id", "a.tsv: its rows have 2 fields, and --columns names 1: id; name each"),
            ("a.tsv", "id\tl\n1\t1\n", "id,m", "a.tsv: no column \"m\"; the columns are: id, l"),
            ("a.tsv", "id\ttext\n1\tx\n", "", "a.tsv: the column \"text\" would meet our own of that name"),
            ("a.tsv", "", "", "a.tsv: the file is empty"),
            ("a.json", "{\"id\":1.39e18}\n", "", "a.json:1: the id \"1.39e"),
            ("a.json", "{\"name\":1}\n", "", "a.json:1: no \"id\", expected an id"),
            (
                "a.tsv",
                "123456789012345000\n123456789012346000\n123456789012347000\n",
                "",
                "a.tsv: all its ids end in zeros, as in 123456789012345000: a spreadsheet has rounded them",
            ),
        ] {
            let error = read(name, content, columns).unwrap_err();
            assert!(error.starts_with(message), "{error}\n{message}");
        }
    }
}
