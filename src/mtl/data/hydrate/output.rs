//! The file to learn from, and beside it the file of what is missing.

use std::{
    io::{self, Write},
    path::Path,
};

use super::{answers::Answers, ids::Ids, post::Retweets};
use crate::mtl::{
    data::{Attrition, Format, missing_of},
    files,
};
use crate::{Error, Result};

/// How many of the rows of `ids` have their post.
pub fn attrition(ids: &Ids, answers: &Answers) -> Attrition {
    let rows = ids.rows.iter().map(|row| {
        let reason = (!answers.is_found(&row.id)).then(|| answers.reason(&row.id));
        (row.id.as_str(), &row.labels[..], reason)
    });
    Attrition::of(&ids.labels, rows)
}

/// Checks that `out` can be written as it will be.
///
/// # Errors
/// [`Error::File`] for a name that is not of a TSV file.
pub fn check_output(out: &Path) -> Result<()> {
    match Format::of(out) {
        Ok(Format::Tsv) => Ok(()),
        _ => Err(Error::file(out, "expected a name that ends in .tsv, which is what is written")),
    }
}

/// Writes the rows whose posts were found (id, text, labels) to `out`, and the others (id, reason, labels) beside it, each in
/// the order of the ids.
///
/// # Errors
/// [`Error::Io`]; neither file is then half-written.
pub fn write(ids: &Ids, answers: &Answers, retweets: Retweets, out: &Path) -> Result<()> {
    files::write_atomically(&missing_of(out), |output| {
        let row = |id: &str| (!answers.is_found(id)).then(|| answers.reason(id).replace(['\t', '\n', '\r', '\0'], " "));
        table(ids, "reason", row, output)
    })?;
    files::write_atomically(out, |output| table(ids, "text", |id| answers.text(id, retweets), output))
}

fn table(ids: &Ids, second: &str, of: impl Fn(&str) -> Option<String>, output: &mut dyn Write) -> io::Result<()> {
    let mut line = |id: &str, second: &str, labels: &[String]| {
        write!(output, "{id}\t{second}")?;
        labels.iter().try_for_each(|label| write!(output, "\t{}", label.replace(['\t', '\n', '\r'], " ")))?;
        output.write_all(b"\n")
    };
    line("id", second, &ids.labels)?;
    ids.rows.iter().try_for_each(|row| match of(&row.id) {
        Some(found) => line(&row.id, &found, &row.labels),
        None => Ok(()),
    })
}
