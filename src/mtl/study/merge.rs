//! Joining the units of several directories of one study.

use std::path::PathBuf;

use toml::Table;

use super::{
    Study,
    execution::UnitStore,
    extension::differences_of_processes,
    manifest::{Manifest, plan_sha256},
    planning::{StudySettings, UnitSpec},
};
use crate::mtl::directories::STUDY_SETTINGS as SETTINGS;
use crate::{Error, Result};

impl Study {
    /// Takes over the finished units of other directories of this study, such as those of shards without a common one; returns how
    /// many.
    ///
    /// # Errors
    /// [`Error::File`] for a directory that is no study or one of other settings or data, and for a damaged unit; [`Error::Io`].
    pub fn merge(&self, others: &[PathBuf]) -> Result<usize> {
        let plan = plan_sha256(&self.settings, &self.pairs, &self.seeds);
        // All are checked before anything is taken over.
        for other in others {
            let path = other.join(SETTINGS);
            if !path.exists() {
                return Err(Error::file(other, format!("it is no study: it has no {SETTINGS}")));
            }
            let theirs = StudySettings::load(Some(&path), Table::new())?.completed();
            let differing = differences_of_processes(&theirs, &self.settings);
            if !differing.is_empty() {
                let message =
                    format!("a study of other settings than {}: {}", self.directory().display(), differing.join(", "));
                return Err(Error::file(&path, message));
            }
            if Manifest::read(other)?.is_none_or(|manifest| manifest.plan_sha256 != plan) {
                let message = format!(
                    "its units are not those of {}: other data, trainings or version",
                    self.directory().display()
                );
                return Err(Error::file(other, message));
            }
        }
        let mut taken = 0;
        for spec in UnitSpec::all(&self.settings, &self.pairs, &self.seeds) {
            let key = spec.key(&self.settings, self.pair_of(&spec));
            // A damaged one of ours is replaced.
            if matches!(self.units().read(&spec, &key), Ok(Some(_))) {
                continue;
            }
            for other in others {
                if let Some(outcome) = UnitStore::of(other).read(&spec, &key)? {
                    self.units().write(&spec, &key, &outcome)?;
                    taken += 1;
                    break;
                }
            }
        }
        Ok(taken)
    }
}
