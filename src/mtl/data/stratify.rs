//! Iterative stratification over groups of rows (Sechidis, Tsoumakas and Vlahavas 2011, "On the stratification of
//! multi-label data"), followed by a descent; where a bin lacks a class, a random walk as in WalkSAT (Selman, Kautz and
//! Cohen 1994).

use rand::{
    RngExt,
    seq::{IndexedRandom, SliceRandom},
};
use rand_chacha::ChaCha8Rng;
use std::cmp::{Ordering, Reverse};

/// How many orders of the groups are tried before a bin is left without a class, and how many steps of a repair each.
const ATTEMPTS: u64 = 16;
const REPAIRS: usize = 256;

/// Rows that stay together, and how many of them are in each class: in each task's true rows, in its false rows, and at
/// the end in all rows.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    /// Indices of examples.
    pub rows: Vec<usize>,
    counts: Vec<(usize, usize)>, // (class, rows), rising, none of them 0
}

impl Group {
    /// Groups `rows`, whose labels to be stratified are `(slot of a task, label)`.
    pub fn new(rows: Vec<usize>, tasks: usize, labels: impl Iterator<Item = (usize, bool)>) -> Self {
        let mut counts = vec![0; 2 * tasks + 1];
        counts[2 * tasks] = rows.len();
        labels.for_each(|(slot, label)| counts[2 * slot + usize::from(label)] += 1);
        Self { rows, counts: counts.into_iter().enumerate().filter(|&(_, count)| count > 0).collect() }
    }

    fn count(&self, class: usize) -> usize {
        self.counts.iter().find(|(of, _)| *of == class).map_or(0, |&(_, count)| count)
    }
}

/// The bin of each group. Of every class each bin gets about its share, and at least one row if as many groups as there
/// are bins have some and the other classes allow it; `groups` are shuffled by the generator of each attempt.
pub(crate) fn stratify(groups: &mut [Group], shares: &[f64], rng: impl Fn(u64) -> ChaCha8Rng) -> Vec<usize> {
    let mut best: Option<(usize, Vec<Group>, Vec<usize>)> = None; // the classes that bins lack, and the assignment
    for attempt in 0..ATTEMPTS {
        let mut rng = rng(attempt);
        groups.shuffle(&mut rng);
        let mut bins = Bins::new(groups, shares);
        let mut assigned = bins.fill(groups);
        bins.descend(groups, &mut assigned);
        bins.repair(groups, &mut assigned, &mut rng);
        bins.descend(groups, &mut assigned);
        let missing = bins.missing().len();
        if best.as_ref().is_none_or(|(least, ..)| missing < *least) {
            best = Some((missing, groups.to_vec(), assigned));
        }
        if missing == 0 {
            break;
        }
    }
    let (_, order, assigned) = best.expect("there is an attempt");
    groups.clone_from_slice(&order);
    assigned
}

/// How many rows of each class the bins hold and want.
struct Bins {
    rows: Vec<usize>,      // [classes]: in all bins
    asked: Vec<bool>,      // [classes]: whether no bin may lack it
    held: Vec<Vec<usize>>, // [bins][classes]
    wanted: Vec<Vec<f64>>, // [bins][classes]
}

impl Bins {
    fn new(groups: &[Group], shares: &[f64]) -> Self {
        let classes = groups.iter().flat_map(|group| &group.counts).map(|(class, _)| class + 1).max().unwrap_or(0);
        let (mut rows, mut groups_of) = (vec![0; classes], vec![0; classes]);
        for &(class, count) in groups.iter().flat_map(|group| &group.counts) {
            rows[class] += count;
            groups_of[class] += 1;
        }
        let mut asked: Vec<bool> = groups_of.into_iter().map(|groups| groups >= shares.len()).collect();
        // Rows of whatever class are no use to a bin.
        asked.iter_mut().next_back().into_iter().for_each(|of_all_rows| *of_all_rows = false);
        let wanted = |share: &f64| {
            let of_class = |(&rows, &asked)| (share * rows as f64).max(if asked { 1.0 } else { 0.0 });
            rows.iter().zip(&asked).map(of_class).collect()
        };
        let wanted = shares.iter().map(wanted).collect();
        Self { held: vec![vec![0; classes]; shares.len()], rows, asked, wanted }
    }

    /// The rarest class first, since later rows cannot level it; each group goes where its class is wanted most.
    fn fill(&mut self, groups: &[Group]) -> Vec<usize> {
        let mut assigned = vec![usize::MAX; groups.len()];
        let mut left = self.rows.clone();
        while let Some(class) = (0..left.len()).filter(|&class| left[class] > 0).min_by_key(|&class| left[class]) {
            let of_class = |place: &usize| assigned[*place] == usize::MAX && groups[*place].count(class) > 0;
            let mut places: Vec<usize> = (0..groups.len()).filter(of_class).collect();
            places.sort_by_key(|&place| Reverse(groups[place].count(class)));
            for place in places {
                let lacks = |bin: usize, class: usize| self.wanted[bin][class] - self.held[bin][class] as f64;
                let rows = left.len() - 1;
                let more = |&a: &usize, &b: &usize| {
                    let by_class = lacks(a, class).total_cmp(&lacks(b, class));
                    by_class.then(lacks(a, rows).total_cmp(&lacks(b, rows))).then(b.cmp(&a))
                };
                let bin = (0..self.held.len()).max_by(more).expect("there are bins");
                assigned[place] = bin;
                for &(class, count) in &groups[place].counts {
                    self.held[bin][class] += count;
                    left[class] -= count;
                }
            }
        }
        assigned
    }

    /// Moves groups, each to the bin that lowers the cost most, while one does.
    fn descend(&mut self, groups: &[Group], assigned: &mut [usize]) {
        let mut moved = true;
        while std::mem::take(&mut moved) {
            for (group, bin) in groups.iter().zip(&mut *assigned) {
                let others = (0..self.held.len()).filter(|to| to != bin);
                let changes = others.map(|to| (self.change(group, *bin, to), to));
                // The least fall that counts is far above the rounding of the sums, so the descent ends.
                if let Some(((missing, deviation), to)) = changes.min_by(|a, b| by_cost(&a.0, &b.0))
                    && (missing < 0 || (missing == 0 && deviation < -1e-6))
                {
                    self.displace(group, bin, to);
                    moved = true;
                }
            }
        }
    }

    /// While a bin lacks a class: moves a group that has it there, now the one that costs least, now any.
    fn repair(&mut self, groups: &[Group], assigned: &mut [usize], rng: &mut ChaCha8Rng) {
        for _ in 0..REPAIRS {
            let Some(&(bin, class)) = self.missing().choose(rng) else { return };
            let places: Vec<usize> = (0..groups.len()).filter(|&place| groups[place].count(class) > 0).collect();
            let cheapest = || {
                let changes = places.iter().map(|&place| (self.change(&groups[place], assigned[place], bin), place));
                changes.min_by(|a, b| by_cost(&a.0, &b.0)).map(|(_, place)| place)
            };
            let place = if rng.random() { cheapest() } else { places.choose(rng).copied() };
            let place = place.expect("a class that no bin may lack has groups");
            self.displace(&groups[place], &mut assigned[place], bin);
        }
    }

    fn displace(&mut self, group: &Group, bin: &mut usize, to: usize) {
        for &(class, count) in &group.counts {
            self.held[*bin][class] -= count;
            self.held[to][class] += count;
        }
        *bin = to;
    }

    /// By how much the cost changes if the group moves: the asked classes that a bin lacks, then
    /// the squared deviations from the wanted counts, each relative to the wanted count.
    fn change(&self, group: &Group, from: usize, to: usize) -> (isize, f64) {
        let (mut missing, mut deviation) = (0, 0.0);
        for &(class, count) in &group.counts {
            for (bin, before, after) in [
                (from, self.held[from][class], self.held[from][class] - count),
                (to, self.held[to][class], self.held[to][class] + count),
            ] {
                missing += self.lacks(class, after) as isize - self.lacks(class, before) as isize;
                let wanted = self.wanted[bin][class];
                let squared = |held: usize| (held as f64 - wanted).powi(2);
                deviation += (squared(after) - squared(before)) / wanted.max(0.5);
            }
        }
        (missing, deviation)
    }

    fn lacks(&self, class: usize, held: usize) -> bool {
        held == 0 && self.asked[class]
    }

    /// Each bin with each class that it lacks.
    fn missing(&self) -> Vec<(usize, usize)> {
        let bins = self.held.iter().enumerate();
        let counts = bins.flat_map(|(bin, held)| held.iter().enumerate().map(move |(class, &held)| (bin, class, held)));
        counts.filter(|&(_, class, held)| self.lacks(class, held)).map(|(bin, class, _)| (bin, class)).collect()
    }
}

/// First the classes that a bin lacks, then the deviations.
fn by_cost(a: &(isize, f64), b: &(isize, f64)) -> Ordering {
    a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mtl::streams::Streams;
    use proptest::prelude::*;

    fn rng(seed: u64) -> impl Fn(u64) -> ChaCha8Rng {
        move |attempt| Streams::new(seed).rng("test", attempt)
    }

    /// How many rows of (slot, label) each bin holds.
    fn held(groups: &[Group], assigned: &[usize], bins: usize, class: usize) -> Vec<usize> {
        let mut held = vec![0; bins];
        groups.iter().zip(assigned).for_each(|(group, &bin)| held[bin] += group.count(class));
        held
    }

    /// How many bins lack a class that two groups have.
    fn missing(groups: &[Group], assigned: &[usize]) -> usize {
        let of_class = |&class: &usize| groups.iter().filter(|group| group.count(class) > 0).count() > 1;
        let empty = |class| held(groups, assigned, 2, class).into_iter().filter(|&count| count == 0).count();
        (0..10).filter(of_class).map(empty).sum()
    }

    proptest! {
        #[test]
        fn no_assignment_gives_the_bins_more_of_the_classes(
            labels in prop::collection::vec(prop::collection::vec((0..5usize, any::<bool>()), 1..5), 2..10),
            share in 0.05..0.5f64, seed: u64,
        ) {
            let group = |labels: &Vec<_>| Group::new(vec![0; labels.len()], 5, labels.iter().copied());
            let mut groups: Vec<Group> = labels.iter().map(group).collect();
            let assigned = stratify(&mut groups, &[1.0 - share, share], rng(seed));
            let all = (0..1usize << groups.len()).map(|bits| {
                missing(&groups, &(0..groups.len()).map(|place| bits >> place & 1).collect::<Vec<_>>())
            });
            prop_assert_eq!(missing(&groups, &assigned), all.min().unwrap());
        }

        /// Rare combinations: with 12 tasks nearly every row has its own.
        #[test]
        fn single_rows_of_many_tasks_keep_the_share(
            labels in prop::collection::vec(prop::array::uniform12(0..10u8), 200..300), share in 0.1..0.4f64, seed: u64,
        ) {
            let labels = labels.iter().map(|row| row.iter().enumerate().map(|(slot, &drawn)| (slot, usize::from(drawn) <= slot)));
            let mut groups: Vec<Group> = labels.enumerate().map(|(row, labels)| Group::new(vec![row], 12, labels)).collect();
            let assigned = stratify(&mut groups, &[1.0 - share, share], rng(seed));
            for class in 0..25 {
                let held = held(&groups, &assigned, 2, class);
                let wanted = share * held.iter().sum::<usize>() as f64;
                prop_assert!((held[1] as f64 - wanted).abs() <= 4.0, "{class}: {held:?}, wanted {wanted}");
            }
        }
    }
}
