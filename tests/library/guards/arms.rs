//! Arms differ in what the other task brings, and placebos bring what they promise.

use mtlcore::mtl::study::{Arm, Control, FoldRows, PairData, UnitSpec};

use super::{NEVER, settings, small_pair, train};

/// The labels of the other task, moved on by one among the rows that have one: as many are true, but others.
fn others_moved_on(pair: &PairData, task: &str) -> PairData {
    let (mut pair, slot) = (pair.clone(), pair.slot(task));
    let other = 1 - slot;
    let examples = &mut pair.dataset.examples;
    let labelled: Vec<usize> = (0..examples.len()).filter(|&row| examples[row].labels[other].is_some()).collect();
    let mut labels: Vec<Option<bool>> = labelled.iter().map(|&row| examples[row].labels[other]).collect();
    labels.rotate_left(1);
    for (row, label) in labelled.into_iter().zip(labels) {
        examples[row].labels[other] = label;
    }
    pair
}

/// Fault: arms start from different seeds, or meet the rows that they share in another order. Without the other task's rows nothing
/// is left that tells them apart.
#[test]
fn without_the_other_tasks_rows_every_arm_is_stl_to_the_bit() {
    let settings = settings();
    let pair = small_pair(&settings);
    let rows = pair.rows(0, 1).unwrap();
    for task in &pair.dataset.tasks {
        let own = |rows: &[usize]| -> Vec<usize> {
            let slot = pair.slot(task);
            rows.iter().copied().filter(|&row| pair.dataset.examples[row].labels[slot].is_some()).collect()
        };
        let own = FoldRows { train: own(&rows.train), inner: own(&rows.inner), test: own(&rows.test) };
        let stl = train(&settings, &pair, Arm::Stl, task, &own);
        assert_eq!(stl.tasks, train(&settings, &pair, Arm::Stl, task, &rows).tasks);
        let controls = [Control::Shuffled, Control::Masked, Control::Unrelated, Control::MatchedSteps];
        for arm in [Arm::Share(50)].into_iter().chain(controls.map(Arm::Control)) {
            let found = train(&settings, &pair, arm, task, &own);
            assert_eq!((&found.tasks, found.steps), (&stl.tasks, stl.steps), "{arm:?}");
        }
        // It has a head for the other task as well.
        let mtl = train(&settings, &pair, Arm::Mtl, task, &FoldRows { test: rows.test.clone(), ..own });
        assert_eq!((&mtl.tasks[task], mtl.steps), (&stl.tasks[task], stl.steps));
    }
}

/// Fault: the trainings of a fold are one and the same, so that more of them say nothing more.
#[test]
fn each_training_of_a_fold_is_another() {
    let settings = settings();
    let pair = small_pair(&settings);
    let with = |seed: usize| {
        let (pair_name, shared) = (pair.name.clone(), Some(settings.shared[0]));
        let spec = UnitSpec { pair: pair_name, shared, arm: Arm::Mtl, task: None, repeat: 0, fold: 1, seed };
        spec.run(&settings, &pair, &NEVER).unwrap().unwrap().tasks
    };
    let (first, second) = (with(0), with(1));
    for task in &pair.dataset.tasks {
        assert_eq!(first[task].rows, second[task].rows);
        assert_ne!(first[task].probabilities, second[task].probabilities);
    }
}

/// Fault: matched-steps takes as many steps as STL.
#[test]
fn matched_steps_takes_the_steps_of_mtl() {
    let settings = settings();
    let pair = small_pair(&settings);
    let rows = pair.rows(0, 1).unwrap();
    for task in &pair.dataset.tasks {
        let steps = |arm| train(&settings, &pair, arm, task, &rows).steps;
        let [stl, mtl, matched] = [Arm::Stl, Arm::Mtl, Arm::Control(Control::MatchedSteps)].map(steps);
        assert!(stl < mtl && matched == mtl, "{stl}, {mtl}, {matched}");
    }
}

/// Faults: the masked control has labels; the unrelated one has the other task's own; the shuffled one is left unshuffled. The first
/// two must not see which of the other task's rows are true.
#[test]
fn placebos_do_not_know_the_other_tasks_labels() {
    let settings = settings();
    let pair = small_pair(&settings);
    let rows = pair.rows(0, 1).unwrap();
    for task in &pair.dataset.tasks {
        let moved = others_moved_on(&pair, task);
        let with = |pair: &PairData, arm| train(&settings, pair, arm, task, &rows).tasks[task].clone();
        let mtl = with(&pair, Arm::Mtl);
        assert_ne!(mtl, with(&moved, Arm::Mtl), "MTL learns from these labels");
        for control in [Control::Masked, Control::Unrelated] {
            let arm = Arm::Control(control);
            assert_eq!(with(&pair, arm), with(&moved, arm), "{control:?}");
        }
        for control in [Control::Masked, Control::Unrelated, Control::Shuffled] {
            let found = with(&pair, Arm::Control(control));
            assert_ne!(found, mtl, "{control:?}: it is not MTL");
            assert_ne!(found, with(&pair, Arm::Stl), "{control:?}: nor is it STL");
        }
    }
}
