//! Training, step by step.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::{
    BatchPlan, Measurement, Ranks, epoch_plan,
    gradient::{Goals, Recorded, Workers},
    optimiser,
    probe::{self, Companions, ProbedStep},
    step::{Learner, Position, Sweeps, gram},
};
use crate::autograd::{Adam, ParamId, ParamStore};
use crate::mtl::{
    balancing::{Balancer, BalancerState, Gram},
    data::{Dataset, Split},
    evaluation::metrics::Metrics,
    model::{EmbeddingInit, Model, Packer},
    settings::{Keep, Settings},
};
use crate::tensor::{Pool, Tensor};
use crate::{Error, Result};

/// A network in training. Everything random follows from the seed and the position, so the state is the parameters, the
/// optimiser and a few counts; [`checkpoint`](Self::checkpoint) writes it and [`restore`](Self::restore) reads it.
///
/// ```
/// use mtlcore::mtl::prepare::Prepared;
/// use mtlcore::mtl::settings::{Preset, Settings, Shared};
/// use mtlcore::mtl::training::{Flow, Trainer};
///
/// // Without a task the data are a small simulated pair.
/// let settings = Settings { epochs: 2, shared: Shared::Conv, ..Settings::preset(Preset::Default) };
/// let prepared = Prepared::new(&settings)?;
/// let embedding = prepared.table(&settings);
/// let mut trainer = Trainer::new(&settings, &prepared.dataset, &prepared.split, &embedding);
/// trainer.run(|_, _| Ok(Flow::Continue))?;
/// let losses: Vec<f64> = trainer.reports().iter().map(|report| report.tasks["task_a"].loss).collect();
/// assert!(losses[1] < losses[0]);
/// # Ok::<(), mtlcore::Error>(())
/// ```
pub struct Trainer<'d> {
    pub(super) settings: &'d Settings,
    pub(super) dataset: &'d Dataset,
    pub(super) split: &'d Split,
    pub(super) model: Model,
    pub(super) params: ParamStore<f32>,
    pub(super) adam: Adam<f32>,
    pub(super) balancer: Balancer,
    pub(super) state: State,
    /// The trained parameters of the best epoch so far, where they are to be kept.
    pub(super) best: Option<Vec<(ParamId, Tensor<f32>)>>,
    /// See [`checkpoint`](Self::checkpoint).
    pub(super) origin: OnceLock<String>,
    /// One for each shard of this rank.
    pools: Vec<Pool<f32>>,
    sums: Vec<f32>,
    pub(super) ranks: Ranks,
    pub(super) packer: Packer,
    measured: Option<Measurement>,
    /// Raised by whoever wants to stop, and whether any rank has seen it raised.
    wish: Arc<AtomicBool>,
    stopping: bool,
    steps_made: u32,
    /// How long they took, and how much of it was exchange between ranks.
    stepping: [Duration; 2],
}

/// The position in the training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    /// Epochs that are done.
    pub epochs: usize,
    /// Steps of the next epoch that are done.
    pub steps: usize,
    /// What these steps' losses sum up to, and over how many rows, for each task.
    pub losses: Vec<(f64, usize)>,
    /// A report of every epoch that is done.
    pub reports: Vec<EpochReport>,
    /// The epoch (from 1) with the smallest held-out loss so far, and that loss.
    pub best: Option<(usize, f64)>,
}

/// One line of a run's metrics.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochReport {
    /// From 1.
    pub epoch: usize,
    /// Optimiser steps of the epoch.
    pub steps: usize,
    /// The reports of the tasks by name, in the tasks' order.
    pub tasks: IndexMap<String, TaskReport>,
}

/// How one task fared in one epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskReport {
    /// The mean binary cross-entropy of the labelled training rows, each as it was met (with dropout, before its step).
    pub loss: f64,
    /// How well the held-out rows are predicted after the epoch, if there are any.
    pub validation: Option<Metrics>,
}

/// What [`Trainer::run`] reports to its observer.
#[derive(Clone, Copy, Debug)]
pub enum Event<'e> {
    /// A step.
    Step,
    /// The last step of an epoch.
    Epoch(&'e EpochReport),
}

/// Whether to go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flow {
    /// Go on.
    Continue,
    /// Stop here; a checkpoint of this moment can be resumed.
    Stop,
}

/// The losses and gradients of the next step.
#[derive(Clone, Debug)]
pub struct NextStep {
    /// The tasks that have a label in its batch, by name.
    pub tasks: Vec<String>,
    /// Their losses.
    pub losses: Vec<f64>,
    /// Their gradients with respect to the shared parameters.
    pub gram: Gram,
}

/// How [`Trainer::run`] ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// All epochs were run, or the held-out loss had not become smaller for too long.
    Finished,
    /// The observer asked to stop.
    Stopped,
}

impl<'d> Trainer<'d> {
    /// A fresh network for the tasks of `dataset`, to be trained on one side of `split` and validated on the other.
    pub fn new(settings: &'d Settings, dataset: &'d Dataset, split: &'d Split, table: &EmbeddingInit) -> Self {
        let mut params = ParamStore::new();
        let model = Model::new(settings, &dataset.tasks, table, &mut params);
        let (adam, balancer) =
            (optimiser(settings, dataset.encoder.vocabulary.len()), Balancer::new(settings, &dataset.tasks));
        let tasks = dataset.tasks.len();
        let state = State { epochs: 0, steps: 0, losses: vec![(0.0, 0); tasks], reports: Vec::new(), best: None };
        let packer = Packer::new(dataset.encoder.vocabulary.len());
        Self {
            settings,
            dataset,
            split,
            model,
            params,
            adam,
            balancer,
            state,
            best: None,
            origin: OnceLock::new(),
            pools: (0..settings.shards).map(|_| Pool::new()).collect(),
            sums: Vec::new(),
            ranks: Ranks::alone(),
            packer,
            measured: None,
            wish: Arc::default(),
            stopping: false,
            steps_made: 0,
            stepping: [Duration::ZERO; 2],
        }
    }

    /// The same training as one of several processes. All must have the same settings and data, and each makes all steps.
    pub fn with_ranks(self, ranks: Ranks) -> Self {
        Self { ranks, ..self }
    }

    /// Where to say that this process wants to stop. What comes of it is [`is_to_stop`](Self::is_to_stop).
    pub fn stop_when(&mut self, wish: Arc<AtomicBool>) {
        self.wish = wish;
    }

    /// Whether this process or another rank wanted to stop at the last step. It is the same for all ranks, so that they stop together.
    pub fn is_to_stop(&self) -> bool {
        self.stopping
    }

    /// How long a step of this process took on average, and how much of that it waited for other ranks and their numbers; `None` before
    /// its first step.
    pub fn step_time(&self) -> Option<[Duration; 2]> {
        (self.steps_made > 0).then(|| self.stepping.map(|time| time / self.steps_made))
    }

    /// The network.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Its parameters as they are now.
    pub fn params(&self) -> &ParamStore<f32> {
        &self.params
    }

    /// The reports of the epochs that are done.
    pub fn reports(&self) -> &[EpochReport] {
        &self.state.reports
    }

    /// Steps of the current epoch that are done.
    pub fn steps_done(&self) -> usize {
        self.state.steps
    }

    /// Steps of all epochs that are done.
    pub fn steps_in_all(&self) -> u64 {
        let before: usize = self.state.reports.iter().map(|report| report.steps).sum();
        (before + self.state.steps) as u64
    }

    /// The state of the balancing, for methods that have one.
    pub fn balance(&self) -> Option<BalancerState> {
        self.balancer.state()
    }

    /// The gradient log of the last step, if the settings have one there.
    pub fn measured(&self) -> Option<&Measurement> {
        self.measured.as_ref()
    }

    /// The tasks' gradients on the batch of the next step, with the parameters as they are now. Nothing changes.
    ///
    /// `None` if there is no next step.
    pub fn next_step(&mut self) -> Option<NextStep> {
        if self.is_finished() {
            return None;
        }
        let plan = self.plan(self.state.epochs).swap_remove(self.state.steps);
        let packed = self.packed(&plan);
        let cut = packed.cut();
        let Self { settings, dataset, model, params, pools, sums, ranks, .. } = self;
        let recorded = Recorded::new(settings, model, params, &cut, Workers { pools, sums, ranks }, false);
        let tasks = recorded.tasks.iter().map(|&task| dataset.tasks[task].clone()).collect();
        let losses = recorded.losses.iter().flatten().copied().collect();
        let each = recorded.gradients(&Goals::Each);
        Some(NextStep { tasks, losses, gram: gram(&each, &model.shared_params(params)) })
    }

    /// Steps of an epoch. It is the same for all epochs.
    pub fn steps_per_epoch(&self) -> usize {
        self.plan(0).len()
    }

    /// The mean loss of each task over the current epoch so far; `None` before its first labelled row.
    pub fn running_losses(&self) -> impl Iterator<Item = (&str, Option<f64>)> {
        let mean = |&(sum, rows): &(f64, usize)| (rows > 0).then(|| sum / rows as f64);
        self.dataset.tasks.iter().map(String::as_str).zip(self.state.losses.iter().map(mean))
    }

    /// Trains to the end, and tells `observe` of every step and epoch.
    ///
    /// In the end the parameters are those of the epoch that `keep` chooses.
    ///
    /// # Errors
    /// [`Error::Diverged`] if a loss is not finite, before the parameters are touched, or if at the end of an epoch the parameters or
    /// the held-out rows' probabilities are not; whatever `observe` returns.
    pub fn run(&mut self, mut observe: impl FnMut(&Self, Event<'_>) -> Result<Flow>) -> Result<Outcome> {
        while !self.is_finished() {
            let plan = self.plan(self.state.epochs);
            for batch in &plan[self.state.steps..] {
                self.step(batch)?;
                // The step that ends an epoch is reported with the epoch.
                if self.state.steps < plan.len() && observe(self, Event::Step)? == Flow::Stop {
                    return Ok(Outcome::Stopped);
                }
            }
            self.end_epoch()?;
            let report = self.state.reports.last().expect("the epoch has just ended");
            if observe(self, Event::Epoch(report))? == Flow::Stop {
                return Ok(Outcome::Stopped);
            }
        }
        self.take_chosen();
        Ok(Outcome::Finished)
    }

    /// Takes the parameters of the [chosen epoch](Self::chosen_epoch). [`run`](Self::run) does so when it finishes; this is for a
    /// training that its observer ended.
    pub fn take_chosen(&mut self) {
        if let Some(best) = self.best.take() {
            best.into_iter().for_each(|(id, value)| *self.params.value_mut(id) = value);
        }
    }

    /// The epoch whose parameters the finished network has, from 1.
    pub fn chosen_epoch(&self) -> usize {
        match self.settings.keep {
            Keep::Best => self.best_epoch().unwrap_or(self.state.epochs),
            Keep::Last => self.state.epochs,
        }
    }

    /// The epoch with the smallest loss on the held-out rows so far, from 1: the sum over the tasks that have such rows. None before
    /// the first epoch, and without held-out rows.
    pub fn best_epoch(&self) -> Option<usize> {
        self.state.best.map(|(epoch, _)| epoch)
    }

    fn is_finished(&self) -> bool {
        let patience = self.settings.patience;
        let is_out_of_patience = |best: usize| patience > 0 && self.state.epochs >= best + patience;
        self.state.epochs >= self.settings.epochs || self.best_epoch().is_some_and(is_out_of_patience)
    }

    pub(super) fn plan(&self, epoch: usize) -> Vec<BatchPlan> {
        epoch_plan(self.settings, &self.dataset.examples, &self.split.train, self.dataset.tasks.len(), epoch)
    }

    /// One optimiser step on one batch.
    fn step(&mut self, plan: &BatchPlan) -> Result<()> {
        let (begun, exchanged) = (Instant::now(), self.ranks.exchanging());
        let packed = self.packed(plan);
        let cut = packed.cut();
        let number = self.steps_in_all() + 1;
        let is_probed = self.settings.probe.is_some_and(|probe| number.is_multiple_of(probe.every.get()));
        let before = is_probed.then(|| probe::snapshot(&self.params));
        let epochs = self.balancer.looks_back().then(|| self.epoch_losses()).flatten();
        let Self { settings, model, params, adam, pools, sums, ranks, balancer, wish, .. } = self;
        let epochs = epochs.as_ref().map(|epochs| epochs.each_ref().map(|e| &e[..]));
        let position = Position { step: number - 1, epochs, stop: wish.load(Ordering::Relaxed) };
        let sweeps = if is_probed { Sweeps::EachTask } else { Sweeps::AsNeeded };
        let workers = Workers { pools, sums, ranks };
        let mut learner = Learner { settings, model, params, adam, workers, balancer };
        let step = learner.step(&cut, position, sweeps);
        self.stopping = step.stop;
        let losses = step.losses;
        if let Some(task) = losses.iter().position(|loss| loss.is_some_and(|loss| !loss.is_finite())) {
            return Err(self.diverged(task, self.state.steps + 1));
        }
        let denominators = cut.denominators(self.settings.loss_normaliser);
        let counts = denominators.iter().zip(&cut.labelled);
        for ((loss, (rows, labelled)), (sum, count)) in losses.iter().zip(counts).zip(&mut self.state.losses) {
            let Some(loss) = loss else { continue };
            *sum += loss * *rows as f64;
            *count += labelled;
        }
        self.measured = before.filter(|_| !step.each.is_empty()).map(|before| {
            let rows_of_others: Vec<Companions> =
                step.weights.iter().map(|&(task, _)| self.companions(plan, task, &step.weights)).collect();
            let Self { settings, dataset, model, params, pools, .. } = self;
            let (names, weights, each) = (&dataset.tasks[..], &step.weights[..], &step.each[..]);
            let (losses, rows_of_others) = (&losses[..], &rows_of_others[..]);
            let probed = ProbedStep { settings, model, names, rows_of_others, before, weights, losses, each };
            probed.measure(params, &mut pools[0], number, self.state.epochs + 1)
        });
        step.each.into_iter().for_each(|gradients| gradients.give_to(&mut self.pools[0]));
        self.state.steps += 1;
        self.steps_made += 1;
        self.stepping[0] += begun.elapsed();
        self.stepping[1] += self.ranks.exchanging() - exchanged;
        Ok(())
    }

    /// The rows of a batch that have a label of another task than this one.
    fn companions(&mut self, plan: &BatchPlan, task: usize, present: &[(usize, f64)]) -> Companions {
        let is_others = |&&row: &&usize| {
            let labels = &self.dataset.examples[row].labels;
            present.iter().any(|&(other, _)| other != task && labels[other].is_some())
        };
        let rows: Vec<usize> = plan.rows.iter().filter(is_others).copied().collect();
        let share = rows.len() as f64 / plan.rows.len() as f64;
        let plan = BatchPlan { rows, task: plan.task };
        Companions { batch: self.pack(&plan), row_keys: self.row_keys(&plan), share }
    }

    /// The mean losses of the last epoch and of the one before, once there are two.
    fn epoch_losses(&self) -> Option<[Vec<f64>; 2]> {
        let [.., before, last] = &self.state.reports[..] else { return None };
        Some([last, before].map(|report| report.tasks.values().map(|task| task.loss).collect()))
    }

    /// A step may leave parameters that are not finite after a loss that was: nothing may be learnt or saved from them.
    pub(super) fn check_finite(&self) -> Result<()> {
        let is_finite = |id| self.params.value(id).data().iter().all(|x| x.is_finite());
        let mut trained = self.params.ids().filter(|&id| self.params.is_trainable(id));
        let Some(id) = trained.find(|&id| !is_finite(id)) else { return Ok(()) };
        // A shared parameter spoils every task; the first may stand for all.
        let owner = self.model.heads().iter().position(|head| [head.dense.kernel, head.dense.bias].contains(&id));
        Err(self.diverged(owner.unwrap_or(0), self.state.steps))
    }

    pub(super) fn diverged(&self, task: usize, step: usize) -> Error {
        Error::Diverged { epoch: self.state.epochs + 1, step, task: self.dataset.tasks[task].clone() }
    }

    fn end_epoch(&mut self) -> Result<()> {
        self.check_finite()?;
        let mut validation = self.validate()?.into_iter();
        let report = |(task, (sum, rows)): (&String, (f64, usize))| {
            let validation = validation.next().flatten();
            (task.clone(), TaskReport { loss: sum / rows.max(1) as f64, validation })
        };
        let losses = self.state.losses.iter_mut().map(std::mem::take);
        let tasks: IndexMap<String, TaskReport> = self.dataset.tasks.iter().zip(losses).map(report).collect();
        self.state.epochs += 1;
        let steps = std::mem::take(&mut self.state.steps);
        self.choose(&tasks);
        self.state.reports.push(EpochReport { epoch: self.state.epochs, steps, tasks });
        Ok(())
    }

    /// Notes the epoch if its held-out loss is the smallest so far, with its parameters if they may be those to keep.
    fn choose(&mut self, tasks: &IndexMap<String, TaskReport>) {
        let losses: Vec<f64> = tasks.values().filter_map(|task| Some(task.validation.as_ref()?.log_loss)).collect();
        let loss = losses.iter().sum();
        if losses.is_empty() || self.state.best.is_some_and(|(_, best)| loss >= best) {
            return;
        }
        self.state.best = Some((self.state.epochs, loss));
        if self.settings.keep == Keep::Best {
            self.best = Some(self.trained().map(|id| (id, self.params.value(id).clone())).collect());
        }
    }
}
