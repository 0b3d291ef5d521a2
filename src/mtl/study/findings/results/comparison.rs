//! Two arms compared over folds: tests, controls, balancing methods.

use serde::{Deserialize, Serialize};

use super::{ArmResult, Difference, Spread};
use crate::mtl::{
    evaluation::statistics::{Posterior, TTest, Wilcoxon},
    settings::Balance,
    study::planning::Control,
};

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
