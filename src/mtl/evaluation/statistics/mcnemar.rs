//! McNemar's test: do two models fail on different texts, one more often than the other?

use statrs::distribution::{Binomial, DiscreteCDF};

/// The exact two-sided p-value of McNemar's test (McNemar 1947) on pooled predictions: of the texts that exactly one model
/// gets right, `only_first` and `only_second`, either model should have half, Binomial(b; b + c, ½).
///
/// 1 if there are no such texts.
pub fn mcnemar(only_first: u64, only_second: u64) -> f64 {
    let discordant = Binomial::new(0.5, only_first + only_second).expect("a half is a probability");
    (2.0 * discordant.cdf(only_first.min(only_second))).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;
    use proptest::prelude::*;

    /// Expected values: SciPy 1.17.1, `binomtest`.
    #[test]
    fn equals_the_binomial_test() {
        assert_abs_diff_eq!(mcnemar(15, 5), 0.04138946533203125, epsilon = 1e-12);
        assert_abs_diff_eq!(mcnemar(3, 7), 0.34375, epsilon = 1e-12);
    }

    #[test]
    fn no_discordant_text_shows_nothing() {
        assert_eq!(mcnemar(0, 0), 1.0);
        assert_eq!(mcnemar(4, 4), 1.0);
    }

    proptest! {
        #[test]
        fn is_symmetric_and_a_probability(b in 0..5000u64, c in 0..5000u64) {
            prop_assert_eq!(mcnemar(b, c), mcnemar(c, b));
            prop_assert!((0.0..=1.0).contains(&mcnemar(b, c)));
        }
    }
}
