//! The Wilcoxon signed-rank test, which assumes symmetry but no normal distribution.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal};

/// Up to this number of non-zero differences the p-value is exact: every sum of ranks is still counted exactly in an `f64`.
const EXACT_UP_TO: usize = 50;

/// Magnitudes that differ by no more than this share of the largest are ties, and magnitudes below it are zeros.
const RELATIVE_TOLERANCE: f64 = 1e-10;

/// The tolerance where all differences are tiny: far above the rounding of rates in percent (about 1e-14) and far below a
/// difference of one text.
const ABSOLUTE_TOLERANCE: f64 = 1e-12;

/// The result of a two-sided Wilcoxon signed-rank test.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Wilcoxon {
    /// The smaller of the two rank sums, of the positive and of the negative differences.
    pub w: f64,
    /// How probable a rank sum at least this small is, were the differences symmetric about 0.
    pub p: f64,
    /// How many differences are not 0 (up to rounding).
    pub n: usize,
}

/// The Wilcoxon signed-rank test (Wilcoxon 1945) of "the differences are symmetric about 0".
///
/// Zeros are dropped, equal magnitudes share their mean rank. Up to 50 non-zero differences p is exact, given the ranks
/// (without ties or zeros this is SciPy's `method="exact"`, with them its `PermutationMethod` over all signs). Beyond, it
/// is the normal approximation with the correction of the variance for ties and without one for continuity (SciPy's
/// `method="asymptotic"`).
///
/// Differences of rates, in shares or percent, come with rounding, which would break ties at random (SciPy issue 17667). So
/// magnitudes within 1e-10 of the largest (or within 1e-12, if that is more) of each other count as equal, and of 0 as 0.
///
/// Without a non-zero difference: W 0, p 1.
///
/// # Panics
/// If a difference is not finite.
pub fn wilcoxon(differences: &[f64]) -> Wilcoxon {
    assert!(differences.iter().all(|d| d.is_finite()), "differences are finite numbers, but got {differences:?}");
    let largest = differences.iter().fold(0.0, |largest: f64, d| largest.max(d.abs()));
    let tolerance = (RELATIVE_TOLERANCE * largest).max(ABSOLUTE_TOLERANCE);
    let mut d: Vec<f64> = differences.iter().copied().filter(|d| d.abs() > tolerance).collect();
    d.sort_unstable_by(|a, b| a.abs().total_cmp(&b.abs()));
    let n = d.len();

    // Twice the rank of each difference: whole numbers also for ties, whose mean rank may be a half.
    let mut double_ranks = Vec::with_capacity(n); // [n]
    let (mut positive, mut ties) = (0, 0.0);
    for tied in d.chunk_by(|a, b| b.abs() - a.abs() <= tolerance) {
        let double_rank = 2 * double_ranks.len() + tied.len() + 1;
        positive += double_rank * tied.iter().filter(|&&d| d > 0.0).count();
        double_ranks.resize(double_ranks.len() + tied.len(), double_rank);
        ties += (tied.len() as f64).powi(3) - tied.len() as f64;
    }
    let smaller = positive.min(n * (n + 1) - positive);
    let p =
        if n <= EXACT_UP_TO { exact_p(&double_ranks, smaller) } else { normal_p(n as f64, ties, smaller as f64 / 2.0) };
    Wilcoxon { w: smaller as f64 / 2.0, p, n }
}

/// Twice the share of all 2ⁿ choices of signs whose (doubled) sum of positive ranks is at most `smaller`.
fn exact_p(double_ranks: &[usize], smaller: usize) -> f64 {
    let mut ways = vec![0.0; smaller + 1]; // [sum of positive ranks, doubled]
    ways[0] = 1.0;
    for &rank in double_ranks {
        for sum in (rank..=smaller).rev() {
            ways[sum] += ways[sum - rank];
        }
    }
    let share = ways.iter().sum::<f64>() / 2f64.powi(double_ranks.len() as i32);
    (2.0 * share).min(1.0)
}

/// `ties` is Σ (t³ − t) over the groups of t tied magnitudes.
fn normal_p(n: f64, ties: f64, w: f64) -> f64 {
    let mean = n * (n + 1.0) / 4.0;
    let variance = n * (n + 1.0) * (2.0 * n + 1.0) / 24.0 - ties / 48.0;
    (2.0 * Normal::standard().cdf((w - mean) / variance.sqrt())).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::super::tests::DIFFERENCES;
    use super::*;
    use approx::assert_abs_diff_eq;
    use proptest::prelude::*;

    /// Expected value: SciPy 1.17.1, `wilcoxon(d)`.
    #[test]
    fn ten_folds_are_exact() {
        assert_eq!(wilcoxon(&DIFFERENCES), Wilcoxon { w: 6.0, p: 0.02734375, n: 10 });
    }

    /// Expected value: SciPy 1.17.1, `wilcoxon(d, method=PermutationMethod())`; the normal approximation says 0.0644.
    #[test]
    fn ties_and_zeros_are_exact_too() {
        let d = [1.0, 1.0, -1.0, 2.0, 2.0, -2.0, 3.0, 0.0, 4.0, 5.0];
        assert_eq!(wilcoxon(&d), Wilcoxon { w: 7.0, p: 0.08203125, n: 9 });
    }

    /// Expected value: SciPy 1.17.1, `wilcoxon(d, method="asymptotic")`.
    #[test]
    fn many_differences_use_the_normal_approximation() {
        let d: Vec<f64> = (1..=60).map(|i| (f64::from((7 * i * i + 3 * i) % 41) - 17.0) / 4.0).collect();
        let result = wilcoxon(&d);
        assert_eq!((result.w, result.n), (499.0, 60));
        assert_abs_diff_eq!(result.p, 0.00217501705060607, epsilon = 1e-10);
    }

    /// Differences of accuracies on 20 texts, as 100·x − 100·y makes them. Expected values: all 2ⁿ signs, with the
    /// differences rounded to whole points.
    #[test]
    fn rounding_breaks_no_ties() {
        let d = [5.000000000000007, 10.0, 5.0, -10.0, 5.0, 0.0, -5.0, 10.0, 5.0, 0.0];
        assert_eq!(wilcoxon(&d), Wilcoxon { w: 10.0, p: 0.34375, n: 8 });
        let d = [5.0, 0.0, -5.000000000000007, 15.0, 0.0, 0.0, 5.000000000000007, 4.999999999999993, -5.0, 20.0];
        assert_eq!(wilcoxon(&d), Wilcoxon { w: 6.0, p: 0.265625, n: 7 });
        let d = [0.0, 0.0, -5.0, -5.000000000000007, 0.0, 0.0, -5.000000000000007, 20.0, 5.0, 5.000000000000007];
        assert_eq!(wilcoxon(&d), Wilcoxon { w: 9.0, p: 1.0, n: 6 });
        // The example of SciPy's documentation: differences of ±.025 and ±.05, ranks 1, 3, 3 and 3.
        let (x, y) = ([0.5, 0.825, 0.375, 0.5], [0.525, 0.775, 0.325, 0.55]);
        let d: Vec<f64> = x.iter().zip(&y).map(|(x, y)| x - y).collect();
        assert_eq!(wilcoxon(&d).w, 4.0);
    }

    #[test]
    fn rounding_makes_no_differences() {
        let d = [1.4e-14, 2.8e-14, 1.4e-14, 7e-15, 1.4e-14, 7e-15, 1.4e-14, 2.8e-14];
        assert_eq!(wilcoxon(&d), Wilcoxon { w: 0.0, p: 1.0, n: 0 });
        let d = [0.1 + 0.2 - 0.3, 2.5, 5.0, -2.5];
        assert_eq!(wilcoxon(&d).n, 3);
    }

    #[test]
    fn nothing_but_zeros_shows_nothing() {
        assert_eq!(wilcoxon(&[0.0, -0.0]), Wilcoxon { w: 0.0, p: 1.0, n: 0 });
        assert_eq!(wilcoxon(&[]), Wilcoxon { w: 0.0, p: 1.0, n: 0 });
        assert_eq!(wilcoxon(&[2.0]), Wilcoxon { w: 0.0, p: 1.0, n: 1 });
    }

    proptest! {
        #[test]
        fn only_ranks_and_signs_matter(d in prop::collection::vec(-20..20i32, 0..70)) {
            let plain: Vec<f64> = d.iter().map(|&x| f64::from(x)).collect();
            let cubed: Vec<f64> = plain.iter().map(|x| -x.powi(3)).collect();
            prop_assert_eq!(wilcoxon(&plain), wilcoxon(&cubed));
            prop_assert!((0.0..=1.0).contains(&wilcoxon(&plain).p));
        }
    }
}
