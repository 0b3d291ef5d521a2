//! The gradient log: norms, cosines and conflicts of the tasks' gradients during a training.
//!
//! It adds backward sweeps to a step, and changes no bit of the training.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::step::gram;
use crate::autograd::{Gradients, Mode, ParamId, ParamStore, Tape};
use crate::mtl::{
    balancing::Gram,
    model::{Batch, Model},
    settings::{LossNormaliser, Settings},
};
use crate::tensor::{Pool, Tensor, pointwise};

/// What was measured at one step: a line of `probe.jsonl`. A task without a label in the batch is in none of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// The step's number, from 1 over all epochs.
    pub step: u64,
    /// Its epoch, from 1.
    pub epoch: usize,
    /// The loss of each task on the batch, before the step.
    pub losses: IndexMap<String, f64>,
    /// The weight of each task in the step.
    pub weights: IndexMap<String, f64>,
    /// Each shared parameter by its name, and first [`ALL`] of them as one.
    pub blocks: IndexMap<String, Block>,
    /// The lookahead affinity of task i for another task j (Fifty et al. 2021, equation 1), `[i][j]`: 1 − ℓⱼ(θ − η∇ℓᵢ)/ℓⱼ(θ) on the same
    /// batch and under the same dropout, where θ is what the tasks share and η the learning rate. Above 0, a step for i helps j.
    pub affinity: IndexMap<String, IndexMap<String, f64>>,
}

/// The name of all shared parameters together.
pub const ALL: &str = "all";

/// The gradients with respect to some shared parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Block {
    /// The length of each task's gradient.
    pub norms: IndexMap<String, f64>,
    /// Each task's share of the update that was made, ∆θ, after the optimiser: sᵢ/Σ|sⱼ| with sᵢ = −⟨∆θ, wᵢgᵢ⟩.
    ///
    /// To first order sᵢ is how much the update makes task i's (weighted) loss smaller: the allocation of Lan et al. 2019 ("LCA: Loss
    /// Change Allocation"), by task. Below 0, the update goes against the task.
    pub update_share: IndexMap<String, f64>,
    /// Each two tasks.
    pub pairs: Vec<PairOfTasks>,
}

/// Two tasks' gradients.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairOfTasks {
    /// Their names, sorted.
    pub tasks: [String; 2],
    /// The cosine of the angle between their gradients; below 0 they are in conflict.
    pub cosine: f64,
    /// The share of the measurements so far, this one included, in which they were.
    pub conflict_share: f64,
}

/// The trained parameters at a moment.
pub(super) type Snapshot = Vec<(ParamId, Tensor<f32>)>;

/// Copies them.
pub(super) fn snapshot(params: &ParamStore<f32>) -> Snapshot {
    let trained = params.ids().filter(|&id| params.is_trainable(id));
    trained.map(|id| (id, params.value(id).clone())).collect()
}

/// Some rows of a batch, under the dropout that they had in it.
pub(super) struct Companions {
    pub batch: Batch,
    pub row_keys: Vec<u64>,
    /// Their share of the batch.
    pub share: f64,
}

/// The inner products over some of the shared parameters.
struct Products {
    /// Of the tasks' gradients with each other.
    gram: Gram,
    /// −⟨∆θ, wᵢgᵢ⟩ of each task.
    descents: Vec<f64>,
}

impl Products {
    /// Those over the parameters of all parts together.
    fn sum(parts: &[Self]) -> Self {
        let tasks = parts.first().map_or(0, |part| part.descents.len());
        Self {
            gram: Gram::from_fn(tasks, |i, j| parts.iter().map(|part| part.gram.product(i, j)).sum()),
            descents: (0..tasks).map(|i| parts.iter().map(|part| part.descents[i]).sum()).collect(),
        }
    }
}

/// A step that was made and all that was around it.
pub(super) struct ProbedStep<'p> {
    pub settings: &'p Settings,
    pub model: &'p Model,
    pub names: &'p [String],
    /// For each task that is present, the rows that the other tasks have labels of.
    pub rows_of_others: &'p [Companions],
    /// The trained parameters before it.
    pub before: Snapshot,
    /// The tasks that are present, with their weights.
    pub weights: &'p [(usize, f64)],
    /// The loss of every task before it.
    pub losses: &'p [Option<f64>],
    /// The gradients of the tasks that are present.
    pub each: &'p [Gradients<f32>],
}

impl ProbedStep<'_> {
    /// Measures it. The parameters are those after the step, and are the same afterwards.
    pub fn measure(&self, params: &mut ParamStore<f32>, pool: &mut Pool<f32>, step: u64, epoch: usize) -> Measurement {
        let shared = self.model.shared_params(params);
        let mut update = Gradients::none(params.len());
        for (id, before) in self.before.iter().filter(|(id, _)| shared.contains(id)) {
            let mut change = pool.copy(params.value(*id));
            pointwise::axpy(change.data_mut(), -1.0, before.data());
            update.add(*id, change, pool);
        }
        let each: Vec<Products> = shared.iter().map(|&id| self.products(&update, id)).collect();
        let mut blocks = IndexMap::from([(ALL.to_owned(), self.block(&Products::sum(&each)))]);
        if shared.len() > 1 {
            blocks.extend(shared.iter().zip(&each).map(|(&id, of)| (params.name(id).to_owned(), self.block(of))));
        }
        update.give_to(pool);
        let named = |values: &dyn Fn(usize, usize, f64) -> Option<f64>| {
            let value = |(i, &(task, weight)): (usize, &(usize, f64))| {
                Some((self.names[task].clone(), values(i, task, weight)?))
            };
            self.weights.iter().enumerate().filter_map(value).collect()
        };
        Measurement {
            step,
            epoch,
            losses: named(&|_, task, _| self.losses[task]),
            weights: named(&|_, _, weight| Some(weight)),
            blocks,
            affinity: self.affinity(params, &shared, pool),
        }
    }

    fn name(&self, place: usize) -> String {
        self.names[self.weights[place].0].clone()
    }

    fn products(&self, update: &Gradients<f32>, id: ParamId) -> Products {
        let descent =
            |(gradient, (_, weight)): (&Gradients<f32>, &(usize, f64))| -weight * update.product(gradient, id);
        Products { gram: gram(self.each, &[id]), descents: self.each.iter().zip(self.weights).map(descent).collect() }
    }

    fn block(&self, Products { gram, descents }: &Products) -> Block {
        let size: f64 = descents.iter().map(|descent| descent.abs()).sum();
        let share = |descent: f64| if size > 0.0 { descent / size } else { 0.0 };
        let tasks = gram.tasks();
        let pair = |i: usize, j: usize| {
            let cosine = gram.cosine(i, j);
            // The writer of the lines knows those before.
            PairOfTasks { tasks: [self.name(i), self.name(j)], cosine, conflict_share: f64::from(cosine < 0.0) }
        };
        Block {
            norms: (0..tasks).map(|i| (self.name(i), gram.norm(i))).collect(),
            update_share: descents.iter().enumerate().map(|(i, &descent)| (self.name(i), share(descent))).collect(),
            pairs: (0..tasks).flat_map(|i| (i + 1..tasks).map(move |j| (i, j))).map(|(i, j)| pair(i, j)).collect(),
        }
    }

    fn affinity(
        &self,
        params: &mut ParamStore<f32>,
        shared: &[ParamId],
        pool: &mut Pool<f32>,
    ) -> IndexMap<String, IndexMap<String, f64>> {
        if self.weights.len() < 2 {
            return IndexMap::new();
        }
        let after = snapshot(params);
        let mut affinity = IndexMap::new();
        for (i, (gradients, others)) in self.each.iter().zip(self.rows_of_others).enumerate() {
            for (id, before) in &self.before {
                let value = params.value_mut(*id);
                value.data_mut().copy_from_slice(before.data());
                if shared.contains(id) {
                    gradients.subtract_from(*id, self.settings.learning_rate as f32, value);
                }
            }
            let ahead = self.losses_on(others, params, pool);
            let of_task = |(j, &(task, _)): (usize, &(usize, f64))| {
                let (now, then) = (self.losses[task]?, ahead[task]?);
                (j != i).then(|| (self.name(j), if now > 0.0 { 1.0 - then / now } else { 0.0 }))
            };
            affinity.insert(self.name(i), self.weights.iter().enumerate().filter_map(of_task).collect());
        }
        for (id, value) in after {
            *params.value_mut(id) = value;
        }
        affinity
    }

    /// The losses of tasks all of whose rows in the batch are among these; on the scale of the batch.
    fn losses_on(&self, rows: &Companions, params: &ParamStore<f32>, pool: &mut Pool<f32>) -> Vec<Option<f64>> {
        let mut tape = Tape::new(params, pool, Mode::Train { row_keys: &rows.row_keys });
        let logits = self.model.forward(&mut tape, &rows.batch);
        let normaliser = self.settings.loss_normaliser;
        let losses = self.model.losses(&mut tape, &logits, &rows.batch, normaliser);
        let scale = match normaliser {
            LossNormaliser::Labelled => 1.0,
            LossNormaliser::Batch => rows.share,
        };
        losses.tasks.iter().map(|loss| loss.map(|loss| scale * f64::from(tape.value(loss).item()))).collect()
    }
}
