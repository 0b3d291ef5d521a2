//! Which partner to take, and which tasks to train together.

use serde::{Deserialize, Serialize};

use super::Prediction;

/// The most tasks of which all groupings are tried: eight have 4,140.
const MOST_TASKS: usize = 8;

/// Recommendations from predicted gains.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Advice {
    /// For each task the partner with the largest expected gain; none where no gain is expected beyond the region of equivalence.
    pub partners: Vec<BestPartner>,
    /// Which tasks to train together: the partition with the largest sum of gains; absent for two tasks and for more than eight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<Vec<String>>>,
}

/// A task with its best partner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BestPartner {
    /// The task.
    pub main: String,
    /// `None` if no partner is expected to bring a gain beyond the region of equivalence.
    pub partner: Option<String>,
}

impl Advice {
    /// From the predictions of all ordered pairs of the tasks `names`; gains of ±`rope` points or less count as none.
    pub fn of(names: &[&str], predictions: &[Prediction], rope: f64) -> Self {
        let gain = |main: &str, partner: &str| -> Option<f64> {
            let is_meant = |p: &&Prediction| (p.main.as_str(), p.partner.as_str()) == (main, partner);
            predictions.iter().find(is_meant).map(|prediction| prediction.gain)
        };
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

/// The partition of tasks with the largest sum of gains. A task's gain in a group is the mean of its gains from each member, and 0 alone
/// (Standley et al. 2020 approximate the gain in larger groups by pairs in this way). All partitions are tried; of equally good ones,
/// the one with the most groups is taken.
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
    fn tasks_that_gain_from_each_other_are_trained_together() {
        let related = |i: usize, j: usize| if i / 2 == j / 2 { 2.0 } else { -1.0 };
        assert_eq!(best_groups(4, related), [vec![0, 1], vec![2, 3]]);
        assert_eq!(best_groups(3, |_, _| -0.5), [vec![0], vec![1], vec![2]]);
        assert_eq!(best_groups(3, |_, _| 0.5), [vec![0, 1, 2]]);
    }
}
