//! The Bayesian correlated t-test: how probable is it that MTL is better, equivalent or worse?

use super::mean_and_variance;
use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

/// The region of practical equivalence that studies use: a difference within ±1 point (percent) of F is none.
pub const DEFAULT_ROPE: f64 = 1.0;

/// What is known about the mean difference after the folds were seen. The three probabilities sum to 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Posterior {
    /// P(difference < −rope): MTL is worse.
    pub below: f64,
    /// P(−rope ≤ difference ≤ +rope): no difference that matters.
    pub inside: f64,
    /// P(difference > +rope): MTL is better.
    pub above: f64,
    /// The posterior's centre, the mean of the differences.
    pub mean: f64,
    /// Lower end of the central 95 % interval.
    pub low: f64,
    /// Upper end of the central 95 % interval.
    pub high: f64,
}

/// The Bayesian correlated t-test (Corani & Benavoli 2015; with a region of practical equivalence: Benavoli et al. 2017),
/// whose posterior of the mean difference is Student(n − 1, d̄, s²(1/n + ρ/(1 − ρ))) over the n = k·r
/// differences of r repeats of k folds.
///
/// `correlation` is ρ, which is 1/k for k folds; `rope` is half the width of the region of practical equivalence, in the
/// unit of the differences.
///
/// `None` for fewer than two differences: nothing is known. If all are
/// equal, the whole posterior is at their value.
///
/// # Panics
/// If a difference is not finite, `correlation` not in [0, 1) or `rope` negative.
pub fn correlated_t(differences: &[f64], correlation: f64, rope: f64) -> Option<Posterior> {
    assert!((0.0..1.0).contains(&correlation), "a correlation of folds lies in [0, 1), but got {correlation}");
    assert!(rope >= 0.0, "half the width of the region is not negative, but got {rope}");
    let (mean, variance) = mean_and_variance(differences)?;
    let n = differences.len() as f64;
    let scale = (variance * (1.0 / n + correlation / (1.0 - correlation))).sqrt();
    if scale == 0.0 {
        let share = |holds: bool| if holds { 1.0 } else { 0.0 };
        return Some(Posterior {
            below: share(mean < -rope),
            inside: share(mean.abs() <= rope),
            above: share(mean > rope),
            mean,
            low: mean,
            high: mean,
        });
    }
    let student = StudentsT::new(mean, scale, n - 1.0).expect("a positive scale and a degree of freedom");
    let (below, above) = (student.cdf(-rope), student.sf(rope));
    Some(Posterior {
        below,
        inside: (1.0 - below - above).max(0.0),
        above,
        mean,
        low: student.inverse_cdf(0.025),
        high: student.inverse_cdf(0.975),
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::DIFFERENCES;
    use super::*;
    use approx::assert_abs_diff_eq;
    use proptest::prelude::*;

    /// Expected values: baycomp, and SciPy 1.17.1 for the further digits.
    #[test]
    fn the_posterior_equals_baycomp() {
        let one_point = correlated_t(&DIFFERENCES, 0.1, 1.0).unwrap();
        assert_abs_diff_eq!(one_point.below, 0.005559345488013384, epsilon = 1e-10);
        assert_abs_diff_eq!(one_point.inside, 0.17068358641790998, epsilon = 1e-10);
        assert_abs_diff_eq!(one_point.above, 0.8237570680940767, epsilon = 1e-10);
        assert_abs_diff_eq!(one_point.low, -0.16347754772361767, epsilon = 1e-8);
        assert_abs_diff_eq!(one_point.high, 3.9434775477236172, epsilon = 1e-8);

        let no_region = correlated_t(&DIFFERENCES, 0.1, 0.0).unwrap();
        assert_abs_diff_eq!(no_region.below, 0.03352010795302935, epsilon = 1e-10);
        assert_abs_diff_eq!(no_region.above, 0.9664798920469706, epsilon = 1e-10);
        assert_abs_diff_eq!(no_region.inside, 0.0, epsilon = 1e-10);
    }

    #[test]
    fn degenerate_differences_have_defined_results() {
        assert_eq!(correlated_t(&[], 0.1, 1.0), None);
        assert_eq!(correlated_t(&[2.0], 0.1, 1.0), None);
        let parts = |difference| {
            let posterior = correlated_t(&[difference; 10], 0.1, 1.0).unwrap();
            [posterior.below, posterior.inside, posterior.above]
        };
        assert_eq!(parts(0.0), [0.0, 1.0, 0.0]);
        assert_eq!(parts(1.0), [0.0, 1.0, 0.0]);
        assert_eq!(parts(1.5), [0.0, 0.0, 1.0]);
        assert_eq!(parts(-1.5), [1.0, 0.0, 0.0]);
    }

    proptest! {
        #[test]
        fn probabilities_sum_to_one_and_mirror_with_the_arms(
            d in prop::collection::vec(-100.0..100.0f64, 2..30), rope in 0.0..5.0f64,
        ) {
            let p = correlated_t(&d, 0.1, rope).unwrap();
            let q = correlated_t(&d.iter().map(|x| -x).collect::<Vec<_>>(), 0.1, rope).unwrap();
            prop_assert!((p.below + p.inside + p.above - 1.0).abs() < 1e-9);
            prop_assert!((p.below - q.above).abs() < 1e-9 && (p.above - q.below).abs() < 1e-9);
            prop_assert!(p.low <= p.mean && p.mean <= p.high);
        }
    }
}
