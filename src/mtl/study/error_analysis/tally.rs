//! How often each category occurs, and whether two people agree.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde::Serialize;

use super::{Categories, CategoryRow, ErrorKind, TaskDecisions};
use crate::mtl::{evaluation::agreement::cohens_kappa, settings::Shared};

/// The categories of one filled-in file, counted.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Tally {
    /// Rows with a category.
    pub filled: usize,
    /// Rows whose category is empty.
    pub empty: usize,
    /// One for each task and layer with a category, in the order of the study.
    pub tasks: Vec<TaskTally>,
}

/// The categories of one task with one shared layer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TaskTally {
    /// The pair.
    pub pair: String,
    /// The shared layer.
    pub shared: Shared,
    /// The task.
    pub task: String,
    /// How many errors of each kind have a category, in the order of [`ErrorKind::ALL`].
    pub filled: [usize; 4],
    /// How many of them have each category; the most frequent category first.
    pub categories: IndexMap<String, [usize; 4]>,
}

/// Two people's categories of the same errors.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Agreement {
    /// Errors to which both gave a category; all else is about these.
    pub both: usize,
    /// To how many of them they gave the same.
    pub same: usize,
    /// Cohen's κ; `None` where it is undefined: no such errors, or only one category in use.
    pub kappa: Option<f64>,
    /// Errors to which one of the two gave no category.
    pub only_one: usize,
}

impl Tally {
    /// Counts categories that were read against `tasks`.
    pub fn of(categories: &Categories, tasks: &[TaskDecisions<'_>]) -> Self {
        let mut counts: BTreeMap<usize, BTreeMap<&str, [usize; 4]>> = BTreeMap::new();
        let mut empty = 0;
        for row in &categories.rows {
            let Some(category) = &row.category else {
                empty += 1;
                continue;
            };
            let of_task = counts.entry(row.task).or_default();
            of_task.entry(category).or_default()[row.kind as usize] += 1;
        }
        let tally = |(task, counts): (usize, BTreeMap<&str, [usize; 4]>)| {
            let TaskDecisions { pair, shared, task, .. } = tasks[task];
            let sum = |kind: usize| counts.values().map(|of_category| of_category[kind]).sum();
            let mut categories: Vec<(String, [usize; 4])> =
                counts.iter().map(|(category, counts)| ((*category).to_owned(), *counts)).collect();
            // Sorted by name before, so equal counts stay in that order.
            categories.sort_by_key(|(_, counts)| std::cmp::Reverse(counts.iter().sum::<usize>()));
            TaskTally {
                pair: pair.name.clone(),
                shared,
                task: task.to_owned(),
                filled: [0, 1, 2, 3].map(sum),
                categories: categories.into_iter().collect(),
            }
        };
        Self { filled: categories.rows.len() - empty, empty, tasks: counts.into_iter().map(tally).collect() }
    }
}

impl Agreement {
    /// Of two files that were read against the same study.
    pub fn of(first: &Categories, second: &Categories) -> Self {
        let by_error = |categories: &Categories| -> BTreeMap<(usize, ErrorKind, usize), String> {
            let filled = |row: &CategoryRow| Some(((row.task, row.kind, row.row), row.category.clone()?));
            categories.rows.iter().filter_map(filled).collect()
        };
        let (first, second) = (by_error(first), by_error(second));
        let both = first.iter().filter_map(|(error, category)| Some((category, second.get(error)?)));
        let (of_first, of_second): (Vec<&String>, Vec<&String>) = both.unzip();
        Self {
            both: of_first.len(),
            same: of_first.iter().zip(&of_second).filter(|(a, b)| a == b).count(),
            kappa: cohens_kappa(&of_first, &of_second),
            only_one: first.len() + second.len() - 2 * of_first.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;

    fn categories(words: &str) -> Categories {
        let row = |(row, word): (usize, &str)| CategoryRow {
            task: 0,
            kind: ErrorKind::StlWrong,
            row,
            category: (word != "-").then(|| word.to_owned()),
        };
        Categories { rows: words.split(' ').enumerate().map(row).collect() }
    }

    /// κ: scikit-learn 1.9.1, `cohen_kappa_score`, on the ten errors that both sorted.
    #[test]
    fn two_people_are_compared_where_both_have_sorted() {
        let first = categories("negation sarcasm - sarcasm length other negation negation other length other other");
        let second = categories("negation sarcasm length other length other negation sarcasm other other other -");
        let agreement = Agreement::of(&first, &second);
        assert_eq!((agreement.both, agreement.same, agreement.only_one), (10, 7, 2));
        assert_abs_diff_eq!(agreement.kappa.unwrap(), 0.5890410958904109, epsilon = 1e-12);
    }

    #[test]
    fn without_a_common_error_there_is_no_kappa() {
        let agreement = Agreement::of(&categories("a -"), &categories("- a"));
        assert_eq!(agreement, Agreement { both: 0, same: 0, kappa: None, only_one: 2 });
    }
}
