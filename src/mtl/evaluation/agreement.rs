//! Do two annotators sort errors alike?

use std::collections::BTreeMap;

/// Cohen's κ (Cohen 1960), (p_o − p_e) / (1 − p_e): how far two annotators agree beyond what their habits alone would give.
/// 1 is full agreement, 0 that of chance.
///
/// `None` where it is undefined: nothing was annotated, or both used one and the same category throughout.
///
/// # Panics
/// If the lengths differ.
pub fn cohens_kappa<C: Ord>(first: &[C], second: &[C]) -> Option<f64> {
    assert_eq!(first.len(), second.len(), "both annotators must have sorted the same items");
    let mut uses: BTreeMap<&C, [u64; 2]> = BTreeMap::new();
    for (a, b) in first.iter().zip(second) {
        uses.entry(a).or_default()[0] += 1;
        uses.entry(b).or_default()[1] += 1;
    }
    let n = first.len() as u64;
    let agreed = n * first.iter().zip(second).filter(|(a, b)| a == b).count() as u64; // n² · p_o
    let by_chance: u64 = uses.values().map(|[a, b]| a * b).sum(); // n² · p_e
    (by_chance < n * n).then(|| (agreed as f64 - by_chance as f64) / (n * n - by_chance) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;

    /// Expected value: scikit-learn 1.9.1, `cohen_kappa_score`.
    #[test]
    fn equals_scikit_learn() {
        let first = "negation sarcasm sarcasm length other negation negation other length other";
        let second = "negation sarcasm other length other negation sarcasm other other other";
        let categories = |text: &'static str| text.split(' ').collect::<Vec<_>>();
        let kappa = cohens_kappa(&categories(first), &categories(second)).unwrap();
        assert_abs_diff_eq!(kappa, 0.5890410958904109, epsilon = 1e-12);
    }

    #[test]
    fn full_chance_and_contrary_agreement() {
        assert_eq!(cohens_kappa(&[1, 2, 3], &[1, 2, 3]), Some(1.0));
        assert_eq!(cohens_kappa(&[1, 1, 2, 2], &[1, 2, 1, 2]), Some(0.0));
        assert_eq!(cohens_kappa(&[1, 2], &[2, 1]), Some(-1.0));
    }

    #[test]
    fn without_a_choice_there_is_no_kappa() {
        assert_eq!(cohens_kappa::<u8>(&[], &[]), None);
        assert_eq!(cohens_kappa(&["other"; 4], &["other"; 4]), None);
    }
}
