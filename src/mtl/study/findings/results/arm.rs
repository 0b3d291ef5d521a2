//! The figures of one arm.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::mtl::evaluation::{metrics::Metrics, statistics::FOverFolds};

/// How one arm did over the folds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArmResult {
    /// At the fixed threshold.
    pub summary: Summary,
    /// At the thresholds that were tuned inside each unit, if any were.
    pub tuned: Option<Summary>,
    /// Each fold.
    pub folds: Vec<FoldResult>,
    /// Each epoch, over the trainings that reached it.
    pub training: Vec<EpochSummary>,
    /// The study's measure on inner rows, as a mean over all trainings; absent without inner rows.
    pub inner_score: Option<f64>,
    /// The expected best score on inner rows of the first k trials, k rising from 1 (Tang et al. 2020, the unbiased form); empty
    /// without tuning.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expected_best: Vec<f64>,
}

/// Means over folds. Each fold counts once, with the mean of its trainings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// By metric, in this order: `accuracy`, `precision`, `recall`, `f1`, `macro_f1`, `mcc`, `share_predicted_true`,
    /// `average_precision`, `auroc`, `brier_score`, `log_loss`.
    pub metrics: IndexMap<String, Spread>,
    /// F1 over folds, three ways.
    pub f_over_folds: FOverFolds,
}

/// Mean and standard deviation over folds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// The mean.
    pub mean: f64,
    /// The standard deviation (n − 1 in the denominator); 0 for a single fold.
    pub sd: f64,
}

/// One training of one arm in one fold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FoldResult {
    /// The repeat, from 0.
    pub repeat: usize,
    /// The fold, from 0.
    pub fold: usize,
    /// The training of the fold, from 0.
    pub seed: usize,
    /// On the test rows, at the fixed threshold.
    pub metrics: Metrics,
    /// On the test rows, at the threshold tuned on the inner rows.
    pub tuned: Option<Metrics>,
    /// Epochs that were run.
    pub epochs: usize,
    /// The epoch (from 1) whose parameters predicted.
    pub chosen_epoch: usize,
    /// Optimiser steps.
    pub steps: usize,
}

/// One epoch of the training curve of an arm.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochSummary {
    /// From 1.
    pub epoch: usize,
    /// How many trainings reached it.
    pub trainings: usize,
    /// Training loss of the task (binary cross-entropy).
    pub loss: Spread,
    /// Loss on the inner rows, if there are any.
    pub inner_loss: Option<Spread>,
    /// F1 on the inner rows at the fixed threshold, if there are any.
    pub inner_f1: Option<Spread>,
}
