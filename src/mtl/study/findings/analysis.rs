//! From the units' predictions to [`Results`].

use super::{
    answer::{Candidate, best_on_inner_rows, task_answer},
    arms::{POINTS, Trainings},
    cell,
    results::{
        Answer, BalancedResult, Baseline, BaselineResult, Claims, Comparison, ControlResult, Difference, LayerResult,
        PairResult, RealGain, Results, Split, Spread, TaskAnswer, TaskFacts, TaskResult,
    },
};
use crate::mtl::{
    evaluation::{
        interval::{Verdict, paired_interval},
        metrics::Metrics,
        statistics::{holm, pooled},
    },
    settings::{Balance, Shared},
    study::{
        error_analysis::{McNemar, Slice, SliceResult, TaskDecisions, slices},
        execution::Outcomes,
        planning::{Arm, Control, PairData, StudySettings},
    },
};

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
        seeds: settings.seeds,
        measure: settings.measure,
        threshold: settings.base.threshold,
        tune: settings.tune,
        epochs: settings.base.epochs,
        rope: settings.rope,
        inner: settings.inner,
        claims: Claims::default(),
        pairs: pairs.iter().map(|pair| Analysis::new(settings, pair, outcomes).pair()).collect(),
    };
    results.claims = correct_cells(&mut results.pairs);
    let measures: [fn(&mut TaskResult) -> &mut Comparison; 2] = [|task| &mut task.f1, |task| &mut task.accuracy];
    for measure in measures {
        let mut table: Vec<&mut Comparison> = tasks_of(&mut results.pairs).map(measure).collect();
        Comparison::correct_together(&mut table);
    }
    let mut slices: Vec<&mut SliceResult> = tasks_of(&mut results.pairs).flat_map(|task| &mut task.slices).collect();
    SliceResult::correct_together(&mut slices);
    results
}

fn tasks_of(pairs: &mut [PairResult]) -> impl Iterator<Item = &mut TaskResult> {
    pairs.iter_mut().flat_map(|pair| &mut pair.layers).flat_map(|layer| &mut layer.tasks)
}

/// Holm's correction of the one-sided p of gains, and of those of costs, over all cells in which both arms have learnt. Each family
/// is tested at half of 5 %, as an interval of 95 % has two ends.
fn correct_cells(pairs: &mut [PairResult]) -> Claims {
    const LEVEL: f64 = 0.025;
    const NORMAL_QUANTILE: f64 = 1.959_963_984_540_054; // of 1 − LEVEL
    let mut cells: Vec<_> =
        tasks_of(pairs).map(|task| &mut task.cell).filter(|cell| cell.verdict != Verdict::NotLearnt).collect();
    let gains = holm(&cells.iter().map(|cell| cell.p_gain).collect::<Vec<_>>());
    let costs = holm(&cells.iter().map(|cell| cell.p_cost).collect::<Vec<_>>());
    for ((cell, gain), cost) in cells.iter_mut().zip(&gains).zip(&costs) {
        (cell.p_gain, cell.p_cost) = (*gain, *cost);
    }
    let below = |p: &[f64]| p.iter().filter(|&&p| p <= LEVEL).count();
    // Half an interval in units of the normal quantile: wider where degrees of freedom are few, so that such cells weigh less.
    let estimates = cells.iter().map(|cell| (cell.difference, (cell.high - cell.low) / 2.0 / NORMAL_QUANTILE));
    let estimates: Vec<(f64, f64)> = estimates.filter(|(_, error)| *error > 0.0).collect();
    Claims { comparisons: cells.len(), helps: below(&gains), hurts: below(&costs), pooled: pooled(&estimates) }
}

/// One pair with the outcomes of its units.
pub(super) struct Analysis<'s> {
    settings: &'s StudySettings,
    pair: &'s PairData,
    outcomes: &'s Outcomes,
    groups: Vec<u64>, // [rows of the pair]
}

impl<'s> Analysis<'s> {
    pub fn new(settings: &'s StudySettings, pair: &'s PairData, outcomes: &'s Outcomes) -> Self {
        let groups = pair.dataset.examples.iter().map(|example| example.group).collect();
        Self { settings, pair, outcomes, groups }
    }

    pub fn arm(&self, shared: Option<Shared>, arm: Arm, task: &'s str) -> Trainings<'s> {
        Trainings::find(self.settings, self.pair, self.outcomes, (shared, arm), task)
    }

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
            answer: Answer { tasks: dataset.tasks.iter().map(|task| self.answer(task)).collect() },
            tasks: dataset.tasks.iter().enumerate().map(facts).collect(),
            baselines: [Baseline::Majority, Baseline::AlwaysTrue, Baseline::NGram].map(|b| self.baseline(b)).into(),
            layers: self.settings.shared.iter().map(layer).collect(),
        }
    }

    fn baseline(&self, baseline: Baseline) -> BaselineResult {
        let n_grams = |task: &'s String| self.arm(None, Arm::NGram, task);
        let of_task = |task: &'s String| {
            let n_grams = n_grams(task);
            let summary = n_grams.summary(|training| match baseline {
                Baseline::Majority => {
                    Metrics::majority(n_grams.prior(training.repeat, training.fold), &training.predictions.truths)
                }
                Baseline::AlwaysTrue => Metrics::always_true(&training.predictions.truths),
                Baseline::NGram => training.fixed(self.settings),
            });
            (task.clone(), summary)
        };
        let tuned = |task: &'s String| {
            let n_grams = n_grams(task);
            n_grams.tuned(|m| m.f1)?;
            Some((task.clone(), n_grams.summary(|training| training.tuned().expect("all were tuned"))))
        };
        let tasks = &self.pair.dataset.tasks;
        BaselineResult {
            baseline,
            tasks: tasks.iter().map(of_task).collect(),
            tuned: (baseline == Baseline::NGram).then(|| tasks.iter().map(tuned).collect()).flatten(),
        }
    }

    /// The ways to learn a task alone with one layer: STL, and where epochs are fixed also STL with as many steps as MTL.
    fn alone(&self, shared: Shared, task: &'s str) -> Vec<(Trainings<'s>, bool)> {
        let mut arms = vec![(self.arm(Some(shared), Arm::Stl, task), false)];
        if self.settings.epochs_are_fixed() {
            arms.push((self.arm(Some(shared), Arm::Control(Control::MatchedSteps), task), true));
        }
        arms
    }

    fn answer(&self, task: &'s str) -> TaskAnswer {
        let of_layers = |arms: &dyn Fn(Shared) -> Vec<(Trainings<'s>, bool)>| -> Vec<(Shared, Trainings<'s>, bool)> {
            let of_layer =
                |&shared: &Shared| arms(shared).into_iter().map(move |(arm, matched)| (shared, arm, matched));
            self.settings.shared.iter().flat_map(of_layer).collect()
        };
        let alone = of_layers(&|shared| self.alone(shared, task));
        let together = of_layers(&|shared| vec![(self.arm(Some(shared), Arm::Mtl, task), false)]);
        let n_grams = self.arm(None, Arm::NGram, task);
        task_answer(self.settings, &self.groups, task, (&candidates(&alone), &candidates(&together)), &n_grams)
    }

    fn task(&self, shared: Shared, task: &'s str, slices: &[Slice]) -> TaskResult {
        let (stl, mtl) = (self.arm(Some(shared), Arm::Stl, task), self.arm(Some(shared), Arm::Mtl, task));
        let compare = |of: fn(&Metrics) -> f64, from: &Trainings, to: &Trainings| {
            let differences = from.fixed(of).into_iter().zip(to.fixed(of)).map(|(from, to)| POINTS * (to - from));
            Comparison::new(differences.collect(), self.settings)
        };
        let measured = |from: &Trainings, to: &Trainings| {
            let measure = self.settings.measure;
            paired_interval(measure, &from.paired_with(to, &self.groups, measure))
                .expect("a study has two folds or more")
        };
        let interval = |from: &Trainings, to: &Trainings| Some(Difference::of(&measured(from, to)));
        let arms = self.settings.controls.iter().map(|&c| (c, self.arm(Some(shared), Arm::Control(c), task)));
        let arms: Vec<(Control, Trainings)> = arms.collect();
        let control = |(control, arm): &(Control, Trainings)| ControlResult {
            control: *control,
            arm: arm.result(),
            gain: compare(|m| m.f1, &stl, arm),
            difference: interval(&stl, arm),
        };
        let controls: Vec<ControlResult> = arms.iter().map(control).collect();
        // Of equally good ones the first.
        let mean = |result: &ControlResult| result.gain.spread.mean;
        let best = (0..controls.len()).rev().max_by(|&a, &b| mean(&controls[a]).total_cmp(&mean(&controls[b])));
        let real_gain = best.map(|best| RealGain {
            best_control: arms[best].0,
            f1: compare(|m| m.f1, &arms[best].1, &mtl),
            difference: interval(&arms[best].1, &mtl),
        });
        let single_texts = TaskDecisions::new(self.settings, self.pair, shared, task, self.outcomes);
        let balanced = |&balance: &Balance| {
            let arm = self.arm(Some(shared), Arm::Balanced(balance), task);
            let [from_mtl, from_stl] = [&mtl, &stl].map(|other| measured(other, &arm));
            BalancedResult {
                balance,
                arm: arm.result(),
                score: from_mtl.other,
                difference_from_mtl: Difference::of(&from_mtl),
                difference_from_stl: Difference::of(&from_stl),
                from_mtl: compare(|m| m.f1, &mtl, &arm),
                from_stl: compare(|m| m.f1, &stl, &arm),
            }
        };
        let alone: Vec<(Shared, Trainings, bool)> =
            self.alone(shared, task).into_iter().map(|(arm, matched)| (shared, arm, matched)).collect();
        let alone = candidates(&alone);
        let alone = best_on_inner_rows(&alone);
        let comparison = cell::Comparison {
            settings: self.settings,
            groups: &self.groups,
            alone: alone.trainings,
            together: &mtl,
            alone_is_matched: alone.is_matched,
        };
        TaskResult {
            task: task.to_owned(),
            cell: comparison.cell(),
            measures: comparison.measures().collect(),
            stl: stl.result(),
            mtl: mtl.result(),
            f1: compare(|m| m.f1, &stl, &mtl),
            accuracy: compare(|m| m.accuracy, &stl, &mtl),
            mcnemar: McNemar::of(single_texts.decisions.iter()),
            slices: SliceResult::of(slices, &single_texts),
            split: split(&stl, &mtl),
            controls,
            real_gain,
            balanced: self.settings.balance.iter().map(balanced).collect(),
        }
    }
}

fn candidates<'c>(arms: &'c [(Shared, Trainings<'c>, bool)]) -> Vec<Candidate<'c>> {
    arms.iter()
        .map(|(shared, trainings, is_matched)| Candidate { shared: *shared, trainings, is_matched: *is_matched })
        .collect()
}

/// Ranking is the difference with tuned thresholds; the operating point is the rest.
fn split(stl: &Trainings, mtl: &Trainings) -> Option<Split> {
    let difference = |from: Vec<f64>, to: Vec<f64>| -> Vec<f64> {
        from.into_iter().zip(to).map(|(from, to)| POINTS * (to - from)).collect()
    };
    let fixed = difference(stl.fixed(|m| m.f1), mtl.fixed(|m| m.f1));
    let ranking = difference(stl.tuned(|m| m.f1)?, mtl.tuned(|m| m.f1)?);
    Some(Split {
        ranking: Spread::of(ranking.iter().copied()),
        operating_point: Spread::of(fixed.iter().zip(&ranking).map(|(fixed, ranking)| fixed - ranking)),
    })
}
