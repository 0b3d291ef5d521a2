//! Zero-shot transfer ratio: how well the partner's linear model ranks the main task's texts, relative to the main task's own model.
//!
//! (AUROC_A(model of B) − ½)/(AUROC_A(own model, cross-validated) − ½), signed. Texts that both tasks have are held out of both. In the
//! spirit of Vu et al. 2020 (transfer between text classification tasks), with the models of [`linear`](super::linear) for networks.

use crate::mtl::evaluation::metrics::auroc;

/// Quantile of the normal distribution for a one-sided test at 5 %.
const ONE_SIDED: f64 = 1.644_853_626_951_472_7;

/// The ratio of two areas under the ROC curve, each less that of chance.
pub fn transfer_ratio(partners: f64, own: f64) -> f64 {
    (partners - 0.5) / (own - 0.5)
}

/// The area under the ROC curve that a ranking of `positives` true and `negatives` false texts must exceed to be better than chance:
/// one-sided at 5 %, by the normal approximation (Mann & Whitney 1947).
pub fn area_of_chance(positives: usize, negatives: usize) -> f64 {
    let (p, n) = (positives as f64, negatives as f64);
    0.5 + ONE_SIDED * ((p + n + 1.0) / (12.0 * p * n)).sqrt()
}

/// The area under the ROC curve of the scores that a model of one task gives texts of another; ½ if the labels are of one class.
pub fn area(scores: &[f64], truths: &[bool]) -> f64 {
    auroc(scores, truths).unwrap_or(0.5)
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;

    /// Expected values: scikit-learn's `roc_auc_score`, two ties among the scores.
    #[test]
    fn the_area_and_the_ratio() {
        let truths = [true, true, true, false, false, false, false, true];
        let scores = [2.0, 0.5, -0.1, 0.3, -1.0, -0.1, -2.0, 0.3];
        assert_abs_diff_eq!(area(&scores, &truths), 0.875, epsilon = 1e-9);
        assert_abs_diff_eq!(transfer_ratio(0.90625, 0.9), 1.015_625, epsilon = 1e-9);
    }
}
