//! The sample of each task's texts that the measures are taken on, and its linear models.

use std::collections::HashSet;

use rand::seq::SliceRandom;

use super::{
    linear::{Features, Logistic, TfIdf, cross_validated},
    word_weights::ClassCounts,
    zero_shot::area,
};
use crate::mtl::{
    data::Dataset,
    streams::{Streams, split_mix},
};
use crate::{Error, Result};

/// Texts in a task's sample: more would take longer and hardly be more precise.
pub const MOST_TEXTS: usize = 1_000;
/// Texts of either class that a task needs: folds and halves must have both.
pub const FEWEST_OF_A_CLASS: usize = 10;
/// How often labels are permuted for the floors of measures that need no network.
pub const PERMUTATIONS: usize = 19;
const FOLDS: usize = 5;

/// One task's sample of texts.
#[derive(Clone)]
pub(super) struct Task<'d> {
    pub dataset: &'d Dataset,
    pub name: &'d str,
    /// Its index among the tasks of the data set.
    pub slot: usize,
    /// Its labelled rows of the data set.
    pub all: Vec<usize>,
    /// How many of them are true.
    pub positives: usize,
    /// The rows of its sample, in random order.
    pub rows: Vec<usize>,
    /// The labels of the sample.
    pub labels: Vec<bool>,
}

impl<'d> Task<'d> {
    /// # Errors
    /// [`Error::Task`] for a task with fewer than [`FEWEST_OF_A_CLASS`] texts of a class.
    pub fn new(dataset: &'d Dataset, slot: usize, seed: u64) -> Result<Self> {
        let examples = &dataset.examples;
        let is_used = |&row: &usize| examples[row].labels[slot].is_some() && !examples[row].validation;
        let all: Vec<usize> = (0..examples.len()).filter(is_used).collect();
        let label = |row: usize| examples[row].labels[slot] == Some(true);
        let positives = all.iter().filter(|&&row| label(row)).count();
        let name = &dataset.tasks[slot];
        for (found, class) in [(positives, "true"), (all.len() - positives, "false")] {
            if found < FEWEST_OF_A_CLASS {
                let message = format!(
                    "{found} {class} texts are too few to measure relatedness; expected {FEWEST_OF_A_CLASS} or more of \
                     either class"
                );
                return Err(Error::task(name, message));
            }
        }
        let key = Streams::new(seed).key("texts to measure relatedness on", 0);
        let mut rows = all.clone();
        rows.sort_by_cached_key(|&row| (split_mix(key, examples[row].key), row));
        rows.truncate(MOST_TEXTS.max(2 * FEWEST_OF_A_CLASS));
        // A rare class may be missing from the sample: then some of its rows take the place of the last others.
        for class in [true, false] {
            let have = rows.iter().filter(|&&row| label(row) == class).count();
            let more = all.iter().filter(|&&row| label(row) == class && !rows.contains(&row));
            let more: Vec<usize> = more.copied().take(FEWEST_OF_A_CLASS.saturating_sub(have)).collect();
            for row in more {
                let place = rows.iter().rposition(|&row| label(row) != class).expect("the other class is frequent");
                rows[place] = row;
            }
        }
        let labels = rows.iter().map(|&row| label(row)).collect();
        Ok(Self { dataset, name, slot, all, positives, rows, labels })
    }

    /// The task with a part of its sample, by indices into `rows`.
    pub fn part(&self, places: &[usize]) -> Self {
        let rows = places.iter().map(|&place| self.rows[place]).collect();
        Self { rows, labels: places.iter().map(|&place| self.labels[place]).collect(), ..self.clone() }
    }

    /// Two halves of the sample, each with as many of either class.
    pub fn halves(&self) -> [Self; 2] {
        self.halves_of(&(0..self.rows.len()).collect::<Vec<_>>())
    }

    /// Two other halves, number `index`.
    pub fn random_halves(&self, seed: u64, index: u64) -> [Self; 2] {
        let mut places: Vec<usize> = (0..self.rows.len()).collect();
        places.shuffle(&mut Streams::new(seed).rng(&format!("halves of {}", self.name), index));
        self.halves_of(&places)
    }

    fn halves_of(&self, places: &[usize]) -> [Self; 2] {
        let sides = self.dealt(places, 2);
        [0, 1].map(|half| {
            let of_half = places.iter().zip(&sides).filter(|(_, side)| **side == half);
            self.part(&of_half.map(|(&place, _)| place).collect::<Vec<_>>())
        })
    }

    /// Deals places to sides in turn, class by class.
    fn dealt(&self, places: &[usize], sides: usize) -> Vec<usize> {
        let mut met = [0; 2];
        let side = |&place: &usize| {
            let count = &mut met[usize::from(self.labels[place])];
            *count += 1;
            (*count - 1) % sides
        };
        places.iter().map(side).collect()
    }

    /// The texts of the sample, as ids.
    pub fn texts(&self) -> Vec<&'d [u32]> {
        self.rows.iter().map(|&row| &self.dataset.examples[row].tokens[..]).collect()
    }

    /// The labels of the sample in random order.
    pub fn permuted_labels(&self, seed: u64, index: u64) -> Vec<bool> {
        let mut labels = self.labels.clone();
        labels.shuffle(&mut Streams::new(seed).rng(&format!("permuted labels of {}", self.name), index));
        labels
    }

    pub fn counts(&self) -> ClassCounts {
        self.counts_with(&self.labels)
    }

    pub fn counts_with(&self, labels: &[bool]) -> ClassCounts {
        ClassCounts::of(self.texts().into_iter().zip(labels.iter().copied()), self.vocabulary())
    }

    pub fn vocabulary(&self) -> usize {
        self.dataset.encoder.vocabulary.len()
    }

    pub fn prevalence(&self) -> f64 {
        self.positives as f64 / self.all.len() as f64
    }

    /// The groups of its texts: texts with equal tokens are one group.
    pub fn groups(&self) -> HashSet<u64> {
        self.all.iter().map(|&row| self.dataset.examples[row].group).collect()
    }

    /// The task without the texts of some groups; `None` if too few texts of a class are left.
    pub fn without(&self, groups: &HashSet<u64>) -> Option<Self> {
        let places = (0..self.rows.len()).filter(|&i| !groups.contains(&self.dataset.examples[self.rows[i]].group));
        let rest = self.part(&places.collect::<Vec<_>>());
        let positives = rest.labels.iter().filter(|&&label| label).count();
        let enough = positives >= FEWEST_OF_A_CLASS && rest.labels.len() - positives >= FEWEST_OF_A_CLASS;
        enough.then_some(rest)
    }
}

/// Linear models of a task.
pub(super) struct Linear {
    /// The area under the ROC curve of its own model, cross-validated.
    pub own_area: f64,
    whole: OneModel,
    halves: [OneModel; 2],
    /// Models of permuted labels.
    permuted: Vec<Logistic>,
}

struct OneModel {
    tf_idf: TfIdf,
    model: Logistic,
}

impl OneModel {
    fn fit(task: &Task<'_>) -> (Self, Vec<Features>) {
        let tf_idf = TfIdf::of(&task.texts());
        let rows: Vec<Features> = task.texts().iter().map(|text| tf_idf.features(text)).collect();
        let model = Logistic::fit(&rows, &task.labels, tf_idf.columns());
        (Self { tf_idf, model }, rows)
    }

    fn scores(&self, texts: &[&[u32]]) -> Vec<f64> {
        texts.iter().map(|text| self.model.score(&self.tf_idf.features(text))).collect()
    }
}

impl Linear {
    pub fn new(task: &Task<'_>, seed: u64) -> Self {
        let folds = task.dealt(&(0..task.rows.len()).collect::<Vec<_>>(), FOLDS);
        let own_area = area(&cross_validated(&task.texts(), &task.labels, &folds), &task.labels);
        let (whole, rows) = OneModel::fit(task);
        let columns = whole.tf_idf.columns();
        let permuted = (0..PERMUTATIONS as u64)
            .map(|index| Logistic::fit(&rows, &task.permuted_labels(seed, index), columns))
            .collect();
        Self { own_area, whole, halves: task.halves().map(|half| OneModel::fit(&half).0), permuted }
    }

    /// The logits that it gives some texts.
    pub fn scores(&self, texts: &[&[u32]]) -> Vec<f64> {
        self.whole.scores(texts)
    }

    /// The area of its scores of another task's texts: of all, of two halves by the models of halves, of permuted labels.
    pub fn areas(&self, other: &Task<'_>) -> (f64, [f64; 2], Vec<f64>) {
        let texts = other.texts();
        let value = area(&self.whole.scores(&texts), &other.labels);
        let halves = other.halves();
        let of_half = |half: usize| area(&self.halves[half].scores(&halves[half].texts()), &halves[half].labels);
        let features: Vec<Features> = texts.iter().map(|text| self.whole.tf_idf.features(text)).collect();
        let of_permuted = |model: &Logistic| {
            let scores: Vec<f64> = features.iter().map(|row| model.score(row)).collect();
            area(&scores, &other.labels)
        };
        (value, [0, 1].map(of_half), self.permuted.iter().map(of_permuted).collect())
    }
}
