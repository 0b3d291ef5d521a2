//! An id as digits, and what spreadsheets and floats make of it.

use std::path::Path;

use super::IdRow;
use crate::printable::quoted;
use crate::{Error, Result};

/// The most digits of an id, which has 63 bits.
const MOST_DIGITS: usize = 19;

/// Digits that a double keeps: what a spreadsheet makes of an id is right so far.
const KEPT_DIGITS: usize = 15;

/// Whether a text is an id, or was one before it was saved as a float: then it is no name of a column.
pub(super) fn is_number(text: &str) -> bool {
    is_id(text) || is_float(text)
}

/// Checks that a text is an id.
///
/// # Errors
/// [`Error::Line`] if it is none.
pub(super) fn require_id(path: &Path, line: u64, text: &str) -> Result<String> {
    if is_id(text) {
        return Ok(text.to_owned());
    }
    let message = if is_float(text) {
        format!(
            "the id {} was saved as a float and has lost digits, so the post cannot be found by it; take the original file, \
             and read its ids as text (pandas: dtype=str)",
            quoted(text)
        )
    } else {
        format!("found {}, expected an id of 1 to {MOST_DIGITS} digits", quoted(text))
    };
    Err(Error::line(path, line, message))
}

/// Checks that a spreadsheet has not rounded the ids. Those of today have 17 to 19 digits; all of them then end in zeros.
///
/// # Errors
/// [`Error::File`] if it has.
pub(super) fn refuse_rounded(path: &Path, rows: &[IdRow]) -> Result<()> {
    let long = || rows.iter().map(|row| &row.id).filter(|id| id.len() > KEPT_DIGITS + 1);
    let is_rounded = |id: &String| id[KEPT_DIGITS..].bytes().all(|digit| digit == b'0');
    match long().next() {
        Some(example) if long().count() >= 3 && long().all(is_rounded) => Err(Error::file(
            path,
            format!(
                "all its ids end in zeros, as in {example}: a spreadsheet has rounded them to {KEPT_DIGITS} digits, and the \
                 posts cannot be found by them; take the original file, and open its ids as text"
            ),
        )),
        _ => Ok(()),
    }
}

fn is_id(text: &str) -> bool {
    (1..=MOST_DIGITS).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_float(text: &str) -> bool {
    let has_sign = text.starts_with(|c: char| c.is_ascii_digit()) && text.contains(['.', 'e', 'E', ',']);
    has_sign && text.replace(',', ".").parse::<f64>().is_ok()
}
