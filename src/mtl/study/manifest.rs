//! What a study was made of, as a file.

use std::path::Path;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use toml::Table;

use super::{
    execution::threads,
    planning::{PairData, SCHEMA, Seeds, StudySettings, UnitSpec},
};
use crate::mtl::{data::SourceEntry, directories::STUDY_SETTINGS, files};
use crate::{Error, Result};

const MANIFEST: &str = "manifest.json";

/// What a study was made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of mtlcore that ran the study last.
    pub version: String,
    /// The rules that its units follow ([`SCHEMA`]); 0 in studies made before there was such a number.
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
    /// Of a study of which nothing is finished.
    ///
    /// # Errors
    /// What is wrong with its folds.
    pub(super) fn new(settings: &StudySettings, pairs: &[PairData], seeds: &Seeds) -> Result<Self> {
        let chosen_on = match settings.inner {
            0.0 => "nothing: thresholds are fixed, and all epochs are run".to_owned(),
            inner => format!("inner rows: {inner} of each unit's training rows, never on its test rows"),
        };
        let manifests = pairs.iter().map(|pair| Ok((pair.name.clone(), PairManifest::new(settings, pair)?)));
        Ok(Self {
            version: env!("CARGO_PKG_VERSION").into(),
            schema: SCHEMA,
            seed: settings.base.seed,
            chosen_on,
            seeds: seeds.clone(),
            plan_sha256: plan_sha256(settings, pairs, seeds),
            settings_sha256: settings.sha256(),
            pairs: manifests.collect::<Result<_>>()?,
            units: 0,
            unit_seconds: 0.0,
            last_run_seconds: 0.0,
            threads: threads(settings),
        })
    }

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

    /// Writes it into a study's directory.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be written.
    pub(super) fn write(&self, directory: &Path) -> Result<()> {
        files::write_json(&directory.join(MANIFEST), self)
    }

    /// Checks that rules and data are those that the study began with.
    ///
    /// # Errors
    /// [`Error::File`] if they are not.
    pub(super) fn check_data(&self, directory: &Path, pairs: &[PairData]) -> Result<()> {
        if self.schema != SCHEMA {
            let message = format!(
                "its units follow the rules of an earlier or later mtlcore (schema {}, here {SCHEMA}), so none of them can be used \
                 again; `mtlcore report` still draws its results; choose another --out",
                self.schema
            );
            return Err(Error::file(directory, message));
        }
        for pair in pairs {
            let Some(then) = self.pairs.get(&pair.name).filter(|then| then.sha256 != pair.sha256) else { continue };
            let changed = pair
                .corpus
                .sources
                .iter()
                .find(|now| then.sources.iter().any(|then| then.path == now.path && then.sha256 != now.sha256));
            let what = changed.map_or("its vectors".to_owned(), |source| source.path.display().to_string());
            let message =
                format!("the data of `{}` are not those that the study began with: {what} changed", pair.name);
            return Err(Error::file(directory, format!("{message}; choose another --out")));
        }
        Ok(())
    }
}

impl PairManifest {
    fn new(settings: &StudySettings, pair: &PairData) -> Result<Self> {
        let fold = |(repeat, fold): (usize, usize)| {
            let rows = pair.rows(repeat, fold)?;
            let used = |row: &&usize| rows.train.binary_search(row).is_ok() || rows.inner.binary_search(row).is_ok();
            let positives = |(slot, task): (usize, &String)| {
                let is_true = |row: &&usize| pair.dataset.examples[**row].labels[slot] == Some(true);
                (task.clone(), rows.test.iter().filter(is_true).count())
            };
            Ok(FoldManifest {
                repeat,
                fold,
                train: rows.train.len(),
                inner: rows.inner.len(),
                test: rows.test.len(),
                test_rows_used_before: rows.test.iter().filter(used).count(),
                test_positives: pair.dataset.tasks.iter().enumerate().map(positives).collect(),
            })
        };
        Ok(Self {
            sha256: pair.sha256.clone(),
            sources: pair.corpus.sources.iter().map(SourceEntry::from).collect(),
            vectors_sha256: pair.vectors.as_ref().map(|vectors| vectors.sha256.clone()),
            vocabulary: pair.dataset.encoder.vocabulary.len(),
            folds: settings.places().map(fold).collect::<Result<_>>()?,
        })
    }
}

/// SHA-256 of the keys of all units of a study in their order.
pub(super) fn plan_sha256(settings: &StudySettings, pairs: &[PairData], seeds: &Seeds) -> String {
    let mut hash = Sha256::new();
    for spec in UnitSpec::all(settings, pairs, seeds) {
        let pair = pairs.iter().find(|pair| pair.name == spec.pair).expect("units are of these pairs");
        hash.update(spec.key(settings, pair));
    }
    files::hexadecimal(&hash.finalize())
}
