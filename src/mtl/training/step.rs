//! One step of training: the only place where parameters change.

use crate::autograd::{Adam, Gradients, Mode, ParamId, ParamStore, Tape, Var};
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
/// If the settings name another balancing.
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
    let mut balancer = Balancer::equal();
    let mut learner = Learner { settings, model, params, adam, pool, balancer: &mut balancer };
    learner.step(batch, row_keys, Position { step: 0, epochs: None }, Sweeps::AsNeeded).losses
}

/// A network with its optimiser and balancing.
pub(super) struct Learner<'l, F: Real> {
    pub settings: &'l Settings,
    pub model: &'l Model,
    pub params: &'l mut ParamStore<F>,
    pub adam: &'l mut Adam<F>,
    pub pool: &'l mut Pool<F>,
    pub balancer: &'l mut Balancer,
}

/// The position in the training, for the balancing.
#[derive(Clone, Copy)]
pub(super) struct Position<'p> {
    /// See [`StepInfo::step`].
    pub step: u64,
    /// See [`StepInfo::epochs`].
    pub epochs: Option<[&'p [f64]; 2]>,
}

/// Which backward sweeps to make.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sweeps {
    /// One, or one for each task if the balancing looks at gradients.
    AsNeeded,
    /// One for each task, whose gradients are returned. They change no bit of the step.
    EachTask,
}

/// The outcome of a step.
pub(super) struct Step<F> {
    /// The loss of each task before the step; `None` for a task without a label in the batch.
    pub losses: PerTask<Option<f64>>,
    /// The tasks that are present, with their weights.
    pub weights: PerTask<(usize, f64)>,
    /// Their gradients, unweighted; empty if there were no sweeps for them.
    pub each: Vec<Gradients<F>>,
}

impl<F: Real> Learner<'_, F> {
    /// One step, as [`step`] says, with the tasks balanced.
    pub fn step(&mut self, batch: &Batch, row_keys: &[u64], position: Position<'_>, sweeps: Sweeps) -> Step<F> {
        let Self { settings, model, params, adam, pool, balancer } = self;
        let mut tape = Tape::new(params, pool, Mode::Train { row_keys });
        let logits = model.forward(&mut tape, batch);
        let losses = model.losses(&mut tape, &logits, batch, settings.loss_normaliser);
        let values: PerTask<Option<f64>> =
            losses.tasks.iter().map(|loss| loss.map(|loss| tape.value(loss).item().to_f64())).collect();
        let (mut tasks, mut vars, mut present) = (PerTask::new(), PerTask::new(), PerTask::new());
        for (task, (loss, value)) in losses.tasks.iter().zip(&values).enumerate() {
            if let (Some(loss), Some(value)) = (loss, value) {
                tasks.push(task);
                vars.push(*loss);
                present.push(*value);
            }
        }
        let all_finite = present.iter().all(|loss| loss.is_finite());
        let Some(total) = losses.total.filter(|_| all_finite) else {
            return Step { losses: values, weights: PerTask::new(), each: Vec::new() };
        };
        let Position { step, epochs } = position;
        let evidence = StepInfo { step, tasks: &tasks, losses: &present, epochs, gram: None };

        let (mut gradients, weights, each) = if balancer.needs_gradients() {
            let each = tape.backward_each(&vars);
            let shared = model.shared_params(params);
            let gram = gram(&each, &shared);
            let weights = balancer.weights(&StepInfo { gram: Some(&gram), ..evidence });
            (combined(&each, &weights, &shared, params, pool), weights, each)
        } else {
            let weights = balancer.weights(&evidence);
            let goal = match weights.iter().all(|&weight| weight == 1.0) {
                true => total,
                false => weighted_total(&mut tape, &vars, &weights),
            };
            let (gradients, each) = match sweeps {
                Sweeps::AsNeeded => (tape.backward(goal), Vec::new()),
                Sweeps::EachTask => {
                    // One sweep fewer than there are gradients: the last task's follows from the sum, which the step needs.
                    let others = vars.len() - 1;
                    let swept: PerTask<Var> = vars[..others].iter().copied().chain([goal]).collect();
                    let mut each = tape.backward_each(&swept);
                    let sum = each.pop().expect("the last sweep is that of the sum");
                    let last = left_over(&sum, &each, &weights, params, pool);
                    each.push(last);
                    (sum, each)
                }
            };
            (gradients, weights, each)
        };
        if settings.absent_head == AbsentHead::Decay {
            for id in model.heads().iter().flat_map(|head| [head.dense.kernel, head.dense.bias]) {
                gradients.fill(id, params.value(id).shape(), pool);
            }
        }
        adam.step(params, &gradients);
        gradients.give_to(pool);
        let mut step = Step { losses: values, weights: tasks.into_iter().zip(weights).collect(), each };
        if sweeps == Sweeps::AsNeeded {
            step.each.drain(..).for_each(|gradients| gradients.give_to(pool));
        }
        step
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

/// Σ wᵢ ℓᵢ.
fn weighted_total<F: Real>(tape: &mut Tape<'_, F>, losses: &[Var], weights: &[f64]) -> Var {
    let weighted: Vec<Var> =
        losses.iter().zip(weights).map(|(&loss, &weight)| tape.scale(loss, F::from_f64(weight))).collect();
    weighted.into_iter().reduce(|sum, loss| tape.add(sum, loss)).expect("a task is present")
}
