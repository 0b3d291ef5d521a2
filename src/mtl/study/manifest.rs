//! What a study was made of, as a file.

use std::path::Path;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use toml::Table;

use super::planning::{Seeds, StudySettings};
use crate::mtl::{data::SourceEntry, directories::STUDY_SETTINGS, files};
use crate::{Error, Result};

pub(super) const MANIFEST: &str = "manifest.json";

/// What a study was made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of mtlcore that ran the study last.
    pub version: String,
    /// The rules that its units follow ([`SCHEMA`](super::planning::SCHEMA)); 0 in studies made before there was such a number.
    #[serde(default)]
    pub schema: u32,
    /// The root of all random numbers.
    pub seed: u64,
    /// Where thresholds and the epoch to stop at come from.
    pub chosen_on: String,
    /// How many trainings each comparison has in every fold.
    #[serde(default)]
    pub seeds: Seeds,
    /// SHA-256 of the keys of all units in their order: the plan.
    #[serde(default)]
    pub plan_sha256: String,
    /// SHA-256 of the settings but those that determine no result; empty in studies made before there was one.
    #[serde(default)]
    pub settings_sha256: String,
    /// The pairs by name.
    pub pairs: IndexMap<String, PairManifest>,
    /// Units of the whole study; 0 while it is not finished.
    pub units: usize,
    /// What the units took, summed up.
    pub unit_seconds: f64,
    /// What the last run took, in which finished units are not done again.
    pub last_run_seconds: f64,
    /// Threads of the last run.
    pub threads: usize,
}

/// The data of one pair.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairManifest {
    /// SHA-256 of rows, labels and vectors.
    pub sha256: String,
    /// The files.
    pub sources: Vec<SourceEntry>,
    /// The SHA-256 of the word vectors in use.
    pub vectors_sha256: Option<String>,
    /// Words of the vocabulary.
    pub vocabulary: usize,
    /// The folds, repeat by repeat.
    pub folds: Vec<FoldManifest>,
}

/// The rows of one fold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoldManifest {
    /// The repeat, from 0.
    pub repeat: usize,
    /// The fold, from 0.
    pub fold: usize,
    /// Rows to learn from.
    pub train: usize,
    /// Rows on which thresholds and the epoch to stop at are chosen.
    pub inner: usize,
    /// Rows to test on.
    pub test: usize,
    /// Rows that are both tested and learnt from or chosen on: none.
    pub test_rows_used_before: usize,
    /// True test rows by task.
    pub test_positives: IndexMap<String, usize>,
}

impl Manifest {
    /// The manifest of a study's directory; `None` if it has none.
    ///
    /// # Errors
    /// [`Error::File`] or [`Error::Line`] if it is damaged or something else, [`Error::Io`] if it cannot be read.
    pub fn read(directory: &Path) -> Result<Option<Self>> {
        let path = directory.join(MANIFEST);
        if !path.exists() {
            return Ok(None);
        }
        files::read_json(&path, "the manifest of a study").map(Some)
    }

    /// Checks that the directory's settings are those that the study ran with last.
    ///
    /// # Errors
    /// [`Error::File`] if they are not; what reading them returns.
    pub fn check_settings(&self, directory: &Path) -> Result<()> {
        let path = directory.join(STUDY_SETTINGS);
        if self.settings_sha256.is_empty()
            || self.settings_sha256 == StudySettings::load(Some(&path), Table::new())?.sha256()
        {
            return Ok(());
        }
        let message = format!(
            "it is damaged, or was changed since the study ran; `mtlcore study {}` goes on with it as it is now",
            path.display()
        );
        Err(Error::file(path, message))
    }
}
