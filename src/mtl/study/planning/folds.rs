//! Which rows are tested together.

use std::collections::BTreeMap;

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::mtl::{
    data::{Example, Group, stratify},
    streams::Streams,
};
use crate::{Error, Result};

/// The fold of each example in one repeat; `None` for an example without any label.
///
/// Examples of one group (exact duplicates after tokenisation, also of different tasks; and what a column of groups holds
/// together) share a fold. Otherwise the folds
/// are stratified on the joint labels of all tasks: without duplicates the positives of each of two tasks differ by at most
/// one between folds, and so do the examples of each combination of labels. If a fold would lack a class of a task that way
/// (few groups, or many tasks with a rare class), they are stratified on each task's labels alone instead, as
/// [`hold_out`](crate::mtl::data::hold_out) does it. The assignment follows from the seed, the repeat and the examples' own
/// keys alone.
///
/// # Errors
/// [`Error::Task`] if some fold would have no true or no false row of a task to test, or to learn from.
pub fn assign(
    tasks: &[String],
    examples: &[Example],
    folds: usize,
    repeat: usize,
    seed: u64,
) -> Result<Vec<Option<usize>>> {
    let labelled = |example: &Example| example.labels.iter().any(Option::is_some);
    let mut groups: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (row, example) in examples.iter().enumerate().filter(|(_, example)| labelled(example)) {
        groups.entry(example.group).or_default().push(row);
    }
    let mut groups: Vec<Vec<usize>> = groups.into_values().collect();
    groups.shuffle(&mut Streams::new(seed).rng("folds", repeat as u64));
    // Large groups first, while single rows are left to level what they upset; then one combination of labels after the
    // other, such that those with a true label of one task are neighbours.
    groups.sort_by_cached_key(|rows| {
        let single = rows.len() == 1;
        (std::cmp::Reverse(rows.len()), single.then(|| place_in_order(&examples[rows[0]].labels)))
    });

    let mut counts = Counts::new(tasks.len(), folds);
    let mut assigned = vec![None; examples.len()];
    for rows in &groups {
        let labels = || rows.iter().map(|&row| &examples[row].labels[..]);
        let fold = (0..folds).min_by_key(|&fold| counts.cost(fold, labels())).expect("there are folds");
        for row in rows {
            assigned[*row] = Some(fold);
            counts.add(fold, &examples[*row].labels);
        }
    }
    if check(tasks, examples, &assigned, folds).is_err() {
        assigned = by_class(groups, tasks.len(), examples, folds, |attempt| {
            Streams::new(seed).rng(&format!("folds by class, repeat {repeat}"), attempt)
        });
        check(tasks, examples, &assigned, folds)?;
    }
    Ok(assigned)
}

/// Stratified on each task's labels, whatever their combinations.
fn by_class(
    groups: Vec<Vec<usize>>,
    tasks: usize,
    examples: &[Example],
    folds: usize,
    rng: impl Fn(u64) -> ChaCha8Rng,
) -> Vec<Option<usize>> {
    let labels = |row: usize| {
        let labels = examples[row].labels.iter().enumerate();
        labels.filter_map(|(slot, label)| Some((slot, (*label)?)))
    };
    let group = |rows: Vec<usize>| Group::new(rows.clone(), tasks, rows.into_iter().flat_map(labels));
    let mut groups: Vec<Group> = groups.into_iter().map(group).collect();
    let folds = stratify(&mut groups, &vec![1.0 / folds as f64; folds], rng);
    let mut assigned = vec![None; examples.len()];
    for (group, fold) in groups.iter().zip(folds) {
        group.rows.iter().for_each(|&row| assigned[row] = Some(fold));
    }
    assigned
}

/// True for the first task alone, true for the first two, true for the second alone, … and at last true for none.
fn place_in_order(labels: &[Option<bool>]) -> (usize, usize, Vec<Option<bool>>) {
    let positive = |slot: &usize| labels[*slot] == Some(true);
    let first = (0..labels.len()).find(positive).unwrap_or(labels.len());
    let last = (0..labels.len()).rev().find(positive).unwrap_or(labels.len());
    (first, last, labels.to_vec())
}

/// What each fold holds so far.
struct Counts {
    strata: BTreeMap<Vec<Option<bool>>, Vec<usize>>, // [folds] each
    positives: Vec<Vec<usize>>,                      // [folds][tasks]
    rows: Vec<usize>,                                // [folds]
}

impl Counts {
    fn new(tasks: usize, folds: usize) -> Self {
        Self { strata: BTreeMap::new(), positives: vec![vec![0; tasks]; folds], rows: vec![0; folds] }
    }

    /// The smaller, the more a fold lacks such rows: of their combination of labels, then of their true labels, then at all.
    fn cost<'l>(&self, fold: usize, group: impl Iterator<Item = &'l [Option<bool>]> + Clone) -> [usize; 3] {
        let of_stratum = |labels: &[Option<bool>]| self.strata.get(labels).map_or(0, |folds| folds[fold]);
        let true_slots = |labels: &'l [Option<bool>]| (0..labels.len()).filter(|&slot| labels[slot] == Some(true));
        let positives = group.clone().flat_map(true_slots).map(|slot| self.positives[fold][slot]).sum();
        [group.map(of_stratum).sum(), positives, self.rows[fold]]
    }

    fn add(&mut self, fold: usize, labels: &[Option<bool>]) {
        let folds = self.rows.len();
        self.strata.entry(labels.to_vec()).or_insert_with(|| vec![0; folds])[fold] += 1;
        for (slot, positives) in self.positives[fold].iter_mut().enumerate() {
            *positives += usize::from(labels[slot] == Some(true));
        }
        self.rows[fold] += 1;
    }
}

/// Every fold must have both classes of every task to test.
fn check(tasks: &[String], examples: &[Example], assigned: &[Option<usize>], folds: usize) -> Result<()> {
    for (slot, task) in tasks.iter().enumerate() {
        for (label, class) in [(true, "true"), (false, "false")] {
            let mut of_fold = vec![0; folds];
            for (example, fold) in examples.iter().zip(assigned) {
                if let (Some(fold), true) = (fold, example.labels[slot] == Some(label)) {
                    of_fold[*fold] += 1;
                }
            }
            let all: usize = of_fold.iter().sum();
            if all < folds {
                let fewer = match all {
                    0 | 1 => "two are the fewest".into(),
                    _ => format!("say --folds {all} or fewer"),
                };
                let message =
                    format!("{all} {class} rows are too few for {folds} folds, each of which tests one; {fewer}");
                return Err(Error::task(task, message));
            }
            if let Some(fold) = of_fold.iter().position(|&count| count == 0) {
                let message = format!(
                    "fold {} of {folds} would test no {class} row: the {all} {class} rows have too few distinct texts or groups, \
                     which are never parted; say fewer --folds",
                    fold + 1
                );
                return Err(Error::task(task, message));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn example(key: u64, group: u64, labels: &[Option<bool>]) -> Example {
        Example { key, group, tokens: vec![], labels: labels.into(), source: 0, line: key, validation: false }
    }

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|slot| format!("task{slot}")).collect()
    }

    fn labels() -> impl Strategy<Value = [Option<bool>; 2]> {
        [proptest::option::of(any::<bool>()), proptest::option::of(any::<bool>())]
    }

    /// How many rows that `holds` there are in each fold.
    fn per_fold(
        examples: &[Example],
        folds: &[Option<usize>],
        k: usize,
        holds: impl Fn(&Example) -> bool,
    ) -> Vec<usize> {
        let mut counts = vec![0; k];
        for (_, fold) in examples.iter().zip(folds).filter(|(example, _)| holds(example)) {
            counts[fold.unwrap()] += 1;
        }
        counts
    }

    fn spread(counts: &[usize]) -> usize {
        counts.iter().max().unwrap() - counts.iter().min().unwrap()
    }

    proptest! {
        #[test]
        fn positives_and_joint_labels_differ_by_at_most_one(
            rows in prop::collection::vec(labels(), 100..300), k in 2..11usize, repeat in 0..3usize, seed: u64,
        ) {
            let examples: Vec<_> = rows.iter().zip(0..).map(|(labels, key)| example(key, key, labels)).collect();
            // With three rows a fold of every class, one combination of labels alone fills all folds with it, so nothing is repaired:
            // where a fold would lack a class, that comes before level combinations.
            let fills = |slot: usize, label: bool| rows.iter().filter(|labels| labels[slot] == Some(label)).count() >= 3 * k;
            prop_assume!((0..2).all(|slot| fills(slot, true) && fills(slot, false)));
            let Ok(folds) = assign(&names(2), &examples, k, repeat, seed) else { return Err(TestCaseError::reject("too few")) };
            for (example, fold) in examples.iter().zip(&folds) {
                prop_assert_eq!(fold.is_some(), example.labels.iter().any(Option::is_some));
            }
            for slot in 0..2 {
                prop_assert!(spread(&per_fold(&examples, &folds, k, |e| e.labels[slot] == Some(true))) <= 1);
            }
            for joint in rows.iter().filter(|labels| labels.iter().any(Option::is_some)) {
                prop_assert!(spread(&per_fold(&examples, &folds, k, |e| e.labels == joint)) <= 1);
            }
        }

        #[test]
        fn duplicates_share_a_fold(
            rows in prop::collection::vec((labels(), 0..80u64), 150..300), k in 2..6usize, seed: u64,
        ) {
            let examples: Vec<_> = rows.iter().zip(0..).map(|((labels, group), key)| example(key, *group, labels)).collect();
            if let Ok(folds) = assign(&names(2), &examples, k, 0, seed) {
                let mut of_group = BTreeMap::new();
                for (example, fold) in examples.iter().zip(&folds).filter_map(|(e, fold)| Some((e, (*fold)?))) {
                    prop_assert_eq!(*of_group.entry(example.group).or_insert(fold), fold);
                }
                let sizes = per_fold(&examples, &folds, k, |e| e.labels.iter().any(Option::is_some));
                prop_assert!(spread(&sizes) <= 20, "{:?}", sizes);
            }
        }
    }

    #[test]
    fn each_repeat_is_another_assignment_and_each_seed_too() {
        let examples: Vec<_> = (0..100).map(|i| example(i, i, &[Some(i % 3 == 0)])).collect();
        let folds = |repeat, seed| assign(&names(1), &examples, 5, repeat, seed).unwrap();
        assert_eq!(folds(0, 1), folds(0, 1));
        assert_ne!(folds(0, 1), folds(1, 1));
        assert_ne!(folds(0, 1), folds(0, 2));
    }

    /// Ten authors with ten rows each of one of two tasks; five folds leave one author of each kind to a fold.
    #[test]
    fn few_groups_that_fit_in_one_way_only() {
        let rows = (0..100).map(|row| {
            let author = row % 10;
            let label = Some(row / 10 % 2 == 0);
            // Authors differ in size, so that the largest do not alternate.
            let rows = (0..=author).map(move |copy| {
                let labels = if author < 5 { [label, None] } else { [None, label] };
                example(row * 10 + copy, author, &labels)
            });
            rows.collect::<Vec<_>>()
        });
        let examples: Vec<_> = rows.flatten().collect();
        for seed in 0..20 {
            let folds = assign(&names(2), &examples, 5, 0, seed).unwrap();
            for slot in 0..2 {
                for label in [true, false] {
                    let held = per_fold(&examples, &folds, 5, |example| example.labels[slot] == Some(label));
                    assert!(held.iter().all(|&count| count > 0), "{held:?}");
                }
            }
        }
    }

    #[test]
    fn too_few_rows_are_named_with_their_numbers() {
        let rows = |positives: u64, same: bool| -> Vec<Example> {
            (0..50).map(|i| example(i, if same && i < positives { 99 } else { i }, &[Some(i < positives)])).collect()
        };
        let message = |examples: &[Example]| assign(&names(1), examples, 5, 0, 1).unwrap_err().to_string();
        assert_eq!(
            message(&rows(4, false)),
            "task `task0`: 4 true rows are too few for 5 folds, each of which tests one; say --folds 4 or fewer"
        );
        assert_eq!(
            message(&rows(46, false)),
            "task `task0`: 4 false rows are too few for 5 folds, each of which tests one; say --folds 4 or fewer"
        );
        let found = message(&rows(6, true));
        assert!(
            found.ends_with(
                "would test no true row: the 6 true rows have too few distinct texts or groups, which are never parted; \
                 say fewer --folds"
            ),
            "{found}"
        );
    }
}
