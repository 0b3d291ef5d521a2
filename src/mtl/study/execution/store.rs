//! Finished units as files, and which process works on which.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::UnitOutcome;
use crate::mtl::{claim::Claim, files, study::planning::UnitSpec};
use crate::{Error, Result};

/// The folder `units/` of a study's directory. A unit's file is named by its key, so files of other settings, data or
/// versions are never taken for it, and is written whole or not at all.
#[derive(Clone, Debug)]
pub struct UnitStore {
    directory: PathBuf,
}

/// A unit as a file.
#[derive(Serialize, Deserialize)]
struct UnitFile {
    key: String,
    spec: UnitSpec,
    /// SHA-256 of the outcome as JSON without white space.
    sha256: String,
    outcome: UnitOutcome,
}

impl UnitStore {
    /// The store in a study's directory. Its folder is made with the first claim.
    pub fn of(study: &Path) -> Self {
        Self { directory: study.join("units") }
    }

    /// The file of a unit.
    pub fn path(&self, spec: &UnitSpec, key: &str) -> PathBuf {
        let UnitSpec { pair, shared, arm, task, repeat, fold, seed } = spec;
        let shared = shared.map_or(String::new(), |shared| format!(".{}", shared.word()));
        let task = task.as_ref().map_or(String::new(), |task| format!(".{task}"));
        let name = format!("{pair}{shared}.{}{task}.{repeat}.{fold}.{seed}.{}.json", arm.word(), &key[..16]);
        self.directory.join(name)
    }

    /// The outcome of a unit; `None` if it is not finished.
    ///
    /// # Errors
    /// [`Error::File`] if its file is damaged, [`Error::Io`] if it cannot be read.
    pub fn read(&self, spec: &UnitSpec, key: &str) -> Result<Option<UnitOutcome>> {
        let path = self.path(spec, key);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io(path)(error)),
        };
        let damaged = |what: String| Error::file(&path, format!("the unit is damaged: {what}"));
        let file: UnitFile = serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
        if file.sha256 != checksum(&file.outcome) {
            return Err(damaged("its numbers do not have the checksum that it names".into()));
        }
        if file.key != key || file.spec != *spec {
            return Err(damaged("it is another unit".into()));
        }
        Ok(Some(file.outcome))
    }

    /// Writes a finished unit.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be written.
    pub fn write(&self, spec: &UnitSpec, key: &str, outcome: &UnitOutcome) -> Result<()> {
        let file =
            UnitFile { key: key.to_owned(), spec: spec.clone(), sha256: checksum(outcome), outcome: outcome.clone() };
        files::write_atomically(&self.path(spec, key), |output| {
            serde_json::to_writer(&mut *output, &file)?;
            output.write_all(b"\n")
        })
    }

    /// Claims a unit; `None` if another process or thread works on it.
    ///
    /// # Errors
    /// As [`Claim::take`].
    pub(super) fn claim(&self, spec: &UnitSpec, key: &str) -> Result<Option<Claim>> {
        fs::create_dir_all(&self.directory).map_err(Error::io(&self.directory))?;
        Claim::take(&self.path(spec, key).with_extension("claim"))
    }
}

fn checksum(outcome: &UnitOutcome) -> String {
    files::hexadecimal(&Sha256::digest(serde_json::to_vec(outcome).expect("an outcome is plain data")))
}
