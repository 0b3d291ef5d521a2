//! Are the probabilities themselves right?

use super::{assert_same_length, ratio};

/// The Brier score (Brier 1950), the mean of (p − y)², in [0, 1], lower is better. 0 if there are no predictions.
///
/// # Panics
/// If the lengths differ, or a probability is not in [0, 1].
pub fn brier_score(probabilities: &[f64], truths: &[bool]) -> f64 {
    mean_loss(probabilities, truths, |p| (1.0 - p).powi(2))
}

/// The mean of −ln(predicted probability of the true label), in nats, lower is better. 0 if there are no predictions.
///
/// As in scikit-learn's `log_loss`, probabilities are first clipped to [ε, 1 − ε] with ε = 2⁻⁵², so that certainty in
/// the wrong label costs 36 nats and not infinitely many.
///
/// # Panics
/// If the lengths differ, or a probability is not in [0, 1].
pub fn log_loss(probabilities: &[f64], truths: &[bool]) -> f64 {
    mean_loss(probabilities, truths, |p| -p.clamp(f64::EPSILON, 1.0 - f64::EPSILON).ln())
}

/// The mean of `loss(predicted probability of the true label)`.
fn mean_loss(probabilities: &[f64], truths: &[bool], loss: impl Fn(f64) -> f64) -> f64 {
    assert_same_length(probabilities, truths);
    let of_one = |(&p, &truth): (&f64, &bool)| {
        assert!((0.0..=1.0).contains(&p), "a probability lies in [0, 1], but one is {p}");
        loss(if truth { p } else { 1.0 - p })
    };
    ratio(probabilities.iter().zip(truths).map(of_one).sum(), truths.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    /// Expected value: scikit-learn 1.9.1.
    #[test]
    fn wrong_certainty_costs_a_finite_loss() {
        let loss = log_loss(&[0.0, 1.0, 0.5], &[true, false, true]);
        assert_relative_eq!(loss, 24.260151319598084, max_relative = 1e-12);
    }

    #[test]
    fn right_certainty_costs_nothing() {
        assert_eq!(brier_score(&[1.0, 0.0], &[true, false]), 0.0);
        assert!(log_loss(&[1.0, 0.0], &[true, false]) < 1e-15);
    }

    #[test]
    #[should_panic(expected = "a probability lies in [0, 1], but one is 1.5")]
    fn a_probability_above_one_panics() {
        brier_score(&[1.5], &[true]);
    }
}
