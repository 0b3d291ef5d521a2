//! One shared layer: the verdict on each task, and all that stands behind it.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::{
    ArmResult, BalancedResult, Comparison, ControlResult, Difference, Narrowing, NotLearnt, RealGain, Split,
    StillImproving,
};
use crate::mtl::{
    evaluation::interval::{Measure, Verdict},
    settings::Shared,
    study::error_analysis::{McNemar, SliceResult},
};

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
