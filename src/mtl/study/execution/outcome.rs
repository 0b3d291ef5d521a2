//! What a unit leaves behind.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::mtl::training::EpochReport;

/// What a finished unit leaves behind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UnitOutcome {
    /// Its test predictions, by task.
    pub tasks: IndexMap<String, Predictions>,
    /// A report of every epoch, the inner rows as validation; none for the n-gram baseline.
    pub epochs: Vec<EpochReport>,
    /// The epoch (from 1) whose parameters predicted.
    pub chosen_epoch: usize,
    /// Optimiser steps.
    pub steps: usize,
    /// How long it took. No result depends on it.
    pub seconds: f64,
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
    /// The threshold with the best F1 on the inner rows, if there are any.
    pub tuned_threshold: Option<f64>,
}
