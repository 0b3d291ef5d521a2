//! What to do about each task, and what that rests on.

use serde::{Deserialize, Serialize};

use super::{Difference, Narrowing, NotLearnt, StillImproving};
use crate::mtl::{
    evaluation::interval::{Measure, Verdict},
    settings::Shared,
};

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
