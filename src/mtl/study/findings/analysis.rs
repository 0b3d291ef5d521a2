//! From the units' predictions to [`Results`].

use indexmap::IndexMap;

use super::{
    answer,
    results::{
        ArmResult, BalancedResult, Baseline, BaselineResult, Comparison, ControlResult, EpochSummary, FoldResult,
        LayerResult, PairResult, RealGain, Results, Split, Spread, Summary, TaskFacts, TaskResult,
    },
};
use crate::mtl::{
    evaluation::{metrics::Metrics, statistics::f_over_folds},
    settings::{Balance, Shared},
    study::{
        error_analysis::{McNemar, Slice, SliceResult, TaskDecisions, slices},
        execution::{Outcomes, Predictions, UnitOutcome},
        planning::{Arm, Control, PairData, StudySettings, UnitSpec},
    },
    training::EpochReport,
};

/// One number of a measurement; `None` where it is not defined.
pub type Metric = fn(&Metrics) -> Option<f64>;

/// The metrics that are summarised, by name.
pub const METRICS: [(&str, Metric); 11] = [
    ("accuracy", |m| Some(m.accuracy)),
    ("precision", |m| Some(m.precision)),
    ("recall", |m| Some(m.recall)),
    ("f1", |m| Some(m.f1)),
    ("macro_f1", |m| Some(m.macro_f1)),
    ("mcc", |m| Some(m.mcc)),
    ("share_predicted_true", |m| Some(m.share_predicted_true)),
    ("average_precision", |m| Some(m.average_precision)),
    ("auroc", |m| m.auroc),
    ("brier_score", |m| Some(m.brier_score)),
    ("log_loss", |m| Some(m.log_loss)),
];

/// Points (hundredths) of a share.
const POINTS: f64 = 100.0;

/// The results of a study whose units are all finished.
///
/// # Panics
/// If an outcome is missing.
pub fn analyse(settings: &StudySettings, pairs: &[PairData], outcomes: &Outcomes) -> Results {
    let mut results = Results {
        version: env!("CARGO_PKG_VERSION").into(),
        preset: settings.base.preset,
        seed: settings.base.seed,
        folds: settings.folds,
        repeats: settings.repeats,
        epochs: settings.base.epochs,
        rope: settings.rope,
        inner: settings.inner,
        pairs: pairs.iter().map(|pair| Analysis { settings, pair, outcomes }.pair()).collect(),
    };
    let measures: [fn(&mut TaskResult) -> &mut Comparison; 2] = [|task| &mut task.f1, |task| &mut task.accuracy];
    for measure in measures {
        let layers = results.pairs.iter_mut().flat_map(|pair| &mut pair.layers);
        let mut table: Vec<&mut Comparison> = layers.flat_map(|layer| &mut layer.tasks).map(measure).collect();
        Comparison::correct_together(&mut table);
    }
    let layers = results.pairs.iter_mut().flat_map(|pair| &mut pair.layers);
    let mut slices: Vec<&mut SliceResult> =
        layers.flat_map(|layer| &mut layer.tasks).flat_map(|task| &mut task.slices).collect();
    SliceResult::correct_together(&mut slices);
    for pair in &mut results.pairs {
        pair.answer = answer::sentence(pair);
    }
    results
}

pub(super) struct Analysis<'s> {
    pub settings: &'s StudySettings,
    pub pair: &'s PairData,
    pub outcomes: &'s Outcomes,
}

/// The outcomes of one arm for one task, fold by fold.
pub(super) struct Arms<'s> {
    pub folds: Vec<Fold<'s>>,
}

pub(super) struct Fold<'s> {
    pub repeat: usize,
    pub fold: usize,
    pub outcome: &'s UnitOutcome,
    predictions: &'s Predictions,
}

impl<'s> Analysis<'s> {
    fn pair(&self) -> PairResult {
        let dataset = &self.pair.dataset;
        let facts = |(slot, name): (usize, &String)| {
            let labels = || dataset.examples.iter().filter_map(|example| example.labels[slot]);
            TaskFacts { name: name.clone(), rows: labels().count(), positives: labels().filter(|&label| label).count() }
        };
        let slices: Vec<Vec<Slice>> = dataset.tasks.iter().map(|task| slices(self.pair, task)).collect();
        let layer = |&shared: &Shared| LayerResult {
            shared,
            tasks: dataset.tasks.iter().zip(&slices).map(|(task, slices)| self.task(shared, task, slices)).collect(),
        };
        PairResult {
            name: self.pair.name.clone(),
            relatedness: self.pair.relatedness,
            doubly_labelled: dataset.examples.iter().any(|example| example.labels.iter().flatten().count() > 1),
            answer: String::new(),
            tasks: dataset.tasks.iter().enumerate().map(facts).collect(),
            baselines: [Baseline::Majority, Baseline::AlwaysTrue, Baseline::NGram].map(|b| self.baseline(b)).into(),
            layers: self.settings.shared.iter().map(layer).collect(),
        }
    }

    fn baseline(&self, baseline: Baseline) -> BaselineResult {
        let of_task = |task: &String| {
            let n_grams = self.arm(None, Arm::NGram, task);
            let metrics = n_grams.folds.iter().map(|fold| match baseline {
                Baseline::Majority => Metrics::majority(self.prior(task, fold), &fold.predictions.truths),
                Baseline::AlwaysTrue => Metrics::always_true(&fold.predictions.truths),
                Baseline::NGram => fold.fixed(self.settings),
            });
            (task.clone(), Summary::of(&metrics.collect::<Vec<_>>()))
        };
        BaselineResult { baseline, tasks: self.pair.dataset.tasks.iter().map(of_task).collect() }
    }

    /// The share of true labels in all folds but this one.
    fn prior(&self, task: &str, fold: &Fold) -> f64 {
        let slot = self.pair.slot(task);
        let folds = &self.pair.folds[fold.repeat];
        let elsewhere = self.pair.dataset.examples.iter().zip(folds).filter(|(_, of_row)| **of_row != Some(fold.fold));
        let labels: Vec<bool> = elsewhere.filter_map(|(example, _)| example.labels[slot]).collect();
        labels.iter().filter(|&&label| label).count() as f64 / labels.len().max(1) as f64
    }

    fn task(&self, shared: Shared, task: &str, slices: &[Slice]) -> TaskResult {
        let (stl, mtl) = (self.arm(Some(shared), Arm::Stl, task), self.arm(Some(shared), Arm::Mtl, task));
        let compare = |of: fn(&Metrics) -> f64, from: &Arms, to: &Arms| {
            let of = |fold: &Fold| POINTS * of(&fold.fixed(self.settings));
            let differences = from.folds.iter().zip(&to.folds).map(|(from, to)| of(to) - of(from));
            Comparison::new(differences.collect(), self.settings)
        };
        let arms = self.settings.controls.iter().map(|&c| (c, self.arm(Some(shared), Arm::Control(c), task)));
        let arms: Vec<(Control, Arms)> = arms.collect();
        let control = |(control, arm): &(Control, Arms)| ControlResult {
            control: *control,
            arm: arm.result(self.settings, task),
            gain: compare(|m| m.f1, &stl, arm),
        };
        let controls: Vec<ControlResult> = arms.iter().map(control).collect();
        // Of equally good ones the first.
        let mean = |result: &ControlResult| result.gain.spread.mean;
        let best = (0..controls.len()).rev().max_by(|&a, &b| mean(&controls[a]).total_cmp(&mean(&controls[b])));
        let real_gain =
            best.map(|best| RealGain { best_control: arms[best].0, f1: compare(|m| m.f1, &arms[best].1, &mtl) });
        let single_texts = TaskDecisions::new(self.settings, self.pair, shared, task, self.outcomes);
        let balanced = |&balance: &Balance| {
            let arm = self.arm(Some(shared), Arm::Balanced(balance), task);
            BalancedResult {
                balance,
                arm: arm.result(self.settings, task),
                from_mtl: compare(|m| m.f1, &mtl, &arm),
                from_stl: compare(|m| m.f1, &stl, &arm),
            }
        };
        TaskResult {
            task: task.to_owned(),
            stl: stl.result(self.settings, task),
            mtl: mtl.result(self.settings, task),
            f1: compare(|m| m.f1, &stl, &mtl),
            accuracy: compare(|m| m.accuracy, &stl, &mtl),
            mcnemar: McNemar::of(single_texts.decisions.iter()),
            slices: SliceResult::of(slices, &single_texts),
            split: self.split(&stl, &mtl),
            controls,
            real_gain,
            balanced: self.settings.balance.iter().map(balanced).collect(),
        }
    }

    pub fn arm(&self, shared: Option<Shared>, arm: Arm, task: &str) -> Arms<'s> {
        let wanted = |spec: &UnitSpec| {
            spec.pair == self.pair.name
                && (spec.shared, spec.arm) == (shared, arm)
                && spec.task.as_ref().is_none_or(|of| of == task)
        };
        let units = self.outcomes.iter().filter(|(spec, _)| wanted(spec));
        let folds: Vec<Fold> = units
            .map(|(spec, outcome)| {
                let predictions = outcome.tasks.get(task).expect("the unit tested the task");
                Fold { repeat: spec.repeat, fold: spec.fold, outcome, predictions }
            })
            .collect();
        let places = folds.iter().map(|fold| (fold.repeat, fold.fold));
        assert!(places.eq(self.settings.places()), "a unit of {} is missing", arm.word());
        Arms { folds }
    }

    /// Ranking is the difference with tuned thresholds; the operating point is the rest.
    fn split(&self, stl: &Arms, mtl: &Arms) -> Option<Split> {
        let parts = stl.folds.iter().zip(&mtl.folds).map(|(stl, mtl)| {
            let fixed = mtl.fixed(self.settings).f1 - stl.fixed(self.settings).f1;
            let ranking = mtl.tuned()?.f1 - stl.tuned()?.f1;
            Some((POINTS * ranking, POINTS * (fixed - ranking)))
        });
        let parts: Vec<(f64, f64)> = parts.collect::<Option<_>>()?;
        Some(Split {
            ranking: Spread::of(parts.iter().map(|part| part.0)),
            operating_point: Spread::of(parts.iter().map(|part| part.1)),
        })
    }
}

impl Fold<'_> {
    /// At the fixed threshold.
    pub fn fixed(&self, settings: &StudySettings) -> Metrics {
        self.metrics(settings.base.threshold)
    }

    /// At the tuned threshold.
    fn tuned(&self) -> Option<Metrics> {
        self.predictions.tuned_threshold.map(|threshold| self.metrics(threshold))
    }

    fn metrics(&self, threshold: f64) -> Metrics {
        Metrics::new(&self.predictions.probabilities, &self.predictions.truths, threshold)
    }
}

impl Arms<'_> {
    fn result(&self, settings: &StudySettings, task: &str) -> ArmResult {
        let fold = |fold: &Fold| FoldResult {
            repeat: fold.repeat,
            fold: fold.fold,
            metrics: fold.fixed(settings),
            tuned: fold.tuned(),
            epochs: fold.outcome.epochs.len(),
            chosen_epoch: fold.outcome.chosen_epoch,
            steps: fold.outcome.steps,
        };
        let folds: Vec<FoldResult> = self.folds.iter().map(fold).collect();
        let fixed: Vec<Metrics> = folds.iter().map(|fold| fold.metrics.clone()).collect();
        let tuned: Option<Vec<Metrics>> = folds.iter().map(|fold| fold.tuned.clone()).collect();
        let most = folds.iter().map(|fold| fold.epochs).max().unwrap_or(0);
        let training = (1..=most).map(|epoch| self.epoch(epoch, task)).collect();
        ArmResult { summary: Summary::of(&fixed), tuned: tuned.map(|tuned| Summary::of(&tuned)), folds, training }
    }

    /// What the folds that reached an epoch report of the task. (A pooled head reports of all tasks as one.)
    fn epoch(&self, epoch: usize, task: &str) -> EpochSummary {
        let reports = self.folds.iter().filter_map(|fold| fold.outcome.epochs.get(epoch - 1));
        let of_task = |report: &'_ EpochReport| {
            let task = report.tasks.get(task).or_else(|| report.tasks.values().next());
            task.expect("a report of a task").clone()
        };
        let reports: Vec<_> = reports.map(of_task).collect();
        let inner = |of: fn(&Metrics) -> f64| {
            let values = reports.iter().map(|report| report.validation.as_ref().map(of));
            values.collect::<Option<Vec<f64>>>().map(Spread::of)
        };
        EpochSummary {
            epoch,
            folds: reports.len(),
            loss: Spread::of(reports.iter().map(|report| report.loss)),
            inner_loss: inner(|m| m.log_loss),
            inner_f1: inner(|m| m.f1),
        }
    }
}

impl Summary {
    /// Of one measurement a fold.
    pub fn of(folds: &[Metrics]) -> Self {
        let spread = |(name, of): &(&str, Metric)| (name.to_string(), Spread::of(folds.iter().filter_map(of)));
        let metrics: IndexMap<String, Spread> = METRICS.iter().map(spread).collect();
        let counts: Vec<_> = folds.iter().map(|metrics| metrics.counts).collect();
        Self { metrics, f_over_folds: f_over_folds(&counts) }
    }
}
