//! Columns by their names, and what may be the reason that one is missing.

use super::Column;
use crate::mtl::data::Format;
use crate::printable::{listed, quoted, shortened};
use crate::{Error, Result};
use std::{collections::HashSet, path::Path};

/// What lines that end in CR alone look like.
pub(super) const CARRIAGE_RETURN: &str = "; it holds a carriage return: do the lines end in CR alone? They must end in LF or CR LF (`tr '\\r' '\\n' < OLD > NEW`)";

/// How a table with quotes is read.
pub(super) const QUOTED: &str = "TSV has no quotes, in which pandas, Excel and R write tabs, line breaks and quotes: read the file with \
     --input-format csv --delimiter tab (or, if the quotes are part of the text, with --input-format tsv)";

/// The columns of a file to look in, and what else helps to say why there is none.
pub(crate) struct Header<'h> {
    pub path: &'h Path,
    pub columns: &'h [String],
    pub format: Format,
    /// How another column is named: for the end of an error.
    pub cure: &'h str,
}

impl Header<'_> {
    /// The first of `names` that is a column.
    pub fn find(&self, names: &[&str]) -> Result<Column> {
        for &name in names {
            let mut places = self.columns.iter().enumerate().filter(|(_, column)| *column == name);
            match (places.next(), places.next()) {
                (Some((index, _)), None) => return Ok(Column { name: name.to_owned(), index }),
                (Some(_), Some(_)) => {
                    return Err(Error::file(self.path, format!("two columns are called {}", quoted(name))));
                }
                (None, _) => {}
            }
        }
        let wanted = names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(" or ");
        let found = match self.columns {
            [only] => format!("the only column is {}", shortened(only)),
            columns => format!("the columns are: {}", listed(columns)),
        };
        Err(Error::file(self.path, format!("no column {wanted}; {found}{}", self.hint(names))))
    }

    /// What may be the reason, and what to do about it.
    fn hint(&self, names: &[&str]) -> String {
        if let [only] = self.columns
            && let Some((_, found)) = DELIMITERS.iter().find(|(delimiter, _)| only.contains(*delimiter))
        {
            return match self.format {
                Format::Tsv => format!("; it has {found} and no tab: read the file with --input-format csv"),
                _ => format!("; it has {found}: name what is between the columns, as in --delimiter ';'"),
            };
        }
        let is_quoted = |column: &String| column.len() > 1 && column.starts_with('"') && column.ends_with('"');
        if self.format == Format::Tsv && self.columns.iter().any(is_quoted) {
            return format!("; {QUOTED}");
        }
        let similarity = |column: &str| {
            let of = |name: &&str| strsim::jaro_winkler(name, column);
            names.iter().map(of).fold(0.0, f64::max)
        };
        let short = || self.columns.iter().filter(|column| column.len() <= LONGEST_NAME);
        let nearest = short().max_by(|a, b| similarity(a).total_cmp(&similarity(b)));
        if let Some(column) = nearest.filter(|column| similarity(column) > 0.75) {
            return format!("; did you mean {}? {}", quoted(column), self.cure).trim_end().to_owned();
        }
        let is_value = |column: &String| column.len() > LONGEST_NAME || column.parse::<f64>().is_ok();
        if self.format != Format::Jsonl && self.columns.iter().any(is_value) {
            return "; the first line must name the columns: add such a line if the file has none".into();
        }
        if self.cure.is_empty() { String::new() } else { format!("; {}", self.cure) }
    }
}

/// What stands between columns, if nothing else is said.
const DELIMITERS: [(char, &str); 4] = [('\t', "tabs"), (';', "semicolons"), (',', "commas"), ('|', "bars")];

/// Longer names are no names: they are compared with nothing, which would take long.
const LONGEST_NAME: usize = 100;

/// The first name that occurs twice.
pub(super) fn repeated(columns: &[String]) -> Option<&str> {
    let mut seen = HashSet::new();
    columns.iter().map(String::as_str).find(|column| !seen.insert(*column))
}
