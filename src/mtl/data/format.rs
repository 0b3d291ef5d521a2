//! The file formats that are read and written, and what identifies a file.

use super::input::BLOCK;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{fmt, fs::File, io::Read, path::Path, str::FromStr};

/// A format of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Fields between tabs, rows between newlines, a header, no quoting: `"` is an ordinary character.
    Tsv,
    /// RFC 4180: commas, a header, fields in double quotes where needed.
    Csv,
    /// One JSON object a line.
    Jsonl,
}

impl Format {
    /// The format that the extension of `path` names, `.gz` aside.
    ///
    /// # Errors
    /// [`Error::File`] for an extension that is none of `.tsv`, `.csv`, `.jsonl`, `.ndjson`.
    pub fn of(path: &Path) -> Result<Self> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        let stem = name.strip_suffix(".gz").unwrap_or(&name);
        match stem.rsplit_once('.').map(|(_, extension)| extension) {
            Some("tsv") => Ok(Self::Tsv),
            Some("csv") => Ok(Self::Csv),
            Some("jsonl" | "ndjson") => Ok(Self::Jsonl),
            _ => Err(Error::file(
                path,
                "unknown file format: expected .tsv, .csv, .jsonl or .ndjson, each also with .gz; \
                 for a file of another name say --input-format tsv, csv or jsonl",
            )),
        }
    }
}

impl FromStr for Format {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "tsv" => Ok(Self::Tsv),
            "csv" => Ok(Self::Csv),
            "jsonl" => Ok(Self::Jsonl),
            _ => Err(Error::config("format", format!("found {name:?}, expected tsv, csv or jsonl"))),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tsv => "tsv",
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
        })
    }
}

/// The SHA-256 of a file's bytes as they are on disk, in hexadecimal.
///
/// # Errors
/// [`Error::Io`] if the file cannot be read.
pub fn sha256(path: &Path) -> Result<String> {
    let mut file = File::open(path).map_err(Error::io(path))?;
    let mut hash = Sha256::new();
    let mut block = vec![0; BLOCK];
    loop {
        match file.read(&mut block).map_err(Error::io(path))? {
            0 => return Ok(hexadecimal(&hash.finalize())),
            read => hash.update(&block[..read]),
        }
    }
}

/// Bytes as lower-case hexadecimal digits.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_by_extension() {
        for (name, format) in [
            ("a.tsv", Format::Tsv),
            ("B.CSV.GZ", Format::Csv),
            ("c.jsonl", Format::Jsonl),
            ("d.x.ndjson.gz", Format::Jsonl),
        ] {
            assert_eq!(Format::of(Path::new(name)).unwrap(), format);
        }
        for name in ["a.xlsx", "tsv", "a.gz"] {
            let message = Format::of(Path::new(name)).unwrap_err().to_string();
            assert!(message.contains(".tsv, .csv, .jsonl or .ndjson"), "{message}");
        }
    }

    #[test]
    fn sha256_of_abc_is_the_one_of_fips_180() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("abc");
        std::fs::write(&path, "abc").unwrap();
        assert_eq!(sha256(&path).unwrap(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
