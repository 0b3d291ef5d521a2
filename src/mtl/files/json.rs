//! JSON files that carry the checksum of their content.

use std::{fs, path::Path};

use serde::{Serialize, de::DeserializeOwned};

use super::{atomic::write_atomically, hash::sha256_of};
use crate::{Error, Result};

/// Precedes the checksum in a file of [`write_json`].
const CHECKSUM: &str = ",\n  \"sha256\": \"";

/// Atomically writes a struct as JSON with a last field `sha256`: that of all the text before it.
///
/// # Errors
/// [`Error::Io`] if it cannot be written.
///
/// # Panics
/// If the value is no struct with fields, or JSON cannot express it.
pub(in crate::mtl) fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string_pretty(value).expect("plain data");
    let content = text.strip_suffix("\n}").expect("a struct with fields");
    let checksum = sha256_of(content.as_bytes());
    write_atomically(path, |output| output.write_all(format!("{content}{CHECKSUM}{checksum}\"\n}}\n").as_bytes()))
}

/// Reads what [`write_json`] wrote, which errors call `what`. Files of versions that wrote no checksum are taken as they are.
///
/// # Errors
/// [`Error::File`] if the text is not that of its checksum, [`Error::Line`] if it is something else, [`Error::Io`] if it cannot be
/// read.
pub(in crate::mtl) fn read_json<T: DeserializeOwned>(path: &Path, what: &str) -> Result<T> {
    let text = fs::read_to_string(path).map_err(Error::io(path))?;
    let value = serde_json::from_str(&text)
        .map_err(|error| Error::line(path, error.line() as u64, format!("not {what}: {error}")))?;
    match text.rsplit_once(CHECKSUM) {
        Some((content, end)) if end != format!("{}\"\n}}\n", sha256_of(content.as_bytes())) => {
            Err(Error::file(path, "it is damaged or was changed: its content is not that of the SHA-256 at its end"))
        }
        _ => Ok(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every single byte of a file of JSON, flipped, cut at, or repeated.
    #[test]
    fn damaged_json_is_refused_or_means_the_same() {
        #[derive(Debug, PartialEq, Serialize, serde::Deserialize)]
        struct Example {
            share: f64,
            name: String,
            counts: Vec<u64>,
        }
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("example.json");
        let value = Example { share: 0.1 + 0.2, name: "é \" \u{1b}".into(), counts: vec![1, 22, 333] };
        write_json(&path, &value).unwrap();
        let whole = fs::read(&path).unwrap();
        assert_eq!(read_json::<Example>(&path, "an example").unwrap(), value);
        let flipped = |at: usize, bit: u8| {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << bit;
            bytes
        };
        let flips = (0..whole.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))).map(|(at, bit)| flipped(at, bit));
        let cuts = (0..whole.len()).map(|at| whole[..at].to_vec());
        let repeats = (1..whole.len()).map(|at| [&whole[..at], &whole[at.saturating_sub(9)..]].concat());
        let mut taken = 0;
        for bytes in flips.chain(cuts).chain(repeats) {
            fs::write(&path, &bytes).unwrap();
            if let Ok(read) = read_json::<Example>(&path, "an example") {
                assert_eq!(read, value, "{}", String::from_utf8_lossy(&bytes));
                taken += 1;
            }
        }
        // Where the field's own name is damaged there is no checksum, but then everything else is as it was.
        assert!(taken < 8 * CHECKSUM.len(), "{taken}");
    }
}
