//! What a study found: the types of `results.json`, from which every table, figure and page is drawn.
//!
//! A study directory's `results.json` is one [`Results`]. The same settings and data give the same bytes, on any number of
//! threads and however often the study was stopped; so nothing here is a time. Rates are shares between 0 and 1;
//! differences are MTL − STL in *points* (a hundredth of a share), as in the tables of papers.
//!
//! ```text
//! Results
//!   pairs: [PairResult]
//!     tasks: [TaskFacts]                          rows, positives
//!     baselines: [BaselineResult]                 majority, always-true, n-gram; per task, in the same folds
//!     layers: [LayerResult]                       one for each shared layer
//!       tasks: [TaskResult]                       stl and mtl, their comparison, kinds of texts, controls
//! ```
//!
//! Lists that speak of folds have one entry for each test fold, repeat by repeat: entry r·k + f is fold f of repeat r.

use std::path::Path;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::mtl::{
    evaluation::{
        metrics::Metrics,
        statistics::{FOverFolds, Posterior, TTest, Verdict, Wilcoxon},
    },
    settings::{Balance, Preset, Shared},
    study::{
        error_analysis::{McNemar, SliceResult},
        planning::Control,
    },
};
use crate::{Error, Result};

/// The name of the results in a study's directory.
pub const RESULTS: &str = "results.json";

/// Everything that a study found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// The version of mtlcore that ran the study.
    pub version: String,
    /// The preset of the settings.
    pub preset: Preset,
    /// The root of all random numbers.
    pub seed: u64,
    /// Folds (k).
    pub folds: usize,
    /// Repeats of the folds (r), each with an assignment of its own.
    pub repeats: usize,
    /// Passes over the training rows of each unit, at most.
    pub epochs: usize,
    /// Half the width of the region of practical equivalence, in points.
    pub rope: f64,
    /// Share of each unit's training rows that chose thresholds and the epoch to stop at; 0 if nothing was chosen.
    pub inner: f64,
    /// The pairs, in the order of the settings.
    pub pairs: Vec<PairResult>,
}

/// What was found about one pair of tasks (or a set of more than two).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairResult {
    /// Its name.
    pub name: String,
    /// For a simulated pair, how related its tasks are: the cosine of their word weights.
    pub relatedness: Option<f64>,
    /// Whether some rows have labels of more than one task.
    pub doubly_labelled: bool,
    /// The answer in a sentence.
    pub answer: String,
    /// The tasks, sorted by name; every list or map by task is in this order.
    pub tasks: Vec<TaskFacts>,
    /// The baselines, simplest first.
    pub baselines: Vec<BaselineResult>,
    /// The shared layers, in the order of the settings.
    pub layers: Vec<LayerResult>,
}

/// The data of one task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskFacts {
    /// The task's name.
    pub name: String,
    /// Its labelled rows.
    pub rows: usize,
    /// How many of them are true.
    pub positives: usize,
}

/// How a baseline did in the folds of the study.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BaselineResult {
    /// Which one.
    pub baseline: Baseline,
    /// Its figures by task.
    pub tasks: IndexMap<String, Summary>,
}

/// What any network has to beat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Baseline {
    /// The more frequent class of the training rows, whatever the text.
    Majority,
    /// True, whatever the text.
    AlwaysTrue,
    /// A logistic regression on the TF-IDF weights of words and pairs of words, classes balanced.
    NGram,
}

/// What was found with one shared layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerResult {
    /// The shared layer.
    pub shared: Shared,
    /// One for each task.
    pub tasks: Vec<TaskResult>,
}

/// What was found about one task with one shared layer: a row of the paper's tables.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskResult {
    /// The task's name.
    pub task: String,
    /// Learnt alone.
    pub stl: ArmResult,
    /// Learnt with the other tasks of the pair.
    pub mtl: ArmResult,
    /// MTL − STL in F1 of the true class at the fixed threshold. Its verdict is the answer for this row.
    pub f1: Comparison,
    /// MTL − STL in accuracy at the fixed threshold.
    pub accuracy: Comparison,
    /// Single texts, pooled over the folds of the first repeat.
    pub mcnemar: McNemar,
    /// The same for kinds of texts: where MTL helps or hurts. Results of earlier versions have none.
    #[serde(default)]
    pub slices: Vec<SliceResult>,
    /// Where the difference in F1 comes from; absent if no threshold was tuned.
    pub split: Option<Split>,
    /// The controls, in the order of the settings.
    pub controls: Vec<ControlResult>,
    /// What is left of MTL's gain when the best control is the yardstick; absent without controls.
    pub real_gain: Option<RealGain>,
    /// MTL with the tasks balanced, in the order of the settings; absent without any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub balanced: Vec<BalancedResult>,
}

/// How one arm did over the folds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArmResult {
    /// At the fixed threshold.
    pub summary: Summary,
    /// At the thresholds that were tuned inside each unit, if any were.
    pub tuned: Option<Summary>,
    /// Each fold.
    pub folds: Vec<FoldResult>,
    /// Each epoch, over the folds that reached it.
    pub training: Vec<EpochSummary>,
}

/// Means over folds.
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

/// One fold of one arm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FoldResult {
    /// The repeat, from 0.
    pub repeat: usize,
    /// The fold, from 0.
    pub fold: usize,
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
    /// How many folds reached it.
    pub folds: usize,
    /// Training loss of the task (binary cross-entropy).
    pub loss: Spread,
    /// Loss on the inner rows, if there are any.
    pub inner_loss: Option<Spread>,
    /// F1 on the inner rows at the fixed threshold, if there are any.
    pub inner_f1: Option<Spread>,
}

/// A paired difference over folds, with all that is asked of it. In points.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// One a fold.
    pub differences: Vec<f64>,
    /// Over the folds.
    pub spread: Spread,
    /// The paired t-test, as in the paper; too sure of itself.
    pub paired_t: Option<Test>,
    /// The corrected resampled t-test: the one to read.
    pub corrected_t: Option<Test>,
    /// The corrected test's p after Holm's correction over all tasks and layers of all pairs, for this measure; absent for
    /// controls and balancing methods, which are not part of the table.
    pub holm_p: Option<f64>,
    /// The Bayesian correlated t-test with the region of equivalence; its `low` and `high` are the interval to draw.
    pub posterior: Option<Posterior>,
    /// The signed-rank test.
    pub wilcoxon: Wilcoxon,
    /// The smallest true difference that these folds would have shown with a probability of 80 %.
    pub smallest_effect: Option<f64>,
    /// The answer in a word.
    pub verdict: Verdict,
}

/// The result of a t-test.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Test {
    /// The statistic; absent where it is infinite, since all differences are equal.
    pub t: Option<f64>,
    /// Its p-value, two-sided.
    pub p: f64,
}

impl From<TTest> for Test {
    fn from(test: TTest) -> Self {
        Self { t: Some(test.t).filter(|t| t.is_finite()), p: test.p }
    }
}

/// The difference in F1 at the fixed threshold as a sum of two.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Split {
    /// The difference with tuned thresholds: better or worse ranking. In points.
    pub ranking: Spread,
    /// The rest: the operating point has moved. In points.
    pub operating_point: Spread,
}

/// How a control did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ControlResult {
    /// Which one.
    pub control: Control,
    /// The task with this control in place of the other tasks.
    pub arm: ArmResult,
    /// Control − STL in F1: the gain that needs no relatedness.
    pub gain: Comparison,
}

/// How a balancing method did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BalancedResult {
    /// Which one.
    pub balance: Balance,
    /// The task learnt with the others under this method.
    pub arm: ArmResult,
    /// This − plain MTL in F1.
    pub from_mtl: Comparison,
    /// This − STL in F1.
    pub from_stl: Comparison,
}

/// MTL against the best control.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RealGain {
    /// The control with the largest mean F1.
    pub best_control: Control,
    /// MTL − that control, in F1.
    pub f1: Comparison,
}

impl Results {
    /// Reads the results of a study's directory.
    ///
    /// # Errors
    /// [`Error::Io`] if there are none, [`Error::Line`] if they are damaged or of a version that wrote others.
    pub fn read(directory: &Path) -> Result<Self> {
        let path = directory.join(RESULTS);
        let text = std::fs::read_to_string(&path).map_err(Error::io(&path))?;
        serde_json::from_str(&text)
            .map_err(|error| Error::line(&path, error.line() as u64, format!("not the results of a study: {error}")))
    }
}
