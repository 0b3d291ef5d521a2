//! How good are these probabilities?
//!
//! Three views, each in a file: decisions at a threshold ([`Counts`]), ranking without a threshold
//! ([`average_precision`], [`auroc`]) and calibration ([`brier_score`], [`log_loss`]). [`Metrics`] is all of them
//! together; [`best_threshold`] finds the threshold to tune to, on data that is not the test set.

mod calibration;
mod counts;
mod ranking;
mod threshold;

pub use calibration::{brier_score, log_loss};
pub use counts::Counts;
pub use ranking::{auroc, average_precision};
pub use threshold::best_threshold;

use serde::{Deserialize, Serialize};

/// A text is predicted true if its probability is strictly above this, unless a tuned threshold says otherwise.
pub const DEFAULT_THRESHOLD: f64 = 0.5;

/// Everything that is reported about one task's predictions. Rates are shares between 0 and 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// Number of labelled texts.
    pub n: u64,
    /// How many of them are labelled true.
    pub positives: u64,
    /// The decision threshold: predicted true means a probability strictly above it.
    pub threshold: f64,
    /// Right and wrong decisions of either kind.
    pub counts: Counts,
    /// [`Counts::accuracy`].
    pub accuracy: f64,
    /// [`Counts::precision`].
    pub precision: f64,
    /// [`Counts::recall`].
    pub recall: f64,
    /// [`Counts::f1`], of the true class.
    pub f1: f64,
    /// [`Counts::macro_f1`].
    pub macro_f1: f64,
    /// [`Counts::mcc`].
    pub mcc: f64,
    /// [`Counts::share_predicted_true`].
    pub share_predicted_true: f64,
    /// [`average_precision`].
    pub average_precision: f64,
    /// [`auroc`]; `None` if only one class occurs.
    pub auroc: Option<f64>,
    /// [`brier_score`].
    pub brier_score: f64,
    /// [`log_loss`], in nats.
    pub log_loss: f64,
}

impl Metrics {
    /// Measures `probabilities` of being true, each in [0, 1], against `truths`.
    ///
    /// # Panics
    /// If the lengths differ, or a probability is not in [0, 1].
    pub fn new(probabilities: &[f64], truths: &[bool], threshold: f64) -> Self {
        let counts = Counts::new(probabilities, truths, threshold);
        Self {
            n: counts.n(),
            positives: counts.positives(),
            threshold,
            counts,
            accuracy: counts.accuracy(),
            precision: counts.precision(),
            recall: counts.recall(),
            f1: counts.f1(),
            macro_f1: counts.macro_f1(),
            mcc: counts.mcc(),
            share_predicted_true: counts.share_predicted_true(),
            average_precision: average_precision(probabilities, truths),
            auroc: auroc(probabilities, truths),
            brier_score: brier_score(probabilities, truths),
            log_loss: log_loss(probabilities, truths),
        }
    }

    /// The baseline that knows only how common true is: the probability `prior` for every text, so that the decision is
    /// always the majority class. (scikit-learn: `DummyClassifier(strategy="prior")`.)
    ///
    /// `prior` is the share of true labels in the training data. An exact half is decided as false.
    pub fn majority(prior: f64, truths: &[bool]) -> Self {
        Self::new(&vec![prior; truths.len()], truths, DEFAULT_THRESHOLD)
    }

    /// The baseline that calls every text true, with certainty. Its F1 is the one to beat where true is common.
    pub fn always_true(truths: &[bool]) -> Self {
        Self::new(&vec![1.0; truths.len()], truths, DEFAULT_THRESHOLD)
    }
}

/// `numerator / denominator`, and 0 where that is 0/0: scikit-learn's `zero_division=0`.
fn ratio(numerator: f64, denominator: f64) -> f64 {
    if denominator == 0.0 { 0.0 } else { numerator / denominator }
}

#[track_caller]
fn assert_same_length(scores: &[f64], truths: &[bool]) {
    assert_eq!(scores.len(), truths.len(), "as many predictions as truths are needed");
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use approx::assert_relative_eq;
    use proptest::prelude::*;

    /// Sixteen predictions with ties, also at the threshold.
    pub const PROBABILITIES: [f64; 16] =
        [0.9, 0.8, 0.8, 0.8, 0.7, 0.6, 0.55, 0.5, 0.5, 0.45, 0.4, 0.3, 0.3, 0.2, 0.1, 0.05];
    const T: bool = true;
    const F: bool = false;
    pub const TRUTHS: [bool; 16] = [T, T, F, T, F, T, T, T, F, F, T, F, F, F, T, F];

    /// Up to 60 predictions, with many ties and now and then one class only.
    pub fn predictions() -> impl Strategy<Value = (Vec<f64>, Vec<bool>)> {
        let probability = prop_oneof![(0..=10u8).prop_map(|tenth| f64::from(tenth) / 10.0), 0.0..=1.0f64];
        prop::collection::vec((probability, any::<bool>()), 0..60).prop_map(|rows| rows.into_iter().unzip())
    }

    /// Expected values: scikit-learn 1.9.1 on the same vectors (`macro` with `labels=[0, 1]`).
    #[test]
    fn all_metrics_equal_scikit_learn() {
        let m = Metrics::new(&PROBABILITIES, &TRUTHS, DEFAULT_THRESHOLD);
        assert_eq!(m.counts, Counts { tp: 5, fp: 2, fn_: 3, tn: 6 });
        assert_eq!((m.n, m.positives), (16, 8));
        let close = |ours: f64, expected: f64| assert_relative_eq!(ours, expected, max_relative = 1e-14);
        close(m.accuracy, 0.6875);
        close(m.precision, 0.7142857142857143);
        close(m.recall, 0.625);
        close(m.f1, 0.6666666666666666);
        close(m.macro_f1, 0.6862745098039216);
        close(m.mcc, 0.3779644730092272);
        close(m.share_predicted_true, 0.4375);
        close(m.average_precision, 0.7146645021645022);
        close(m.auroc.unwrap(), 0.7109375);
        close(m.brier_score, 0.22984375);
        close(m.log_loss, 0.6665321799931769);
    }

    /// Expected values: scikit-learn 1.9.1 on 94 true and 6 false labels.
    #[test]
    fn baselines_equal_scikit_learn() {
        let truths: Vec<bool> = (0..100).map(|i| i < 94).collect();
        let always = Metrics::always_true(&truths);
        assert_relative_eq!(always.f1, 0.9690721649484536);
        assert_relative_eq!(always.macro_f1, 0.4845360824742268);
        assert_relative_eq!(always.average_precision, 0.94);
        assert_relative_eq!(always.brier_score, 0.06);
        assert_relative_eq!(always.log_loss, 2.162619203347029, max_relative = 1e-12);
        assert_eq!((always.mcc, always.auroc), (0.0, Some(0.5)));

        let majority = Metrics::majority(0.94, &truths);
        assert_eq!(majority.counts, always.counts);
        assert_relative_eq!(majority.brier_score, 0.0564, max_relative = 1e-12);
        assert_relative_eq!(majority.log_loss, 0.22696752250060442, max_relative = 1e-12);
        assert_eq!(Metrics::majority(0.06, &truths).share_predicted_true, 0.0);
    }

    #[test]
    fn no_predictions_measure_zero() {
        let m = Metrics::new(&[], &[], DEFAULT_THRESHOLD);
        assert_eq!((m.n, m.accuracy, m.f1, m.average_precision, m.auroc, m.log_loss), (0, 0.0, 0.0, 0.0, None, 0.0));
    }

    proptest! {
        #[test]
        fn every_metric_is_finite_within_its_range_and_survives_json((p, t) in predictions(), threshold in 0.0..1.0f64) {
            let m = Metrics::new(&p, &t, threshold);
            let shares = [m.accuracy, m.precision, m.recall, m.f1, m.macro_f1, m.share_predicted_true,
                          m.average_precision, m.auroc.unwrap_or(0.5), m.brier_score];
            prop_assert!(shares.iter().all(|share| (0.0..=1.0).contains(share)), "{m:?}");
            prop_assert!((-1.0..=1.0).contains(&m.mcc) && m.log_loss.is_finite() && m.log_loss >= 0.0, "{m:?}");
            let json = serde_json::to_string(&m).unwrap();
            prop_assert!(!json.contains("fn_"), "{}", json);
            let back: Metrics = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(back.counts, m.counts);
        }

        #[test]
        fn the_order_of_texts_changes_nothing((p, t) in predictions(), seed in any::<u64>()) {
            let mut order: Vec<usize> = (0..p.len()).collect();
            order.sort_by_key(|&i| (i as u64).wrapping_add(1).wrapping_mul(seed | 1));
            let q: Vec<f64> = order.iter().map(|&i| p[i]).collect();
            let u: Vec<bool> = order.iter().map(|&i| t[i]).collect();
            let (a, b) = (Metrics::new(&p, &t, 0.5), Metrics::new(&q, &u, 0.5));
            prop_assert_eq!((a.counts, a.average_precision, a.auroc), (b.counts, b.average_precision, b.auroc));
            prop_assert!((a.brier_score - b.brier_score).abs() < 1e-12 && (a.log_loss - b.log_loss).abs() < 1e-12);
        }
    }
}
