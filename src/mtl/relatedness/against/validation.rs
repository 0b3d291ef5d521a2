//! Cross-validation over tasks: every pair is predicted by a model that was fitted on pairs of other tasks.
//!
//! Leaving out one pair at a time leaks: features that merely identify the tasks reach a Q² of +.40 that way, and −.24 when every pair
//! with either task is left out, as here.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal};

use super::Observation;
use crate::mtl::relatedness::{correlation::kendall, measured::mean};

/// The cross-validated errors of one model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelReport {
    /// `mean`, `size` or `ridge`.
    pub model: String,
    /// Mean absolute error, in points.
    pub mean_absolute_error: f64,
    /// Root of the mean squared error, in points.
    pub root_mean_squared_error: f64,
    /// 1 − SSE/SSE of the training mean.
    pub q2: f64,
    /// The share of pairs for which it abstains: the prediction lies in the region of equivalence.
    pub abstains: f64,
    /// The share of correct signs among the other pairs; absent if it always abstains.
    pub sign_accuracy: Option<f64>,
    /// The mean squared error of its probability that the gain exceeds the region (Brier score).
    pub brier_score: f64,
    /// The mean of that probability.
    pub mean_probability: f64,
    /// The share of pairs whose gain exceeds the region.
    pub share_that_help: f64,
    /// How many points the partner that it ranks first gains less than the best one, as a mean over main tasks.
    pub regret_of_first: f64,
    /// As `regret_of_first`, of the best among the three partners that it ranks first.
    pub regret_of_three: f64,
    /// Kendall's τ of prediction and gain among the partners of one main task, as a mean over main tasks; absent if it predicts the same
    /// for all partners.
    pub kendall_within: Option<f64>,
}

/// Predicts every observation by a model that `fit` fits to the observations without either of its tasks. `None` where there is no such
/// observation.
pub fn leave_two_tasks_out<P: Fn(&Observation) -> f64>(
    observations: &[Observation],
    fit: impl Fn(&[&Observation]) -> P,
) -> Vec<Option<f64>> {
    let mut predictions = vec![None; observations.len()];
    for (place, observation) in observations.iter().enumerate() {
        if predictions[place].is_some() {
            continue;
        }
        let tasks = [observation.main, observation.partner];
        let is_apart = |other: &&Observation| !tasks.contains(&other.main) && !tasks.contains(&other.partner);
        let rest: Vec<&Observation> = observations.iter().filter(is_apart).collect();
        if rest.is_empty() {
            continue;
        }
        let predict = fit(&rest);
        // Both directions are predicted by one fit.
        for (place, other) in observations.iter().enumerate() {
            if tasks.contains(&other.main) && tasks.contains(&other.partner) {
                predictions[place] = Some(predict(other));
            }
        }
    }
    predictions
}

/// 1 − SSE/SSE of a baseline.
pub fn q2(gains: &[f64], predictions: &[f64], baseline: &[f64]) -> f64 {
    let squares = |of: &[f64]| gains.iter().zip(of).map(|(gain, of)| (gain - of).powi(2)).sum::<f64>();
    1.0 - squares(predictions) / squares(baseline).max(f64::MIN_POSITIVE)
}

impl ModelReport {
    /// From out-of-sample `predictions` of the observations; `by_mean` are those of the mean gain, the baseline of Q². `rope` in points.
    pub(super) fn new(
        model: &str,
        observations: &[Observation],
        predictions: &[f64],
        by_mean: &[f64],
        rope: f64,
    ) -> Self {
        let gains: Vec<f64> = observations.iter().map(|observation| observation.gain).collect();
        let errors: Vec<f64> = gains.iter().zip(predictions).map(|(gain, p)| (gain - p).abs()).collect();
        let spread = mean(&errors.iter().map(|e| e * e).collect::<Vec<_>>()).sqrt();
        let told: Vec<(f64, f64)> =
            gains.iter().copied().zip(predictions.iter().copied()).filter(|(_, p)| p.abs() >= rope).collect();
        let right = told.iter().filter(|(gain, p)| (*gain > 0.0) == (*p > 0.0)).count();
        let probabilities: Vec<f64> = predictions.iter().map(|&p| probability_above(p, spread, rope)).collect();
        let helps: Vec<f64> = gains.iter().map(|&gain| f64::from(u8::from(gain > rope))).collect();
        let brier: Vec<f64> = probabilities.iter().zip(&helps).map(|(p, truth)| (p - truth).powi(2)).collect();
        let [first, three] = [1, 3].map(|count| regret(observations, predictions, count));
        Self {
            model: model.into(),
            mean_absolute_error: mean(&errors),
            root_mean_squared_error: spread,
            q2: q2(&gains, predictions, by_mean),
            abstains: 1.0 - told.len() as f64 / gains.len().max(1) as f64,
            sign_accuracy: (!told.is_empty()).then(|| right as f64 / told.len() as f64),
            brier_score: mean(&brier),
            mean_probability: mean(&probabilities),
            share_that_help: mean(&helps),
            regret_of_first: first,
            regret_of_three: three,
            kendall_within: kendall_within(observations, predictions),
        }
    }
}

/// P(gain > bound) for a normal error.
pub(in crate::mtl::relatedness) fn probability_above(prediction: f64, deviation: f64, bound: f64) -> f64 {
    let normal = Normal::new(prediction, deviation.max(1e-9)).expect("a positive deviation");
    normal.sf(bound)
}

/// The partners of each main task: (prediction, gain).
fn by_main(observations: &[Observation], predictions: &[f64]) -> Vec<Vec<(f64, f64)>> {
    let tasks = observations.iter().map(|observation| observation.main + 1).max().unwrap_or(0);
    let mut of_tasks = vec![Vec::new(); tasks];
    for (observation, &prediction) in observations.iter().zip(predictions) {
        of_tasks[observation.main].push((prediction, observation.gain));
    }
    of_tasks.retain(|partners| partners.len() > 1);
    of_tasks
}

fn regret(observations: &[Observation], predictions: &[f64], count: usize) -> f64 {
    let of_main = |partners: Vec<(f64, f64)>| {
        let best = partners.iter().map(|(_, gain)| *gain).fold(f64::NEG_INFINITY, f64::max);
        // Where several are ranked alike, one of them at random: the mean over all places that they may take.
        let mut ranked = partners;
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
        best - expected_best(&ranked, count)
    };
    mean(&by_main(observations, predictions).into_iter().map(of_main).collect::<Vec<_>>())
}

/// The expected largest gain of the first `count` of a ranking whose ties are in random order.
fn expected_best(ranked: &[(f64, f64)], count: usize) -> f64 {
    let count = count.min(ranked.len());
    let bound = ranked[count - 1].0;
    let sure = ranked.iter().filter(|(p, _)| *p > bound).map(|(_, gain)| *gain).fold(f64::NEG_INFINITY, f64::max);
    let mut tied: Vec<f64> = ranked.iter().filter(|(p, _)| *p == bound).map(|(_, gain)| *gain).collect();
    let drawn = count - ranked.iter().filter(|(p, _)| *p > bound).count();
    tied.sort_by(|a, b| b.total_cmp(a));
    // P(the largest of those drawn is the i-th) by falling gain.
    let (mut left, mut sum) = (1.0, 0.0);
    for (i, gain) in tied.iter().enumerate() {
        let rest = tied.len() - i;
        let chance = if rest <= drawn { 1.0 } else { drawn as f64 / rest as f64 };
        sum += left * chance * gain.max(sure);
        left *= 1.0 - chance;
    }
    sum
}

fn kendall_within(observations: &[Observation], predictions: &[f64]) -> Option<f64> {
    let of_main = |partners: Vec<(f64, f64)>| {
        let (predicted, gained): (Vec<f64>, Vec<f64>) = partners.into_iter().unzip();
        kendall(&predicted, &gained)
    };
    let found: Vec<f64> = by_main(observations, predictions).into_iter().filter_map(of_main).collect();
    (!found.is_empty()).then(|| mean(&found))
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;

    fn observation(main: usize, partner: usize, gain: f64) -> Observation {
        Observation { main, partner, gain, weight: 1.0, size: vec![], measures: vec![], context: vec![] }
    }

    /// Expected values: NumPy, of the predictions of least squares and of the training means.
    #[test]
    fn q2_equals_numpys() {
        let gains = [-0.5, 0.3, 0.6, 2.1, 1.0, -0.1];
        let predicted =
            [-0.504_816_513_8, 0.585_391_566_3, 0.313_719_512_2, 1.628_716_216_2, 1.320_138_888_9, -0.179_464_285_7];
        let sum: f64 = gains.iter().sum();
        let means = gains.map(|gain| (sum - gain) / 5.0);
        assert_abs_diff_eq!(q2(&gains, &predicted, &means), 0.918_133_951_3, epsilon = 1e-8);
        let error = |of: &[f64]| mean(&gains.iter().zip(of).map(|(g, p)| (g - p).abs()).collect::<Vec<_>>());
        assert_abs_diff_eq!(error(&predicted), 0.241_229_254_4, epsilon = 1e-9);
        assert_abs_diff_eq!(error(&means), 0.8, epsilon = 1e-9);
    }

    /// A fault would be a training row of either task of the pair.
    #[test]
    fn neither_task_of_a_pair_is_learnt_from() {
        let pairs: Vec<Observation> = (0..5)
            .flat_map(|i| (0..5).filter(move |&j| j != i).map(move |j| observation(i, j, (10 * i + j) as f64)))
            .collect();
        let predictions = leave_two_tasks_out(&pairs, |rest| {
            let tasks: Vec<usize> = rest.iter().flat_map(|o| [o.main, o.partner]).collect();
            move |of: &Observation| f64::from(u8::from(tasks.contains(&of.main) || tasks.contains(&of.partner)))
        });
        assert!(predictions.iter().all(|p| *p == Some(0.0)));
        assert_eq!(leave_two_tasks_out(&pairs[..1], |_| |_: &Observation| 0.0), [None]);
    }

    #[test]
    fn regret_is_what_the_chosen_partner_gains_less() {
        let pairs: Vec<Observation> =
            [3.0, 1.0, 2.0, 0.0].into_iter().zip(1..).map(|(gain, partner)| observation(0, partner, gain)).collect();
        assert_eq!(regret(&pairs, &[0.1, 0.4, 0.3, 0.2], 1), 2.0);
        assert_eq!(regret(&pairs, &[0.1, 0.4, 0.3, 0.2], 3), 1.0);
        assert_eq!(regret(&pairs, &[0.5; 4], 1), 1.5, "any of the four");
        assert_eq!(regret(&pairs, &[0.5; 4], 3), 0.25, "the best is missed in a quarter of draws, and the next has 2");
        assert_eq!(kendall_within(&pairs, &[3.0, 1.0, 2.0, 0.0]), Some(1.0));
        assert_eq!(kendall_within(&pairs, &[0.5; 4]), None);
    }
}
