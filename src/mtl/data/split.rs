//! A held-out share of the rows, to measure on what was not learnt from.

use super::dataset::Example;
use crate::{Error, Result, mtl::streams::Streams};
use rand::seq::SliceRandom;
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
/// Examples of one group stay on one side, across tasks too, so that no text is measured that was learnt. The share is
/// kept within each combination of labels (`1`, `0` or missing for each task), as far as groups allow; of a combination
/// with two examples or more at least one is held out. What comes from validation files is always held out, and of tasks
/// that have a validation file nothing else is, unless a row carries another task's label as well.
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

    // The rows to choose from, as groups of rows with the strata they are in.
    let mut strata: BTreeMap<Vec<Option<bool>>, usize> = BTreeMap::new();
    let mut sizes: Vec<usize> = Vec::new(); // rows in each stratum
    let mut groups: BTreeMap<u64, Vec<(usize, usize)>> = BTreeMap::new(); // (row, its stratum)
    for (row, example) in examples.iter().enumerate().filter(|(_, example)| !example.validation) {
        let labels = example.labels.iter().zip(&given);
        let pattern: Vec<_> = labels.map(|(&label, &given)| label.filter(|_| !given)).collect();
        if pattern.iter().all(Option::is_none) {
            continue; // nothing to measure on
        }
        let stratum = *strata.entry(pattern).or_insert(sizes.len());
        if stratum == sizes.len() {
            sizes.push(0);
        }
        sizes[stratum] += 1;
        groups.entry(example.group).or_default().push((row, stratum));
    }
    // What each stratum still lacks; large groups first, while there is room for them.
    let mut wanted: Vec<f64> = sizes
        .iter()
        .map(|&size| if size < 2 { share * size as f64 } else { (share * size as f64).clamp(1.0, size as f64 - 1.0) })
        .collect();
    let mut groups: Vec<Vec<(usize, usize)>> = groups.into_values().collect();
    groups.shuffle(&mut Streams::new(seed).rng("hold-out", 0));
    groups.sort_by_key(|rows| std::cmp::Reverse(rows.len()));
    for rows in &groups {
        let mut counts: BTreeMap<usize, f64> = BTreeMap::new(); // by stratum
        for &(_, stratum) in rows {
            *counts.entry(stratum).or_default() += 1.0;
        }
        // How much the sum of the squares of `wanted` falls if this group is held out.
        let gain: f64 = counts.iter().map(|(&stratum, count)| count * (2.0 * wanted[stratum] - count)).sum();
        if gain > 0.0 {
            for &(row, stratum) in rows {
                held_out[row] = true;
                wanted[stratum] -= 1.0;
            }
        }
    }

    let side = |held: bool| (0..examples.len()).filter(|&row| held_out[row] == held).collect();
    let split = Split { train: side(false), held_out: side(true) };
    for (slot, task) in tasks.iter().enumerate() {
        for (rows, place) in [(&split.train, "to learn from"), (&split.held_out, "held out")] {
            for (label, class) in [(true, "true"), (false, "false")] {
                if !rows.iter().any(|&row| examples[row].labels[slot] == Some(label)) {
                    let message =
                        format!("no {class} row would be {place}: too few distinct texts (or groups) with this label");
                    return Err(Error::task(task, message));
                }
            }
        }
    }
    Ok(split)
}

#[cfg(test)]
mod tests {
    use super::*;
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

    #[test]
    fn errors() {
        let rows = |labels: &[bool]| -> Vec<_> {
            labels.iter().enumerate().map(|(i, &label)| example(i as u64, &[Some(label)], false)).collect()
        };
        assert_eq!(
            hold_out(&names(1), &rows(&[true, false, false]), 0.2, 1).unwrap_err().to_string(),
            "task `a`: no true row would be held out: too few distinct texts (or groups) with this label"
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
