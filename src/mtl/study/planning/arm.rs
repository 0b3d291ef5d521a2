//! The arms of a study: what each one learns from.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap, hash_map::Entry},
};

use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use super::{Control, FoldRows, PairData};
use crate::mtl::{
    data::{Dataset, Example, Split},
    settings::Balance,
    streams::{Streams, split_mix},
};

/// One way to learn a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Arm {
    /// One task alone.
    Stl,
    /// All tasks together.
    Mtl,
    /// The baseline of words and pairs of words, one task alone.
    NGram,
    /// One task with this percentage of the other tasks' training data: a point of a learning curve between STL (0) and MTL
    /// (100).
    ///
    /// The rows that have a label of another task lose it unless they are in the subset; they stay only if they have a label of
    /// the task itself. The subset is drawn in each fold anew, from the rows to learn from and from the inner rows alike, and is
    /// stratified on the labels of all tasks: of n rows with the same labels it holds the first percent·n/100 in a random order
    /// of their own. So a smaller percentage's subset is part of a larger one's.
    Share(u8),
    /// A placebo.
    #[serde(untagged)]
    Control(Control),
    /// All tasks together, balanced by a method.
    #[serde(untagged)]
    Balanced(Balance),
}

impl Arm {
    /// The arm of a task with this percentage of the other tasks' training data.
    pub fn with_share(percent: u8) -> Self {
        match percent {
            0 => Self::Stl,
            100.. => Self::Mtl,
            percent => Self::Share(percent),
        }
    }

    /// Its word in names of files and tables.
    pub fn word(self) -> Cow<'static, str> {
        match self {
            Self::Stl => "stl".into(),
            Self::Mtl => "mtl".into(),
            Self::NGram => "n-gram".into(),
            Self::Share(percent) => format!("share-{percent}").into(),
            Self::Control(control) => control.word().into(),
            Self::Balanced(balance) => balance.word().into(),
        }
    }

    /// Whether a unit of it is about all tasks of the pair, and not about one.
    pub fn is_joint(self) -> bool {
        matches!(self, Self::Mtl | Self::Balanced(_) | Self::Control(Control::Pooled))
    }
}

/// What an arm learns from.
#[derive(Clone, Debug)]
pub(in crate::mtl::study) struct ArmData {
    pub dataset: Dataset,
    /// The row of the pair that each example stands for.
    rows: Vec<usize>,
    /// For each head, the tasks (slots of the pair) that it predicts.
    pub heads: Vec<Vec<usize>>,
}

impl ArmData {
    /// The data of an arm in a fold; `task` is the slot of the task that it is about, if it is about one.
    pub fn new(pair: &PairData, arm: Arm, task: Option<usize>, rows: &FoldRows, seed: u64) -> Self {
        let all: Vec<usize> = (0..pair.dataset.tasks.len()).collect();
        match (arm, task) {
            (Arm::Mtl | Arm::Balanced(_), _) => Self::of(pair, &all, |example| example.labels.clone()),
            (Arm::Control(Control::Pooled), _) => Self::pooled(pair),
            (Arm::Stl | Arm::NGram | Arm::Control(Control::MatchedSteps), Some(task)) => {
                Self::of(pair, &[task], |example| vec![example.labels[task]])
            }
            (Arm::Share(percent), Some(task)) => Self::with_share(pair, task, percent, rows, seed),
            // A last slot that no head reads keeps the rows in their batches.
            (Arm::Control(Control::Masked), Some(task)) => Self::of(pair, &[task], |example| {
                vec![example.labels[task], example.labels.iter().flatten().next().copied()]
            }),
            (Arm::Control(Control::Shuffled), Some(task)) => {
                let partners = |slot: usize, labels: &[(usize, bool)]| {
                    let mut shuffled: Vec<bool> = labels.iter().map(|&(_, label)| label).collect();
                    shuffled.shuffle(&mut Streams::new(seed).rng("shuffled labels", slot as u64));
                    shuffled
                };
                Self::with_partners(pair, task, partners)
            }
            (Arm::Control(Control::Unrelated), Some(task)) => {
                Self::with_partners(pair, task, |slot, labels| unrelated(pair, slot, labels, seed))
            }
            (arm, None) => panic!("a unit of {} is about one task", arm.word()),
        }
    }

    /// Some tasks of the pair, with the labels that `labels` makes of each example.
    fn of(pair: &PairData, slots: &[usize], labels: impl Fn(&Example) -> Vec<Option<bool>>) -> Self {
        let Dataset { tasks, encoder, examples } = &pair.dataset;
        let examples = examples.iter().map(|example| Example { labels: labels(example), ..example.clone() }).collect();
        let tasks = slots.iter().map(|&slot| tasks[slot].clone()).collect();
        Self {
            rows: (0..pair.dataset.examples.len()).collect(),
            dataset: Dataset { tasks, encoder: encoder.clone(), examples },
            heads: slots.iter().map(|&slot| vec![slot]).collect(),
        }
    }

    /// All tasks, where those other than `task` get the labels that `partners` makes of (row, label).
    fn with_partners(pair: &PairData, task: usize, partners: impl Fn(usize, &[(usize, bool)]) -> Vec<bool>) -> Self {
        let all: Vec<usize> = (0..pair.dataset.tasks.len()).collect();
        let mut data = Self::of(pair, &all, |example| example.labels.clone());
        for slot in all.into_iter().filter(|&slot| slot != task) {
            let examples = pair.dataset.examples.iter().enumerate();
            let labelled: Vec<_> =
                examples.filter_map(|(row, example)| example.labels[slot].map(|label| (row, label))).collect();
            for (&(row, _), label) in labelled.iter().zip(partners(slot, &labelled)) {
                data.dataset.examples[row].labels[slot] = Some(label);
            }
            data.heads[slot].clear();
        }
        data
    }

    /// All tasks, where those other than `task` keep a share of their labels.
    fn with_share(pair: &PairData, task: usize, percent: u8, rows: &FoldRows, seed: u64) -> Self {
        let all: Vec<usize> = (0..pair.dataset.tasks.len()).collect();
        let mut data = Self::of(pair, &all, |example| {
            let own = |(slot, label): (usize, &Option<bool>)| label.filter(|_| slot == task);
            example.labels.iter().enumerate().map(own).collect()
        });
        for row in share_of_rows(pair, task, percent, rows, seed) {
            data.dataset.examples[row].labels.clone_from(&pair.dataset.examples[row].labels);
        }
        all.into_iter().filter(|&slot| slot != task).for_each(|slot| data.heads[slot].clear());
        data
    }

    /// One head; a row with several labels counts once for each.
    fn pooled(pair: &PairData) -> Self {
        let tasks = pair.dataset.tasks.len();
        let (mut rows, mut examples) = (Vec::new(), Vec::new());
        for (row, example) in pair.dataset.examples.iter().enumerate() {
            for &label in example.labels.iter().filter(|label| label.is_some()) {
                rows.push(row);
                examples.push(Example { labels: vec![label], ..example.clone() });
            }
        }
        let dataset = Dataset { tasks: vec!["pooled".into()], encoder: pair.dataset.encoder.clone(), examples };
        Self { dataset, rows, heads: vec![(0..tasks).collect()] }
    }

    /// The arm's examples of a fold, to learn from and to choose on.
    pub fn split(&self, rows: &FoldRows) -> Split {
        let side = |side: &[usize]| {
            let is_used = |&place: &usize| {
                let labelled = self.dataset.examples[place].labels.iter().any(Option::is_some);
                labelled && side.binary_search(&self.rows[place]).is_ok()
            };
            (0..self.rows.len()).filter(is_used).collect()
        };
        Split { train: side(&rows.train), held_out: side(&rows.inner) }
    }
}

/// The rows of a fold with a label of another task than `task`, as far as they are in the subset of [`Arm::Share`].
fn share_of_rows(pair: &PairData, task: usize, percent: u8, rows: &FoldRows, seed: u64) -> Vec<usize> {
    let examples = &pair.dataset.examples;
    let key = Streams::new(seed).key("share of the other tasks' rows", task as u64);
    let of_others = |labels: &[Option<bool>]| (0..labels.len()).any(|slot| slot != task && labels[slot].is_some());
    let mut subset = Vec::new();
    for side in [&rows.train, &rows.inner] {
        let mut strata: BTreeMap<&[Option<bool>], Vec<usize>> = BTreeMap::new();
        for &row in side.iter().filter(|&&row| of_others(&examples[row].labels)) {
            strata.entry(&examples[row].labels).or_default().push(row);
        }
        for mut stratum in strata.into_values() {
            let kept = (stratum.len() * usize::from(percent) + 50) / 100;
            stratum.sort_by_cached_key(|&row| {
                (split_mix(key, examples[row].key), examples[row].source, examples[row].line)
            });
            subset.extend_from_slice(&stratum[..kept]);
        }
    }
    subset
}

/// Labels of a task that was made up: each word has a random weight, and the rows with the highest sums (over the square root
/// of their length) are true, as many as before.
fn unrelated(pair: &PairData, slot: usize, labels: &[(usize, bool)], seed: u64) -> Vec<bool> {
    let streams = Streams::new(seed);
    let mut weights: HashMap<u32, f64> = HashMap::new();
    let vocabulary = &pair.dataset.encoder.vocabulary;
    let mut weight = |id: u32| match weights.entry(id) {
        Entry::Occupied(known) => *known.get(),
        Entry::Vacant(new) => {
            let key = streams.key(&format!("unrelated {}", vocabulary.word(id as usize)), slot as u64);
            // The sum of twelve uniform numbers is normal enough.
            let uniform = |i| (split_mix(key, i) >> 11) as f64 / (1_u64 << 53) as f64;
            *new.insert((0..12).map(uniform).sum::<f64>() - 6.0)
        }
    };
    let mut score = |row: usize| {
        let tokens = &pair.dataset.examples[row].tokens;
        tokens.iter().map(|&id| weight(id)).sum::<f64>() / (tokens.len().max(1) as f64).sqrt()
    };
    let scores: Vec<f64> = labels.iter().map(|&(row, _)| score(row)).collect();
    let mut order: Vec<usize> = (0..labels.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(a.cmp(&b)));
    let mut made_up = vec![false; labels.len()];
    let positives = labels.iter().filter(|(_, label)| *label).count();
    for &place in &order[..positives] {
        made_up[place] = true;
    }
    made_up
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mtl::{settings::Preset, study::StudySettings};

    /// Of the training rows and of the inner rows, and of every combination of labels.
    #[test]
    fn shares_are_nested_and_stratified() {
        let mut settings = StudySettings::preset(Preset::Default);
        settings.scale = 0.05;
        for pair in PairData::all(&settings).unwrap() {
            let rows = pair.rows(0, 3).unwrap();
            let at = |percent| share_of_rows(&pair, 0, percent, &rows, 7);
            let labels = |row: usize| &pair.dataset.examples[row].labels;
            let mut before: Vec<usize> = Vec::new();
            for percent in 0..=100 {
                let subset = at(percent);
                assert!(before.iter().all(|row| subset.contains(row)), "{percent} % is part of what follows");
                assert!(subset.iter().all(|&row| labels(row)[1].is_some()));
                for side in [&rows.train, &rows.inner] {
                    for class in [Some(true), Some(false)] {
                        let of_class = |&&row: &&usize| labels(row)[1] == class && side.contains(&row);
                        let (kept, all) =
                            (subset.iter().filter(of_class).count(), side.iter().filter(of_class).count());
                        // Doubly labelled rows of a class are two strata, each rounded.
                        let expected = f64::from(percent) / 100.0 * all as f64;
                        assert!((kept as f64 - expected).abs() <= 1.0, "{kept} of {all} at {percent} %");
                    }
                }
                before = subset;
            }
            assert!(at(0).is_empty());
            let all = rows.train.iter().chain(&rows.inner).filter(|&&row| labels(row)[1].is_some()).count();
            assert_eq!(at(100).len(), all);
            assert_ne!(at(50), share_of_rows(&pair, 0, 50, &rows, 8), "another fold, another subset");
        }
    }

    /// Faults: the shuffled control is left unshuffled, the unrelated one has the partner's labels, the masked one has labels that a
    /// head reads. As many of the partner's rows stay true, but which ones tells nothing of its labels; the task's own stay.
    #[test]
    fn placebos_know_nothing_of_the_partners_labels() {
        let settings = StudySettings { scale: 0.2, ..StudySettings::preset(Preset::Default) };
        let pair = &PairData::all(&settings).unwrap()[0];
        let rows = pair.rows(0, 0).unwrap();
        let labels = |dataset: &Dataset, slot: usize| -> Vec<Option<bool>> {
            dataset.examples.iter().map(|example| example.labels[slot]).collect()
        };
        for (task, other) in [(0, 1), (1, 0)] {
            let data = |control| ArmData::new(pair, Arm::Control(control), Some(task), &rows, 7);
            for control in [Control::Shuffled, Control::Unrelated] {
                let made = data(control);
                assert_eq!(labels(&made.dataset, task), labels(&pair.dataset, task), "{control:?}");
                assert!(made.heads[other].is_empty(), "{control:?}: it is not tested on the partner");
                let (truths, placebo): (Vec<bool>, Vec<bool>) = labels(&pair.dataset, other)
                    .into_iter()
                    .zip(labels(&made.dataset, other))
                    .filter_map(|(truth, placebo)| truth.zip(placebo))
                    .unzip();
                assert_eq!(truths.len(), pair.dataset.examples.iter().filter(|e| e.labels[other].is_some()).count());
                let share =
                    |labels: &[bool]| labels.iter().filter(|&&label| label).count() as f64 / labels.len() as f64;
                let (n, p) = (truths.len() as f64, share(&truths));
                assert_eq!(share(&placebo), p, "{control:?}: as many are true");
                // Without any association the number of rows that are true in both is hypergeometric.
                let both = truths.iter().zip(&placebo).filter(|(truth, placebo)| **truth && **placebo).count() as f64;
                let deviation = (n * p * p * (1.0 - p) * (1.0 - p)).sqrt();
                assert!((both - n * p * p).abs() < 4.0 * deviation, "{control:?}: {both} of {n}, {p} true");
            }
            let masked = data(Control::Masked);
            assert_eq!(masked.dataset.tasks, [pair.dataset.tasks[task].clone()], "one head");
            assert_eq!(labels(&masked.dataset, 0), labels(&pair.dataset, task));
            let together = ArmData::new(pair, Arm::Mtl, None, &rows, 7);
            assert_eq!(masked.split(&rows), together.split(&rows), "in the company of MTL's rows");
        }
    }

    #[test]
    fn words_of_arms_survive_json_and_differ() {
        let arms = [Arm::Stl, Arm::Share(30), Arm::Share(31), Arm::Mtl, Arm::Control(Control::Masked)];
        for arm in arms {
            let json = serde_json::to_string(&arm).unwrap();
            assert_eq!(serde_json::from_str::<Arm>(&json).unwrap(), arm);
            assert_eq!(arms.iter().filter(|other| other.word() == arm.word()).count(), 1);
        }
        assert_eq!([0, 30, 100].map(Arm::with_share), [Arm::Stl, Arm::Share(30), Arm::Mtl]);
    }
}
