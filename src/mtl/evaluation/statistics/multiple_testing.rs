//! Corrections of p-values where many tests are made at once. Both return adjusted p-values in the order given, to be
//! compared with the level that a single test would have.

/// Holm's step-down adjustment (Holm 1979): the chance of even one false finding stays below the level.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut adjusted = vec![0.0; p.len()];
    let mut largest = 0.0f64;
    for (rank, i) in ascending(p).into_iter().enumerate() {
        largest = largest.max((p.len() - rank) as f64 * p[i]).min(1.0);
        adjusted[i] = largest;
    }
    adjusted
}

/// Benjamini and Hochberg's step-up adjustment (Benjamini & Hochberg 1995): the expected share of false ones among the
/// findings stays below the level.
pub fn benjamini_hochberg(p: &[f64]) -> Vec<f64> {
    let mut adjusted = vec![0.0; p.len()];
    let mut smallest = 1.0f64;
    for (rank, i) in ascending(p).into_iter().enumerate().rev() {
        smallest = smallest.min(p.len() as f64 / (rank + 1) as f64 * p[i]);
        adjusted[i] = smallest;
    }
    adjusted
}

/// The indices of `p` from the smallest value to the largest.
fn ascending(p: &[f64]) -> Vec<usize> {
    assert!(p.iter().all(|p| (0.0..=1.0).contains(p)), "p-values lie in [0, 1], but got {p:?}");
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;
    use proptest::prelude::*;

    /// Expected values: statsmodels 0.15.0, `multipletests`. Not in ascending order on purpose.
    #[test]
    fn both_equal_statsmodels() {
        let p = [0.5, 0.001, 0.042, 0.039, 0.008, 0.06, 0.041];
        let expected_holm = [0.5, 0.007, 0.195, 0.195, 0.048, 0.195, 0.195];
        let expected_bh = [0.5, 0.007, 0.0588, 0.0588, 0.028, 0.07, 0.0588];
        assert_abs_diff_eq!(holm(&p)[..], expected_holm[..], epsilon = 1e-12);
        assert_abs_diff_eq!(benjamini_hochberg(&p)[..], expected_bh[..], epsilon = 1e-12);
    }

    #[test]
    fn no_tests_have_no_corrections() {
        assert!(holm(&[]).is_empty() && benjamini_hochberg(&[]).is_empty());
    }

    proptest! {
        #[test]
        fn adjusting_never_lowers_and_holm_is_the_stricter(p in prop::collection::vec(0.0..=1.0f64, 0..20)) {
            for ((p, holm), bh) in p.iter().zip(holm(&p)).zip(benjamini_hochberg(&p)) {
                prop_assert!(*p <= bh + 1e-15 && bh <= holm + 1e-15 && holm <= 1.0);
            }
        }
    }
}
