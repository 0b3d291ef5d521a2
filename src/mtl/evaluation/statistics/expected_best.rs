//! How good the best of k trials can be expected to be.

/// The expected largest of `k` of these scores, drawn without replacement: the unbiased estimate of Tang et al. 2020 (Dodge et al.
/// 2019 draw with replacement, which is biased downwards).
///
/// # Panics
/// Unless 1 ≤ k ≤ the number of scores.
pub fn expected_best(scores: &[f64], k: usize) -> f64 {
    let n = scores.len();
    assert!((1..=n).contains(&k), "the best of 1 to {n} scores, but k is {k}");
    let mut sorted = scores.to_vec();
    sorted.sort_by(f64::total_cmp);
    // The i-th smallest (from 1) is the largest of C(i − 1, k − 1) of the C(n, k) choices. Going down from the largest, each share
    // follows from the one before.
    let mut share = k as f64 / n as f64;
    let mut expected = 0.0;
    for i in (k..=n).rev() {
        expected += share * sorted[i - 1];
        share *= (i - k) as f64 / (i as f64 - 1.0).max(1.0);
    }
    expected
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    /// By hand, over all ten pairs of five scores.
    #[test]
    fn the_best_of_two_of_five() {
        assert_relative_eq!(expected_best(&[70.0, 72.0, 75.0, 71.0, 78.0], 2), 75.2, max_relative = 1e-12);
    }

    #[test]
    fn of_one_the_mean_and_of_all_the_largest() {
        let scores = [3.0, -1.0, 4.0, 1.5];
        assert_relative_eq!(expected_best(&scores, 1), 1.875);
        assert_relative_eq!(expected_best(&scores, 4), 4.0);
    }
}
