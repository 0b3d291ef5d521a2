//! The placebo partners that tell relatedness from other causes of a gain.

use serde::{Deserialize, Serialize};

/// What stands in the place of the other tasks, so that a gain which is not due to them shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Control {
    /// The other tasks' rows with their labels shuffled: more texts and steps, nothing to learn from them.
    Shuffled,
    /// The other tasks' rows without labels: they only thin out the batches.
    Masked,
    /// The other tasks' texts with labels of an unrelated task, as frequent and learnable: true where random weights of the
    /// words sum up highest.
    Unrelated,
    /// STL with as many optimiser steps as MTL takes.
    MatchedSteps,
    /// One head for all tasks' rows, as if they were one task.
    Pooled,
}

impl Control {
    /// The words that stand for the controls in files and flags.
    pub const WORDS: &[&str] = &["shuffled", "masked", "unrelated", "matched-steps", "pooled"];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Shuffled => "shuffled",
            Self::Masked => "masked",
            Self::Unrelated => "unrelated",
            Self::MatchedSteps => "matched-steps",
            Self::Pooled => "pooled",
        }
    }
}
