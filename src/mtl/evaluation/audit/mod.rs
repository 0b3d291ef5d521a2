//! Can the accuracies and F-scores of a published table be true, given its class counts?
//!
//! Rows, positives and an accuracy fix the number of errors. How the errors split into missed true ones and false alarms
//! is free, but only within the sizes of the two classes, and so the F1 of the true class has a smallest and a largest
//! value. A printed F beyond them cannot have come from the stated data. Nothing but the table is needed:
//!
//! ```no_run
//! use mtlcore::mtl::evaluation::audit;
//!
//! let audit = audit::audit(&audit::read("table.csv")?);
//! for finding in audit.impossible() {
//!     println!("{}: F {} but at most {:.2}", finding.cell.task, finding.cell.f, finding.largest_f);
//! }
//! # Ok::<(), mtlcore::Error>(())
//! ```
//!
//! What "possible" means, exactly. A figure that is printed as 85.62 may be anything within half a unit of its last digit, ends
//! excluded.
//! A cell is possible if some accuracy and F within these ranges belong to one set of counts TP, FP, FN, TN ≥ 0 (real
//! numbers, as means over folds are) with the stated positives and rows: F1 of pooled predictions, or a mean over folds
//! with about the same errors in each. A mean over folds of very *unequal* errors can lie beyond, for F1 is not linear in
//! them; [`Finding::possible_over_folds`] says whether even that could explain the cell.

mod bounds;
mod table;

pub use table::{Cell, Percent, read, read_from};

use bounds::Bounds;
use serde::Serialize;

/// What arithmetic says about a table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Audit {
    /// One finding a cell, in the order of the table.
    pub findings: Vec<Finding>,
    /// The pairs of accuracy and F that stand in more than one cell, in the order of their first.
    pub duplicates: Vec<Duplicate>,
}

/// What arithmetic says about one cell. F-scores are in percent, as in the table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// The cell as published.
    #[serde(flatten)]
    pub cell: Cell,
    /// Whether F can be the F1 of the true class.
    pub possible: bool,
    /// The smallest F1 of the true class that the printed accuracy allows.
    pub smallest_f: f64,
    /// The largest F1 of the true class that the printed accuracy allows.
    pub largest_f: f64,
    /// How far F lies above `largest_f` (positive) or below `smallest_f` (negative), in points; 0 if it is possible.
    pub off_by: f64,
    /// Whether F can be a mean of folds' F1, were the errors spread over equal folds as unequally as need be.
    pub possible_over_folds: bool,
    /// The largest such mean.
    pub largest_f_over_folds: f64,
    /// Whether F can be the macro average, the mean of both classes' F1.
    pub possible_as_macro: bool,
    /// The share of rows, from 0 to 1, that must have been predicted true if F is the F1 of the true class; `None` if it
    /// cannot be, or is 0 (which says nothing of false alarms).
    pub share_predicted_true: Option<f64>,
}

/// One pair of accuracy and F in several cells: a coincidence, or a slip of copying.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Duplicate {
    /// The accuracy.
    pub accuracy: Percent,
    /// The F-score.
    pub f: Percent,
    /// Where it stands, as indices into [`Audit::findings`]; at least two.
    pub cells: Vec<usize>,
}

impl Audit {
    /// The cells whose F cannot be the F1 of the true class.
    pub fn impossible(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| !finding.possible)
    }
}

/// Checks every cell of a table on its own, and looks for pairs that occur more than once.
///
/// # Panics
/// If a cell has no rows, or more positives than rows; [`read`] returns no such cell.
pub fn audit(cells: &[Cell]) -> Audit {
    let mut duplicates: Vec<Duplicate> = Vec::new();
    for (i, cell) in cells.iter().enumerate() {
        let same = |d: &&mut Duplicate| (d.accuracy.value(), d.f.value()) == (cell.accuracy.value(), cell.f.value());
        match duplicates.iter_mut().find(same) {
            Some(duplicate) => duplicate.cells.push(i),
            None => duplicates.push(Duplicate { accuracy: cell.accuracy, f: cell.f, cells: vec![i] }),
        }
    }
    duplicates.retain(|duplicate| duplicate.cells.len() > 1);
    Audit { findings: cells.iter().map(finding).collect(), duplicates }
}

fn finding(cell: &Cell) -> Finding {
    assert!(cell.rows > 0 && cell.positives <= cell.rows, "{} positives of {} rows", cell.positives, cell.rows);
    let prevalence = cell.positives as f64 / cell.rows as f64;
    let (accuracy, f) = (cell.accuracy.value() / 100.0, cell.f.value() / 100.0);
    let plain = bounds::of_true_class(accuracy, prevalence);
    let possible = explains(cell, prevalence, bounds::of_true_class);
    Finding {
        cell: cell.clone(),
        possible,
        smallest_f: 100.0 * plain.smallest,
        largest_f: 100.0 * plain.largest,
        off_by: if possible { 0.0 } else { 100.0 * (f - f.clamp(plain.smallest, plain.largest)) },
        possible_over_folds: explains(cell, prevalence, bounds::of_true_class_over_folds),
        largest_f_over_folds: 100.0 * bounds::of_true_class_over_folds(accuracy, prevalence).largest,
        possible_as_macro: explains(cell, prevalence, bounds::of_macro_average),
        share_predicted_true: (possible && f > 0.0).then(|| bounds::share_predicted_true(accuracy, f, prevalence)),
    }
}

/// Whether some accuracy and F that print as the cell's lie within the bounds. Both bounds rise with the accuracy, so that
/// the ends of its range are enough.
fn explains(cell: &Cell, prevalence: f64, bounds: fn(f64, f64) -> Bounds) -> bool {
    let accuracy = |percent: f64| percent.clamp(0.0, 100.0) / 100.0;
    let (value, reach) = (cell.accuracy.value(), reach(cell.accuracy));
    let lowest = 100.0 * bounds(accuracy(value - reach), prevalence).smallest;
    let highest = 100.0 * bounds(accuracy(value + reach), prevalence).largest;
    let (value, reach) = (cell.f.value(), self::reach(cell.f));
    lowest <= value + reach && value - reach <= highest
}

/// How far the figure behind a printed one may lie from it, in percent: just short of half a unit, so that one and the same
/// figure cannot print as both of two neighbours (as 76.74 and 76.75); but no less than what our own arithmetic rounds.
fn reach(printed: Percent) -> f64 {
    printed.half_unit().max(1e-9) * (1.0 - 1e-6)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mtl::evaluation::metrics::Counts;
    use proptest::prelude::*;

    fn paper() -> Audit {
        audit(&read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/joshi2019_tables.csv")).unwrap())
    }

    fn name(finding: &Finding) -> String {
        format!("{} {} {}", finding.cell.task, finding.cell.layer, finding.cell.arm)
    }

    /// The largest F of each cell was computed by hand and by a separate script from the formula 2P / (2P + e).
    #[test]
    fn the_paper_has_seven_impossible_cells() {
        let audit = paper();
        assert_eq!(audit.findings.len(), 36);
        let found: Vec<_> = audit.impossible().map(|f| (name(f), format!("{:.2}", f.largest_f))).collect();
        let expected = [
            ("relevance B STL", "98.73"),
            ("relevance B MTL", "98.56"),
            ("relevance C STL", "98.67"),
            ("relevance C MTL", "98.49"),
            ("relevance B+C STL", "98.65"),
            ("relevance B+C MTL", "98.81"),
            ("intent B STL", "70.47"),
        ];
        assert_eq!(found, expected.map(|(name, largest)| (name.to_owned(), largest.to_owned())));
        let intent = audit.impossible().last().unwrap();
        assert_eq!(format!("{:.2}", intent.off_by), "4.82");
    }

    /// Folds may share errors unequally: that cannot explain the relevance cells; it could the intent cell, at a stretch.
    #[test]
    fn unequal_folds_could_explain_only_the_intent_cell() {
        let audit = paper();
        let never: Vec<_> = audit.findings.iter().filter(|f| !f.possible_over_folds).map(name).collect();
        assert_eq!(never.len(), 6);
        assert!(never.iter().all(|name| name.starts_with("relevance")));
    }

    #[test]
    fn the_paper_repeats_one_pair() {
        let audit = paper();
        assert_eq!(audit.duplicates.len(), 1);
        let duplicate = &audit.duplicates[0];
        assert_eq!((duplicate.accuracy.to_string(), duplicate.f.to_string()), ("85.62".into(), "75.59".into()));
        let names: Vec<_> = duplicate.cells.iter().map(|&i| name(&audit.findings[i])).collect();
        assert_eq!(names, ["vaccine use B+C MTL", "intent B+C STL"]);
    }

    /// One of them by a hair: influenza C STL, 76.74 / 76.75, needs a macro average above the accuracy, but with as many hits
    /// in either class it is at most equal to it.
    #[test]
    fn the_papers_f_is_no_macro_average() {
        assert_eq!(paper().findings.iter().filter(|finding| !finding.possible_as_macro).count(), 27);
    }

    #[test]
    fn convolution_lowers_the_share_predicted_true() {
        let audit = paper();
        let share = |wanted: &str| {
            let finding = audit.findings.iter().find(|finding| name(finding) == wanted).unwrap();
            finding.share_predicted_true.map(|share| format!("{share:.2}"))
        };
        assert_eq!(share("influenza C STL").unwrap(), "0.51");
        assert_eq!(share("influenza C MTL").unwrap(), "0.31");
        assert_eq!(share("relevance C MTL"), None);
    }

    #[test]
    fn a_corrected_digit_makes_the_intent_cell_possible() {
        let mut cell = paper().impossible().last().unwrap().cell.clone();
        cell.accuracy = Percent::parse("85.72").unwrap();
        assert!(audit(&[cell]).findings[0].possible);
    }

    #[test]
    fn a_finding_in_json_holds_its_cell() {
        let json = serde_json::to_value(paper()).unwrap();
        assert_eq!(json["findings"][0]["task"], "influenza");
        assert_eq!(json["findings"][0]["accuracy"], 76.52);
        assert_eq!(json["duplicates"][0]["cells"], serde_json::json!([17, 34]));
    }

    proptest! {
        #[test]
        fn figures_printed_from_real_counts_are_never_impossible(
            tp in 0..3000u64, fp in 0..3000u64, fn_ in 0..3000u64, tn in 0..3000u64, decimals in 0..17usize,
        ) {
            let counts = Counts { tp, fp, fn_, tn };
            prop_assume!(counts.n() > 0);
            let print = |share: f64| Percent::parse(&format!("{:.*}", decimals, 100.0 * share)).unwrap();
            let cell = |f: f64| Cell {
                task: String::new(), layer: String::new(), arm: String::new(),
                accuracy: print(counts.accuracy()), f: print(f), rows: counts.n(), positives: counts.positives(),
            };
            let audit = audit(&[cell(counts.f1()), cell(counts.macro_f1())]);
            prop_assert!(audit.findings[0].possible && audit.findings[0].possible_over_folds);
            prop_assert!(audit.findings[1].possible_as_macro);
            prop_assert_eq!(audit.findings[0].off_by, 0.0);
        }
    }
}
