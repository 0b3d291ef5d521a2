//! What may be said of a table that its name does not tell.

use super::format::Format;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::{fmt, path::Path, str::FromStr};

/// What is known of a table beside its name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dialect {
    /// Its format, whatever it is called.
    pub format: Option<Format>,
    /// What stands between two columns.
    pub delimiter: Option<Delimiter>,
}

impl Dialect {
    /// The format of a file: what was said, or else what its extension says.
    ///
    /// # Errors
    /// As [`Format::of`].
    pub fn format_of(&self, path: &Path) -> Result<Format> {
        self.format.map_or_else(|| Format::of(path), Ok)
    }
}

/// What stands between two columns: an ASCII character.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Delimiter(u8);

impl Delimiter {
    /// That of TSV.
    pub const TAB: Self = Self(b'\t');
    /// That of CSV.
    pub const COMMA: Self = Self(b',');
    /// What may be said, in words.
    pub const EXPECTED: &str = "one ASCII character such as ; or |, or `tab`";

    /// The delimiter `c`.
    ///
    /// # Errors
    /// What was expected, if it cannot be one.
    pub(super) fn of(c: char) -> std::result::Result<Self, String> {
        match u8::try_from(c) {
            Ok(byte) if byte == b'\t' || (byte.is_ascii() && !byte.is_ascii_control() && byte != b'"') => {
                Ok(Self(byte))
            }
            _ => Err(format!("expected {}", Self::EXPECTED)),
        }
    }

    /// What a CSV file's first line has between its columns: a comma, unless it has none outside of quotes.
    pub(super) fn of_header(line: &[u8]) -> Self {
        let unquoted = || line.split(|&byte| byte == b'"').step_by(2).flatten();
        let count = |delimiter: u8| unquoted().filter(|&&byte| byte == delimiter).count();
        if count(b',') > 0 {
            return Self::COMMA;
        }
        let most = [b'|', b'\t', b';'].into_iter().max_by_key(|&delimiter| count(delimiter));
        most.filter(|&delimiter| count(delimiter) > 0).map_or(Self::COMMA, Self)
    }

    /// It in a file.
    pub(super) fn byte(self) -> u8 {
        self.0
    }
}

impl FromStr for Delimiter {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut chars = text.chars();
        let delimiter = match (text, chars.next(), chars.next()) {
            ("tab" | "\\t", ..) => Ok(Self::TAB),
            (_, Some(c), None) => Self::of(c),
            _ => Err(format!("expected {}", Self::EXPECTED)),
        };
        delimiter.map_err(|message| Error::config("delimiter", message))
    }
}

impl TryFrom<String> for Delimiter {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl fmt::Display for Delimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::TAB { f.write_str("tab") } else { write!(f, "{}", char::from(self.0)) }
    }
}

impl From<Delimiter> for String {
    fn from(delimiter: Delimiter) -> Self {
        delimiter.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delimiter_is_one_character_or_the_word_tab() {
        for (text, byte) in [(";", b';'), ("tab", b'\t'), ("\\t", b'\t'), ("\t", b'\t'), (",", b','), (" ", b' ')] {
            let delimiter: Delimiter = text.parse().unwrap();
            assert_eq!(delimiter.byte(), byte);
            assert_eq!(delimiter.to_string().parse::<Delimiter>().unwrap(), delimiter);
        }
        for text in ["", ";;", "é", "\"", "\n", "\0"] {
            assert!(text.parse::<Delimiter>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_header_tells_its_delimiter() {
        for (header, delimiter) in [
            ("text,label", b','),
            ("id;text;label", b';'),
            ("\"a, b\";text", b';'),
            ("id\ttext", b'\t'),
            ("id|text;x|label", b'|'),
            ("text", b','),
            ("", b','),
        ] {
            assert_eq!(Delimiter::of_header(header.as_bytes()).byte(), delimiter, "{header}");
        }
    }
}
