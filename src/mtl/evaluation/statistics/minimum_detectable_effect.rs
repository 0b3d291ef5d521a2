//! What a study of k folds could have shown at all.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// The smallest true difference that the corrected t-test at 5 % (two-sided) finds with a probability of 80 %:
/// (t.975 + t.80)·√(1/(kr) + 1/(k − 1))·SD with kr − 1 degrees of freedom, for `repeats` r of `folds` k and the standard
/// deviation of the differences over folds. In the unit of `standard_deviation`; as wide as [`super::corrected_resampled_t`]
/// is cautious.
///
/// `None` for fewer than two folds or no repeat: they can show nothing.
pub fn smallest_effect(folds: usize, repeats: usize, standard_deviation: f64) -> Option<f64> {
    if folds < 2 || repeats == 0 {
        return None;
    }
    let (k, n) = (folds as f64, (folds * repeats) as f64);
    let student = StudentsT::new(0.0, 1.0, n - 1.0).expect("at least one degree of freedom");
    let quantiles = student.inverse_cdf(0.975) + student.inverse_cdf(0.80);
    Some(quantiles * (1.0 / n + 1.0 / (k - 1.0)).sqrt() * standard_deviation)
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;

    /// Expected values: SciPy 1.17.1, `t.ppf`.
    #[test]
    fn equals_the_quantiles_of_scipy() {
        assert_abs_diff_eq!(smallest_effect(10, 1, 1.0).unwrap(), 1.4452855495530212, epsilon = 1e-8);
        assert_abs_diff_eq!(smallest_effect(10, 10, 2.0).unwrap(), 2.0 * 0.9846893350069974, epsilon = 1e-8);
    }

    #[test]
    fn one_fold_can_show_nothing() {
        assert_eq!(smallest_effect(1, 10, 1.0), None);
        assert_eq!(smallest_effect(10, 0, 1.0), None);
        assert_eq!(smallest_effect(10, 1, 0.0), Some(0.0));
    }
}
