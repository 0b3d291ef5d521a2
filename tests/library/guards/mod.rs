//! Faults that would make a study's evidence worthless while everything still runs. Each test names one in its documentation, was
//! seen to fail with that fault planted, and states the property that the fault breaks.
//!
//! | file | faults in |
//! |---|---|
//! | `leaks` | what is learnt from, and what is chosen on |
//! | `arms` | what tells an arm from another: same start, same rows, placebos that are placebos |
//! | `figures` | pairing, signs, baselines, what the best control is |
//! | `verdicts` | what is claimed: layer, yardstick, nothing learnt, corrections, groups |
//! | `trainings` | how many trainings there are, and when no more are added |
//!
//! The last three judge outcomes that are made up (`made_up`), so that what they must say is known.

mod arms;
mod figures;
mod leaks;
mod made_up;
mod trainings;
mod verdicts;

use std::{fs, path::Path, sync::atomic::AtomicBool};

use mtlcore::mtl::{
    data::{Simulation, TaskSource},
    settings::{Keep, Preset, Shared},
    study::{Arm, FoldRows, Pair, PairData, StudySettings, UnitOutcome, UnitSpec},
};

static NEVER: AtomicBool = AtomicBool::new(false);

/// A study of one small network whose every training runs three epochs and keeps the last.
fn settings() -> StudySettings {
    let mut settings = StudySettings::preset(Preset::Default);
    settings.folds = 3;
    settings.seeds = 1;
    (settings.inner, settings.base.validation) = (0.25, 0.25);
    settings.shared = vec![Shared::Conv];
    settings.base.epochs = 3;
    settings.base.patience = 0;
    settings.base.keep = Keep::Last;
    settings.base.filters = 6;
    settings.base.embedding_dim = 8;
    settings.base.learning_rate = 0.02;
    settings
}

/// The files of a simulated pair as a pair to study.
fn written(name: &str, simulation: &Simulation, directory: &Path) -> Pair {
    let tasks = simulation.files().unwrap().into_iter().flat_map(|file| {
        let path = directory.join(format!("{name}-{}", file.name));
        fs::write(&path, &file.content).unwrap();
        file.tasks.into_iter().map(move |task| TaskSource::new(task, &path))
    });
    Pair { name: name.into(), tasks: tasks.collect() }
}

/// One simulated pair, read from files.
fn simulated(settings: &StudySettings, simulation: &Simulation) -> PairData {
    let directory = tempfile::tempdir().unwrap();
    let pairs = vec![written("p", simulation, directory.path())];
    PairData::all(&StudySettings { pairs, ..settings.clone() }).unwrap().remove(0)
}

/// Two tasks of a few rows each, none of which has both labels.
fn small_pair(settings: &StudySettings) -> PairData {
    simulated(settings, &Simulation { rows: [60, 90], ..Simulation::default() })
}

/// The training of an arm on some rows of the second fold.
fn train(settings: &StudySettings, pair: &PairData, arm: Arm, task: &str, rows: &FoldRows) -> UnitOutcome {
    let spec = UnitSpec {
        pair: pair.name.clone(),
        shared: (arm != Arm::NGram).then(|| settings.shared[0]),
        arm,
        task: (!arm.is_joint()).then(|| task.to_owned()),
        repeat: 0,
        fold: 1,
        seed: 0,
    };
    spec.run_on(settings, pair, rows, &NEVER).unwrap().unwrap()
}

/// The pair with the labels of some rows turned round: of one task, or of all for an arm that is about all.
fn turned_round(pair: &PairData, arm: Arm, task: &str, rows: &[usize]) -> PairData {
    let (mut pair, slot) = (pair.clone(), pair.slot(task));
    for &row in rows {
        for (of, label) in pair.dataset.examples[row].labels.iter_mut().enumerate() {
            if arm.is_joint() || of == slot {
                *label = label.map(|label| !label);
            }
        }
    }
    pair
}
