//! A difference with its interval, and what qualifies it.

use serde::{Deserialize, Serialize};

use crate::mtl::evaluation::interval::NothingLearnt;

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
