//! The interval of a difference between two arms.

mod measure;

pub use measure::Measure;

// STUB
use serde::{Deserialize, Serialize};
pub struct Side<'a> {
    pub probabilities: &'a [f64],
    pub threshold: f64,
}
pub struct PairedUnit<'a> {
    pub repeat: usize,
    pub fold: usize,
    pub seed: usize,
    pub rows: &'a [usize],
    pub groups: &'a [u64],
    pub truths: &'a [bool],
    pub base: Side<'a>,
    pub other: Side<'a>,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NothingLearnt {
    OneClass,
    NoBetterThanAlwaysTrue,
    RanksByChance,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    Helps,
    Hurts,
    Equivalent,
    DoesNotHurt,
    DoesNotHelp,
    Undecided,
    NotLearnt,
}
impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("x")
    }
}
impl Verdict {
    pub fn is_open(self) -> bool {
        todo!()
    }
}
#[derive(Clone, Copy)]
pub struct Variance {
    pub texts: f64,
    pub training_rows: f64,
    pub seeds: Option<f64>,
}
pub struct Interval {
    pub difference: f64,
    pub low: f64,
    pub high: f64,
    pub base: f64,
    pub other: f64,
    pub variance: Variance,
    pub guarded: bool,
    pub seeds: usize,
}
impl Interval {
    pub fn verdict(&self, _r: f64) -> Verdict {
        todo!()
    }
    pub fn p_above(&self, _r: f64) -> f64 {
        todo!()
    }
    pub fn p_below(&self, _r: f64) -> f64 {
        todo!()
    }
    pub fn half_width(&self) -> f64 {
        todo!()
    }
    pub fn half_width_with(&self, _s: usize, _m: f64) -> f64 {
        todo!()
    }
    pub fn half_width_limit(&self) -> f64 {
        todo!()
    }
    pub fn seeds_for(&self, _h: f64) -> Option<usize> {
        todo!()
    }
    pub fn texts_for(&self, _h: f64) -> f64 {
        todo!()
    }
}
pub fn paired_interval(_m: Measure, _u: &[PairedUnit<'_>]) -> Option<Interval> {
    todo!()
}
pub fn nothing_learnt_by_most<'a>(
    _m: Measure,
    _p: impl Iterator<Item = (&'a [f64], &'a [bool], f64)>,
) -> Option<NothingLearnt> {
    todo!()
}
