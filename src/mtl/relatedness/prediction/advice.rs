//! Which partner to take, and which tasks to train together.

use serde::{Deserialize, Serialize};

use crate::mtl::relatedness::Relatedness;

/// The most tasks of which all groupings are tried: eight have 4,140.
const MOST_TASKS: usize = 8;

/// What to do, by predicted gains.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Advice {
    /// For each task the partner with the largest expected gain; none where no gain is expected beyond the region of equivalence.
    pub partners: Vec<BestPartner>,
    /// Which tasks to train together, from pairwise gains; absent for two tasks and for more than eight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<Vec<String>>>,
}

/// A task with its best partner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BestPartner {
    /// The task.
    pub main: String,
    /// `None`: better alone, or nothing can be told.
    pub partner: Option<String>,
}

impl Advice {
    /// Of pairs that have predictions; gains of ±`rope` points or less count as none.
    pub fn of(relatedness: &Relatedness, rope: f64) -> Self {
        let gain = |main: &str, partner: &str| -> Option<f64> {
            Some(relatedness.pair(main, partner)?.prediction.as_ref()?.gain)
        };
        let names: Vec<&str> = relatedness.tasks.iter().map(|task| task.name.as_str()).collect();
        let partner = |&main: &&str| {
            let known = names.iter().filter_map(|&partner| Some((partner, gain(main, partner)?)));
            let best = known.filter(|(_, gain)| *gain > rope).max_by(|a, b| a.1.total_cmp(&b.1));
            BestPartner { main: main.to_owned(), partner: best.map(|(partner, _)| partner.to_owned()) }
        };
        let groups = (3..=MOST_TASKS).contains(&names.len()).then(|| {
            let groups = best_groups(names.len(), |i, j| gain(names[i], names[j]).unwrap_or(0.0));
            groups.into_iter().map(|group| group.into_iter().map(|i| names[i].to_owned()).collect()).collect()
        });
        Self { partners: names.iter().map(partner).collect(), groups }
    }
}

/// The partition of tasks with the largest sum of gains, where a task gains of its group the mean of what it gains of each member, and
/// nothing alone (as Standley et al. 2020 approximate larger groups by pairs). All partitions are tried; of equally good ones that with
/// the most groups.
pub fn best_groups(tasks: usize, gain: impl Fn(usize, usize) -> f64) -> Vec<Vec<usize>> {
    let value = |groups: &[Vec<usize>]| -> f64 {
        let of_task = |group: &[usize], i: usize| {
            let others = group.iter().filter(|&&j| j != i);
            others.map(|&j| gain(i, j)).sum::<f64>() / (group.len() - 1).max(1) as f64
        };
        groups.iter().flat_map(|group| group.iter().map(|&i| of_task(group, i))).sum()
    };
    let mut best: (f64, Vec<Vec<usize>>) = (0.0, (0..tasks).map(|task| vec![task]).collect());
    let mut groups = Vec::new();
    partitions(tasks, 0, &mut groups, &mut |groups| {
        let now = value(groups);
        let is_better = now > best.0 + 1e-12 || (now >= best.0 - 1e-12 && groups.len() > best.1.len());
        if is_better {
            best = (now, groups.to_vec());
        }
    });
    best.1
}

/// Every partition: each task joins one of the groups before it, or begins one.
fn partitions(tasks: usize, next: usize, groups: &mut Vec<Vec<usize>>, see: &mut impl FnMut(&[Vec<usize>])) {
    if next == tasks {
        return see(groups);
    }
    for group in 0..groups.len() {
        groups[group].push(next);
        partitions(tasks, next + 1, groups, see);
        groups[group].pop();
    }
    groups.push(vec![next]);
    partitions(tasks, next + 1, groups, see);
    groups.pop();
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The Bell numbers.
    #[test]
    fn every_partition_is_tried_once() {
        for (tasks, expected) in [(1, 1), (3, 5), (5, 52), (8, 4_140)] {
            let mut count = 0;
            partitions(tasks, 0, &mut Vec::new(), &mut |_| count += 1);
            assert_eq!(count, expected);
        }
    }

    #[test]
    fn who_gains_of_each_other_is_trained_together() {
        let related = |i: usize, j: usize| if i / 2 == j / 2 { 2.0 } else { -1.0 };
        assert_eq!(best_groups(4, related), [vec![0, 1], vec![2, 3]]);
        assert_eq!(best_groups(3, |_, _| -0.5), [vec![0], vec![1], vec![2]]);
        assert_eq!(best_groups(3, |_, _| 0.5), [vec![0, 1, 2]]);
    }
}
