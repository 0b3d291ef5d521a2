//! A held-out share of the rows, to measure on what was not learnt from.

use super::{
    example::Example,
    stratify::{Group, stratify},
};
use crate::{Error, Result, mtl::streams::Streams};
use std::collections::BTreeMap;

/// The rows to learn from and the rows to measure on: indices of examples, rising.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// To learn from.
    pub train: Vec<usize>,
    /// To measure on.
    pub held_out: Vec<usize>,
}

/// Holds out a `share` of the examples, the same for the same `seed`.
///
/// Examples of one group stay on one side, across tasks too, so that no text is measured that was learnt. By iterative
/// stratification (Sechidis et al. 2011) over the groups, of the true rows of each task about the share is held out, of
/// the false rows too, and of all rows; at least one of each, and at least one is left to learn from, as far as groups
/// allow. What comes from validation files is always held out, and of tasks that have a validation file nothing else is,
/// unless its group carries another task's label as well.
/// (Whoever gives a validation file answers for texts that it shares with the rows to learn from.)
///
/// # Errors
/// [`Error::Config`] if the share is not between 0 and 1, [`Error::Task`] if a task lacks a class on one side.
pub fn hold_out(tasks: &[String], examples: &[Example], share: f64, seed: u64) -> Result<Split> {
    if !(share > 0.0 && share < 1.0) {
        return Err(Error::config("validation", format!("found {share}, expected a share between 0 and 1")));
    }
    let given: Vec<bool> = (0..tasks.len())
        .map(|slot| examples.iter().any(|example| example.validation && example.labels[slot].is_some()))
        .collect();
    let mut held_out: Vec<bool> = examples.iter().map(|example| example.validation).collect();

    let mut groups: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (row, example) in examples.iter().enumerate().filter(|(_, example)| !example.validation) {
        if example.labels.iter().any(Option::is_some) {
            groups.entry(example.group).or_default().push(row);
        }
    }
    let measured = |row: usize| {
        let labels = examples[row].labels.iter().zip(&given).enumerate();
        labels.filter_map(|(slot, (label, given))| Some((slot, label.filter(|_| !given)?)))
    };
    let groups = groups.into_values().filter(|rows| rows.iter().any(|&row| measured(row).next().is_some()));
    let group = |rows: Vec<usize>| Group::new(rows.clone(), tasks.len(), rows.into_iter().flat_map(measured));
    let mut groups: Vec<Group> = groups.map(group).collect();
    let streams = Streams::new(seed);
    let sides = stratify(&mut groups, &[1.0 - share, share], |attempt| streams.rng("hold-out", attempt));
    for (group, side) in groups.iter().zip(sides) {
        group.rows.iter().for_each(|&row| held_out[row] = side == 1);
    }

    let side = |held: bool| (0..examples.len()).filter(|&row| held_out[row] == held).collect();
    let split = Split { train: side(false), held_out: side(true) };
    for (slot, task) in tasks.iter().enumerate() {
        for (rows, place) in [(&split.train, "to learn from"), (&split.held_out, "held out")] {
            for (label, class) in [(true, "true"), (false, "false")] {
                let is_of_class = |row: usize| examples[row].labels[slot] == Some(label);
                if !rows.iter().any(|&row| is_of_class(row)) {
                    let all = (0..examples.len()).filter(|&row| is_of_class(row)).count();
                    return Err(Error::task(
                        task,
                        format!(
                            "no {class} row would be {place}: found {all}, in too few distinct texts (or groups), which are never \
                             parted"
                        ),
                    ));
                }
            }
        }
    }
    Ok(split)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mtl::streams::split_mix;
    use proptest::prelude::*;

    fn example(group: u64, labels: &[Option<bool>], validation: bool) -> Example {
        Example { key: group, group, tokens: Vec::new(), labels: labels.to_vec(), source: 0, line: 0, validation }
    }

    fn names(count: usize) -> Vec<String> {
        ["a", "b"].map(str::to_owned)[..count].to_vec()
    }

    #[test]
    fn the_share_is_kept_in_every_stratum() {
        let pattern = |i: usize| match i % 10 {
            0..2 => [Some(true), None],
            2..5 => [Some(false), None],
            5..6 => [None, Some(true)],
            _ => [None, Some(false)],
        };
        let examples: Vec<_> = (0..1000).map(|i| example(i as u64, &pattern(i), false)).collect();
        let split = hold_out(&names(2), &examples, 0.2, 7).unwrap();
        for (stratum, expected) in [(0, 40), (2, 60), (5, 20), (6, 80)] {
            let count = split.held_out.iter().filter(|&&row| examples[row].labels == pattern(stratum)).count();
            assert_eq!(count, expected);
        }
        assert_eq!(split, hold_out(&names(2), &examples, 0.2, 7).unwrap());
        assert_ne!(split, hold_out(&names(2), &examples, 0.2, 8).unwrap());
    }

    #[test]
    fn given_validation_rows_are_the_held_out_ones() {
        let labels = [[Some(true), None], [Some(false), None], [None, Some(true)], [None, Some(false)]];
        let mut examples: Vec<_> = (0..40).map(|i| example(i as u64, &labels[i % 4], false)).collect();
        examples.extend((40..42).map(|i| example(i as u64, &labels[i % 4], true)));
        let split = hold_out(&names(2), &examples, 0.1, 1).unwrap();
        let of_a: Vec<usize> =
            split.held_out.iter().copied().filter(|&row| examples[row].labels[0].is_some()).collect();
        assert_eq!(of_a, [40, 41]);
        assert_eq!(split.held_out.len(), 4);
    }

    /// Rows of text and labels; equal texts are one group.
    fn rows(count: usize, labels: impl Fn(usize, usize) -> bool, tasks: usize) -> Vec<Example> {
        let labels = |row| (0..tasks).map(|slot| Some(labels(row, slot))).collect::<Vec<_>>();
        (0..count).map(|row| example(row as u64, &labels(row), false)).collect()
    }

    fn held(examples: &[Example], split: &Split, slot: usize, label: bool) -> usize {
        split.held_out.iter().filter(|&&row| examples[row].labels[slot] == Some(label)).count()
    }

    /// 120 rows of six tasks, of which the fifth has 6 true rows and the sixth 10, nearly all with a combination of labels
    /// of their own.
    #[test]
    fn rare_combinations_of_labels_are_held_out_too() {
        let label = |row: usize, slot: usize| match slot {
            4 => row % 20 == 3,
            5 => row % 12 == 5,
            _ => split_mix(row as u64, slot as u64) % 5 < 2,
        };
        let examples = rows(120, label, 6);
        let tasks: Vec<String> = (0..6).map(|slot| format!("task{slot}")).collect();
        for seed in 0..20 {
            let split = hold_out(&tasks, &examples, 0.1, seed).unwrap();
            assert!((11..=13).contains(&split.held_out.len()), "{}", split.held_out.len());
            for slot in 0..6 {
                let all = (0..120).filter(|&row| label(row, slot)).count() as f64;
                assert!((held(&examples, &split, slot, true) as f64 - all / 10.0).abs() <= 1.5);
            }
        }
    }

    /// A group of the rows to learn from is larger than twice the share: one is held out nevertheless.
    #[test]
    fn few_groups() {
        for groups in 2..6u64 {
            let authors = (0..groups * 40).map(|row| {
                let label = Some(row / groups % 2 == 0);
                let labels = if row / groups % 4 < 2 { [label, None] } else { [None, label] };
                example(row % groups, &labels, false)
            });
            let examples: Vec<_> = authors.collect();
            let split = hold_out(&names(2), &examples, 0.1, 1).unwrap();
            assert_eq!(split.held_out.len(), 40, "one group of {groups}");
        }
    }

    /// A task with a validation file learns from no text that is held out of another task.
    #[test]
    fn a_group_is_held_out_with_the_rows_of_tasks_that_have_a_validation_file() {
        let labels = [[Some(true), None], [Some(false), None], [None, Some(true)], [None, Some(false)]];
        // Each text once with a label of `a`, once with one of `b`, which has a file.
        let mut examples: Vec<_> = (0..80).map(|i| example(i / 4, &labels[(i % 4) as usize], false)).collect();
        examples.extend((40..42).map(|i| example(i, &labels[(i - 38) as usize], true)));
        let split = hold_out(&names(2), &examples, 0.2, 1).unwrap();
        for &held in &split.held_out {
            assert!(split.train.iter().all(|&row| examples[row].group != examples[held].group));
        }
    }

    #[test]
    fn errors() {
        let rows = |labels: &[bool]| rows(labels.len(), |row, _| labels[row], 1);
        assert_eq!(
            hold_out(&names(1), &rows(&[true, false, false]), 0.2, 1).unwrap_err().to_string(),
            "task `a`: no true row would be held out: found 1, in too few distinct texts (or groups), which are never parted"
        );
        assert_eq!(
            hold_out(&names(1), &rows(&[true, false]), 1.0, 1).unwrap_err().to_string(),
            "`validation`: found 1, expected a share between 0 and 1"
        );
    }

    proptest! {
        #[test]
        fn groups_stay_together_and_nothing_is_lost(
            rows in proptest::collection::vec((0..60u64, proptest::option::of(any::<bool>()), proptest::option::of(any::<bool>())), 50..200),
            share in 0.1..0.5f64, seed: u64)
        {
            let examples: Vec<_> = rows.iter().map(|&(group, a, b)| example(group, &[a, b], false)).collect();
            // Whoever has two groups with a class has it on both sides, and the order of rows changes nothing.
            let groups = |slot: usize, label| {
                let of_class = examples.iter().filter(|example| example.labels[slot] == Some(label));
                of_class.map(|example| example.group).collect::<std::collections::BTreeSet<_>>().len()
            };
            let enough = (0..2).all(|slot| groups(slot, true) > 1 && groups(slot, false) > 1);
            prop_assert_eq!(hold_out(&names(2), &examples, share, seed).is_ok(), enough);
            let turned: Vec<_> = examples.iter().rev().cloned().collect();
            let groups_held_out = |examples: &[Example]| {
                let held_out = hold_out(&names(2), examples, share, seed).map(|split| split.held_out);
                held_out.map(|rows| rows.iter().map(|&row| examples[row].group).collect::<std::collections::BTreeSet<_>>()).ok()
            };
            prop_assert_eq!(groups_held_out(&examples), groups_held_out(&turned));
            if let Ok(split) = hold_out(&names(2), &examples, share, seed) {
                let mut all = [split.train.clone(), split.held_out.clone()].concat();
                all.sort_unstable();
                prop_assert_eq!(all, (0..examples.len()).collect::<Vec<_>>());
                let labelled = |row: &&usize| examples[**row].labels.iter().any(Option::is_some);
                for &held in split.held_out.iter() {
                    for &kept in split.train.iter().filter(labelled) {
                        prop_assert_ne!(examples[held].group, examples[kept].group);
                    }
                }
            }
        }
    }
}
