//! Decisions at a threshold: the confusion counts and the rates that follow from them.

use super::{assert_same_length, ratio};
use serde::{Deserialize, Serialize};
use std::{iter::Sum, ops::Add};

/// The confusion counts of one task. Precision, recall and F1 are those of the TRUE class.
///
/// Every rate that would be 0/0 is 0, as with scikit-learn's `zero_division=0`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Labelled true, predicted true.
    pub tp: u64,
    /// Labelled false, predicted true.
    pub fp: u64,
    /// Labelled true, predicted false.
    #[serde(rename = "fn")]
    pub fn_: u64,
    /// Labelled false, predicted false.
    pub tn: u64,
}

impl Counts {
    /// Counts decisions, where a probability strictly above `threshold` decides for true.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn new(probabilities: &[f64], truths: &[bool], threshold: f64) -> Self {
        assert_same_length(probabilities, truths);
        let mut counts = Self::default();
        for (&probability, &truth) in probabilities.iter().zip(truths) {
            match (truth, probability > threshold) {
                (true, true) => counts.tp += 1,
                (false, true) => counts.fp += 1,
                (true, false) => counts.fn_ += 1,
                (false, false) => counts.tn += 1,
            }
        }
        counts
    }

    /// All labelled texts.
    pub fn n(&self) -> u64 {
        self.tp + self.fp + self.fn_ + self.tn
    }

    /// The texts labelled true.
    pub fn positives(&self) -> u64 {
        self.tp + self.fn_
    }

    /// (TP + TN) / n.
    pub fn accuracy(&self) -> f64 {
        ratio((self.tp + self.tn) as f64, self.n() as f64)
    }

    /// TP / (TP + FP).
    pub fn precision(&self) -> f64 {
        ratio(self.tp as f64, (self.tp + self.fp) as f64)
    }

    /// TP / (TP + FN).
    pub fn recall(&self) -> f64 {
        ratio(self.tp as f64, self.positives() as f64)
    }

    /// 2 TP / (2 TP + FP + FN), the harmonic mean of precision and recall.
    pub fn f1(&self) -> f64 {
        ratio((2 * self.tp) as f64, (2 * self.tp + self.fp + self.fn_) as f64)
    }

    /// The mean of the true class's F1 and the false class's, each 0 if undefined
    /// (scikit-learn: `f1_score(average="macro", labels=[0, 1], zero_division=0)`).
    pub fn macro_f1(&self) -> f64 {
        let of_false = Self { tp: self.tn, fp: self.fn_, fn_: self.fp, tn: self.tp };
        (self.f1() + of_false.f1()) / 2.0
    }

    /// Matthews correlation coefficient (Matthews 1975): the correlation of label and decision, in [−1, 1]. 0 if either
    /// of them is constant.
    pub fn mcc(&self) -> f64 {
        let [tp, fp, fn_, tn] = [self.tp, self.fp, self.fn_, self.tn].map(|count| count as f64);
        let spread = ((tp + fp) * (tp + fn_) * (tn + fp) * (tn + fn_)).sqrt();
        ratio(tp * tn - fp * fn_, spread).clamp(-1.0, 1.0)
    }

    /// (TP + FP) / n.
    pub fn share_predicted_true(&self) -> f64 {
        ratio((self.tp + self.fp) as f64, self.n() as f64)
    }
}

impl Add for Counts {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self { tp: self.tp + other.tp, fp: self.fp + other.fp, fn_: self.fn_ + other.fn_, tn: self.tn + other.tn }
    }
}

/// Pools the counts of folds.
impl Sum for Counts {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::default(), Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_probability_at_the_threshold_is_not_above_it() {
        assert_eq!(Counts::new(&[0.5, 0.5000001], &[true, true], 0.5), Counts { tp: 1, fp: 0, fn_: 1, tn: 0 });
    }

    #[test]
    fn perfect_and_inverted_decisions_have_mcc_one_and_minus_one() {
        assert_eq!(Counts { tp: 3, fp: 0, fn_: 0, tn: 9 }.mcc(), 1.0);
        assert_eq!(Counts { tp: 0, fp: 9, fn_: 3, tn: 0 }.mcc(), -1.0);
    }

    proptest! {
        #[test]
        fn f1_lies_between_precision_and_recall_and_below_its_bound(
            tp in 0..500u64, fp in 0..500u64, fn_ in 0..500u64, tn in 0..500u64,
        ) {
            let c = Counts { tp, fp, fn_, tn };
            let (low, high) = (c.precision().min(c.recall()), c.precision().max(c.recall()));
            prop_assert!(c.f1() >= low - 1e-12 && c.f1() <= high + 1e-12);
            // The errors cannot all be harmless: F1 is at most 2P / (2P + errors).
            let positives = 2.0 * c.positives() as f64;
            prop_assert!(c.f1() <= ratio(positives, positives + (fp + fn_) as f64) + 1e-12);
        }
    }
}
