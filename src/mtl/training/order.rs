//! The batches of an epoch, in order.

use crate::mtl::{
    data::Example,
    settings::{BatchComposition, Settings},
    streams::{Streams, split_mix},
};

/// The rows of one batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchPlan {
    /// Indices of examples.
    pub rows: Vec<usize>,
    /// The only task whose labels count, where batches alternate between tasks.
    pub task: Option<usize>,
}

/// The batches of an epoch (counted from 0) over the given rows.
///
/// Each row draws a random number from the seed, the epoch and its own key, and the rows are taken in the order of these
/// numbers. So two trainings that share rows meet them in the same order, whatever other rows each has.
pub fn epoch_plan(
    settings: &Settings,
    examples: &[Example],
    rows: &[usize],
    tasks: usize,
    epoch: usize,
) -> Vec<BatchPlan> {
    let key = Streams::new(settings.seed).key("order of rows", epoch as u64);
    let draw = |&row: &usize| {
        let example = &examples[row];
        (split_mix(key, example.key), example.source, example.line, row)
    };
    let in_batches = |mut rows: Vec<usize>, task: Option<usize>| -> Vec<BatchPlan> {
        rows.sort_by_cached_key(draw);
        rows.chunks(settings.batch).map(|rows| BatchPlan { rows: rows.to_vec(), task }).collect()
    };
    let labelled_for = |task: usize| rows.iter().copied().filter(move |&row| examples[row].labels[task].is_some());
    match settings.batches {
        BatchComposition::Mixed => {
            let labelled = |row: &usize| examples[*row].labels.iter().any(Option::is_some);
            in_batches(rows.iter().copied().filter(labelled).collect(), None)
        }
        BatchComposition::Alternate => {
            take_turns((0..tasks).map(|task| in_batches(labelled_for(task).collect(), Some(task))).collect())
        }
    }
}

/// One batch of each task in turn; when a task has none left, the others go on.
fn take_turns(tasks: Vec<Vec<BatchPlan>>) -> Vec<BatchPlan> {
    let turns = tasks.iter().map(Vec::len).max().unwrap_or(0);
    let mut queues: Vec<_> = tasks.into_iter().map(Vec::into_iter).collect();
    (0..turns).flat_map(|_| queues.iter_mut().filter_map(Iterator::next).collect::<Vec<_>>()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mtl::settings::Preset;

    fn example(key: u64, labels: &[Option<bool>]) -> Example {
        Example { key, group: key, tokens: vec![], labels: labels.into(), source: 0, line: key, validation: false }
    }

    fn two_tasks() -> Vec<Example> {
        let label = |key: u64| if key < 70 { [Some(true), None] } else { [None, Some(true)] };
        (0..100).map(|key| example(key, &label(key))).collect()
    }

    #[test]
    fn each_epoch_meets_every_row_once_in_an_order_of_its_own() {
        let examples = two_tasks();
        let rows: Vec<usize> = (0..100).collect();
        let settings = Settings::preset(Preset::Default);
        let order = |epoch| -> Vec<usize> {
            epoch_plan(&settings, &examples, &rows, 2, epoch).into_iter().flat_map(|plan| plan.rows).collect()
        };
        let mut sorted = order(0);
        assert_ne!(sorted, order(1));
        assert_ne!(sorted, rows);
        sorted.sort_unstable();
        assert_eq!(sorted, rows);
        let sizes: Vec<usize> = epoch_plan(&settings, &examples, &rows, 2, 0).iter().map(|p| p.rows.len()).collect();
        assert_eq!(sizes, [32, 32, 32, 4], "the last batch is kept");
    }

    #[test]
    fn rows_that_two_trainings_share_come_in_the_same_order() {
        let examples = two_tasks();
        let settings = Settings { batch: 1, ..Settings::preset(Preset::Default) };
        let order = |rows: Vec<usize>| -> Vec<usize> {
            epoch_plan(&settings, &examples, &rows, 2, 3).into_iter().flat_map(|plan| plan.rows).collect()
        };
        let of_both: Vec<usize> = order((0..100).collect()).into_iter().filter(|&row| row < 70).collect();
        assert_eq!(of_both, order((0..70).collect()));
    }

    #[test]
    fn alternating_batches_hold_one_tasks_rows_and_take_turns() {
        let settings =
            Settings { batches: BatchComposition::Alternate, batch: 20, ..Settings::preset(Preset::Default) };
        let plan = epoch_plan(&settings, &two_tasks(), &(0..100).collect::<Vec<_>>(), 2, 0);
        let tasks: Vec<_> = plan.iter().map(|plan| plan.task.unwrap()).collect();
        assert_eq!(tasks, [0, 1, 0, 1, 0, 0]);
        assert!(plan.iter().all(|plan| plan.rows.iter().all(|&row| (row < 70) == (plan.task == Some(0)))));
    }
}
