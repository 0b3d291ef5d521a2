//! The threshold that maximises F1.

use super::{Counts, DEFAULT_THRESHOLD, ranking::levels};

/// The threshold with the largest F1 of the true class on these predictions, for "true if p > threshold".
///
/// Candidates are 0.5, the midpoints between neighbouring distinct probabilities, and one below all of them. Among those
/// with the same F1, 0.5 wins, and then the highest (fewest predicted true). So 0.5 comes back if nothing does better:
/// in particular if there are no predictions, or none is true. Choose it on data that is not the test set.
///
/// # Panics
/// If the lengths differ, or a probability is NaN.
pub fn best_threshold(probabilities: &[f64], truths: &[bool]) -> f64 {
    let levels = levels(probabilities, truths);
    let positives: u64 = levels.iter().map(|level| level.positives).sum();
    let mut best = (Counts::new(probabilities, truths, DEFAULT_THRESHOLD).f1(), DEFAULT_THRESHOLD);
    let mut counts = Counts { fn_: positives, ..Counts::default() };
    for (i, level) in levels.iter().enumerate() {
        counts.tp += level.positives;
        counts.fp += level.negatives;
        counts.fn_ -= level.positives;
        if counts.f1() > best.0 {
            let next = levels.get(i + 1).map_or(0.0, |below| below.score);
            // Between neighbouring floats the midpoint may round up to the score itself, which must stay above it.
            best = (counts.f1(), f64::midpoint(level.score, next).min(level.score.next_down()));
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::super::tests::{PROBABILITIES, TRUTHS, predictions};
    use super::*;
    use approx::assert_relative_eq;
    use proptest::prelude::*;

    /// scikit-learn 1.9.1's `precision_recall_curve`: the best F1 is 14/19, with "p ≥ 0.4", whose next lower is 0.3.
    #[test]
    fn finds_the_cut_that_scikit_learn_finds() {
        let threshold = best_threshold(&PROBABILITIES, &TRUTHS);
        assert_relative_eq!(threshold, 0.35);
        assert_relative_eq!(Counts::new(&PROBABILITIES, &TRUTHS, threshold).f1(), 0.7368421052631579);
    }

    #[test]
    fn a_half_comes_back_unless_something_is_better() {
        assert_eq!(best_threshold(&[], &[]), 0.5);
        assert_eq!(best_threshold(&[0.9, 0.1], &[false, false]), 0.5);
        assert_eq!(best_threshold(&[0.9, 0.1], &[true, false]), 0.5);
    }

    #[test]
    fn of_equally_good_cuts_the_highest_wins() {
        // The cuts below 0.5 and below 0.125 both give F1 = 2/3; the threshold 0.5 itself gives 0.
        assert_eq!(best_threshold(&[0.5, 0.25, 0.125, 0.125], &[true, false, true, false]), 0.375);
    }

    #[test]
    fn all_true_is_reached_even_from_probability_zero() {
        let threshold = best_threshold(&[0.0, 0.0], &[true, true]);
        assert_eq!(Counts::new(&[0.0, 0.0], &[true, true], threshold).tp, 2);
    }

    proptest! {
        #[test]
        fn no_threshold_does_better((p, t) in predictions(), other in -0.1..1.1f64) {
            let f1 = |threshold| Counts::new(&p, &t, threshold).f1();
            let best = f1(best_threshold(&p, &t));
            prop_assert!(best >= f1(other));
            prop_assert!(p.iter().all(|&at| best >= f1(at)));
        }
    }
}
