//! A multiverse as a file: `multiverse.json`.

use serde::{Deserialize, Serialize};

use super::{Choice, Share};
use crate::mtl::evaluation::interval::Verdict;

/// The file in the directory of a multiverse.
pub const MULTIVERSE: &str = "multiverse.json";

/// What was found of a pair.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Multiverse {
    /// The version of mtlcore that measured.
    pub version: String,
    /// The pair.
    pub pair: String,
    /// Half the width of the region of equivalence, in points.
    pub rope: f64,
    /// Folds and trainings in each of every universe.
    pub folds: usize,
    /// Trainings in every fold.
    pub seeds: usize,
    /// The open choices.
    pub choices: Vec<Choice>,
    /// How often levels were permuted.
    pub draws: usize,
    /// Each task, as the one that is to profit.
    pub tasks: Vec<TaskMultiverse>,
}

/// One task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskMultiverse {
    /// Its name.
    pub task: String,
    /// The starting point.
    pub start: Gain,
    /// The universes of the Latin hypercube, by rising gain: the specification curve.
    pub universes: Vec<Universe>,
    /// How many of them help, hurt, and leave it open.
    pub counts: Counts,
    /// The variance of the gains over universes that is the error of single universes: mean SE² over the variance, at most 1.
    pub noise: f64,
    /// The part of each choice in that variance, the largest first.
    pub shares: Vec<Share>,
    /// Starting points with one choice swapped, or two, whose gain has the other sign: those with fewer swaps first, then by size.
    pub flips: Vec<Flip>,
    /// How many were tried with one choice swapped, and with two.
    pub tried: [usize; 2],
}

/// Together − alone.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gain {
    /// In points.
    pub difference: f64,
    /// Lower end of its 95 % interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Of the difference.
    pub standard_error: f64,
    /// The performance of learning alone, from 0 to 1.
    pub alone: f64,
    /// What the interval says.
    pub verdict: Verdict,
}

/// One universe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Universe {
    /// The level of each choice.
    pub levels: Vec<usize>,
    /// Its gain.
    pub gain: Gain,
}

/// Verdicts of universes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// The whole interval lies above the region of equivalence.
    pub helps: usize,
    /// The whole interval lies below it.
    pub hurts: usize,
    /// The whole interval lies inside.
    pub equivalent: usize,
    /// Everything else: cannot tell.
    pub open: usize,
}

/// A starting point with some choices swapped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Flip {
    /// (choice, level), by their places.
    pub swaps: Vec<(usize, usize)>,
    /// Its gain, whose sign is the other one.
    pub gain: Gain,
    /// Whether neither interval, this one's nor the starting point's, holds 0.
    pub is_clear: bool,
}

impl Counts {
    /// Of verdicts.
    pub fn of(verdicts: impl Iterator<Item = Verdict>) -> Self {
        let mut counts = Self::default();
        for verdict in verdicts {
            *match verdict {
                Verdict::Helps => &mut counts.helps,
                Verdict::Hurts => &mut counts.hurts,
                Verdict::Equivalent => &mut counts.equivalent,
                _ => &mut counts.open,
            } += 1;
        }
        counts
    }
}
