//! What tells one command's directory from another's: each refuses the others', so none can name the others' files.

use std::{fs, path::Path};

use super::files;
use crate::{Error, Result};

/// The settings of a study, the first file of its directory.
pub(super) const STUDY_SETTINGS: &str = "study.toml";

/// Whether a directory is a study's.
pub(super) fn is_study(directory: &Path) -> bool {
    directory.join(STUDY_SETTINGS).exists()
}

/// Makes the directory of an experiment, or goes on in it. Its file `settings` tells it from directories that hold something else, which
/// are refused; `what` is what it holds, in the plural.
pub(super) fn begin(directory: &Path, settings: &str, what: &str, text: &str) -> Result<()> {
    let path = directory.join(settings);
    if directory.exists() && !path.exists() {
        let mut entries = fs::read_dir(directory).map_err(Error::io(directory))?;
        if entries.next().is_some() {
            let message = format!("it exists and holds no {what} of mtlcore; choose another --out");
            return Err(Error::file(directory, message));
        }
    }
    fs::create_dir_all(directory).map_err(Error::io(directory))?;
    files::write_atomically(&path, |output| output.write_all(text.as_bytes()))
}
