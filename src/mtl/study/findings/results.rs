//! What a study found: the types of `results.json`, from which every table, figure and page is drawn.
//!
//! A study directory's `results.json` is one [`Results`]. The same settings and data give the same bytes, on any number of
//! threads and however often the study was stopped; so nothing here is a time. Rates are shares between 0 and 1;
//! differences are together − alone in *points* (a hundredth of a share), as in the tables of papers.
//!
//! ```text
//! Results
//!   claims: Claims                                over all comparisons, corrected for their number
//!   pairs: [PairResult]
//!     answer: Answer                              for each task: which arm, with which layer, and what it rests on
//!     tasks: [TaskFacts]                          rows, positives
//!     baselines: [BaselineResult]                 majority, always-true, n-gram; per task, in the same folds
//!     layers: [LayerResult]                       one for each shared layer
//!       tasks: [TaskResult]                       verdict and interval; stl and mtl, kinds of texts, controls
//! ```
//!
//! Lists of differences have one entry for each test fold, repeat by repeat (entry r·k + f is fold f of repeat r), which is a mean
//! over the fold's trainings; lists of [`FoldResult`]s have one for each training.

use std::path::Path;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::Result;
use crate::mtl::{
    evaluation::{
        interval::{Measure, NothingLearnt, Verdict},
        metrics::Metrics,
        statistics::{FOverFolds, Pooled, Posterior, TTest, Wilcoxon},
    },
    files,
    settings::{Balance, Preset, Shared},
    study::{
        error_analysis::{McNemar, SliceResult},
        planning::Control,
    },
};

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
    /// Trainings in every fold, at least.
    pub seeds: usize,
    /// What the verdicts are about.
    pub measure: Measure,
    /// The decision threshold that is called fixed.
    pub threshold: f64,
    /// Trials of hyper-parameters of every training; 1 is none.
    pub tune: usize,
    /// Passes over the training rows of each unit, at most.
    pub epochs: usize,
    /// Half the width of the region of practical equivalence, in points.
    pub rope: f64,
    /// Share of each unit's training rows that chose thresholds and the epoch to stop at; 0 if nothing was chosen.
    pub inner: f64,
    /// What can be said of all comparisons together.
    pub claims: Claims,
    /// The pairs, in the order of the settings.
    pub pairs: Vec<PairResult>,
}

/// What can be said of all comparisons (tasks × layers × pairs) together, with Holm's correction for their number: a claim is
/// wrong anywhere in at most one of twenty such studies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Claims {
    /// Comparisons that were made; those where nothing was learnt do not count.
    pub comparisons: usize,
    /// In how many learning together gains more than the region of equivalence.
    pub helps: usize,
    /// In how many it costs more.
    pub hurts: usize,
    /// The mean of their true differences and how far they differ around it, in points; absent for fewer than three. It
    /// summarises, and no verdict rests on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pooled: Option<Pooled>,
}

/// What the study answers about a pair.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// One for each task.
    pub tasks: Vec<TaskAnswer>,
}

/// What to do about one task. Each arm stands there with the shared layer that did best on its inner rows, so nothing was chosen on
/// test rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskAnswer {
    /// The task.
    pub task: String,
    /// Whether learning together with one layer is better than learning alone with the best other one.
    pub verdict: Verdict,
    /// What the figures are of.
    pub measure: Measure,
    /// The arm to take: `together` or `alone`; none where nothing was learnt.
    pub take: Option<Side>,
    /// The shared layer of that arm (where nothing was learnt, of learning together).
    pub shared: Shared,
    /// The shared layer with which learning together does best on inner rows.
    pub shared_together: Shared,
    /// The shared layer with which learning alone does best on inner rows.
    pub shared_alone: Shared,
    /// Whether `alone` had as many steps as learning together.
    pub alone_is_matched: bool,
    /// Together − alone, in points.
    pub difference: f64,
    /// Lower end of its 95 % interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// The measure of learning alone, a share.
    pub alone: f64,
    /// The measure of learning together, a share.
    pub together: f64,
    /// The measure of the n-gram baseline, a share.
    pub ngrams: f64,
    /// The arm to take − n-grams.
    pub over_ngrams: Option<Difference>,
    /// Trainings in every fold.
    pub seeds: usize,
    /// Why there is no verdict: an arm that has learnt nothing.
    pub not_learnt: Option<NotLearnt>,
    /// In which share of its trainings each of the two was still improving when the epochs ended.
    pub still_improving: Option<StillImproving>,
    /// What would narrow the interval.
    pub narrowing: Option<Narrowing>,
}

/// One of the two ways to learn a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// With the other tasks.
    Together,
    /// Without them.
    Alone,
}

/// A difference with its 95 % interval, in points.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// The estimate.
    pub difference: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Which arms have learnt nothing, and how that shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotLearnt {
    /// Learning alone: how most of its trainings show it.
    pub alone: Option<NothingLearnt>,
    /// Learning together.
    pub together: Option<NothingLearnt>,
}

/// What would narrow an interval. Half widths in points.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Narrowing {
    /// As it is.
    pub half_width: f64,
    /// With twice as many trainings a fold.
    pub twice_the_seeds: f64,
    /// With any number of trainings a fold: what the texts leave.
    pub any_seeds: f64,
    /// With twice as many labelled texts.
    pub twice_the_texts: f64,
    /// Trainings a fold after which an open question would have an answer if the estimate stayed; absent if no number does it or
    /// none is open.
    pub seeds_to_decide: Option<usize>,
    /// How many times as many labelled texts would do it, if no number of trainings does; absent if no number of texts does either.
    pub texts_to_decide: Option<f64>,
    /// Trainings a fold that it takes besides.
    #[serde(default)]
    pub seeds_with_them: Option<usize>,
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
    /// What to do about each task.
    pub answer: Answer,
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
    /// The same at thresholds that were tuned on inner rows, where there is something to tune.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tuned: Option<IndexMap<String, Summary>>,
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
    /// Does learning together gain, does it cost: the interval and its verdict.
    #[serde(flatten)]
    pub cell: Cell,
    /// Learnt alone.
    pub stl: ArmResult,
    /// Learnt with the other tasks of the pair.
    pub mtl: ArmResult,
    /// MTL − alone in every measure, by its word.
    pub measures: IndexMap<String, MeasureResult>,
    /// MTL − STL in F1 of the true class at the fixed threshold, with the tests of papers.
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

/// What was decided about one task with one shared layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// What the interval says.
    pub verdict: Verdict,
    /// What the figures are of.
    pub measure: Measure,
    /// Whether learning alone is the control with as many steps as MTL, because that did better on inner rows than STL: only where
    /// the number of epochs is fixed.
    pub alone_is_matched: bool,
    /// MTL − alone, in points: the expected difference over training sets of this size and over seeds, on new texts.
    pub difference: f64,
    /// Lower end of its 95 % interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// The measure of learning alone, a share.
    pub alone: f64,
    /// The measure of learning together, a share.
    pub together: f64,
    /// The three sources of the difference's variance.
    pub variance: VarianceResult,
    /// p of "it gains no more than the region of equivalence", one-sided, after Holm's correction over all comparisons.
    pub p_gain: f64,
    /// p of "it costs no more than the region", likewise.
    pub p_cost: f64,
    /// Trainings in every fold.
    pub seeds: usize,
    /// Which arms have learnt nothing; the verdict is then `not-learnt`.
    pub not_learnt: Option<NotLearnt>,
    /// In which share of its trainings each arm was still improving on the inner rows when the epochs ended; absent without inner
    /// rows.
    pub still_improving: Option<StillImproving>,
    /// What would narrow the interval; absent if there is none.
    pub narrowing: Option<Narrowing>,
}

/// Standard deviations of a difference's estimate, in points, by where they come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct VarianceResult {
    /// The sample of test texts.
    pub texts: f64,
    /// The sample of training rows: a bound, since the folds' training rows overlap.
    pub training_rows: f64,
    /// Initial weights, order of rows and dropout; absent with one training a fold, where it cannot be told from the rest.
    pub seeds: Option<f64>,
    /// Whether the folds differed more than texts and seeds explain, so that the interval was widened.
    pub widened: bool,
}

/// In which share of its trainings each arm was still improving at the last epoch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StillImproving {
    /// Learning alone.
    pub alone: f64,
    /// Learning together.
    pub together: f64,
}

impl StillImproving {
    /// The share of trainings from which on an arm counts as not converged.
    pub const TOLERATED: f64 = 0.25;

    /// Whether either arm would have gone on improving.
    pub fn is_notable(self) -> bool {
        self.alone.max(self.together) > Self::TOLERATED
    }
}

/// Both arms by one measure.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeasureResult {
    /// Learning alone, a share.
    pub alone: f64,
    /// Learning together, a share.
    pub together: f64,
    /// Together − alone, in points, with its interval.
    #[serde(flatten)]
    pub difference: Difference,
    /// What the interval says.
    pub verdict: Verdict,
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
    /// Control − STL in the study's measure.
    pub difference: Option<Difference>,
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
    /// The study's measure, as a share.
    pub score: f64,
    /// This − plain MTL in the study's measure.
    pub difference_from_mtl: Difference,
    /// This − STL in the study's measure.
    pub difference_from_stl: Difference,
}

/// MTL against the best control.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RealGain {
    /// The control with the largest mean F1.
    pub best_control: Control,
    /// MTL − that control, in F1.
    pub f1: Comparison,
    /// MTL − that control in the study's measure.
    pub difference: Option<Difference>,
}

impl Results {
    /// Reads the results of a study's directory.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io) if there are none, [`Error::Line`](crate::Error::Line) if they are damaged or of a version that wrote others.
    pub fn read(directory: &Path) -> Result<Self> {
        files::read_json(&directory.join(RESULTS), "the results of a study")
    }
}
