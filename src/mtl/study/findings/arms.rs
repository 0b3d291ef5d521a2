//! The trainings of one arm for one task, and what they make together.

use indexmap::IndexMap;

use super::{
    METRICS, Metric,
    results::{ArmResult, EpochSummary, FoldResult, Spread, Summary},
};
use crate::mtl::{
    evaluation::{
        interval::{Measure, PairedUnit},
        metrics::Metrics,
        statistics::{expected_best, f_over_folds},
    },
    settings::Shared,
    study::{
        execution::{Outcomes, Predictions, UnitOutcome},
        planning::{Arm, PairData, StudySettings, UnitSpec},
    },
    training::EpochReport,
};

/// Points (hundredths) of a share.
pub(super) const POINTS: f64 = 100.0;

/// All trainings of one arm for one task: repeat by repeat, fold by fold, seed by seed.
pub(super) struct Trainings<'s> {
    settings: &'s StudySettings,
    pair: &'s PairData,
    task: &'s str,
    pub all: Vec<Training<'s>>,
}

/// One training.
pub(super) struct Training<'s> {
    pub repeat: usize,
    pub fold: usize,
    pub seed: usize,
    pub outcome: &'s UnitOutcome,
    pub predictions: &'s Predictions,
}

impl<'s> Trainings<'s> {
    /// Finds them among the outcomes.
    ///
    /// # Panics
    /// If one is missing.
    pub fn find(
        settings: &'s StudySettings,
        pair: &'s PairData,
        outcomes: &'s Outcomes,
        (shared, arm): (Option<Shared>, Arm),
        task: &'s str,
    ) -> Self {
        let wanted = |spec: &UnitSpec| {
            spec.pair == pair.name
                && (spec.shared, spec.arm) == (shared, arm)
                && spec.task.as_ref().is_none_or(|of| of == task)
        };
        let units = outcomes.iter().filter(|(spec, _)| wanted(spec));
        let training = |(spec, outcome): &'s (UnitSpec, UnitOutcome)| {
            let predictions = outcome.tasks.get(task).expect("the unit tested the task");
            let UnitSpec { repeat, fold, seed, .. } = *spec;
            Training { repeat, fold, seed, outcome, predictions }
        };
        let all: Vec<Training> = units.map(training).collect();
        let seeds = all.iter().map(|training| training.seed + 1).max().unwrap_or(0);
        let places = settings.places().flat_map(|(repeat, fold)| (0..seeds).map(move |seed| (repeat, fold, seed)));
        let found = all.iter().map(|training| (training.repeat, training.fold, training.seed));
        assert!(seeds > 0 && found.eq(places), "a unit of {} is missing", arm.word());
        Self { settings, pair, task, all }
    }

    /// The trainings of each fold.
    pub fn folds(&self) -> impl Iterator<Item = &[Training<'s>]> + Clone {
        self.all.chunk_by(|a, b| (a.repeat, a.fold) == (b.repeat, b.fold))
    }

    /// The figure of each fold at the fixed threshold, as a mean over its trainings.
    pub fn fixed(&self, of: fn(&Metrics) -> f64) -> Vec<f64> {
        self.folds().map(|fold| mean(fold.iter().map(|training| of(&training.fixed(self.settings))))).collect()
    }

    /// The figure of each fold at the tuned thresholds, likewise; `None` if none was tuned.
    pub fn tuned(&self, of: fn(&Metrics) -> f64) -> Option<Vec<f64>> {
        let fold = |fold: &[Training]| {
            let figures: Option<Vec<f64>> = fold.iter().map(|training| Some(of(&training.tuned()?))).collect();
            figures.map(|figures| mean(figures.into_iter()))
        };
        self.folds().map(fold).collect()
    }

    /// The measure on the inner rows, as a mean over all trainings; `None` without inner rows.
    pub fn inner_score(&self) -> Option<f64> {
        let StudySettings { measure, base, .. } = self.settings;
        let score = |training: &Training| Some(training.predictions.inner.as_ref()?.score(*measure, base.threshold));
        let scores: Option<Vec<f64>> = self.all.iter().map(score).collect();
        scores.map(|scores| mean(scores.into_iter()))
    }

    /// In which share of the trainings the smallest loss on inner rows was so late that more epochs might have found a smaller one;
    /// `None` without inner rows.
    pub fn still_improving(&self) -> Option<f64> {
        let base = &self.settings.base;
        let is_improving = |training: &Training| {
            let losses = training.outcome.epochs.iter().map(inner_loss);
            let losses: Vec<f64> = losses.collect::<Option<_>>()?;
            let (best, _) = losses.iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1))?;
            // With patience, a training that ended before the limit had run out of it.
            Some(losses.len() >= base.epochs && best + base.patience.max(1) >= losses.len())
        };
        let improving: Option<Vec<bool>> = self.all.iter().map(is_improving).collect();
        improving.map(|all| mean(all.into_iter().map(|improving| f64::from(u8::from(improving)))))
    }

    /// Pairs these trainings with those of another arm, `other`, of the same folds, as many as both have. Only an arm of which no
    /// more is made, the n-grams, stands with its one training against each of the other's.
    pub fn paired_with<'a>(
        &'a self,
        other: &'a Trainings<'_>,
        groups: &'a [u64],
        measure: Measure,
    ) -> Vec<PairedUnit<'a>> {
        let mut units = Vec::new();
        for (base, other) in self.folds().zip(other.folds()) {
            let seeds = match (base.len(), other.len()) {
                (1, seeds) | (seeds, 1) => seeds,
                (base, other) => base.min(other),
            };
            for seed in 0..seeds {
                let [base, other] = [base, other].map(|fold| &fold[seed.min(fold.len() - 1)]);
                assert_eq!(base.predictions.rows, other.predictions.rows, "arms are tested on the same rows");
                let place = (base.repeat, base.fold, seed);
                let fixed = self.settings.base.threshold;
                units.push(base.predictions.against(other.predictions, place, groups, measure, fixed));
            }
        }
        units
    }

    /// The share of true labels in all folds but one of a repeat.
    pub fn prior(&self, repeat: usize, fold: usize) -> f64 {
        let slot = self.pair.slot(self.task);
        let rows = self.pair.dataset.examples.iter().zip(&self.pair.folds[repeat]);
        let elsewhere = rows.filter(|(_, of_row)| **of_row != Some(fold));
        let labels: Vec<bool> = elsewhere.filter_map(|(example, _)| example.labels[slot]).collect();
        labels.iter().filter(|&&label| label).count() as f64 / labels.len().max(1) as f64
    }

    /// What a report shows of the arm.
    pub fn result(&self) -> ArmResult {
        let training = |training: &Training| FoldResult {
            repeat: training.repeat,
            fold: training.fold,
            seed: training.seed,
            metrics: training.fixed(self.settings),
            tuned: training.tuned(),
            epochs: training.outcome.epochs.len(),
            chosen_epoch: training.outcome.chosen_epoch,
            steps: training.outcome.steps,
        };
        let folds: Vec<FoldResult> = self.all.iter().map(training).collect();
        let most = folds.iter().map(|fold| fold.epochs).max().unwrap_or(0);
        ArmResult {
            summary: self.summary(|training| training.fixed(self.settings)),
            tuned: self.tuned(|m| m.f1).map(|_| self.summary(|training| training.tuned().expect("all were tuned"))),
            training: (1..=most).map(|epoch| self.epoch(epoch)).collect(),
            inner_score: self.inner_score(),
            expected_best: self.expected_best(),
            folds,
        }
    }

    /// Means over folds of what `measure` says of each training.
    pub fn summary(&self, measure: impl Fn(&Training) -> Metrics) -> Summary {
        let folds: Vec<Vec<Metrics>> = self.folds().map(|fold| fold.iter().map(&measure).collect()).collect();
        let spread = |(name, of): &(&str, Metric)| {
            let of_fold = |fold: &Vec<Metrics>| {
                let figures: Vec<f64> = fold.iter().filter_map(of).collect();
                (!figures.is_empty()).then(|| mean(figures.into_iter()))
            };
            (name.to_string(), Spread::of(folds.iter().filter_map(of_fold)))
        };
        let metrics: IndexMap<String, Spread> = METRICS.iter().map(spread).collect();
        let counts: Vec<_> = folds.iter().flatten().map(|metrics| metrics.counts).collect();
        Summary { metrics, f_over_folds: f_over_folds(&counts) }
    }

    /// What the trainings that reached an epoch report of the task. (A pooled head reports of all tasks as one.)
    fn epoch(&self, epoch: usize) -> EpochSummary {
        let reports = self.all.iter().filter_map(|training| training.outcome.epochs.get(epoch - 1));
        let of_task = |report: &'_ EpochReport| {
            let task = report.tasks.get(self.task).or_else(|| report.tasks.values().next());
            task.expect("a report of a task").clone()
        };
        let reports: Vec<_> = reports.map(of_task).collect();
        let inner = |of: fn(&Metrics) -> f64| {
            let values = reports.iter().map(|report| report.validation.as_ref().map(of));
            values.collect::<Option<Vec<f64>>>().map(Spread::of)
        };
        EpochSummary {
            epoch,
            trainings: reports.len(),
            loss: Spread::of(reports.iter().map(|report| report.loss)),
            inner_loss: inner(|m| m.log_loss),
            inner_f1: inner(|m| m.f1),
        }
    }

    /// Of the first k trials, as a mean over the trainings; empty without tuning.
    fn expected_best(&self) -> Vec<f64> {
        let scores = |training: &Training| training.outcome.trials.iter().map(|trial| trial.score).collect();
        let scores: Vec<Vec<f64>> = self.all.iter().map(scores).collect();
        let trials = scores.iter().map(Vec::len).min().unwrap_or(0);
        (1..=trials).map(|k| mean(scores.iter().map(|scores| expected_best(scores, k)))).collect()
    }
}

impl Training<'_> {
    /// On the test rows, at the fixed threshold.
    pub fn fixed(&self, settings: &StudySettings) -> Metrics {
        self.metrics(settings.base.threshold)
    }

    /// On the test rows, at the threshold tuned on the inner rows.
    pub fn tuned(&self) -> Option<Metrics> {
        self.predictions.tuned_threshold().map(|threshold| self.metrics(threshold))
    }

    fn metrics(&self, threshold: f64) -> Metrics {
        Metrics::new(&self.predictions.probabilities, &self.predictions.truths, threshold)
    }
}

/// The loss on inner rows, summed over tasks: what the epoch to keep is chosen by.
fn inner_loss(report: &EpochReport) -> Option<f64> {
    report.tasks.values().map(|task| Some(task.validation.as_ref()?.log_loss)).sum()
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = values.len() as f64;
    values.sum::<f64>() / n
}
