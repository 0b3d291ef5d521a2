//! Units that are begun: a checkpoint from which whoever claims the unit next goes on, with the same bits.
//!
//! `<unit>.partial` holds the trials that are done, `<unit>.<trial>.partial` the training at hand.

use std::{
    io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use super::{Trial, UnitOutcome};
use crate::mtl::{files, training::Trainer};
use crate::{Error, Result};

/// How often the training at hand is saved: all that is lost where a process is killed without notice.
const PERIOD: Duration = Duration::from_secs(300);

/// The extension of a partial unit's files.
pub(in crate::mtl::study) const EXTENSION: &str = "partial";

/// What is done of a unit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Progress {
    /// The trials of hyper-parameters that are done.
    pub trials: Vec<Trial>,
    /// The best of them: its score on the inner rows, and its outcome.
    pub best: Option<(f64, UnitOutcome)>,
    /// How long all this took, with the training at hand.
    pub seconds: f64,
}

/// The files of a unit that is begun.
pub(super) struct Partial<'o> {
    /// The unit's own file.
    unit: PathBuf,
    period: Duration,
    saved: Instant,
    /// Is told of files that cannot be used.
    damaged: &'o dyn Fn(Error),
}

impl<'o> Partial<'o> {
    /// The partial files beside a unit's own, `unit`; `damaged` is told of those that cannot be used.
    pub fn of(unit: PathBuf, damaged: &'o dyn Fn(Error)) -> Self {
        Self { unit, period: PERIOD, saved: Instant::now(), damaged }
    }

    /// As [`of`](Self::of), with another period between two checkpoints.
    #[cfg(test)]
    pub fn every(self, period: Duration) -> Self {
        Self { period, ..self }
    }

    /// What earlier processes have done of the unit; nothing if there is no file, or a damaged one.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be read.
    pub fn progress(&self) -> Result<Progress> {
        Ok(self.usable(files::read_json(&self.path(), "a partial unit"))?.unwrap_or_default())
    }

    /// Takes a fresh trainer to where the training of a trial was saved, if it was.
    ///
    /// # Errors
    /// [`Error::Io`] if the checkpoint cannot be read.
    pub fn restore(&self, trial: usize, trainer: &mut Trainer) -> Result<()> {
        self.usable(trainer.restore(&self.of_trial(trial))).map(|_| ())
    }

    /// What was read, if there is such a file and it can be used.
    fn usable<T>(&self, read: Result<T>) -> Result<Option<T>> {
        match read {
            Ok(read) => Ok(Some(read)),
            Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error @ (Error::File { .. } | Error::Line { .. })) => {
                (self.damaged)(error);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Whether it is time to save.
    pub fn is_due(&self) -> bool {
        self.saved.elapsed() >= self.period
    }

    /// Saves what is done, and the training at hand, which is that of the next trial.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be written; [`Error::Diverged`] if the training has.
    pub fn save(&mut self, progress: &Progress, trainer: &Trainer) -> Result<()> {
        trainer.checkpoint(&self.of_trial(progress.trials.len()))?;
        files::write_json(&self.path(), progress)?;
        self.saved = Instant::now();
        Ok(())
    }

    fn path(&self) -> PathBuf {
        self.unit.with_extension(EXTENSION)
    }

    fn of_trial(&self, trial: usize) -> PathBuf {
        self.unit.with_extension(format!("{trial}.{EXTENSION}"))
    }
}

/// Removes the partial files of a finished unit, whose own file is `unit`, after that many trials.
///
/// # Errors
/// [`Error::Io`] if one cannot be removed.
pub(super) fn remove(unit: &Path, trials: usize) -> Result<()> {
    let of_trial = |trial| unit.with_extension(format!("{trial}.{EXTENSION}"));
    (0..trials).map(of_trial).chain([unit.with_extension(EXTENSION)]).try_for_each(|path| files::remove_if_there(&path))
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        sync::{Mutex, atomic::AtomicBool},
    };

    use super::*;
    use crate::mtl::{
        settings::{Keep, Preset, Shared},
        study::planning::{Arm, Control, PairData, StudySettings, UnitSpec},
    };

    static STOP: AtomicBool = AtomicBool::new(true);

    fn small() -> (StudySettings, PairData) {
        let mut settings = StudySettings::preset(Preset::Default);
        (settings.scale, settings.folds, settings.shared) = (0.01, 2, vec![Shared::Conv]);
        (settings.base.embedding_dim, settings.base.epochs, settings.base.keep) = (4, 3, Keep::Best);
        let pair = PairData::all(&settings).unwrap().swap_remove(0);
        (settings, pair)
    }

    fn spec(pair: &PairData, arm: Arm) -> UnitSpec {
        let task = (arm != Arm::Mtl).then(|| pair.dataset.tasks[0].clone());
        UnitSpec { pair: pair.name.clone(), shared: Some(Shared::Conv), arm, task, repeat: 0, fold: 0, seed: 0 }
    }

    /// Runs a unit whose process is told to stop after every single step. Returns its outcome, and how many processes there were.
    fn in_single_steps(
        settings: &StudySettings,
        pair: &PairData,
        spec: &UnitSpec,
        file: &Path,
    ) -> (UnitOutcome, usize) {
        for processes in 1.. {
            let mut partial = Partial::of(file.into(), &|error| panic!("{error}"));
            if let Some(outcome) = spec.run_from(settings, pair, &mut partial, &STOP).unwrap() {
                return (outcome, processes);
            }
        }
        unreachable!()
    }

    #[test]
    fn a_unit_that_is_stopped_at_every_step_ends_with_the_same_bits() {
        let (mut settings, pair) = small();
        for (arm, tune) in [(Arm::Mtl, 1), (Arm::Stl, 2), (Arm::Control(Control::MatchedSteps), 1)] {
            settings.tune = tune;
            let spec = spec(&pair, arm);
            let whole = spec.run(&settings, &pair, &AtomicBool::new(false)).unwrap().unwrap();
            let place = tempfile::tempdir().unwrap();
            let file = place.path().join("unit.json");
            let (outcome, processes) = in_single_steps(&settings, &pair, &spec, &file);
            assert!(processes > whole.steps * tune / 2, "{processes} processes, {} steps", whole.steps);
            assert_eq!(UnitOutcome { seconds: 0.0, ..outcome }, UnitOutcome { seconds: 0.0, ..whole }, "{arm:?}");
            assert!(fs::read_dir(&place).unwrap().count() > tune);
            remove(&file, tune).unwrap();
            assert_eq!(fs::read_dir(&place).unwrap().count(), 0);
        }
    }

    /// Nothing tells a process that is killed: what it saved on the way is all.
    #[test]
    fn a_unit_is_saved_now_and_then() {
        let (settings, pair) = small();
        let spec = spec(&pair, Arm::Mtl);
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("unit.json");
        let run = |period| {
            let mut partial = Partial::of(file.clone(), &|error| panic!("{error}")).every(period);
            spec.run_from(&settings, &pair, &mut partial, &AtomicBool::new(false)).unwrap().unwrap()
        };
        let whole = run(PERIOD);
        assert_eq!(fs::read_dir(&place).unwrap().count(), 0);
        run(Duration::ZERO);
        assert_eq!(fs::read_dir(&place).unwrap().count(), 2);
        // The next process has no step to make any more.
        let mut partial = Partial::of(file.clone(), &|error| panic!("{error}"));
        let again = spec.run_from(&settings, &pair, &mut partial, &STOP).unwrap().unwrap();
        assert_eq!(UnitOutcome { seconds: 0.0, ..again }, UnitOutcome { seconds: 0.0, ..whole });
    }

    #[test]
    fn damaged_partial_units_are_told_of_and_begun_anew() {
        let (settings, pair) = small();
        let spec = spec(&pair, Arm::Mtl);
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("unit.json");
        let told = Mutex::new(Vec::new());
        let damaged = |error: Error| told.lock().unwrap().push(error.to_string());
        let run = |stop: bool| {
            let mut partial = Partial::of(file.clone(), &damaged);
            spec.run_from(&settings, &pair, &mut partial, &AtomicBool::new(stop)).unwrap()
        };
        let whole = run(false).unwrap();
        for name in ["unit.partial", "unit.0.partial"] {
            assert!(run(true).is_none() && told.lock().unwrap().is_empty());
            let path = place.path().join(name);
            let mut bytes = fs::read(&path).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            fs::write(&path, bytes).unwrap();
            let outcome = run(false).unwrap();
            assert_eq!(outcome.tasks, whole.tasks);
            let told = std::mem::take(&mut *told.lock().unwrap());
            assert!(told.len() == 1 && told[0].contains(name), "{told:?}");
            remove(&file, 1).unwrap();
        }
    }
}
