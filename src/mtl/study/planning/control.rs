//! The placebo partners that tell relatedness from other causes of a gain.

use serde::{Deserialize, Serialize};

use crate::mtl::choices::choices;

choices! {
    /// What stands in the place of the other tasks, so that a gain which is not due to them shows.
    Control {
        /// The other tasks' rows with their labels shuffled: more texts and steps, nothing to learn from them.
        Shuffled = "shuffled",
        /// The other tasks' rows without labels: they only thin out the batches.
        Masked = "masked",
        /// The other tasks' texts with labels of an unrelated task, as frequent and learnable: true where random weights of the
        /// words sum up highest.
        Unrelated = "unrelated",
        /// STL with as many optimiser steps as MTL takes.
        MatchedSteps = "matched-steps",
        /// One head for all tasks' rows, as if they were one task.
        Pooled = "pooled",
    }
}
