//! What a unit leaves behind.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::mtl::{
    evaluation::{
        interval::{Measure, Side},
        metrics::{Metrics, best_threshold},
    },
    study::planning::HyperParameters,
    training::EpochReport,
};

/// What a finished unit leaves behind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UnitOutcome {
    /// Its test predictions, by task.
    pub tasks: IndexMap<String, Predictions>,
    /// A report of every epoch, the inner rows as validation; none for the n-gram baseline.
    pub epochs: Vec<EpochReport>,
    /// The epoch (from 1) whose parameters predicted.
    pub chosen_epoch: usize,
    /// Optimiser steps of that training.
    pub steps: usize,
    /// The trials among which the inner rows chose; empty where hyper-parameters were not tuned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trials: Vec<Trial>,
    /// How long it took. No result depends on it.
    pub seconds: f64,
}

/// One trial of hyper-parameters.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// What it was trained with.
    pub parameters: HyperParameters,
    /// The study's measure on the inner rows, as a mean over the tasks that it is about.
    pub score: f64,
}

/// What was predicted of one task's test rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Predictions {
    /// The rows of the pair, rising.
    pub rows: Vec<usize>,
    /// Their labels.
    pub truths: Vec<bool>,
    /// How probably each is true.
    pub probabilities: Vec<f64>,
    /// What was predicted of its inner rows, if there are any: all that anything may be chosen by.
    pub inner: Option<InnerPredictions>,
}

/// What was predicted of one task's inner rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InnerPredictions {
    /// Their labels.
    pub truths: Vec<bool>,
    /// How probably each is true.
    pub probabilities: Vec<f64>,
    /// The threshold with the best F1 on these very rows.
    pub tuned_threshold: f64,
}

impl Predictions {
    /// The threshold with the best F1 on the inner rows, if there are any.
    pub fn tuned_threshold(&self) -> Option<f64> {
        self.inner.as_ref().map(|inner| inner.tuned_threshold)
    }

    /// The threshold at which a measure is taken: the tuned one if the measure is at it and there are inner rows, else `fixed`.
    pub fn threshold(&self, measure: Measure, fixed: f64) -> f64 {
        self.tuned_threshold().filter(|_| measure == Measure::F1Tuned).unwrap_or(fixed)
    }

    /// The figure of a measure on the test rows.
    pub fn score(&self, measure: Measure, fixed: f64) -> f64 {
        measure.of(&Metrics::new(&self.probabilities, &self.truths, self.threshold(measure, fixed)))
    }

    /// One side of a paired comparison.
    pub fn side(&self, measure: Measure, fixed: f64) -> Side<'_> {
        Side { probabilities: &self.probabilities, threshold: self.threshold(measure, fixed) }
    }
}

impl InnerPredictions {
    pub(super) fn new(probabilities: Vec<f64>, truths: Vec<bool>) -> Self {
        let tuned_threshold = best_threshold(&probabilities, &truths);
        Self { truths, probabilities, tuned_threshold }
    }

    /// The figure of a measure on these rows, where the fixed threshold is `fixed`.
    pub fn score(&self, measure: Measure, fixed: f64) -> f64 {
        let threshold = if measure == Measure::F1Tuned { self.tuned_threshold } else { fixed };
        measure.of(&Metrics::new(&self.probabilities, &self.truths, threshold))
    }
}
