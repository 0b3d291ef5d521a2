//! One comparison of learning together with learning alone: interval, verdict, and what keeps it open.

use super::{
    arms::{POINTS, Trainings},
    results::{Cell, Difference, MeasureResult, Narrowing, NotLearnt, StillImproving, VarianceResult},
};
use crate::mtl::{
    evaluation::interval::{Interval, Measure, NothingLearnt, Verdict, nothing_learnt_by_most, paired_interval},
    study::planning::StudySettings,
};

/// The most seeds that are ever recommended.
const MOST_SEEDS: usize = 100;

/// Learning alone and together, with the groups of the pair's rows.
pub(super) struct Comparison<'s> {
    pub settings: &'s StudySettings,
    pub groups: &'s [u64],
    pub alone: &'s Trainings<'s>,
    pub together: &'s Trainings<'s>,
    /// Whether `alone` is the control with as many steps.
    pub alone_is_matched: bool,
}

impl Comparison<'_> {
    /// Together − alone.
    pub fn interval(&self, measure: Measure) -> Interval {
        let units = self.alone.paired_with(self.together, self.groups, measure);
        paired_interval(measure, &units).expect("a study has two folds or more")
    }

    pub fn cell(&self) -> Cell {
        let StudySettings { measure, rope, .. } = *self.settings;
        let interval = self.interval(measure);
        let not_learnt = self.not_learnt();
        let verdict = match not_learnt {
            Some(_) => Verdict::NotLearnt,
            None => interval.verdict(rope / POINTS),
        };
        let Difference { difference, low, high } = Difference::of(&interval);
        let still_improving = self.alone.still_improving().zip(self.together.still_improving());
        Cell {
            verdict,
            measure,
            alone_is_matched: self.alone_is_matched,
            difference,
            low,
            high,
            alone: interval.base,
            together: interval.other,
            variance: VarianceResult::of(&interval),
            // Before Holm's correction, which needs all cells.
            p_gain: interval.p_above(rope / POINTS),
            p_cost: interval.p_below(-rope / POINTS),
            not_learnt,
            seeds: interval.seeds,
            still_improving: still_improving.map(|(alone, together)| StillImproving { alone, together }),
            narrowing: not_learnt.is_none().then(|| Narrowing::of(&interval, verdict, rope / POINTS)),
        }
    }

    /// Which of the arms has learnt nothing, in most of its trainings; `None` if both have learnt.
    pub fn not_learnt(&self) -> Option<NotLearnt> {
        let measure = self.settings.measure;
        let of = |arm: &Trainings| -> Option<NothingLearnt> {
            let predictions = arm.all.iter().map(|training| {
                let predictions = training.predictions;
                (
                    &predictions.probabilities[..],
                    &predictions.truths[..],
                    training.predictions.threshold(measure, self.settings.base.threshold),
                )
            });
            nothing_learnt_by_most(measure, predictions)
        };
        let found = NotLearnt { alone: of(self.alone), together: of(self.together) };
        (found.alone.is_some() || found.together.is_some()).then_some(found)
    }

    /// Both arms by every measure that the study's rows allow.
    pub fn measures(&self) -> impl Iterator<Item = (String, MeasureResult)> + '_ {
        let has_inner = self.alone.inner_score().is_some();
        let measures = Measure::ALL.iter().copied().filter(move |&measure| measure != Measure::F1Tuned || has_inner);
        measures.map(|measure| {
            let interval = self.interval(measure);
            let result = MeasureResult {
                alone: interval.base,
                together: interval.other,
                difference: Difference::of(&interval),
                verdict: interval.verdict(self.settings.rope / POINTS),
            };
            (measure.word().to_owned(), result)
        })
    }
}

impl Difference {
    /// In points.
    pub fn of(interval: &Interval) -> Self {
        let [difference, low, high] = [interval.difference, interval.low, interval.high].map(|share| POINTS * share);
        Self { difference, low, high }
    }
}

impl VarianceResult {
    fn of(interval: &Interval) -> Self {
        let variance = interval.variance;
        Self {
            texts: POINTS * variance.texts,
            training_rows: POINTS * variance.training_rows,
            seeds: variance.seeds.map(|sd| POINTS * sd),
            widened: interval.guarded,
        }
    }
}

impl Narrowing {
    /// Of an interval whose verdict on the region of ±`rope` (a share) is known.
    pub(super) fn of(interval: &Interval, verdict: Verdict, rope: f64) -> Self {
        let points = |share: f64| POINTS * share;
        let seeds = interval.seeds;
        // The half width at which an open question has an answer, if the estimate stays where it is: its distance to the end of the
        // region that the question is about. Where both are open, the easier one counts.
        let wanted = match verdict {
            Verdict::Undecided => Some(interval.difference.abs() + rope),
            Verdict::DoesNotHurt => Some((interval.difference - rope).abs()),
            Verdict::DoesNotHelp => Some((interval.difference + rope).abs()),
            _ => None,
        };
        let seeds_to_decide =
            wanted.and_then(|wanted| interval.seeds_for(wanted)).filter(|&needed| needed <= MOST_SEEDS);
        // With the trainings that there are; if they are too few for any number of texts, with more.
        let with_texts = wanted.filter(|&wanted| wanted > 0.0 && seeds_to_decide.is_none()).and_then(|wanted| {
            let seeds = [seeds, 10, MOST_SEEDS].into_iter().filter(|&more| more >= seeds);
            seeds.map(|seeds| (interval.texts_for(wanted, seeds), seeds)).find(|(times, _)| times.is_finite())
        });
        Self {
            half_width: points(interval.half_width()),
            twice_the_seeds: points(interval.half_width_with(2 * seeds, 1.0)),
            any_seeds: points(interval.half_width_limit()),
            twice_the_texts: points(interval.half_width_with(seeds, 2.0)),
            seeds_to_decide,
            texts_to_decide: with_texts.map(|(times, _)| times),
            seeds_with_them: with_texts.map(|(_, seeds)| seeds),
        }
    }
}
