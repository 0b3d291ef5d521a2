//! What both arms said of each test text.

use serde::{Deserialize, Serialize};

use crate::mtl::{
    data::{Record, Source},
    evaluation::statistics::mcnemar,
    settings::Shared,
    study::{
        execution::Outcomes,
        planning::{Arm, PairData, StudySettings},
    },
};

/// One task of a pair with one shared layer, and what STL and MTL said of its texts.
pub struct TaskDecisions<'s> {
    /// The data of the pair.
    pub pair: &'s PairData,
    /// The shared layer.
    pub shared: Shared,
    /// The task.
    pub task: &'s str,
    /// One for each labelled row, rising.
    pub decisions: Vec<Decision>,
}

/// What was said of one text, by networks that had not seen it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Decision {
    /// The row of the pair.
    pub row: usize,
    /// Its label.
    pub truth: bool,
    /// How probably it is true, says STL.
    pub p_stl: f64,
    /// How probably it is true, says MTL.
    pub p_mtl: f64,
    /// Whether STL is right.
    pub stl_right: bool,
    /// Whether MTL is right.
    pub mtl_right: bool,
}

/// Which texts exactly one of two arms gets right at the fixed threshold, in the first repeat: there every text is tested
/// once.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct McNemar {
    /// Right in both.
    pub both_right: u64,
    /// STL right, MTL wrong.
    pub only_stl: u64,
    /// MTL right, STL wrong.
    pub only_mtl: u64,
    /// Wrong in both.
    pub both_wrong: u64,
    /// The exact p-value of McNemar's test.
    pub p: f64,
}

impl<'s> TaskDecisions<'s> {
    /// Of every pair, shared layer and task, in this order.
    ///
    /// # Panics
    /// If an outcome is missing.
    pub fn all(settings: &StudySettings, pairs: &'s [PairData], outcomes: &Outcomes) -> Vec<Self> {
        let mut all = Vec::new();
        for pair in pairs {
            for &shared in &settings.shared {
                let tasks = pair.dataset.tasks.iter();
                all.extend(tasks.map(|task| Self::new(settings, pair, shared, task, outcomes)));
            }
        }
        all
    }

    /// Of one task with one shared layer.
    ///
    /// # Panics
    /// If an outcome is missing.
    pub fn new(
        settings: &StudySettings,
        pair: &'s PairData,
        shared: Shared,
        task: &'s str,
        outcomes: &Outcomes,
    ) -> Self {
        let predictions = |arm: Arm| {
            let units = outcomes.iter().filter(move |(spec, _)| {
                (spec.repeat, spec.seed) == (0, 0)
                    && spec.pair == pair.name
                    && (spec.shared, spec.arm) == (Some(shared), arm)
                    && spec.task.as_ref().is_none_or(|of| of == task)
            });
            units.map(|(_, outcome)| outcome.tasks.get(task).expect("the unit tested the task"))
        };
        let threshold = settings.base.threshold;
        let mut decisions = Vec::new();
        for (stl, mtl) in predictions(Arm::Stl).zip(predictions(Arm::Mtl)) {
            assert_eq!(stl.rows, mtl.rows, "arms are tested on the same rows");
            for (i, (&row, &truth)) in stl.rows.iter().zip(&stl.truths).enumerate() {
                let (p_stl, p_mtl) = (stl.probabilities[i], mtl.probabilities[i]);
                let right = |p: f64| (p > threshold) == truth;
                decisions.push(Decision { row, truth, p_stl, p_mtl, stl_right: right(p_stl), mtl_right: right(p_mtl) });
            }
        }
        decisions.sort_by_key(|decision| decision.row);
        let labels = pair.dataset.examples.iter().filter(|example| example.labels[pair.slot(task)].is_some());
        assert_eq!(decisions.len(), labels.count(), "every labelled row is tested once");
        Self { pair, shared, task, decisions }
    }

    /// The row of a decision as it was read, and its file.
    pub fn record(&self, decision: &Decision) -> (&Record, &Source) {
        let record = &self.pair.corpus.records[decision.row];
        (record, &self.pair.corpus.sources[record.source as usize])
    }
}

impl McNemar {
    /// Counts decisions, and tests whether one arm errs on more of them.
    pub(in crate::mtl::study) fn of<'d>(decisions: impl Iterator<Item = &'d Decision>) -> Self {
        let mut counts = [[0; 2]; 2]; // [STL right][MTL right]
        for decision in decisions {
            counts[usize::from(decision.stl_right)][usize::from(decision.mtl_right)] += 1;
        }
        let [[both_wrong, only_mtl], [only_stl, both_right]] = counts;
        Self { both_right, only_stl, only_mtl, both_wrong, p: mcnemar(only_stl, only_mtl) }
    }

    /// All texts.
    pub fn rows(&self) -> u64 {
        self.both_right + self.only_stl + self.only_mtl + self.both_wrong
    }

    /// The share of texts on which STL errs.
    pub fn stl_error(&self) -> f64 {
        (self.only_mtl + self.both_wrong) as f64 / self.rows() as f64
    }

    /// The share of texts on which MTL errs.
    pub fn mtl_error(&self) -> f64 {
        (self.only_stl + self.both_wrong) as f64 / self.rows() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;

    fn decision(stl_right: bool, mtl_right: bool) -> Decision {
        Decision { row: 0, truth: true, p_stl: 0.0, p_mtl: 0.0, stl_right, mtl_right }
    }

    /// p: SciPy's `binomtest(5, 20)`.
    #[test]
    fn the_four_cells_are_counted_where_they_belong() {
        let times = |n, stl, mtl| std::iter::repeat_n(decision(stl, mtl), n);
        let all: Vec<_> = times(70, true, true).chain(times(15, true, false)).chain(times(5, false, true)).collect();
        let all: Vec<_> = all.into_iter().chain(times(10, false, false)).collect();
        let counted = McNemar::of(all.iter());
        assert_eq!([counted.both_right, counted.only_stl, counted.only_mtl, counted.both_wrong], [70, 15, 5, 10]);
        assert_abs_diff_eq!(counted.p, 0.041_389_465_3, epsilon = 1e-9);
        assert_eq!((counted.rows(), counted.stl_error(), counted.mtl_error()), (100, 0.15, 0.25));
    }
}
