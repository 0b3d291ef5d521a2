//! What to do about each task of a pair.

use super::{
    arms::Trainings,
    cell::Comparison,
    results::{Difference, Side, TaskAnswer},
};
use crate::mtl::{
    evaluation::interval::{Verdict, paired_interval},
    settings::Shared,
    study::planning::StudySettings,
};

/// One way to learn a task with one shared layer.
pub(super) struct Candidate<'s> {
    pub shared: Shared,
    pub trainings: &'s Trainings<'s>,
    /// Whether it is the control with as many steps as MTL.
    pub is_matched: bool,
}

/// The candidate with the best score on inner rows; of equally good ones, and without inner rows, the first.
pub(super) fn best_on_inner_rows<'c, 's>(candidates: &'c [Candidate<'s>]) -> &'c Candidate<'s> {
    let score = |candidate: &Candidate| candidate.trainings.inner_score().unwrap_or(0.0);
    let best = candidates.iter().rev().max_by(|a, b| score(a).total_cmp(&score(b)));
    best.expect("a study has a shared layer")
}

/// The answer for one task.
pub(super) fn task_answer(
    settings: &StudySettings,
    groups: &[u64],
    task: &str,
    (alone, together): (&[Candidate<'_>], &[Candidate<'_>]),
    n_grams: &Trainings<'_>,
) -> TaskAnswer {
    let (alone, together) = (best_on_inner_rows(alone), best_on_inner_rows(together));
    let comparison = Comparison {
        settings,
        groups,
        alone: alone.trainings,
        together: together.trainings,
        alone_is_matched: alone.is_matched,
    };
    let cell = comparison.cell();
    let take = match cell.verdict {
        Verdict::NotLearnt => None,
        Verdict::Hurts | Verdict::DoesNotHelp => Some(Side::Alone),
        // One model serves all tasks.
        Verdict::Helps | Verdict::Equivalent | Verdict::DoesNotHurt => Some(Side::Together),
        // Nothing speaks against the simpler way.
        Verdict::Undecided => Some(Side::Alone),
    };
    let taken = match take {
        Some(Side::Alone) => alone,
        _ => together,
    };
    let units = n_grams.paired_with(taken.trainings, groups, settings.measure);
    let over_ngrams = paired_interval(settings.measure, &units).expect("a study has two folds or more");
    TaskAnswer {
        task: task.to_owned(),
        verdict: cell.verdict,
        measure: cell.measure,
        take,
        shared: taken.shared,
        shared_together: together.shared,
        shared_alone: alone.shared,
        alone_is_matched: cell.alone_is_matched,
        difference: cell.difference,
        low: cell.low,
        high: cell.high,
        alone: cell.alone,
        together: cell.together,
        ngrams: over_ngrams.base,
        over_ngrams: take.map(|_| Difference::of(&over_ngrams)),
        seeds: cell.seeds,
        not_learnt: cell.not_learnt,
        still_improving: cell.still_improving,
        narrowing: cell.narrowing,
    }
}
