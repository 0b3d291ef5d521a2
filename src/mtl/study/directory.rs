//! A study's directory: settings, units, results.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
    time::Instant,
};

use sha2::{Digest, Sha256};
use toml::{Table, Value};

use super::{
    execution::{
        Event, Outcomes, Part, PlannedUnit, Ran, Rest, UnitStore, planned_units, run_part, run_units, threads,
    },
    findings::{Curves, Results, analyse, results::RESULTS, write_csv},
    manifest::{FoldManifest, MANIFEST, Manifest, PairManifest},
    planning::{PairData, SCHEMA, Seeds, StudySettings, UnitSpec},
    replace,
};
use crate::mtl::{
    data::{Coverage, SourceEntry},
    directories::{STUDY_SETTINGS as SETTINGS, is_study},
    files,
    run::RunDirectory,
    settings::literal,
};
use crate::printable::listed;
use crate::{Error, Result};

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

/// Of these, those that say nothing about results: processes that work on a study together may differ in them.
const OWN_OF_A_PROCESS: [&str; 2] = ["threads", "out"];

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
    units: UnitStore,
}

/// How a run of a part of a study ended.
#[derive(Clone, Debug, PartialEq)]
pub enum StudyRun {
    /// All units are finished, and the results are written.
    Finished(Box<Results>),
    /// This process has done its part.
    Part(Rest),
    /// It was told to stop; what is finished is kept.
    Interrupted,
}

impl Study {
    /// Begins a study in the directory that the settings name, or goes on with it, alone or beside other processes.
    ///
    /// # Errors
    /// What is wrong with the settings' files; a directory that holds something else, or a study of other settings or data; other
    /// layers, controls, seeds or presentation than those of processes that work on it now.
    pub fn begin(settings: StudySettings) -> Result<Self> {
        let study = Self::beside(settings)?;
        study.write_beginning()?;
        Ok(study)
    }

    /// As [`begin`](Self::begin), in place of another study: what mtlcore made there goes, once the new study's data are read; nothing
    /// else in the directory does, and no `errors.csv`, in which somebody may have sorted errors.
    ///
    /// # Errors
    /// As [`begin`](Self::begin); a directory that holds no study; another process that works there.
    pub fn begin_anew(settings: StudySettings) -> Result<Self> {
        let settings = settings.completed();
        let directory = settings.base.out.clone();
        let is_replaced = directory.exists() && holds_something(&directory)?;
        if is_replaced && !replace::is_study(&directory) {
            return Err(Error::file(
                &directory,
                "it exists and is no study of mtlcore, so --force does not replace it",
            ));
        }
        let study = Self::new(settings, directory)?;
        if is_replaced {
            replace::clear(&study.directory, &*study.units.join()?)?;
            let text = study.settings.to_toml();
            files::write_atomically(&study.directory.join(SETTINGS), |output| output.write_all(text.as_bytes()))?;
        }
        study.write_beginning()?;
        Ok(study)
    }

    /// A manifest of the same plan stays: those who finished it have written more into it.
    fn write_beginning(&self) -> Result<()> {
        fs::create_dir_all(&self.directory).map_err(Error::io(&self.directory))?;
        self.write_settings()?;
        let manifest = self.new_manifest()?;
        let is_same = |then: Manifest| {
            then.plan_sha256 == manifest.plan_sha256 && then.settings_sha256 == manifest.settings_sha256
        };
        if Manifest::read(&self.directory)?.is_some_and(is_same) {
            return Ok(());
        }
        self.write_manifest(&manifest)
    }

    /// Writes what makes the directory a study. Of processes that begin at once the first creator's settings win, and while others work
    /// here nobody changes them.
    fn write_settings(&self) -> Result<()> {
        let path = self.directory.join(SETTINGS);
        // Before the settings, so that whoever finds them finds those who work by them too.
        let worker = self.units.join()?;
        let text = self.settings.to_toml();
        if files::write_new(&path, text.as_bytes())? {
            return Ok(());
        }
        let theirs = StudySettings::load(Some(&path), Table::new())?;
        check_same(&path, &theirs, &self.settings)?;
        let differing = differences(&theirs, &self.settings, |name| !OWN_OF_A_PROCESS.contains(&name));
        if differing.is_empty() {
            return Ok(());
        }
        let others = worker.others()?;
        if !others.is_empty() {
            let message = format!(
                "{} works on this study now, by other settings: {}; take the same, wait for its end, or choose another --out",
                listed(&others),
                differing.join(", ")
            );
            return Err(Error::file(&path, message));
        }
        files::write_atomically(&path, |output| output.write_all(text.as_bytes()))
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
        } else if directory.exists() && holds_something(&directory)? && !path.exists() {
            return Err(Error::file(&directory, "it exists and is no study of mtlcore; choose another --out"));
        }
        Self::with_data(settings, directory)
    }

    /// An existing study with its data.
    ///
    /// # Errors
    /// A directory that is no study; what is wrong with its files; data that have changed since.
    pub fn open(directory: &Path) -> Result<Self> {
        require_study(directory)?;
        let settings = StudySettings::load(Some(&directory.join(SETTINGS)), Table::new())?;
        if let Some(manifest) = Manifest::read(directory)? {
            manifest.check_settings(directory)?;
        }
        Self::with_data(settings, directory.into())
    }

    fn with_data(settings: StudySettings, directory: PathBuf) -> Result<Self> {
        let mut study = Self::new(settings, directory)?;
        if let Some(manifest) = Manifest::read(&study.directory)? {
            study.check_manifest(&manifest)?;
            study.seeds.more = manifest.seeds.more;
        }
        Ok(study)
    }

    fn new(settings: StudySettings, directory: PathBuf) -> Result<Self> {
        let (pairs, seeds) = (PairData::all(&settings)?, Seeds::everywhere(settings.seeds));
        let units = UnitStore::of(&directory);
        Ok(Self { settings, pairs, seeds, directory, units })
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
        self.units.clone()
    }

    /// Runs the missing units and writes the results. `None` if `interrupted` was set on the way.
    ///
    /// # Errors
    /// The first error of a unit; what cannot be read or written.
    pub fn run(&self, interrupted: &AtomicBool, observe: &(dyn Fn(Event) + Sync)) -> Result<Option<Results>> {
        Ok(match self.run_part(&Part::whole(), interrupted, observe)? {
            StudyRun::Finished(results) => Some(*results),
            StudyRun::Part(_) | StudyRun::Interrupted => None,
        })
    }

    /// Runs a part of the missing units. Whoever finds that all are finished writes the results: several may, and write the same.
    ///
    /// # Errors
    /// As [`Study::run`]; [`Error::Config`] for a unit that there is not.
    pub fn run_part(
        &self,
        part: &Part,
        interrupted: &AtomicBool,
        observe: &(dyn Fn(Event) + Sync),
    ) -> Result<StudyRun> {
        let begin = Instant::now();
        let specs = UnitSpec::all(&self.settings, &self.pairs, &self.seeds);
        let ran = run_part(specs, &self.settings, &self.pairs, &self.units, part, interrupted, observe)?;
        let outcomes = match ran {
            Ran::All(outcomes) => outcomes,
            Ran::Part(rest) => return Ok(StudyRun::Part(rest)),
            Ran::Interrupted => return Ok(StudyRun::Interrupted),
        };
        let results = self.write_results(&outcomes)?;
        self.write_manifest(&Manifest {
            units: outcomes.len(),
            unit_seconds: outcomes.iter().map(|(_, outcome)| outcome.seconds).sum(),
            last_run_seconds: begin.elapsed().as_secs_f64(),
            ..self.new_manifest()?
        })?;
        Ok(StudyRun::Finished(Box::new(results)))
    }

    /// The units in the order in which they are done and dealt to shards; nothing is trained.
    pub fn planned_units(&self) -> Vec<PlannedUnit> {
        let specs = UnitSpec::all(&self.settings, &self.pairs, &self.seeds);
        planned_units(specs, &self.settings, &self.pairs, &self.units)
    }

    /// Takes over the finished units of other directories of this study, such as those of shards without a common one; returns how
    /// many.
    ///
    /// # Errors
    /// [`Error::File`] for a directory that is no study or one of other settings or data, and for a damaged unit; [`Error::Io`].
    pub fn merge(&self, others: &[PathBuf]) -> Result<usize> {
        // All are looked at before anything is taken over.
        for other in others {
            let path = other.join(SETTINGS);
            if !path.exists() {
                return Err(Error::file(other, format!("it is no study: it has no {SETTINGS}")));
            }
            let theirs = StudySettings::load(Some(&path), Table::new())?.completed();
            let differing = differences(&theirs, &self.settings, |name| !OWN_OF_A_PROCESS.contains(&name));
            if !differing.is_empty() {
                let message =
                    format!("a study of other settings than {}: {}", self.directory.display(), differing.join(", "));
                return Err(Error::file(&path, message));
            }
            if Manifest::read(other)?.is_none_or(|manifest| manifest.plan_sha256 != self.plan_sha256()) {
                let message = format!(
                    "its units are not those of {}: other data, trainings or version",
                    self.directory.display()
                );
                return Err(Error::file(other, message));
            }
        }
        let mut taken = 0;
        for spec in UnitSpec::all(&self.settings, &self.pairs, &self.seeds) {
            let key = spec.key(&self.settings, self.pair_of(&spec));
            // A damaged one of ours is replaced.
            if matches!(self.units.read(&spec, &key), Ok(Some(_))) {
                continue;
            }
            for other in others {
                if let Some(outcome) = UnitStore::of(other).read(&spec, &key)? {
                    self.units.write(&spec, &key, &outcome)?;
                    taken += 1;
                    break;
                }
            }
        }
        Ok(taken)
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
        files::write_json(&self.directory.join(RESULTS), &results)?;
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
            settings_sha256: self.settings.sha256(),
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

    pub(super) fn write_manifest(&self, manifest: &Manifest) -> Result<()> {
        files::write_json(&self.directory.join(MANIFEST), manifest)
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

/// Checks that a directory is that of a study, finished or not.
///
/// # Errors
/// [`Error::File`] that says what it is instead, and which commands read that.
pub fn require_study(directory: &Path) -> Result<()> {
    if is_study(directory) {
        return Ok(());
    }
    let path = directory.display();
    let message = if RunDirectory::is_at(directory) {
        format!(
            "it is a run, not a study: `mtlcore evaluate {path}`, `mtlcore predict {path} FILE` and `mtlcore explain {path} \"a text\"` \
             read it"
        )
    } else if directory.exists() {
        format!("it is no study: it has no {SETTINGS}")
    } else {
        "there is no such study".into()
    };
    Err(Error::file(directory, message))
}

/// Whether there is anything in a directory but logs, what a killed process was writing, and processes that begin a study.
fn holds_something(directory: &Path) -> Result<bool> {
    let entries = fs::read_dir(directory).map_err(Error::io(directory))?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<std::io::Result<Vec<_>>>();
    let paths = paths.map_err(Error::io(directory))?;
    Ok(!paths.iter().all(|path| files::is_aside(path) || is_log(path) || UnitStore::is_begun(path)))
}

/// Whether a file is what a scheduler writes of a job: `slurm-12.out`, `study.12_3.log`.
fn is_log(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    let is_slurms = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("slurm-"));
    extension == Some("log") || (is_slurms && matches!(extension, Some("out" | "err")))
}

/// The settings of this kind that two studies do not have in common, in words.
fn differences(then: &StudySettings, now: &StudySettings, counts: impl Fn(&str) -> bool) -> Vec<String> {
    let (table_then, table_now) = (then.to_table(), now.to_table());
    let word = |value: Option<&Value>| value.map_or("nothing".to_owned(), literal);
    let names = table_then.keys().chain(table_now.keys()).filter(|name| counts(name));
    let differing = names.filter(|name| table_then.get(*name) != table_now.get(*name));
    let mut differences: Vec<String> = differing
        .map(|name| format!("`{name}` is {} there and {} here", word(table_then.get(name)), word(table_now.get(name))))
        .collect();
    differences.sort();
    differences.dedup();
    differences
}

/// Everything that is not [`EXTENSIBLE`] must be as it was; pairs may be added.
fn check_same(path: &Path, then: &StudySettings, now: &StudySettings) -> Result<()> {
    let mut differences = differences(then, now, |name| !EXTENSIBLE.contains(&name));
    if let Some(pair) = then.pairs.iter().find(|pair| !now.pairs.contains(pair)) {
        differences.push(format!("its pair `{}` is another one here or none", pair.name));
    } else if then.pairs.is_empty() && !now.pairs.is_empty() {
        differences.push("its pairs are simulated".into());
    }
    if differences.is_empty() {
        return Ok(());
    }
    let differences = differences.join(", ");
    let message = format!("a study of other settings: {differences}; choose another --out, or replace it with --force");
    Err(Error::file(path, message))
}
