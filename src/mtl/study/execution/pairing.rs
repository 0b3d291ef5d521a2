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
    assert_eq!(base.truths, other.truths, "arms are tested on the same rows");
    // Rows of other data, as of a task alone and with a partner's rows behind its own, may have other numbers.
    assert!(!is_one_pair || base.rows == other.rows, "arms are tested on the same rows");
    let (rows, truths) = (&base.rows[..], &base.truths[..]);
    PairedUnit {
        repeat,
        fold,
        seed,
        rows,
        groups,
        truths,
        base: base.side(measure, fixed),
        other: other.side(measure, fixed),
    }
}
