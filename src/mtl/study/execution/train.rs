//! Training and testing one unit.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Instant,
};

use indexmap::IndexMap;

use super::{
    InnerPredictions, Predictions, Trial, UnitOutcome,
    n_gram::{self, NGrams},
    partial::{Partial, Progress},
};
use crate::Result;
use crate::mtl::{
    data::Vocabulary,
    settings::Settings,
    study::planning::{Arm, ArmData, Control, FoldRows, HyperParameters, PairData, StudySettings, UnitSpec},
    training::{Event, Flow, Outcome, Predictor, Trainer, epoch_plan},
};

impl UnitSpec {
    /// Trains and tests, on the threads of the current pool. `None` if `interrupted` was set on the way.
    ///
    /// # Errors
    /// A training that diverges; a fold whose inner rows would lack a class.
    pub fn run(&self, study: &StudySettings, pair: &PairData, interrupted: &AtomicBool) -> Result<Option<UnitOutcome>> {
        self.run_on(study, pair, &pair.rows(self.repeat, self.fold)?, interrupted)
    }

    /// As [`run`](Self::run), on some of the rows of the fold only.
    ///
    /// # Errors
    /// A training that diverges.
    pub fn run_on(
        &self,
        study: &StudySettings,
        pair: &PairData,
        rows: &FoldRows,
        interrupted: &AtomicBool,
    ) -> Result<Option<UnitOutcome>> {
        Unit::new(self, study, pair, rows).run(None, interrupted)
    }

    /// As [`run`](Self::run), from where the partial files are. They are written now and then, and where `interrupted` was set.
    ///
    /// # Errors
    /// As those of `run`; partial files that cannot be written.
    pub(super) fn run_from(
        &self,
        study: &StudySettings,
        pair: &PairData,
        partial: &mut Partial,
        interrupted: &AtomicBool,
    ) -> Result<Option<UnitOutcome>> {
        Unit::new(self, study, pair, &pair.rows(self.repeat, self.fold)?).run(Some(partial), interrupted)
    }
}

/// A unit with what it needs.
struct Unit<'s> {
    spec: &'s UnitSpec,
    study: &'s StudySettings,
    pair: &'s PairData,
    rows: &'s FoldRows,
    /// The task that it is about, if it is about one.
    slot: Option<usize>,
}

impl<'s> Unit<'s> {
    fn new(spec: &'s UnitSpec, study: &'s StudySettings, pair: &'s PairData, rows: &'s FoldRows) -> Self {
        Self { spec, study, pair, rows, slot: spec.task.as_ref().map(|task| pair.slot(task)) }
    }

    /// All trials of hyper-parameters, and the best of them.
    fn run(&self, mut partial: Option<&mut Partial>, interrupted: &AtomicBool) -> Result<Option<UnitOutcome>> {
        let settings = self.spec.settings(self.study, self.pair);
        let done = partial.as_ref().map(|partial| partial.progress()).transpose()?.unwrap_or_default();
        let mut running = Running { before: done.seconds, begin: Instant::now(), done };
        for trial in running.done.trials.len()..self.study.tune {
            let parameters = HyperParameters::trial(&settings, self.study.base.seed, trial);
            let outcome = match (self.spec.arm, self.slot) {
                (Arm::NGram, Some(slot)) => Some(self.n_grams(&settings, slot, parameters.c)),
                _ => {
                    self.network(parameters.applied_to(&settings), &mut running, partial.as_deref_mut(), interrupted)?
                }
            };
            let Some(outcome) = outcome else { return Ok(None) };
            let score = self.inner_score(&outcome);
            running.done.trials.push(Trial { parameters, score });
            // Of equally good ones the first.
            if running.done.best.as_ref().is_none_or(|(highest, _)| score > *highest) {
                running.done.best = Some((score, outcome));
            }
        }
        let seconds = running.seconds();
        let Progress { trials, best, .. } = running.done;
        let (_, outcome) = best.expect("there is a trial");
        let trials = if self.study.tune > 1 { trials } else { Vec::new() };
        Ok(Some(UnitOutcome { seconds, trials, ..outcome }))
    }

    /// Trains and tests the network of the next trial. `None` if it was interrupted.
    fn network(
        &self,
        mut settings: Settings,
        running: &mut Running,
        mut partial: Option<&mut Partial>,
        interrupted: &AtomicBool,
    ) -> Result<Option<UnitOutcome>> {
        let Self { spec, pair, rows, slot, .. } = *self;
        let data = ArmData::new(pair, spec.arm, slot, rows, settings.seed);
        let split = data.split(rows);
        // Where MTL runs a fixed number of epochs, the steps after which this control ends.
        let mut most_steps = None;
        if spec.arm == Arm::Control(Control::MatchedSteps) {
            let steps = |data: &ArmData| {
                let tasks = data.dataset.tasks.len();
                epoch_plan(&settings, &data.dataset.examples, &data.split(rows).train, tasks, 0).len()
            };
            let together = steps(&ArmData::new(pair, Arm::Mtl, None, rows, settings.seed));
            let alone = steps(&data).max(1);
            // As many steps at most and, where training stops early, as many steps of patience.
            let in_steps = |epochs: usize| (epochs * together).div_ceil(alone);
            if settings.patience == 0 {
                most_steps = Some(settings.epochs * together);
            }
            (settings.epochs, settings.patience) = (in_steps(settings.epochs), in_steps(settings.patience));
        }
        let table = pair.table(&settings);
        let mut trainer = Trainer::new(&settings, &data.dataset, &split, &table);
        if let Some(partial) = &partial {
            partial.restore(running.done.trials.len(), &mut trainer)?;
        }
        let has_enough = |trainer: &Trainer| most_steps.is_some_and(|most| trainer.steps_in_all() >= most as u64);
        let outcome = trainer.run(|trainer, _: Event<'_>| {
            if has_enough(trainer) {
                return Ok(Flow::Stop);
            }
            let stop = interrupted.load(Ordering::Relaxed);
            if let Some(partial) = partial.as_deref_mut().filter(|partial| stop || partial.is_due()) {
                running.done.seconds = running.seconds();
                partial.save(&running.done, trainer)?;
            }
            Ok(if stop { Flow::Stop } else { Flow::Continue })
        })?;
        if outcome == Outcome::Stopped && !has_enough(&trainer) {
            return Ok(None);
        }
        // Also of a training that has all its steps before its last epoch ends.
        trainer.take_chosen();

        let predict = |rows: &[usize], head: usize| -> Vec<f64> {
            let texts: Vec<&[u32]> = rows.iter().map(|&row| &pair.dataset.examples[row].tokens[..]).collect();
            let vocabulary = pair.dataset.encoder.vocabulary.len();
            let all = Predictor::new(trainer.model(), trainer.params(), vocabulary).probabilities(&texts);
            all.into_iter().map(|of_heads| of_heads[head]).collect()
        };
        let heads = data.heads.iter().enumerate().flat_map(|(head, slots)| slots.iter().map(move |&slot| (head, slot)));
        let of_task = |(head, slot): (usize, usize)| {
            let predictions = self.test(slot, |rows| predict(rows, head));
            (pair.dataset.tasks[slot].clone(), predictions)
        };
        let mut tasks: IndexMap<String, Predictions> = heads.map(of_task).collect();
        tasks.sort_keys();
        Ok(Some(UnitOutcome {
            tasks,
            epochs: trainer.reports().to_vec(),
            chosen_epoch: trainer.chosen_epoch().max(1),
            steps: trainer.steps_in_all() as usize,
            trials: Vec::new(),
            seconds: 0.0,
        }))
    }

    /// Trains and tests the n-gram baseline, on the rows that a network learns from, with a threshold tuned on the same inner rows.
    fn n_grams(&self, settings: &Settings, slot: usize, c: f64) -> UnitOutcome {
        let Self { pair, rows, .. } = *self;
        // As in scikit-learn: what has fewer than two letters or digits, such as punctuation, is no word.
        let is_word = |word: &str| word.chars().filter(|c| c.is_alphanumeric()).count() >= 2;
        let known: Vec<bool> = pair.dataset.encoder.vocabulary.words().map(is_word).collect();
        let words = |row: usize| -> Vec<u32> {
            let tokens = pair.dataset.examples[row].tokens.iter().copied();
            tokens.filter(|&id| id != Vocabulary::PAD && known[id as usize]).collect()
        };
        let texts = labelled(pair, slot, &rows.train).into_iter().map(|(row, label)| (words(row), label));
        let (model, steps) = NGrams::train(&texts.collect::<Vec<_>>(), c, settings.seed);
        let predictions = self.test(slot, |rows| rows.iter().map(|&row| model.probability(&words(row))).collect());
        let tasks = IndexMap::from([(pair.dataset.tasks[slot].clone(), predictions)]);
        let chosen_epoch = n_gram::EPOCHS;
        UnitOutcome { tasks, epochs: Vec::new(), chosen_epoch, steps, trials: Vec::new(), seconds: 0.0 }
    }

    /// The predictions on the test rows, and how well the inner rows are predicted.
    fn test(&self, slot: usize, predict: impl Fn(&[usize]) -> Vec<f64>) -> Predictions {
        let side = |rows: &[usize]| -> (Vec<usize>, Vec<bool>) { labelled(self.pair, slot, rows).into_iter().unzip() };
        let (inner, inner_truths) = side(&self.rows.inner);
        let inner = (!inner.is_empty()).then(|| InnerPredictions::new(predict(&inner), inner_truths));
        let (rows, truths) = side(&self.rows.test);
        Predictions { probabilities: predict(&rows), rows, truths, inner }
    }

    /// The study's measure on the inner rows, as a mean over the unit's tasks; 0 without inner rows.
    fn inner_score(&self, outcome: &UnitOutcome) -> f64 {
        let score = |inner: &InnerPredictions| inner.score(self.study.measure, self.study.base.threshold);
        let scores = outcome.tasks.values().filter_map(|task| task.inner.as_ref().map(score));
        scores.sum::<f64>() / outcome.tasks.len() as f64
    }
}

/// A unit while it is run.
struct Running {
    done: Progress,
    /// Seconds that earlier processes took.
    before: f64,
    begin: Instant,
}

impl Running {
    fn seconds(&self) -> f64 {
        self.before + self.begin.elapsed().as_secs_f64()
    }
}

/// The rows that have a label of the task, with it.
fn labelled(pair: &PairData, slot: usize, rows: &[usize]) -> Vec<(usize, bool)> {
    rows.iter().filter_map(|&row| Some((row, pair.dataset.examples[row].labels[slot]?))).collect()
}
