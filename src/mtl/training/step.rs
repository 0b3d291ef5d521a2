//! One step of training: the only place where parameters change.

use smallvec::SmallVec;

use super::{
    Ranks,
    cut::Cut,
    gradient::{Goals, Recorded, Workers},
};
use crate::autograd::{Adam, Gradients, ParamId, ParamStore};
use crate::mtl::{
    balancing::{Balancer, Gram, StepInfo},
    model::{Batch, Model, PerTask},
    settings::{AbsentHead, Balance, Settings},
};
use crate::tensor::{Pool, Real};

/// The optimiser of the settings for an embedding of this number of words, before its first step.
pub fn optimiser<F: Real>(settings: &Settings, words: usize) -> Adam<F> {
    Adam::new(settings.adam_settings(words))
}

/// Moves the parameters against the gradient of the batch's loss, the sum over tasks, with dropout from a key for each text. This
/// is a step of `balance = "equal"`; other ways of balancing need a [`Trainer`](super::Trainer), which keeps their state.
///
/// Returns the loss of each task before the step, in the tasks' order; `None` for a task without a label in the batch.
/// Nothing moves if no task has one, or if a loss is not finite: the caller must look.
///
/// # Panics
/// If the settings name another balancing, or cut a batch into shards.
#[track_caller]
pub fn step<F: Real>(
    settings: &Settings,
    model: &Model,
    params: &mut ParamStore<F>,
    adam: &mut Adam<F>,
    pool: &mut Pool<F>,
    batch: &Batch,
    row_keys: &[u64],
) -> PerTask<Option<f64>> {
    assert!(settings.balance == Balance::Equal, "step: balance = \"{}\" needs a trainer", settings.balance.word());
    assert!(settings.shards == 1, "step: {} shards need a trainer", settings.shards);
    let workers = Workers { pools: std::slice::from_mut(pool), sums: &mut Vec::new(), ranks: &mut Ranks::alone() };
    let mut learner = Learner { settings, model, params, adam, workers, balancer: &mut Balancer::equal() };
    let position = Position { step: 0, epochs: None, stop: false };
    learner.step(&Cut::whole(batch, row_keys), position, Sweeps::AsNeeded).losses
}

/// A network with its optimiser and balancing.
pub(super) struct Learner<'l, F: Real> {
    pub settings: &'l Settings,
    pub model: &'l Model,
    pub params: &'l mut ParamStore<F>,
    pub adam: &'l mut Adam<F>,
    pub workers: Workers<'l, F>,
    pub balancer: &'l mut Balancer,
}

/// The position in the training.
#[derive(Clone, Copy)]
pub(super) struct Position<'p> {
    /// See [`StepInfo::step`].
    pub step: u64,
    /// See [`StepInfo::epochs`].
    pub epochs: Option<[&'p [f64]; 2]>,
    /// Whether this process wants to stop here.
    pub stop: bool,
}

/// Which backward sweeps to make.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sweeps {
    /// One, or one for each task if the balancing looks at gradients.
    AsNeeded,
    /// One for each task, whose gradients are returned. They change no bit of the step.
    EachTask,
}

/// The gradients of several tasks.
pub(super) type Each<F> = SmallVec<[Gradients<F>; 1]>;

/// The outcome of a step.
pub(super) struct Step<F> {
    /// The loss of each task before the step; `None` for a task without a label in the batch.
    pub losses: PerTask<Option<f64>>,
    /// The tasks that are present, with their weights.
    pub weights: PerTask<(usize, f64)>,
    /// Their gradients, unweighted; empty if there were no sweeps for them.
    pub each: Each<F>,
    /// Whether this process or another rank wants to stop here.
    pub stop: bool,
}

impl<F: Real> Learner<'_, F> {
    /// One step, as [`step`] says, with the tasks balanced.
    pub fn step(&mut self, cut: &Cut<'_>, position: Position<'_>, sweeps: Sweeps) -> Step<F> {
        let Self { settings, model, params, adam, workers, balancer } = self;
        let Position { step, epochs, stop } = position;
        let recorded = Recorded::new(settings, model, params, cut, workers.lent(), stop);
        let (tasks, losses, stop) = (recorded.tasks.clone(), recorded.losses.clone(), recorded.stop);
        let present: PerTask<f64> = losses.iter().flatten().copied().collect();
        if present.is_empty() || present.iter().any(|loss| !loss.is_finite()) {
            return Step { losses, weights: PerTask::new(), each: Each::new(), stop };
        }
        let evidence = StepInfo { step, tasks: &tasks, losses: &present, epochs, gram: None };

        let (mut gradients, weights, mut each) = if balancer.needs_gradients() {
            let each = recorded.gradients(&Goals::Each);
            let shared = model.shared_params(params);
            let gram = gram(&each, &shared);
            let weights = balancer.weights(&StepInfo { gram: Some(&gram), ..evidence });
            (combined(&each, &weights, &shared, params, workers.pool()), weights, each)
        } else {
            let weights = balancer.weights(&evidence);
            let goals = match sweeps {
                Sweeps::AsNeeded => Goals::Weighted(&weights),
                // One sweep fewer than there are gradients: the last task's follows from the sum, which the step needs.
                Sweeps::EachTask => Goals::AllButLastAndWeighted(&weights),
            };
            let mut each = recorded.gradients(&goals);
            let sum = each.pop().expect("the last sweep is that of the sum");
            if sweeps == Sweeps::EachTask {
                each.push(left_over(&sum, &each, &weights, params, workers.pool()));
            }
            (sum, weights, each)
        };
        let pool = workers.pool();
        if settings.absent_head == AbsentHead::Decay {
            for id in model.heads().iter().flat_map(|head| [head.dense.kernel, head.dense.bias]) {
                gradients.fill(id, params.value(id).shape(), pool);
            }
        }
        adam.step(params, &gradients);
        gradients.give_to(pool);
        if sweeps == Sweeps::AsNeeded {
            each.drain(..).for_each(|gradients| gradients.give_to(pool));
        }
        Step { losses, weights: tasks.into_iter().zip(weights).collect(), each, stop }
    }
}

/// The last task's gradient, from the sum Σ wᵢ gᵢ and all others: g_K = (Σ wᵢ gᵢ − Σ_(i<K) wᵢ gᵢ) / w_K.
fn left_over<F: Real>(
    sum: &Gradients<F>,
    others: &[Gradients<F>],
    weights: &[f64],
    params: &ParamStore<F>,
    pool: &mut Pool<F>,
) -> Gradients<F> {
    let last = weights[others.len()];
    let parts = [(1.0 / last, sum)].into_iter().chain(weights.iter().map(|weight| -weight / last).zip(others));
    let parts: PerTask<(f64, &Gradients<F>)> = parts.collect();
    let mut left = Gradients::none(params.len());
    for id in params.ids() {
        if let Some(part) = Gradients::weighted_sum(&parts, id, pool) {
            left.set(id, part);
        }
    }
    left
}

/// The inner products of the tasks' gradients over some parameters.
pub(super) fn gram<F: Real>(each: &[Gradients<F>], params: &[ParamId]) -> Gram {
    Gram::from_fn(each.len(), |i, j| params.iter().map(|&id| each[i].product(&each[j], id)).sum())
}

/// Σ wᵢ gᵢ for the shared parameters, and gᵢ as it is for those of a head, which no other task has.
fn combined<F: Real>(
    each: &[Gradients<F>],
    weights: &[f64],
    shared: &[ParamId],
    params: &ParamStore<F>,
    pool: &mut Pool<F>,
) -> Gradients<F> {
    let mut combined = Gradients::none(params.len());
    for id in params.ids() {
        let weight = |weight: f64| if shared.contains(&id) { weight } else { 1.0 };
        let parts: Vec<(f64, &Gradients<F>)> = weights.iter().map(|&w| weight(w)).zip(each).collect();
        if let Some(sum) = Gradients::weighted_sum(&parts, id, pool) {
            combined.set(id, sum);
        }
    }
    combined
}
