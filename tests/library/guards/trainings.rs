//! How many trainings a comparison has, and when no more are added.

use std::{fs, path::Path, sync::atomic::AtomicBool, time::Duration};

use mtlcore::mtl::{
    data::Simulation,
    evaluation::interval::Verdict,
    study::{Arm, Ended, Results, Study, StudySettings, UnitSpec, results::Cell},
};
use serde_json::Value;

use super::{
    NEVER,
    made_up::{Text, outcome},
    settings, written,
};

/// As many trainings a fold as are made up.
const MADE_UP: usize = 6;

/// A study of one pair in `directory/study`, with one epoch of training.
fn of_files(directory: &Path, seeds: usize) -> StudySettings {
    let mut settings = settings();
    settings.seeds = seeds;
    settings.base.out = directory.join("study");
    (settings.base.epochs, settings.base.patience) = (1, 1);
    let simulation = Simulation { rows: [150, 150], prevalence: [0.4, 0.4], ..Simulation::default() };
    settings.pairs = vec![written("p", &simulation, directory)];
    settings
}

/// Runs a study and puts what `say` says in the place of what its units predicted.
fn make_up(settings: StudySettings, say: &dyn Fn(&Text) -> f64) {
    let study = Study::begin(settings).unwrap();
    study.run(&NEVER, &|_| {}).unwrap().unwrap();
    for file in fs::read_dir(study.directory().join("units")).unwrap() {
        let unit: Value = serde_json::from_slice(&fs::read(file.unwrap().path()).unwrap()).unwrap();
        let spec: UnitSpec = serde_json::from_value(unit["spec"].clone()).unwrap();
        let made_up = outcome(&spec, &study.pairs[0], say);
        study.units().write(&spec, unit["key"].as_str().unwrap(), &made_up).unwrap();
    }
}

/// Says of the first task's texts what depends on the training far more than on the text, so that more trainings narrow the interval:
/// each arm is good in every other one. Of the second task's texts both arms say the same.
fn unsteady(text: &Text) -> f64 {
    let UnitSpec { arm, fold, seed, .. } = *text.spec;
    let is_mtl = usize::from(arm == Arm::Mtl && text.task == "task_a");
    text.guess([0.95, 0.75][(fold + seed + is_mtl) % 2])
}

fn first_cell(results: &Results) -> Cell {
    results.pairs[0].layers[0].tasks[0].cell.clone()
}

/// Half the width of the region of equivalence with which the first comparison is open, and more trainings would close it or not.
fn open_with(cell: &Cell, can_be_closed: bool) -> f64 {
    let narrowing = cell.narrowing.unwrap();
    let (now, limit) = (narrowing.half_width, narrowing.any_seeds);
    assert!(limit < 0.7 * now, "what trainings leave open is most of it: {limit} of {now}");
    let half_width = if can_be_closed { 0.6 * now + 0.4 * limit } else { 0.8 * limit };
    let rope = half_width - cell.difference.abs();
    assert!(rope > 0.0, "the arms are as good as each other: {}", cell.difference);
    rope
}

/// A study of two trainings a fold whose first comparison is open, in a directory where more trainings are made up already.
fn open_study(directory: &Path, can_be_closed: bool) -> Study {
    make_up(of_files(directory, MADE_UP), &unsteady);
    let mut settings = of_files(directory, 2);
    let results = Study::begin(settings.clone()).unwrap().run(&NEVER, &|_| {}).unwrap().unwrap();
    settings.rope = open_with(&first_cell(&results), can_be_closed);
    let study = Study::begin(settings).unwrap();
    let cell = first_cell(&study.run(&NEVER, &|_| {}).unwrap().unwrap());
    assert_eq!((cell.verdict, cell.seeds), (Verdict::Undecided, 2));
    assert_eq!(cell.narrowing.unwrap().seeds_to_decide.is_some(), can_be_closed);
    study
}

fn until_decided(study: &mut Study, budget: Option<Duration>) -> (Results, Ended) {
    // No test waits for a study that goes on for ever.
    let interrupted = AtomicBool::new(false);
    let begin = std::time::Instant::now();
    let stop = |_| {
        let is_late = begin.elapsed() > Duration::from_secs(20);
        interrupted.store(is_late, std::sync::atomic::Ordering::Relaxed);
    };
    study.run_until_decided(budget, &interrupted, &stop).unwrap().expect("it ends by itself")
}

/// Fault: trainings are added although everything is decided.
#[test]
fn a_decided_study_gets_no_more_trainings() {
    let directory = tempfile::tempdir().unwrap();
    make_up(of_files(directory.path(), 2), &|text| text.guess(0.8));
    let mut study = Study::begin(of_files(directory.path(), 2)).unwrap();
    // A process that works here has a file of its own there too.
    let is_unit = |path: &std::path::Path| path.extension().is_some_and(|extension| extension == "json");
    let entries = || fs::read_dir(directory.path().join("study/units")).unwrap();
    let units = || entries().filter(|entry| is_unit(&entry.as_ref().unwrap().path())).count();
    let before = units();
    let (results, ended) = until_decided(&mut study, None);
    assert_eq!((first_cell(&results).verdict, ended), (Verdict::Equivalent, Ended::Decided));
    assert!(study.seeds.more.is_empty() && units() == before);
}

/// Faults: no trainings are added although they can decide an open comparison; or what they say is not looked at.
#[test]
fn what_trainings_can_decide_gets_them() {
    let directory = tempfile::tempdir().unwrap();
    let mut study = open_study(directory.path(), true);
    let (results, ended) = until_decided(&mut study, None);
    let cell = first_cell(&results);
    assert_ne!(ended, Ended::Budget);
    assert_eq!(ended == Ended::Decided, cell.verdict != Verdict::Undecided);
    assert!(cell.seeds > 2);
    assert_eq!(cell.seeds, study.seeds.of("p", study.settings.shared[0]));
}

/// Fault: trainings are added although no number of them can decide what is open.
#[test]
fn what_only_texts_can_decide_gets_no_trainings() {
    let directory = tempfile::tempdir().unwrap();
    let mut study = open_study(directory.path(), false);
    let (results, ended) = until_decided(&mut study, None);
    assert_eq!((first_cell(&results).verdict, ended), (Verdict::Undecided, Ended::TextsLimit));
    assert!(study.seeds.more.is_empty());
}

/// Fault: the budget does not count.
#[test]
fn nothing_is_added_beyond_the_budget() {
    let directory = tempfile::tempdir().unwrap();
    let mut study = open_study(directory.path(), true);
    // What one more training takes is told by those that are finished; these took long.
    for (spec, mut outcome) in study.outcomes().unwrap() {
        outcome.seconds = 100.0;
        let key = key_of(&study, &spec);
        study.units().write(&spec, &key, &outcome).unwrap();
    }
    let (_, ended) = until_decided(&mut study, Some(Duration::from_secs(60)));
    assert_eq!(ended, Ended::Budget);
    assert_eq!(study.seeds.of("p", study.settings.shared[0]), 2);
}

/// The key that the unit's file names.
fn key_of(study: &Study, wanted: &UnitSpec) -> String {
    let files = fs::read_dir(study.directory().join("units")).unwrap();
    let mut units =
        files.map(|file| -> Value { serde_json::from_slice(&fs::read(file.unwrap().path()).unwrap()).unwrap() });
    let spec = serde_json::to_value(wanted).unwrap();
    let unit = units.find(|unit| unit["spec"] == spec).unwrap();
    unit["key"].as_str().unwrap().to_owned()
}

/// Fault: the trainings that were added are forgotten when the study is opened again.
#[test]
fn added_trainings_survive_reopening() {
    let directory = tempfile::tempdir().unwrap();
    let settings = of_files(directory.path(), 1);
    let shared = settings.shared[0];
    let mut study = Study::begin(settings.clone()).unwrap();
    study.seeds.add("p", shared);
    study.seeds.add("p", shared);
    let before = study.run(&NEVER, &|_| {}).unwrap().unwrap();
    assert_eq!(first_cell(&before).seeds, 3);
    for again in [Study::open(study.directory()).unwrap(), Study::begin(settings).unwrap()] {
        assert_eq!(again.seeds, study.seeds);
        assert_eq!(again.outcomes().unwrap().len(), 3 * (2 + 3 * 3));
        assert_eq!(again.run(&NEVER, &|_| {}).unwrap().unwrap(), before);
    }
}
