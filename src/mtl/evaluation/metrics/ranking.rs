//! Ranking without a threshold: are the true ones above the false ones?

use super::{assert_same_length, ratio};

/// The predictions that share one score.
pub(super) struct Level {
    pub score: f64,
    pub positives: u64,
    pub negatives: u64,
}

/// Groups predictions by score, highest first. All that ranking measures depend on, whatever the order of the texts.
///
/// # Panics
/// If the lengths differ, or a score is NaN.
pub(super) fn levels(scores: &[f64], truths: &[bool]) -> Vec<Level> {
    assert_same_length(scores, truths);
    assert!(!scores.iter().any(|score| score.is_nan()), "scores are numbers, but one of them is NaN");
    let mut rows: Vec<(f64, bool)> = scores.iter().copied().zip(truths.iter().copied()).collect();
    rows.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
    rows.chunk_by(|a, b| a.0 == b.0)
        .map(|tied| {
            let positives = tied.iter().filter(|row| row.1).count();
            Level { score: tied[0].0, positives: positives as u64, negatives: (tied.len() - positives) as u64 }
        })
        .collect()
}

/// Average precision, Σ (Rₙ − Rₙ₋₁)·Pₙ over the distinct scores from the highest down, as scikit-learn's
/// `average_precision_score`: tied predictions count as one step, and nothing is interpolated. 0 if nothing is true.
///
/// # Panics
/// If the lengths differ, or a score is NaN.
pub fn average_precision(scores: &[f64], truths: &[bool]) -> f64 {
    let (mut tp, mut predicted, mut sum) = (0, 0, 0.0);
    for level in levels(scores, truths) {
        tp += level.positives;
        predicted += level.positives + level.negatives;
        sum += level.positives as f64 * (tp as f64 / predicted as f64);
    }
    // Σ tp·1 / tp may round to just above 1.
    ratio(sum, tp as f64).min(1.0)
}

/// Area under the ROC curve: the probability that a true text scores above a false one, a tie counting half
/// (Hanley & McNeil 1982). `None` if only one class occurs.
///
/// # Panics
/// If the lengths differ, or a score is NaN.
pub fn auroc(scores: &[f64], truths: &[bool]) -> Option<f64> {
    let (mut tp, mut fp, mut won_twice) = (0, 0, 0);
    for level in levels(scores, truths) {
        won_twice += level.negatives * (2 * tp + level.positives);
        tp += level.positives;
        fp += level.negatives;
    }
    (tp > 0 && fp > 0).then(|| won_twice as f64 / (2 * tp * fp) as f64)
}

#[cfg(test)]
mod tests {
    use super::super::tests::predictions;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_class_has_no_auroc_and_its_plain_average_precision() {
        assert_eq!((auroc(&[0.1, 0.2], &[true, true]), average_precision(&[0.1, 0.2], &[true, true])), (None, 1.0));
        assert_eq!((auroc(&[0.1, 0.2], &[false, false]), average_precision(&[0.1, 0.2], &[false, false])), (None, 0.0));
    }

    #[test]
    #[should_panic(expected = "NaN")]
    fn a_score_that_is_no_number_panics() {
        auroc(&[f64::NAN, 0.2], &[true, false]);
    }

    proptest! {
        #[test]
        fn ranking_is_invariant_under_monotone_transforms((p, t) in predictions()) {
            // Tenths and random shares are far enough apart for these to keep distinct scores distinct.
            let transforms: [fn(f64) -> f64; 3] = [|x| 3.0 * x - 7.0, f64::exp, |x| (x + 1.0).ln()];
            for f in transforms {
                let scores: Vec<f64> = p.iter().map(|&x| f(x)).collect();
                prop_assert_eq!(auroc(&scores, &t), auroc(&p, &t));
                prop_assert_eq!(average_precision(&scores, &t), average_precision(&p, &t));
            }
        }

        #[test]
        fn turning_the_ranking_round_mirrors_auroc((p, t) in predictions()) {
            let reversed: Vec<f64> = p.iter().map(|x| -x).collect();
            if let Some(area) = auroc(&p, &t) {
                prop_assert!((auroc(&reversed, &t).unwrap() - (1.0 - area)).abs() < 1e-12);
            }
        }
    }
}
