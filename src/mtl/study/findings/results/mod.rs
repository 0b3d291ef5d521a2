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

mod answer;
mod arm;
mod caveats;
mod comparison;
mod layer;

use std::path::Path;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::Result;
use crate::mtl::{
    evaluation::{interval::Measure, statistics::Pooled},
    files,
    settings::Preset,
};

pub use answer::{Answer, Side, TaskAnswer};
pub use arm::{ArmResult, EpochSummary, FoldResult, Spread, Summary};
pub use caveats::{Difference, Narrowing, NotLearnt, StillImproving};
pub use comparison::{BalancedResult, Comparison, ControlResult, RealGain, Split, Test};
pub use layer::{Cell, LayerResult, MeasureResult, TaskResult, VarianceResult};

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

impl Results {
    /// Reads the results of a study's directory.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io) if there are none, [`Error::Line`](crate::Error::Line) if they are damaged or of a version that wrote others.
    pub fn read(directory: &Path) -> Result<Self> {
        files::read_json(&directory.join(RESULTS), "the results of a study")
    }
}
