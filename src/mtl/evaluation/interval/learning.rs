//! Was anything learnt? Two networks that learnt nothing are no more alike than two stopped clocks.

use serde::{Deserialize, Serialize};

use super::Measure;
use crate::mtl::{
    choices::choices,
    evaluation::metrics::{Counts, auroc},
};

/// The quantile of the normal distribution for a one-sided test at 5 %.
const ONE_SIDED: f64 = 1.644_853_626_951_472_7;

choices! {
    /// How it shows that a training has learnt nothing.
    NothingLearnt {
        /// It decides all texts alike.
        OneClass = "one-class",
        /// Its F is not above that of the answer "always true", nor does it rank better than chance.
        NoBetterThanAlwaysTrue = "no-better-than-always-true",
        /// A true text is not ranked above a false one more often than by chance.
        RanksByChance = "ranks-by-chance",
    }
}

/// Whether one training has learnt nothing, as test rows show it.
///
/// A ranking is by chance if its area under the ROC curve is not above ½ by more than 1.64 standard errors under the hypothesis of
/// chance, √((P + N + 1)/(12·P·N)) (Mann & Whitney 1947). Where decisions are measured, one class for all texts is nothing learnt
/// whatever the ranking. An F that is no better than always-true's counts only with a ranking by chance: where true is common, a
/// good classifier may stay below it.
pub fn nothing_learnt(
    measure: Measure,
    probabilities: &[f64],
    truths: &[bool],
    threshold: f64,
) -> Option<NothingLearnt> {
    let positives = truths.iter().filter(|&&truth| truth).count() as f64;
    let negatives = truths.len() as f64 - positives;
    let area = auroc(probabilities, truths)?;
    let standard_error = ((positives + negatives + 1.0) / (12.0 * positives * negatives)).sqrt();
    let ranks_by_chance = area - 0.5 <= ONE_SIDED * standard_error;
    let counts = Counts::new(probabilities, truths, threshold);
    let predicted_true = counts.tp + counts.fp;
    let decides = !matches!(measure, Measure::AveragePrecision | Measure::Auroc);
    if decides && (predicted_true == 0 || predicted_true == counts.n()) {
        return Some(NothingLearnt::OneClass);
    }
    let always_true = 2.0 * positives / (2.0 * positives + negatives);
    match ranks_by_chance {
        true if decides && counts.f1() <= always_true => Some(NothingLearnt::NoBetterThanAlwaysTrue),
        true => Some(NothingLearnt::RanksByChance),
        false => None,
    }
}

/// How most trainings of an arm have learnt nothing: the most frequent way, if more than half have learnt nothing in any.
///
/// Each training is its probabilities, the labels and the threshold.
pub fn nothing_learnt_by_most<'a>(
    measure: Measure,
    trainings: impl Iterator<Item = (&'a [f64], &'a [bool], f64)>,
) -> Option<NothingLearnt> {
    let all: Vec<Option<NothingLearnt>> = trainings
        .map(|(probabilities, truths, threshold)| nothing_learnt(measure, probabilities, truths, threshold))
        .collect();
    let found: Vec<NothingLearnt> = all.iter().copied().flatten().collect();
    if 2 * found.len() <= all.len() {
        return None;
    }
    let frequency = |of: &NothingLearnt| found.iter().filter(|other| *other == of).count();
    NothingLearnt::ALL.iter().rev().copied().max_by_key(|of| frequency(of))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 200 texts, of which the first 60 are true.
    fn truths() -> Vec<bool> {
        (0..200).map(|i| i < 60).collect()
    }

    fn of(measure: Measure, p: impl Fn(usize) -> f64, threshold: f64) -> Option<NothingLearnt> {
        let probabilities: Vec<f64> = (0..200).map(p).collect();
        nothing_learnt(measure, &probabilities, &truths(), threshold)
    }

    #[test]
    fn one_answer_for_all_texts_is_nothing() {
        for constant in [0.1, 0.9] {
            assert_eq!(of(Measure::F1, |_| constant, 0.5), Some(NothingLearnt::OneClass));
            assert_eq!(of(Measure::AveragePrecision, |_| constant, 0.5), Some(NothingLearnt::RanksByChance));
        }
    }

    #[test]
    fn a_good_ranking_is_something_unless_decisions_are_measured() {
        let ranking = |i: usize| 0.4 - i as f64 / 1000.0;
        assert_eq!(of(Measure::AveragePrecision, ranking, 0.5), None);
        assert_eq!(of(Measure::F1, ranking, 0.5), Some(NothingLearnt::OneClass));
        assert_eq!(of(Measure::F1Tuned, ranking, 0.35), None);
    }

    #[test]
    fn a_ranking_by_chance_is_nothing() {
        // Every third text above the threshold, whatever its label.
        let chance = |i: usize| if i.is_multiple_of(3) { 0.7 } else { 0.3 };
        assert_eq!(of(Measure::F1, chance, 0.5), Some(NothingLearnt::NoBetterThanAlwaysTrue));
        assert_eq!(of(Measure::Auroc, chance, 0.5), Some(NothingLearnt::RanksByChance));
    }

    /// Four true and four false texts: the standard error of chance is √(9/192), so that 0.856 is the bound.
    #[test]
    fn chance_of_few_texts_reaches_far() {
        let truths = [true, true, true, true, false, false, false, false];
        let of = |last_true: f64| {
            nothing_learnt(Measure::Auroc, &[0.9, 0.8, 0.7, last_true, 0.6, 0.5, 0.3, 0.2], &truths, 0.5)
        };
        assert_eq!(of(0.3), Some(NothingLearnt::RanksByChance), "13.5 of 16 pairs are in order");
        assert_eq!(of(0.4), None, "14 of 16");
    }

    #[test]
    fn where_true_is_common_a_good_classifier_below_always_true_has_learnt() {
        let truths: Vec<bool> = (0..200).map(|i| i < 190).collect();
        // Half of the true texts and one of ten false ones above the threshold: F .66 against .97.
        let p: Vec<f64> = (0..200).map(|i| if i < 95 || i == 199 { 0.8 } else { 0.3 }).collect();
        assert_eq!(nothing_learnt(Measure::F1, &p, &truths, 0.5), None);
    }

    #[test]
    fn most_trainings_decide_and_the_most_frequent_way_is_named() {
        let (truths, good): (Vec<bool>, Vec<f64>) =
            (truths(), (0..200).map(|i| if i < 60 { 0.9 } else { 0.1 }).collect());
        let (silent, chance): (Vec<f64>, Vec<f64>) =
            (vec![0.1; 200], (0..200).map(|i| [0.7, 0.3, 0.3][i % 3]).collect());
        let most =
            |all: &[&Vec<f64>]| nothing_learnt_by_most(Measure::F1, all.iter().map(|p| (&p[..], &truths[..], 0.5)));
        assert_eq!(most(&[&good, &silent]), None);
        assert_eq!(most(&[&good, &silent, &silent]), Some(NothingLearnt::OneClass));
        assert_eq!(most(&[&chance, &silent, &chance]), Some(NothingLearnt::NoBetterThanAlwaysTrue));
    }
}
