//! Is the difference between two models over folds real, and how large could it be?
//!
//! Input is one difference a fold, MTL − STL, from paired arms; with r repeats of k folds there are k·r of them. One test
//! a file:
//!
//! | function | what it is for |
//! |---|---|
//! | [`paired_t`] | the test that most papers print; too sure of itself, since training sets of folds overlap |
//! | [`corrected_resampled_t`] | the same, corrected for that overlap: lead with this one |
//! | [`correlated_t`] | how probable is it that MTL is better, equivalent or worse? |
//! | [`wilcoxon`] | a rank test that assumes no normal distribution |
//! | [`mcnemar`] | a test on single texts instead of folds |
//! | [`holm`], [`benjamini_hochberg`] | correction of many p-values |
//! | [`pooled`] | what many comparisons have in common |
//! | [`f_over_folds`] | the three ways to make one F of many folds |
//! | [`smallest_effect`] | what these folds could have shown at all |

mod correlated_t;
mod expected_best;
mod f_over_folds;
mod mcnemar;
mod minimum_detectable_effect;
mod multiple_testing;
mod pooling;
mod t_test;
mod wilcoxon;

pub use correlated_t::{DEFAULT_ROPE, Posterior, correlated_t};
pub use expected_best::expected_best;
pub use f_over_folds::{FOverFolds, f_over_folds};
pub use mcnemar::mcnemar;
pub use minimum_detectable_effect::smallest_effect;
pub use multiple_testing::{benjamini_hochberg, holm};
pub use pooling::{Pooled, pooled};
pub use t_test::{TTest, corrected_resampled_t, paired_t};
pub use wilcoxon::{Wilcoxon, wilcoxon};

use statrs::statistics::Statistics;

/// Mean and unbiased variance; `None` for fewer than two values, which have no variance.
///
/// Equal values have a variance of exactly 0.
///
/// # Panics
/// If a value is not finite.
fn mean_and_variance(values: &[f64]) -> Option<(f64, f64)> {
    assert!(values.iter().all(|value| value.is_finite()), "differences are finite numbers, but got {values:?}");
    (values.len() > 1).then(|| (values.mean(), values.variance()))
}

#[cfg(test)]
mod tests {
    /// Ten fold differences for which SciPy, baycomp and statsmodels were asked.
    pub const DIFFERENCES: [f64; 10] = [3.1, -0.4, 2.2, 5.0, 1.7, 0.3, -1.1, 4.2, 2.9, 1.0];

    #[test]
    fn equal_values_have_no_variance() {
        assert_eq!(super::mean_and_variance(&[0.1; 7]), Some((0.1, 0.0)));
        assert_eq!(super::mean_and_variance(&[0.1]), None);
    }
}
