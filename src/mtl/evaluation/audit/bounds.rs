//! The F-scores that an accuracy allows.
//!
//! Everything is a share of the rows: accuracy a, prevalence π, errors e = 1 − a. The errors split into missed true ones,
//! FN, and false alarms, FP = e − FN; both classes' sizes limit the split to max(0, e − (1 − π)) ≤ FN ≤ min(e, π). The
//! rest follows: TP = π − FN and TN = 1 − π − FP. The counts are real numbers, not whole ones, so that a mean over folds of
//! slightly unequal size is never called impossible by mistake.

/// The smallest and the largest value that some split of the errors gives.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    pub smallest: f64,
    pub largest: f64,
}

/// The possible numbers of missed true ones, as (fewest, most).
fn missed(accuracy: f64, prevalence: f64) -> (f64, f64) {
    let errors = 1.0 - accuracy;
    ((errors - (1.0 - prevalence)).max(0.0), errors.min(prevalence))
}

/// F1 of a class with `right` hits, 2·right / (2·right + e); 0 if the class neither occurs nor is predicted.
fn f1(right: f64, errors: f64) -> f64 {
    let right = right.max(0.0); // a difference of shares may round to just below 0
    if right == 0.0 { 0.0 } else { 2.0 * right / (2.0 * right + errors) }
}

/// F1 of the true class, in one set of counts. It falls with every missed true one.
pub(super) fn of_true_class(accuracy: f64, prevalence: f64) -> Bounds {
    let (fewest, most) = missed(accuracy, prevalence);
    let f = |missed: f64| f1(prevalence - missed, 1.0 - accuracy);
    Bounds { smallest: f(most), largest: f(fewest) }
}

/// The mean F1 of the true class over folds of equal size and prevalence that share the errors as unequally as they like.
///
/// A mean over folds lies between the convex hull of the smallest and the concave hull of the largest F1 as functions of
/// a fold's errors. Both functions are bent the wrong way near e = 0, where the hull is the chord from (0, 1): below, to
/// (π, 0); above, to the kink where all false ones are already called true, (1 − π, 2π/(1 + π)).
pub(super) fn of_true_class_over_folds(accuracy: f64, prevalence: f64) -> Bounds {
    let errors = 1.0 - accuracy;
    let plain = of_true_class(accuracy, prevalence);
    let below = if prevalence > 0.0 { (1.0 - errors / prevalence).max(0.0) } else { 0.0 };
    let above = if errors <= 1.0 - prevalence { 1.0 - errors / (1.0 + prevalence) } else { plain.largest };
    // Without a true row every F1 is 0, whatever the errors.
    if prevalence > 0.0 { Bounds { smallest: below, largest: above } } else { plain }
}

/// The mean of both classes' F1, in one set of counts. Concave in FN, since each part is concave in its hits: largest
/// where both classes have as many hits (or as near as the limits allow), smallest at one of the limits.
pub(super) fn of_macro_average(accuracy: f64, prevalence: f64) -> Bounds {
    let (fewest, most) = missed(accuracy, prevalence);
    let errors = 1.0 - accuracy;
    let f = |missed: f64| (f1(prevalence - missed, errors) + f1(1.0 - prevalence - (errors - missed), errors)) / 2.0;
    let balanced = (prevalence - accuracy / 2.0).max(fewest).min(most);
    Bounds { smallest: f(fewest).min(f(most)), largest: f(balanced) }
}

/// The share predicted true, TP + FP, that an accuracy and an F1 of the true class imply: F = 2TP/(2TP + e) gives
/// TP = eF / (2(1 − F)). Rounded figures may imply a TP just beyond the limits, which then is the limit.
pub(super) fn share_predicted_true(accuracy: f64, f: f64, prevalence: f64) -> f64 {
    let (fewest, most) = missed(accuracy, prevalence);
    let errors = 1.0 - accuracy;
    let hits = if f < 1.0 { errors * f / (2.0 * (1.0 - f)) } else { prevalence };
    let missed = (prevalence - hits).min(most).max(fewest);
    (prevalence + errors - 2.0 * missed).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mtl::evaluation::metrics::Counts;
    use proptest::prelude::*;

    fn counts() -> impl Strategy<Value = Counts> {
        (0..60u64, 0..60u64, 0..60u64, 0..60u64)
            .prop_map(|(tp, fp, fn_, tn)| Counts { tp, fp, fn_, tn })
            .prop_filter("rows", |counts| counts.n() > 0)
    }

    fn prevalence(counts: &Counts) -> f64 {
        counts.positives() as f64 / counts.n() as f64
    }

    fn contains(bounds: Bounds, value: f64) -> bool {
        bounds.smallest - 1e-9 <= value && value <= bounds.largest + 1e-9
    }

    proptest! {
        #[test]
        fn no_real_counts_are_called_impossible(c in counts()) {
            let (accuracy, prevalence) = (c.accuracy(), prevalence(&c));
            prop_assert!(contains(of_true_class(accuracy, prevalence), c.f1()));
            prop_assert!(contains(of_true_class_over_folds(accuracy, prevalence), c.f1()));
            prop_assert!(contains(of_macro_average(accuracy, prevalence), c.macro_f1()));
        }

        #[test]
        fn bounds_are_reached_by_some_counts(c in counts()) {
            let (rows, positives, errors) = (c.n(), c.positives(), c.fp + c.fn_);
            let all: Vec<Counts> = (0..=errors.min(positives))
                .filter(|fn_| errors - fn_ <= rows - positives)
                .map(|fn_| Counts { tp: positives - fn_, fn_, fp: errors - fn_, tn: rows - positives - (errors - fn_) })
                .collect();
            let best = |rate: fn(&Counts) -> f64, pick: fn(f64, f64) -> f64| all.iter().map(rate).reduce(pick).unwrap();
            let f = of_true_class(c.accuracy(), prevalence(&c));
            prop_assert!((f.smallest - best(Counts::f1, f64::min)).abs() < 1e-9);
            prop_assert!((f.largest - best(Counts::f1, f64::max)).abs() < 1e-9);
            // The largest macro average may lie between two whole splits.
            let smallest = of_macro_average(c.accuracy(), prevalence(&c)).smallest;
            prop_assert!((smallest - best(Counts::macro_f1, f64::min)).abs() < 1e-9);
        }

        #[test]
        fn means_over_unequal_folds_stay_within_the_wider_bounds(
            positives in 1..30u64, negatives in 0..30u64, splits in prop::collection::vec((0.0..=1.0f64, 0.0..=1.0f64), 1..10),
        ) {
            let fold = |&(missed, alarms): &(f64, f64)| {
                let (fn_, fp) = ((missed * positives as f64) as u64, (alarms * negatives as f64) as u64);
                Counts { tp: positives - fn_, fp, fn_, tn: negatives - fp }
            };
            let folds: Vec<Counts> = splits.iter().map(fold).collect();
            let mean = |rate: fn(&Counts) -> f64| folds.iter().map(rate).sum::<f64>() / folds.len() as f64;
            let bounds = of_true_class_over_folds(mean(Counts::accuracy), prevalence(&folds[0]));
            prop_assert!(contains(bounds, mean(Counts::f1)));
        }

        #[test]
        fn the_share_predicted_true_is_recovered(c in counts()) {
            // Without a hit F is 0 for every split of the errors, and nothing can be recovered.
            prop_assume!(c.tp > 0);
            let share = share_predicted_true(c.accuracy(), c.f1(), prevalence(&c));
            prop_assert!((share - c.share_predicted_true()).abs() < 1e-9);
        }
    }
}
