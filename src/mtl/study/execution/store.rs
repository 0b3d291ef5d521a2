//! Finished units as files, and which process works on which.

use std::{
    collections::HashSet,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{PARTIAL, UnitOutcome, lease::Worker};
use crate::mtl::{files, study::planning::UnitSpec};
use crate::{Error, Result};

const FOLDER: &str = "units";

/// The folder `units/` of a study's directory. A unit's file is named by its key, so files of other settings, data or
/// versions are never taken for it, and is written whole or not at all.
#[derive(Clone, Debug)]
pub struct UnitStore {
    directory: PathBuf,
    /// This process among those that work here, while it does.
    worker: Arc<Mutex<Option<Arc<Worker>>>>,
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
        Self { directory: study.join(FOLDER), worker: Arc::default() }
    }

    /// Whether `path` is the folder of a store without any unit, in which processes begin to work.
    pub(in crate::mtl::study) fn is_begun(path: &Path) -> bool {
        let is_units = |path: &Path| path.extension().is_some_and(|extension| extension == "json");
        path.file_name().is_some_and(|name| name == FOLDER)
            && fs::read_dir(path).is_ok_and(|entries| entries.flatten().all(|entry| !is_units(&entry.path())))
    }

    /// The file of a unit.
    pub fn path(&self, spec: &UnitSpec, key: &str) -> PathBuf {
        self.directory.join(format!("{}.{}.json", spec.name(), &key[..16]))
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

    /// Removes what killed processes have left of finished units, whose files these are: claims, and partial units.
    ///
    /// # Errors
    /// [`Error::Io`] if something cannot be read or removed.
    pub(super) fn clear_leftovers<'f>(&self, finished: impl Iterator<Item = &'f Path>, process: &Worker) -> Result<()> {
        let finished: HashSet<PathBuf> = finished.map(|file| file.with_extension("")).collect();
        for entry in fs::read_dir(&self.directory).map_err(Error::io(&self.directory))? {
            let path = entry.map_err(Error::io(&self.directory))?.path();
            let unit = path.with_extension("");
            if path.extension().is_some_and(|found| found == CLAIM) && finished.contains(&unit) {
                process.clear(&path)?;
            }
            // `<unit>.partial` and `<unit>.<trial>.partial`.
            if path.extension().is_some_and(|found| found == PARTIAL)
                && [&unit, &unit.with_extension("")].into_iter().any(|unit| finished.contains(unit))
            {
                files::remove_if_there(&path)?;
            }
        }
        Ok(())
    }

    /// This process as one of those that work here, until [`leave`](Self::leave); its folder is made with it.
    ///
    /// # Errors
    /// As [`Worker::join`].
    pub(in crate::mtl::study) fn join(&self) -> Result<Arc<Worker>> {
        let mut worker = self.worker.lock().unwrap_or_else(PoisonError::into_inner);
        if worker.is_none() {
            *worker = Some(Arc::new(Worker::join(&self.directory)?));
        }
        Ok(worker.clone().expect("it has just joined"))
    }

    /// Ends this process's work here, once all that [`join`](Self::join) returned is dropped.
    pub(in crate::mtl::study) fn leave(&self) {
        self.worker.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// The extension of a claim.
pub(in crate::mtl::study) const CLAIM: &str = "claim";

/// The file that claims a unit, beside the unit's own.
pub(super) fn claim_of(unit: &Path) -> PathBuf {
    unit.with_extension(CLAIM)
}

fn checksum(outcome: &UnitOutcome) -> String {
    files::hexadecimal(&Sha256::digest(serde_json::to_vec(outcome).expect("an outcome is plain data")))
}
