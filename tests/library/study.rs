//! What a study promises: paired arms, folds that test every row once, and one result, however it was come by.

use std::{
    fs,
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use mtlcore::mtl::{
    data::{SimulatedFile, Simulation, TaskSource},
    evaluation::interval::Verdict,
    settings::{Preset, Shared},
    study::{Arm, Control, Event, FoldRows, PairData, Study, StudySettings, UnitOutcome, UnitSpec, results::Side},
};

static NEVER: AtomicBool = AtomicBool::new(false);

/// Small enough for a test: the simulated pairs at a fiftieth of the paper's size.
fn small(out: &Path) -> StudySettings {
    let mut settings = StudySettings::preset(Preset::Default);
    settings.scale = 0.02;
    settings.folds = 3;
    settings.shared = vec![Shared::Conv];
    settings.seeds = 1;
    settings.base.epochs = 2;
    settings.base.units = 5;
    settings.base.out = out.into();
    settings
}

fn spec(pair: &PairData, shared: Shared, arm: Arm, task: Option<&str>) -> UnitSpec {
    let (pair, task) = (pair.name.clone(), task.map(str::to_owned));
    UnitSpec { pair, shared: Some(shared), arm, task, repeat: 0, fold: 1, seed: 0 }
}

fn run(settings: &StudySettings, pair: &PairData, arm: Arm, task: Option<&str>) -> UnitOutcome {
    spec(pair, settings.shared[0], arm, task).run(settings, pair, &NEVER).unwrap().unwrap()
}

fn results(settings: StudySettings) -> Vec<u8> {
    let study = Study::begin(settings).unwrap();
    study.run(&NEVER, &|_| {}).unwrap().unwrap();
    fs::read(study.directory().join("results.json")).unwrap()
}

/// Folds, initial weights, order of rows and dropout are the same: what is left is the other task.
#[test]
fn mtl_without_rows_of_the_other_task_is_stl_to_the_bit() {
    for preset in [Preset::Default, Preset::Paper] {
        for shared in [Shared::Bilstm, Shared::Conv, Shared::BilstmConv] {
            let mut settings = small("unused".as_ref());
            settings.base = mtlcore::mtl::settings::Settings {
                epochs: 2,
                units: 5,
                validation: settings.inner,
                ..mtlcore::mtl::settings::Settings::preset(preset)
            };
            let pair = &PairData::all(&settings).unwrap()[0];
            let rows = pair.rows(0, 1).unwrap();
            let alone = |rows: &[usize]| -> Vec<usize> {
                rows.iter().copied().filter(|&row| pair.dataset.examples[row].labels[0].is_some()).collect()
            };
            let of_first = FoldRows { train: alone(&rows.train), inner: alone(&rows.inner), test: rows.test.clone() };
            let first = pair.dataset.tasks[0].as_str();
            let together =
                spec(pair, shared, Arm::Mtl, None).run_on(&settings, pair, &of_first, &NEVER).unwrap().unwrap();
            let stl = spec(pair, shared, Arm::Stl, Some(first)).run(&settings, pair, &NEVER).unwrap().unwrap();
            assert_eq!(together.tasks[first], stl.tasks[first], "{preset:?} {shared:?}");
            for (a, b) in together.epochs.iter().zip(&stl.epochs) {
                assert_eq!((a.steps, &a.tasks[first]), (b.steps, &b.tasks[first]));
            }
        }
    }
}

/// Also with early stopping, which looks at the inner rows of the tasks that are learnt.
#[test]
fn no_share_of_the_other_task_is_stl_and_all_of_it_is_mtl_to_the_bit() {
    for (preset, patience) in [(Preset::Default, 1), (Preset::Paper, 0)] {
        let mut settings = small("unused".as_ref());
        settings.base = mtlcore::mtl::settings::Settings {
            epochs: 3,
            units: 5,
            patience,
            validation: settings.inner,
            ..mtlcore::mtl::settings::Settings::preset(preset)
        };
        let pairs = PairData::all(&settings).unwrap();
        // Missing labels, and doubly labelled rows.
        for pair in [&pairs[0], &pairs[2]] {
            for task in &pair.dataset.tasks {
                let [none, half, all] =
                    [0, 50, 100].map(|percent| run(&settings, pair, Arm::Share(percent), Some(task)));
                let (stl, mtl) = (run(&settings, pair, Arm::Stl, Some(task)), run(&settings, pair, Arm::Mtl, None));
                assert_eq!((none.steps, none.chosen_epoch), (stl.steps, stl.chosen_epoch));
                assert_eq!((all.steps, all.chosen_epoch), (mtl.steps, mtl.chosen_epoch));
                assert!(none.tasks.keys().eq([task]) && half.tasks.keys().eq([task]));
                assert_eq!(none.tasks[task], stl.tasks[task]);
                assert_eq!(all.tasks[task], mtl.tasks[task]);
                assert_eq!(half.tasks[task].rows, stl.tasks[task].rows, "tested on the same rows");
                assert!(half.tasks[task] != stl.tasks[task] && half.tasks[task] != mtl.tasks[task]);
            }
        }
    }
}

/// The key of a unit's file, and so whether an older version's is found again, follows from the words of its place.
#[test]
fn units_of_old_arms_keep_their_words() {
    let words = |arm: Arm| serde_json::to_string(&arm).unwrap();
    assert_eq!(
        [Arm::Stl, Arm::Mtl, Arm::NGram, Arm::Control(Control::Masked)].map(words),
        [r#""stl""#, r#""mtl""#, r#""n-gram""#, r#""masked""#]
    );
}

/// Authors, and texts that several of them wrote, in two files.
#[test]
fn groups_and_duplicates_are_never_split() {
    let directory = tempfile::tempdir().unwrap();
    let row = |file: usize, i: usize| {
        // Of 40 authors, each in both files; every 15th text is a copy of another author's in the other file.
        let word = |i: usize| ["ba", "de", "fi", "go", "hu", "ka", "le"][i % 7]; // all numbers are one token
        let own = if i.is_multiple_of(15) { "copy" } else { ["here", "there"][file] };
        let text = format!("{own} {} {} {}", word(i), word(i / 7), word(i / 49));
        let author = if i.is_multiple_of(4) { String::new() } else { format!("author{}", (i * 7 + file) % 40) };
        format!("{text}\t{}\t{author}\n", i % 3 % 2)
    };
    let task = |(file, name): (usize, &str)| {
        let path = directory.path().join(format!("{name}.tsv"));
        let rows: String = (0..300).map(|i| row(file, i)).collect();
        fs::write(&path, format!("text\tlabel\tauthor\n{rows}")).unwrap();
        TaskSource::new(name, path)
    };
    let mut settings = small("unused".as_ref());
    settings.pairs =
        vec![mtlcore::mtl::study::Pair { name: "p".into(), tasks: [(0, "a"), (1, "b")].map(task).to_vec() }];
    settings.inner = 0.2;
    let without = PairData::all(&settings).unwrap().remove(0);
    settings.base.group = Some("author".into());
    let pair = PairData::all(&settings).unwrap().remove(0);
    assert_ne!(pair.sha256, without.sha256, "other groups are other data");
    let split_groups = |pair: &PairData| -> usize {
        let side = |rows: &[usize], row: usize| rows.binary_search(&row).is_ok();
        let mut split = 0;
        for fold in 0..3 {
            let FoldRows { train, inner, .. } = pair.rows(0, fold).unwrap();
            let side_of = |row: usize| [side(&train, row), side(&inner, row)];
            for (i, a) in pair.corpus.records.iter().enumerate() {
                for (j, b) in pair.corpus.records.iter().enumerate().take(i) {
                    let author = |row: usize| (row % 300 * 7 + row / 300) % 40;
                    let named = |row: usize| !(row % 300).is_multiple_of(4);
                    let together = a.text == b.text || (named(i) && named(j) && author(i) == author(j));
                    split += usize::from(together && side_of(i) != side_of(j));
                }
            }
        }
        split
    };
    assert_eq!(split_groups(&pair), 0);
    assert!(split_groups(&without) > 0, "without the column authors are split");
}

#[test]
fn every_labelled_row_is_tested_once_and_never_chosen_on() {
    let mut settings = small("unused".as_ref());
    settings.repeats = 2;
    for pair in PairData::all(&settings).unwrap() {
        for repeat in 0..2 {
            let mut tested = vec![0; pair.dataset.examples.len()];
            for fold in 0..3 {
                let FoldRows { train, inner, test } = pair.rows(repeat, fold).unwrap();
                test.iter().for_each(|&row| tested[row] += 1);
                let mut all = [train, inner, test].concat();
                all.sort_unstable();
                assert_eq!(
                    all,
                    (0..pair.dataset.examples.len()).collect::<Vec<_>>(),
                    "each row is in one of the three"
                );
            }
            assert!(tested.iter().all(|&times| times == 1));
        }
    }
}

#[test]
fn controls_keep_what_they_promise() {
    let mut settings = small("unused".as_ref());
    // A fixed number of epochs, as in the paper: only then are numbers of steps given.
    (settings.base.patience, settings.base.keep) = (0, mtlcore::mtl::settings::Keep::Last);
    let pairs = PairData::all(&settings).unwrap();
    for pair in [&pairs[0], &pairs[2]] {
        let tasks: Vec<&str> = pair.dataset.tasks.iter().map(String::as_str).collect();
        let [stl, mtl] =
            [(Arm::Stl, Some(tasks[0])), (Arm::Mtl, None)].map(|(arm, task)| run(&settings, pair, arm, task));
        assert!(mtl.tasks.keys().eq(&pair.dataset.tasks) && stl.tasks.keys().eq([tasks[0]]));
        let control = |control| run(&settings, pair, Arm::Control(control), Some(tasks[0]));
        for steps in [Control::Shuffled, Control::Masked, Control::Unrelated, Control::MatchedSteps].map(control) {
            assert_eq!(steps.steps, mtl.steps, "as many steps as MTL");
            assert_eq!(steps.tasks[tasks[0]].rows, stl.tasks[tasks[0]].rows, "tested on the same rows");
            assert_eq!(steps.tasks[tasks[0]].truths, stl.tasks[tasks[0]].truths, "with the true labels");
            assert_eq!(steps.tasks.len(), 1);
        }
        let pooled = run(&settings, pair, Arm::Control(Control::Pooled), None);
        assert!(pooled.tasks.keys().eq(&pair.dataset.tasks));
    }
    // One head: a text with both labels has one probability.
    let pooled = run(&settings, &pairs[2], Arm::Control(Control::Pooled), None);
    assert_eq!(pooled.tasks[0].probabilities, pooled.tasks[1].probabilities);
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let with = |threads: usize| {
        let mut settings = small(&directory.path().join(threads.to_string()));
        settings.base.threads = threads;
        settings.controls = vec![Control::Pooled, Control::Unrelated];
        results(settings)
    };
    let one = with(1);
    assert!(one == with(2) && one == with(4));
}

#[test]
fn lost_and_damaged_units_are_run_again_with_the_same_bits() {
    let directory = tempfile::tempdir().unwrap();
    let settings = small(&directory.path().join("study"));
    let before = results(settings.clone());
    let mut units: Vec<_> =
        fs::read_dir(directory.path().join("study/units")).unwrap().map(|f| f.unwrap().path()).collect();
    units.sort();
    fs::remove_file(&units[0]).unwrap();
    let cut = fs::read(&units[5]).unwrap();
    fs::write(&units[5], &cut[..cut.len() / 2]).unwrap();
    // A digit of a probability: still JSON, but not what was written.
    let text = fs::read_to_string(&units[9]).unwrap();
    let place = text.find("\"probabilities\":[0.").unwrap() + 20;
    let digit = if &text[place..=place] == "7" { "3" } else { "7" };
    fs::write(&units[9], format!("{}{digit}{}", &text[..place], &text[place + 1..])).unwrap();

    let (told, run) = (Mutex::new(Vec::new()), AtomicUsize::new(0));
    let study = Study::begin(settings).unwrap();
    let observe = |event| match event {
        Event::Damaged(what) => told.lock().unwrap().push(what),
        Event::Progress { .. } => drop(run.fetch_add(1, Ordering::Relaxed)),
        Event::Finished { .. } => {}
    };
    study.run(&NEVER, &observe).unwrap().unwrap();
    assert_eq!(run.into_inner(), 1 + 3, "a first report, and one for each unit that was run");
    let told = told.into_inner().unwrap();
    assert_eq!(told.len(), 2);
    for (what, unit) in told.iter().zip([&units[5], &units[9]]) {
        assert!(told.iter().any(|what| what.starts_with(&unit.display().to_string())), "{what}");
        assert!(what.contains("the unit is damaged"), "{what}");
    }
    assert!(before == fs::read(directory.path().join("study/results.json")).unwrap());
}

#[test]
fn an_interrupted_study_goes_on_with_the_same_bits() {
    let directory = tempfile::tempdir().unwrap();
    let whole = results(small(&directory.path().join("whole")));
    let study = Study::begin(small(&directory.path().join("stopped"))).unwrap();
    let of_extension = |extension: &str| {
        let units = fs::read_dir(study.directory().join("units")).unwrap();
        units.filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|found| found == extension)).count()
    };
    for after in [3, 7, 20] {
        let interrupted = AtomicBool::new(false);
        let finished = study.run(&interrupted, &|event| {
            if let Event::Progress { done, .. } = event {
                interrupted.store(done >= after, Ordering::Relaxed);
            }
        });
        assert_eq!(finished.unwrap(), None);
        assert!(!study.directory().join("results.json").exists());
        assert!(of_extension("json") >= after && of_extension("claim") == 0);
    }
    study.run(&NEVER, &|_| {}).unwrap().unwrap();
    assert_eq!(of_extension("partial"), 0);
    assert!(whole == fs::read(study.directory().join("results.json")).unwrap());
}

#[test]
fn a_study_can_be_extended_but_not_changed() {
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().join("study");
    results(small(&out));
    let mut more = small(&out);
    more.repeats = 2;
    more.controls = vec![Control::Masked];
    let study = Study::begin(more.clone()).unwrap();
    let (first, all) = (Mutex::new(None), AtomicUsize::new(0));
    let extended = study.run(&NEVER, &|event| {
        if let Event::Progress { done, all: units } = event {
            first.lock().unwrap().get_or_insert(done);
            all.store(units, Ordering::Relaxed);
        }
    });
    // 3 pairs, 3 folds: n-grams and STL twice, MTL once. Then 2 repeats, and the control twice.
    assert_eq!((first.into_inner().unwrap(), all.into_inner()), (Some(3 * 3 * 5), 3 * 3 * 2 * 7));
    let extended = serde_json::to_string(&extended.unwrap().unwrap()).unwrap();
    let mut fresh = more.clone();
    fresh.base.out = directory.path().join("fresh");
    let fresh = Study::begin(fresh).unwrap().run(&NEVER, &|_| {}).unwrap().unwrap();
    assert_eq!(extended, serde_json::to_string(&fresh).unwrap(), "as if it had been so from the beginning");

    more.base.epochs = 3;
    more.base.dropout = 0.5;
    let error = Study::begin(more).err().unwrap().to_string();
    assert!(
        error.ends_with(
            "study.toml: a study of other settings: `dropout` is 0.25 there and 0.5 here, `epochs` is 2 there and 3 here; \
             choose another --out, or replace it with --force"
        ),
        "{error}"
    );
}

/// The files of a simulated pair as tasks.
fn written(simulation: &Simulation, directory: &Path) -> Vec<TaskSource> {
    let task = |file: SimulatedFile| {
        let path = directory.join(&file.name);
        fs::write(&path, &file.content).unwrap();
        TaskSource::new(&file.tasks[0], path)
    };
    simulation.files().unwrap().into_iter().map(task).collect()
}

/// Two files of the paper's kind, and the same pair declared the other way round.
#[test]
fn the_order_of_tasks_changes_nothing_and_changed_files_are_noticed() {
    let directory = tempfile::tempdir().unwrap();
    let simulation = Simulation { rows: [60, 90], ..Default::default() };
    let tasks = written(&simulation, directory.path());
    let settings = |out: &str, reverse: bool| {
        let mut settings = small(&directory.path().join(out));
        settings.base.embedding_dim = 8;
        let mut tasks = tasks.clone();
        if reverse {
            tasks.reverse();
        }
        settings.pairs = vec![mtlcore::mtl::study::Pair { name: "both".into(), tasks }];
        settings
    };
    assert!(results(settings("forward", false)) == results(settings("backward", true)));

    let path = &tasks[0].file;
    let text = fs::read_to_string(path).unwrap();
    fs::write(path, text.replacen("\t1\n", "\t0\n", 1)).unwrap();
    let error = Study::begin(settings("forward", false)).err().unwrap().to_string();
    assert!(
        error.contains("the data of `both` are not those that the study began with")
            && error.contains("task_a.tsv changed"),
        "{error}"
    );
}

/// Few rows of one task, many of another whose words mean the same: the few profit.
#[test]
fn a_small_task_is_helped_by_a_large_one_of_the_same_truth() {
    let directory = tempfile::tempdir().unwrap();
    let simulation = Simulation { rows: [200, 2000], relatedness: 1.0, overlap: 1.0, ..Default::default() };
    let tasks = written(&simulation, directory.path());
    let mut settings = small(&directory.path().join("study"));
    settings.folds = 5;
    settings.shared = vec![Shared::Bilstm];
    settings.seeds = 3;
    settings.base.epochs = 20;
    settings.base.units = 15;
    settings.base.embedding_dim = 25;
    settings.base.learning_rate = 0.003;
    settings.pairs = vec![mtlcore::mtl::study::Pair { name: "same".into(), tasks }];
    let results = Study::begin(settings).unwrap().run(&NEVER, &|_| {}).unwrap().unwrap();
    let task = &results.pairs[0].layers[0].tasks[0];
    assert_eq!(task.cell.verdict, Verdict::Helps, "{:?}", task.cell);
    let answer = &results.pairs[0].answer.tasks[0];
    assert_eq!((answer.verdict, answer.take, answer.shared), (Verdict::Helps, Some(Side::Together), Shared::Bilstm));
    assert_eq!((answer.difference, answer.low, answer.high), (task.cell.difference, task.cell.low, task.cell.high));
}
