//! Making room for a new study where another one is: what mtlcore made there, and nothing else.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use toml::Table;

use super::{
    execution::{CLAIM, PARTIAL, Worker},
    manifest::Manifest,
    planning::StudySettings,
};
use crate::mtl::{directories::STUDY_SETTINGS, files};
use crate::{Error, Result};

/// What commands write into a study's directory beside its settings and manifest. An `errors.csv` is not among them: categories that
/// somebody filled in are theirs.
const WRITTEN: [&str; 8] =
    ["results.json", "results.csv", "curve.json", "curve.csv", "report.html", "report.md", "tables.tex", "errors.html"];

/// Whether a study of mtlcore is here: settings and a manifest that can be read, whatever became of the rest.
pub(super) fn is_study(directory: &Path) -> bool {
    let settings = StudySettings::load(Some(&directory.join(STUDY_SETTINGS)), Table::new());
    settings.is_ok() && matches!(Manifest::read(directory), Ok(Some(_)))
}

/// Removes units, results and pages of a study on which no other process works. Settings and manifest stay, so that what is left
/// after a kill can be replaced again.
///
/// # Errors
/// [`Error::File`] if another process works on a unit: then nothing is removed. [`Error::Io`] if something cannot be removed.
pub(super) fn clear(directory: &Path, worker: &Worker) -> Result<()> {
    if let Some(other) = worker.others()?.first() {
        return Err(Error::file(directory, format!("{other} works on this study; wait for its end")));
    }
    let units = entries(&directory.join("units"))?;
    // Claims and partial units are of processes that have ended.
    let is_ours = |path: &&PathBuf| is_unit(path) || has_extension(path, CLAIM) || has_extension(path, PARTIAL);
    for path in units.iter().filter(is_ours) {
        fs::remove_file(path).map_err(Error::io(path))?;
    }
    for name in WRITTEN {
        files::remove_if_there(&directory.join(name))?;
    }
    files::clear_asides(directory)
}

/// Whether a name is that of a unit: it ends with sixteen hexadecimal digits of the unit's key.
fn is_unit(path: &Path) -> bool {
    let stem = path.file_stem().and_then(|stem| stem.to_str());
    let key = stem.and_then(|stem| stem.rsplit_once('.')).map(|(_, key)| key);
    has_extension(path, "json")
        && key.is_some_and(|key| key.len() == 16 && key.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found == extension)
}

/// The files of a folder, if it is there.
fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        found => {
            let entries = found.map_err(Error::io(folder))?;
            entries.map(|entry| Ok(entry.map_err(Error::io(folder))?.path())).collect()
        }
    }
}
