//! What many comparisons have in common, and how far they differ beyond their own uncertainty.

use serde::{Deserialize, Serialize};

/// A random-effects summary of comparisons. It orders and describes; it decides nothing, since comparisons of one study share
/// their texts, which the model takes to be independent.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pooled {
    /// The mean of the true differences.
    pub mean: f64,
    /// Their standard deviation around it, beyond what their standard errors explain.
    pub sd: f64,
}

/// Pools estimates with their standard errors (DerSimonian & Laird 1986, the estimator by moments). `None` for fewer than three.
///
/// # Panics
/// If a standard error is not above zero.
pub fn pooled(estimates: &[(f64, f64)]) -> Option<Pooled> {
    if estimates.len() < 3 {
        return None;
    }
    assert!(estimates.iter().all(|(_, error)| *error > 0.0), "standard errors are above zero, but got {estimates:?}");
    let weighted = |between: f64| {
        let weights: Vec<f64> = estimates.iter().map(|(_, error)| 1.0 / (error * error + between)).collect();
        let sum: f64 = weights.iter().sum();
        let mean = estimates.iter().zip(&weights).map(|((estimate, _), weight)| estimate * weight).sum::<f64>() / sum;
        (weights, sum, mean)
    };
    let (weights, sum, mean) = weighted(0.0);
    let q: f64 = estimates.iter().zip(&weights).map(|((estimate, _), w)| w * (estimate - mean).powi(2)).sum();
    let scale = sum - weights.iter().map(|w| w * w).sum::<f64>() / sum;
    let between = ((q - (estimates.len() - 1) as f64) / scale).max(0.0);
    Some(Pooled { mean: weighted(between).2, sd: between.sqrt() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;

    /// Thirteen trials of the BCG vaccine (Colditz et al. 1994), log risk ratios and their variances as metafor has them
    /// (`dat.bcg`); its `rma(method = "DL")` gives −0.7141 with τ² = 0.3088.
    #[test]
    fn the_bcg_trials_are_pooled_as_metafor_does() {
        let estimates = [
            (-0.8893, 0.3256),
            (-1.5854, 0.1946),
            (-1.3481, 0.4154),
            (-1.4416, 0.0200),
            (-0.2175, 0.0512),
            (-0.7861, 0.0069),
            (-1.6209, 0.2230),
            (0.0120, 0.0040),
            (-0.4694, 0.0564),
            (-1.3713, 0.0730),
            (-0.3394, 0.0124),
            (0.4459, 0.5325),
            (-0.0173, 0.0714),
        ];
        let found = pooled(&estimates.map(|(estimate, variance): (f64, f64)| (estimate, variance.sqrt()))).unwrap();
        assert_abs_diff_eq!(found.mean, -0.7141, epsilon = 2e-3);
        assert_abs_diff_eq!(found.sd * found.sd, 0.3088, epsilon = 2e-3);
    }

    #[test]
    fn what_agrees_differs_by_nothing_and_few_are_not_pooled() {
        let found = pooled(&[(1.0, 0.5), (1.2, 0.5), (0.8, 0.5)]).unwrap();
        assert_abs_diff_eq!(found.mean, 1.0, epsilon = 1e-12);
        assert_eq!(found.sd, 0.0);
        assert_eq!(pooled(&[(1.0, 0.5), (2.0, 0.5)]), None);
    }
}
