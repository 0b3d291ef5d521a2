//! Training, step by step.

use std::sync::OnceLock;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::{Plan, Predictor, epoch_plan, optimiser, step};
use crate::autograd::{Adam, ParamStore};
use crate::mtl::{
    data::{Dataset, Split},
    evaluation::metrics::Metrics,
    model::{Batch, Model, Packer, Table},
    settings::{LossNormaliser, Settings},
    streams::{Streams, split_mix},
};
use crate::tensor::Pool;
use crate::{Error, Result};

/// A network in training. Everything random follows from the seed and the position, so the state is the parameters, the
/// optimiser and a few counts; [`checkpoint`](Self::checkpoint) writes it and [`restore`](Self::restore) reads it.
pub struct Trainer<'d> {
    pub(super) settings: &'d Settings,
    pub(super) dataset: &'d Dataset,
    split: &'d Split,
    model: Model,
    pub(super) params: ParamStore<f32>,
    pub(super) adam: Adam<f32>,
    pub(super) state: State,
    /// The parameters of the best epoch so far, where training may stop early.
    pub(super) best: Option<ParamStore<f32>>,
    /// See [`checkpoint`](Self::checkpoint).
    pub(super) origin: OnceLock<String>,
    pool: Pool<f32>,
    packer: Packer,
}

/// How far training has come.
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
    /// The epoch (from 1) with the smallest validation loss so far, and that loss.
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

/// What has just happened.
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

/// How [`Trainer::run`] ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// All epochs were run, or no better validation loss was in sight.
    Finished,
    /// The observer asked to stop.
    Stopped,
}

impl<'d> Trainer<'d> {
    /// A fresh network for the tasks of `dataset`, to be trained on one side of `split` and validated on the other.
    pub fn new(settings: &'d Settings, dataset: &'d Dataset, split: &'d Split, table: &Table) -> Self {
        let mut params = ParamStore::new();
        let model = Model::new(settings, &dataset.tasks, table, &mut params);
        let adam = optimiser(settings);
        let tasks = dataset.tasks.len();
        let state = State { epochs: 0, steps: 0, losses: vec![(0.0, 0); tasks], reports: Vec::new(), best: None };
        let packer = Packer::new(dataset.encoder.vocabulary.len());
        let (origin, pool) = (OnceLock::new(), Pool::new());
        Self { settings, dataset, split, model, params, adam, state, best: None, origin, pool, packer }
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
    /// With `patience` set, the parameters are those of the best epoch in the end.
    ///
    /// # Errors
    /// [`Error::Diverged`] if a loss is not finite, before the parameters are touched, or if at the end of an epoch the parameters or
    /// the held-out rows' probabilities are not; whatever `observe` returns.
    pub fn run(&mut self, mut observe: impl FnMut(&Self, Event<'_>) -> Result<Flow>) -> Result<Outcome> {
        while !self.is_finished() {
            let plan = self.plan(self.state.epochs);
            for batch in &plan[self.state.steps..] {
                self.step(batch)?;
                // The step that ends an epoch is told with the epoch's report.
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
        if let Some(best) = self.best.take() {
            self.params = best;
        }
        Ok(Outcome::Finished)
    }

    /// The epoch whose parameters the finished network has, from 1.
    pub fn chosen_epoch(&self) -> usize {
        match (self.settings.patience, self.state.best) {
            (Some(_), Some((epoch, _))) => epoch,
            _ => self.state.epochs,
        }
    }

    fn is_finished(&self) -> bool {
        let out_of_patience = match (self.settings.patience, self.state.best) {
            (Some(patience), Some((epoch, _))) => self.state.epochs >= epoch + patience,
            _ => false,
        };
        self.state.epochs >= self.settings.epochs || out_of_patience
    }

    pub(super) fn plan(&self, epoch: usize) -> Vec<Plan> {
        epoch_plan(self.settings, &self.dataset.examples, &self.split.train, self.dataset.tasks.len(), epoch)
    }

    /// One optimiser step on one batch.
    fn step(&mut self, plan: &Plan) -> Result<()> {
        let batch = self.pack(plan);
        let row_keys = self.row_keys(plan);
        let Self { settings, model, params, adam, pool, .. } = self;
        let losses = step(settings, model, params, adam, pool, &batch, &row_keys);
        if let Some(task) = losses.iter().position(|loss| loss.is_some_and(|loss| !loss.is_finite())) {
            return Err(self.diverged(task, self.state.steps + 1));
        }
        for ((loss, labels), (sum, count)) in losses.iter().zip(&batch.labels).zip(&mut self.state.losses) {
            let Some(loss) = loss else { continue };
            let labelled = labels.iter().flatten().count();
            let rows = match self.settings.loss_normaliser {
                LossNormaliser::Labelled => labelled,
                LossNormaliser::Batch => labels.len(),
            };
            *sum += loss * rows as f64;
            *count += labelled;
        }
        self.state.steps += 1;
        Ok(())
    }

    fn pack(&mut self, plan: &Plan) -> Batch {
        let examples = plan.rows.iter().map(|&row| &self.dataset.examples[row]);
        let texts = examples.map(|example| (&example.tokens[..], &example.labels[..]));
        let mut batch = self.packer.pack_labelled(texts, self.dataset.tasks.len());
        if let Some(only) = plan.task {
            for labels in batch.labels.iter_mut().enumerate().filter(|(task, _)| *task != only).map(|(_, l)| l) {
                *labels = vec![None; labels.len()].into();
            }
        }
        batch
    }

    /// What each row's dropout mask follows from: the seed, the epoch and the row itself.
    fn row_keys(&self, plan: &Plan) -> Vec<u64> {
        let key = Streams::new(self.settings.seed).key("dropout", self.state.epochs as u64);
        plan.rows.iter().map(|&row| split_mix(key, self.dataset.examples[row].key)).collect()
    }

    /// A step may leave parameters that are not finite after a loss that was: nothing may be learnt or saved from them.
    pub(super) fn check_finite(&self) -> Result<()> {
        let is_finite = |id| self.params.value(id).data().iter().all(|x| x.is_finite());
        let Some(id) = self.params.ids().find(|&id| !is_finite(id)) else { return Ok(()) };
        // A shared parameter spoils every task; the first may stand for all.
        let owner = self.model.heads().iter().position(|head| [head.dense.kernel, head.dense.bias].contains(&id));
        Err(self.diverged(owner.unwrap_or(0), self.state.steps))
    }

    fn diverged(&self, task: usize, step: usize) -> Error {
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

    /// Keeps the parameters if the validation loss, summed over tasks, is the smallest so far.
    fn choose(&mut self, tasks: &IndexMap<String, TaskReport>) {
        let losses: Option<Vec<f64>> = tasks.values().map(|t| t.validation.as_ref().map(|v| v.log_loss)).collect();
        let (Some(_), Some(losses)) = (self.settings.patience, losses) else { return };
        let loss = losses.iter().sum();
        if self.state.best.is_none_or(|(_, best)| loss < best) {
            self.state.best = Some((self.state.epochs, loss));
            self.best = Some(self.params.clone());
        }
    }

    /// The metrics of each task on the held-out rows; none for a task without any.
    fn validate(&self) -> Result<Vec<Option<Metrics>>> {
        let examples: Vec<_> = self.split.held_out.iter().map(|&row| &self.dataset.examples[row]).collect();
        let texts: Vec<&[u32]> = examples.iter().map(|example| &example.tokens[..]).collect();
        let vocabulary = self.dataset.encoder.vocabulary.len();
        let predicted = Predictor::new(&self.model, &self.params, vocabulary).probabilities(&texts);
        let of_task = |task: usize| {
            let labelled =
                examples.iter().zip(&predicted).filter_map(|(e, p)| e.labels[task].map(|label| (p[task], label)));
            let (probabilities, truths): (Vec<f64>, Vec<bool>) = labelled.unzip();
            if probabilities.iter().any(|p| p.is_nan()) {
                return Err(self.diverged(task, self.state.steps));
            }
            Ok((!truths.is_empty()).then(|| Metrics::new(&probabilities, &truths, self.settings.threshold)))
        };
        (0..self.dataset.tasks.len()).map(of_task).collect()
    }
}
