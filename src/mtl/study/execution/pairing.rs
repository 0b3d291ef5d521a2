//! The trainings of two arms as pairs, which an interval takes.

use super::{Predictions, UnitOutcome};
use crate::mtl::{
    evaluation::interval::{Measure, PairedUnit},
    study::planning::UnitSpec,
};

/// The same training of two arms, for one task. `groups` has the group of each row of the base's data; `fixed` is the threshold of measures
/// that tune none.
///
/// # Panics
/// If the trainings are of another fold or seed, or were tested on other rows: then a difference would not be that of the arms.
pub fn paired<'o>(
    base: &'o (UnitSpec, UnitOutcome),
    other: &'o (UnitSpec, UnitOutcome),
    task: &str,
    groups: &'o [u64],
    measure: Measure,
    fixed: f64,
) -> PairedUnit<'o> {
    let place = |(spec, _): &(UnitSpec, UnitOutcome)| (spec.repeat, spec.fold, spec.seed);
    let (repeat, fold, seed) = place(base);
    assert_eq!(place(other), (repeat, fold, seed), "arms are paired training by training");
    let predictions = |(_, outcome): &'o (UnitSpec, UnitOutcome)| -> &'o Predictions { &outcome.tasks[task] };
    let is_one_pair = base.0.pair == other.0.pair;
    let (base, other) = (predictions(base), predictions(other));
    // Rows of other data, as of a task alone and with a partner's rows behind its own, may have other numbers.
    assert!(!is_one_pair || base.rows == other.rows, "arms are tested on the same rows");
    base.against(other, (repeat, fold, seed), groups, measure, fixed)
}

impl Predictions {
    /// These against those of another arm on the same rows, both of one place: repeat, fold and seed.
    ///
    /// # Panics
    /// If the labels differ: then the rows do.
    pub fn against<'o>(
        &'o self,
        other: &'o Self,
        (repeat, fold, seed): (usize, usize, usize),
        groups: &'o [u64],
        measure: Measure,
        fixed: f64,
    ) -> PairedUnit<'o> {
        assert_eq!(self.truths, other.truths, "arms are tested on the same rows");
        let (base, other) = (self.side(measure, fixed), other.side(measure, fixed));
        PairedUnit { repeat, fold, seed, rows: &self.rows, groups, truths: &self.truths, base, other }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;
    use crate::mtl::study::planning::Arm;

    /// A training of a pair in a fold, tested on two rows.
    fn training(pair: &str, fold: usize, rows: [usize; 2], truths: [bool; 2]) -> (UnitSpec, UnitOutcome) {
        let (arm, task) = (Arm::Stl, Some("a".to_owned()));
        let spec = UnitSpec { pair: pair.to_owned(), shared: None, arm, task, repeat: 0, fold, seed: 0 };
        let predictions =
            Predictions { rows: rows.to_vec(), truths: truths.to_vec(), probabilities: vec![0.2, 0.9], inner: None };
        let tasks = [("a".to_owned(), predictions)].into();
        (spec, UnitOutcome { tasks, epochs: Vec::new(), chosen_epoch: 1, steps: 1, trials: Vec::new(), seconds: 0.0 })
    }

    #[test]
    fn only_trainings_tested_on_the_same_rows_are_paired() {
        let base = training("p", 0, [3, 5], [false, true]);
        let is_paired = |other: &(UnitSpec, UnitOutcome)| {
            catch_unwind(AssertUnwindSafe(|| {
                paired(&base, other, "a", &[0, 1, 2, 3, 4, 5, 6, 7], Measure::F1, 0.5);
            }))
            .is_ok()
        };
        assert!(is_paired(&training("p", 0, [3, 5], [false, true])));
        assert!(!is_paired(&training("p", 1, [3, 5], [false, true])), "another fold");
        assert!(!is_paired(&training("p", 0, [3, 5], [true, true])), "other labels");
        assert!(!is_paired(&training("p", 0, [3, 6], [false, true])), "other rows with the same labels");
        // Behind a partner's rows the same text has another number.
        assert!(is_paired(&training("p with another", 0, [13, 15], [false, true])));
    }
}
