//! A study's directory: settings, units, results.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
    time::Instant,
};

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use toml::{Table, Value};

use super::{
    execution::{Event, Outcomes, UnitStore, run_units, threads},
    findings::{Curves, Results, analyse, results::RESULTS, write_csv},
    planning::{PairData, SCHEMA, Seeds, StudySettings, UnitSpec},
};
use crate::mtl::{
    data::{Coverage, SourceEntry},
    files,
    settings::literal,
};
use crate::{Error, Result};

/// What makes a directory a study.
pub(in crate::mtl) const SETTINGS: &str = "study.toml";
const MANIFEST: &str = "manifest.json";
const TABLE: &str = "results.csv";

/// Settings that may change between two runs of one study: they add units, or are about the presentation.
const EXTENSIBLE: [&str; 11] = [
    "repeats",
    "seeds",
    "measure",
    "shared",
    "controls",
    "balance",
    "fractions",
    "rope",
    "threshold",
    "threads",
    "out",
];

/// A study and its directory.
///
/// | file | what it holds |
/// |---|---|
/// | `study.toml` | the effective settings |
/// | `manifest.json` | version, hashes, rows, folds, times |
/// | `units/` | finished units |
/// | `results.json`, `results.csv` | comparisons, verdicts, every figure |
/// | `curve.json`, `curve.csv` | its learning curves, after `mtlcore curve` |
///
/// ```
/// use std::sync::atomic::AtomicBool;
///
/// use mtlcore::mtl::settings::{Preset, Shared};
/// use mtlcore::mtl::study::{Study, StudySettings};
///
/// # let directory = tempfile::tempdir().unwrap();
/// # let out = directory.path().join("study");
/// // Without a pair of tasks the data are simulated, here at a fiftieth of the paper's sizes.
/// let mut settings = StudySettings::preset(Preset::Default);
/// (settings.scale, settings.folds, settings.shared) = (0.02, 2, vec![Shared::Conv]);
/// (settings.base.epochs, settings.base.out) = (1, out);
/// let results = Study::begin(settings)?.run(&AtomicBool::new(false), &|_| {})?.expect("nothing interrupts it");
/// for answer in results.pairs.iter().flat_map(|pair| &pair.answer.tasks) {
///     println!("{}: {}, {:+.1} points", answer.task, answer.verdict, answer.difference);
/// }
/// # Ok::<(), mtlcore::Error>(())
/// ```
pub struct Study {
    /// The effective settings.
    pub settings: StudySettings,
    /// The data of its pairs.
    pub pairs: Vec<PairData>,
    /// How many trainings each comparison has in every fold.
    pub seeds: Seeds,
    directory: PathBuf,
}

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

impl Study {
    /// Begins a study in the directory that the settings name, or goes on with it.
    ///
    /// # Errors
    /// What is wrong with the settings' files; a directory that holds something else, or a study of other settings or data.
    pub fn begin(settings: StudySettings) -> Result<Self> {
        let study = Self::beside(settings)?;
        fs::create_dir_all(&study.directory).map_err(Error::io(&study.directory))?;
        let manifest = study.new_manifest()?;
        // First what makes the directory a study.
        let text = study.settings.to_toml();
        files::write_atomically(&study.directory.join(SETTINGS), |output| output.write_all(text.as_bytes()))?;
        study.write_manifest(&manifest)?;
        Ok(study)
    }

    /// As [`begin`](Self::begin), but a study that is in the directory already keeps its settings and manifest.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    pub fn beside(settings: StudySettings) -> Result<Self> {
        let settings = settings.completed();
        let directory = settings.base.out.clone();
        let path = directory.join(SETTINGS);
        if path.exists() {
            check_same(&path, &StudySettings::load(Some(&path), Table::new())?, &settings)?;
        } else if directory.exists() && holds_something(&directory)? {
            return Err(Error::file(&directory, "it exists and is no study of mtlcore; choose another --out"));
        }
        Self::with_data(settings, directory)
    }

    /// An existing study with its data.
    ///
    /// # Errors
    /// A directory that is no study; what is wrong with its files; data that have changed since.
    pub fn open(directory: &Path) -> Result<Self> {
        let path = directory.join(SETTINGS);
        if !path.exists() {
            return Err(Error::file(directory, format!("it is no study: it has no {SETTINGS}")));
        }
        let settings = StudySettings::load(Some(&path), Table::new())?;
        Self::with_data(settings, directory.into())
    }

    fn with_data(settings: StudySettings, directory: PathBuf) -> Result<Self> {
        let (pairs, seeds) = (PairData::all(&settings)?, Seeds::everywhere(settings.seeds));
        let mut study = Self { settings, pairs, seeds, directory };
        if let Some(manifest) = study.manifest()? {
            study.check_manifest(&manifest)?;
            study.seeds.more = manifest.seeds.more;
        }
        Ok(study)
    }

    /// The directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// How far the word vectors cover the texts of each pair, by the pair's name, where the embedding is made of them.
    pub fn coverage(&self) -> impl Iterator<Item = (&str, &Coverage)> {
        self.pairs.iter().filter_map(|pair| Some((pair.name.as_str(), pair.coverage.as_ref()?)))
    }

    /// Where finished units are.
    pub fn units(&self) -> UnitStore {
        UnitStore::of(&self.directory)
    }

    /// Runs the missing units and writes the results. `None` if `interrupted` was set on the way.
    ///
    /// # Errors
    /// The first error of a unit; what cannot be read or written.
    pub fn run(&self, interrupted: &AtomicBool, observe: &(dyn Fn(Event) + Sync)) -> Result<Option<Results>> {
        let begin = Instant::now();
        let specs = UnitSpec::all(&self.settings, &self.pairs, &self.seeds);
        let outcomes = run_units(specs, &self.settings, &self.pairs, &self.units(), interrupted, observe)?;
        let Some(outcomes) = outcomes else { return Ok(None) };
        let results = self.write_results(&outcomes)?;
        self.write_manifest(&Manifest {
            units: outcomes.len(),
            unit_seconds: outcomes.iter().map(|(_, outcome)| outcome.seconds).sum(),
            last_run_seconds: begin.elapsed().as_secs_f64(),
            ..self.new_manifest()?
        })?;
        Ok(Some(results))
    }

    /// Runs what is missing of the curves, and writes `curve.json` and `curve.csv`. `None` if `interrupted` was set on the way.
    ///
    /// # Errors
    /// As [`Study::run`].
    pub fn run_curves(&self, interrupted: &AtomicBool, observe: &(dyn Fn(Event) + Sync)) -> Result<Option<Curves>> {
        let specs = UnitSpec::of_curves(&self.settings, &self.pairs);
        let outcomes = run_units(specs, &self.settings, &self.pairs, &self.units(), interrupted, observe)?;
        let Some(outcomes) = outcomes else { return Ok(None) };
        let curves = Curves::new(&self.settings, &self.pairs, &outcomes);
        curves.write(&self.directory)?;
        Ok(Some(curves))
    }

    /// The outcomes of all units of a finished study; none is run.
    ///
    /// # Errors
    /// [`Error::File`] if units are missing or one is damaged, [`Error::Io`] if one cannot be read.
    pub fn outcomes(&self) -> Result<Outcomes> {
        let (store, specs) = (self.units(), UnitSpec::all(&self.settings, &self.pairs, &self.seeds));
        let all = specs.len();
        let mut outcomes = Vec::new();
        for spec in specs {
            if let Some(outcome) = store.read(&spec, &spec.key(&self.settings, self.pair_of(&spec)))? {
                outcomes.push((spec, outcome));
            }
        }
        if outcomes.len() < all {
            let missing = all - outcomes.len();
            let path = self.directory.join(SETTINGS);
            let message = format!("{missing} of {all} units are missing; `mtlcore study {}` runs them", path.display());
            return Err(Error::file(&self.directory, message));
        }
        Ok(outcomes)
    }

    fn write_results(&self, outcomes: &Outcomes) -> Result<Results> {
        let results = analyse(&self.settings, &self.pairs, outcomes);
        let json = serde_json::to_string_pretty(&results).expect("results are plain data") + "\n";
        files::write_atomically(&self.directory.join(RESULTS), |output| output.write_all(json.as_bytes()))?;
        files::write_atomically(&self.directory.join(TABLE), |output| write_csv(&results, output))?;
        Ok(results)
    }

    pub(super) fn new_manifest(&self) -> Result<Manifest> {
        let chosen_on = match self.settings.inner {
            0.0 => "nothing: thresholds are fixed, and all epochs are run".to_owned(),
            inner => format!("inner rows: {inner} of each unit's training rows, never on its test rows"),
        };
        let pairs = self.pairs.iter().map(|pair| Ok((pair.name.clone(), self.pair_manifest(pair)?)));
        Ok(Manifest {
            version: env!("CARGO_PKG_VERSION").into(),
            schema: SCHEMA,
            seed: self.settings.base.seed,
            chosen_on,
            seeds: self.seeds.clone(),
            plan_sha256: self.plan_sha256(),
            pairs: pairs.collect::<Result<_>>()?,
            units: 0,
            unit_seconds: 0.0,
            last_run_seconds: 0.0,
            threads: threads(&self.settings),
        })
    }

    pub(super) fn plan_sha256(&self) -> String {
        let mut hash = Sha256::new();
        for spec in UnitSpec::all(&self.settings, &self.pairs, &self.seeds) {
            hash.update(spec.key(&self.settings, self.pair_of(&spec)));
        }
        files::hexadecimal(&hash.finalize())
    }

    pub(super) fn pair_of(&self, spec: &UnitSpec) -> &PairData {
        self.pairs.iter().find(|pair| pair.name == spec.pair).expect("units are of these pairs")
    }

    fn pair_manifest(&self, pair: &PairData) -> Result<PairManifest> {
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
        Ok(PairManifest {
            sha256: pair.sha256.clone(),
            sources: pair.corpus.sources.iter().map(SourceEntry::from).collect(),
            vectors_sha256: pair.vectors.as_ref().map(|vectors| vectors.sha256.clone()),
            vocabulary: pair.dataset.encoder.vocabulary.len(),
            folds: self.settings.places().map(fold).collect::<Result<_>>()?,
        })
    }

    fn manifest(&self) -> Result<Option<Manifest>> {
        let path = self.directory.join(MANIFEST);
        if !path.exists() {
            return Ok(None);
        }
        let text = fs::read_to_string(&path).map_err(Error::io(&path))?;
        let manifest = serde_json::from_str(&text).map_err(|error| {
            Error::line(&path, error.line() as u64, format!("not the manifest of a study: {error}"))
        })?;
        Ok(Some(manifest))
    }

    pub(super) fn write_manifest(&self, manifest: &Manifest) -> Result<()> {
        let text = serde_json::to_string_pretty(manifest).expect("a manifest is plain data") + "\n";
        files::write_atomically(&self.directory.join(MANIFEST), |output| output.write_all(text.as_bytes()))
    }

    /// The rules and the data must be those that the study began with.
    fn check_manifest(&self, manifest: &Manifest) -> Result<()> {
        if manifest.schema != SCHEMA {
            let message = format!(
                "its units follow the rules of an earlier or later mtlcore (schema {}, here {SCHEMA}), so none of them can be used \
                 again; `mtlcore report` still draws its results; choose another --out",
                manifest.schema
            );
            return Err(Error::file(&self.directory, message));
        }
        for pair in &self.pairs {
            let Some(then) = manifest.pairs.get(&pair.name).filter(|then| then.sha256 != pair.sha256) else { continue };
            let changed = pair
                .corpus
                .sources
                .iter()
                .find(|now| then.sources.iter().any(|then| then.path == now.path && then.sha256 != now.sha256));
            let what = changed.map_or("its vectors".to_owned(), |source| source.path.display().to_string());
            let message =
                format!("the data of `{}` are not those that the study began with: {what} changed", pair.name);
            return Err(Error::file(&self.directory, format!("{message}; choose another --out")));
        }
        Ok(())
    }
}

/// Whether there is anything in a directory but what a killed process was writing.
fn holds_something(directory: &Path) -> Result<bool> {
    let entries = fs::read_dir(directory).map_err(Error::io(directory))?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<std::io::Result<Vec<_>>>();
    Ok(paths.map_err(Error::io(directory))?.iter().any(|path| !files::is_aside(path)))
}

/// Everything that is not [`EXTENSIBLE`] must be as it was; pairs may be added.
fn check_same(path: &Path, then: &StudySettings, now: &StudySettings) -> Result<()> {
    let (table_then, table_now) = (then.to_table(), now.to_table());
    let word = |value: Option<&Value>| value.map_or("nothing".to_owned(), literal);
    let names = table_then.keys().chain(table_now.keys()).filter(|name| !EXTENSIBLE.contains(&name.as_str()));
    let differing = names.filter(|name| table_then.get(*name) != table_now.get(*name));
    let mut differences: Vec<String> = differing
        .map(|name| format!("`{name}` is {} there and {} here", word(table_then.get(name)), word(table_now.get(name))))
        .collect();
    differences.sort();
    differences.dedup();
    if let Some(pair) = then.pairs.iter().find(|pair| !now.pairs.contains(pair)) {
        differences.push(format!("its pair `{}` is another one here or none", pair.name));
    } else if then.pairs.is_empty() && !now.pairs.is_empty() {
        differences.push("its pairs are simulated".into());
    }
    if differences.is_empty() {
        return Ok(());
    }
    let message = format!("a study of other settings: {}; choose another --out", differences.join(", "));
    Err(Error::file(path, message))
}
