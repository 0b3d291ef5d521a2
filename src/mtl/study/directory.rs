//! A study's directory: settings, units, results.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
    time::Instant,
};

use toml::Table;

use super::{
    execution::{Event, Outcomes, Part, PlannedUnit, Ran, Rest, UnitStore, planned_units, run_part, run_units},
    extension::{check_extends, differences_of_processes},
    findings::{Curves, Results, analyse, results::RESULTS, write_csv},
    manifest::Manifest,
    planning::{PairData, Seeds, StudySettings, UnitSpec},
    replace,
};
use crate::mtl::{
    data::Coverage,
    directories::{STUDY_SETTINGS as SETTINGS, is_study},
    files,
    run::RunDirectory,
};
use crate::printable::listed;
use crate::{Error, Result};

const TABLE: &str = "results.csv";

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
        manifest.write(&self.directory)
    }

    /// Writes the settings. Of processes that begin at once the first creator's settings win, and while others work here they stay as
    /// they are.
    fn write_settings(&self) -> Result<()> {
        let path = self.directory.join(SETTINGS);
        // Before the settings, so that whoever finds them finds those who work by them too.
        let worker = self.units.join()?;
        let text = self.settings.to_toml();
        if files::write_new(&path, text.as_bytes())? {
            return Ok(());
        }
        let theirs = StudySettings::load(Some(&path), Table::new())?;
        check_extends(&path, &theirs, &self.settings)?;
        let differing = differences_of_processes(&theirs, &self.settings);
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
            check_extends(&path, &StudySettings::load(Some(&path), Table::new())?, &settings)?;
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
            manifest.check_data(&study.directory, &study.pairs)?;
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
    /// As [`Study::run`]; [`Error::Config`] for a name of no unit.
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
        let manifest = Manifest {
            units: outcomes.len(),
            unit_seconds: outcomes.iter().map(|(_, outcome)| outcome.seconds).sum(),
            last_run_seconds: begin.elapsed().as_secs_f64(),
            ..self.new_manifest()?
        };
        manifest.write(&self.directory)?;
        Ok(StudyRun::Finished(Box::new(results)))
    }

    /// The units in the order in which they are done and dealt to shards; nothing is trained.
    pub fn planned_units(&self) -> Vec<PlannedUnit> {
        let specs = UnitSpec::all(&self.settings, &self.pairs, &self.seeds);
        planned_units(specs, &self.settings, &self.pairs, &self.units)
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
        Manifest::new(&self.settings, &self.pairs, &self.seeds)
    }

    pub(super) fn pair_of(&self, spec: &UnitSpec) -> &PairData {
        self.pairs.iter().find(|pair| pair.name == spec.pair).expect("units are of these pairs")
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
