//! Three ways to make one F of many folds; they differ where folds are small or the class is rare.

use crate::mtl::evaluation::metrics::Counts;
use serde::{Deserialize, Serialize};

/// The F1 of the true class over folds, three ways (Forman & Scholz 2010).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FOverFolds {
    /// The mean of the folds' F1 ("F_avg"): what most papers print. A fold without a true positive pulls it down.
    pub mean: f64,
    /// The F1 of the folds' pooled counts ("F_tp,fp"): the one with the least bias.
    pub pooled: f64,
    /// The harmonic mean of the folds' mean precision and mean recall ("F_pr,re").
    pub of_means: f64,
}

/// Computes all three. Undefined rates are 0 (see [`Counts`]); no folds give 0.
pub fn f_over_folds(folds: &[Counts]) -> FOverFolds {
    let mean = |rate: fn(&Counts) -> f64| folds.iter().map(rate).sum::<f64>() / folds.len().max(1) as f64;
    let (precision, recall) = (mean(Counts::precision), mean(Counts::recall));
    let of_means = if precision + recall == 0.0 { 0.0 } else { 2.0 * precision * recall / (precision + recall) };
    FOverFolds { mean: mean(Counts::f1), pooled: folds.iter().copied().sum::<Counts>().f1(), of_means }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;

    /// Expected values: scikit-learn's `f1_score` on folds and on the pooled counts; `of_means` by hand from
    /// precisions 4/5, 5/6, 0, 3/5 (mean 67/120) and recalls 4/5, 1/2, 0, 9/10 (mean 11/20).
    #[test]
    fn the_three_ways_differ() {
        let folds = [(8, 2, 2, 88), (5, 5, 1, 89), (0, 10, 0, 90), (9, 1, 6, 84)];
        let f = f_over_folds(&folds.map(|(tp, fn_, fp, tn)| Counts { tp, fp, fn_, tn }));
        assert_abs_diff_eq!(f.mean, 0.53625, epsilon = 1e-12);
        assert_abs_diff_eq!(f.pooled, 0.6197183, epsilon = 5e-8);
        let (precision, recall) = (67.0 / 120.0, 11.0 / 20.0);
        assert_abs_diff_eq!(f.of_means, 2.0 * precision * recall / (precision + recall), epsilon = 1e-12);
    }

    #[test]
    fn one_fold_has_one_f_and_none_has_zero() {
        let fold = Counts { tp: 3, fp: 2, fn_: 1, tn: 4 };
        let f = f_over_folds(&[fold]);
        assert_eq!((f.mean, f.pooled), (fold.f1(), fold.f1()));
        assert_abs_diff_eq!(f.of_means, fold.f1(), epsilon = 1e-12);
        assert_eq!(f_over_folds(&[]), FOverFolds { mean: 0.0, pooled: 0.0, of_means: 0.0 });
    }
}
