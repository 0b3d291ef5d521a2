//! The gradient of a batch: those of its shards, added in one balanced binary tree, by this process and the other ranks alike.
//!
//! Every gradient of a training comes from here. A batch of one shard is a tree of one leaf, whose gradient is passed on as it is.

use smallvec::{SmallVec, smallvec};

use super::{
    Ranks,
    cut::{Cut, Shard},
};
use crate::autograd::{Gradient, Gradients, Mode, ParamId, ParamStore, Tape, Var};
use crate::mtl::{
    model::{Losses, Model, PerTask},
    settings::Settings,
};
use crate::tensor::{Pool, Real, Shape, Tensor, pointwise};

/// Who computes a gradient, and with what.
pub(super) struct Workers<'w, F: Real> {
    /// A pool for each shard of this rank.
    pub pools: &'w mut [Pool<F>],
    /// Room for the sums.
    pub sums: &'w mut Vec<F>,
    pub ranks: &'w mut Ranks<F>,
}

impl<F: Real> Workers<'_, F> {
    /// The same, for a while.
    pub fn lent(&mut self) -> Workers<'_, F> {
        Workers { pools: self.pools, sums: self.sums, ranks: self.ranks }
    }

    /// The pool for what is no shard's.
    pub fn pool(&mut self) -> &mut Pool<F> {
        &mut self.pools[0]
    }
}

/// The scalars whose gradients are wanted, each summed over the batch.
pub(super) enum Goals<'g> {
    /// The loss of each task that is present.
    Each,
    /// Σ wᵢ ℓᵢ.
    Weighted(&'g [f64]),
    /// The losses of all tasks that are present but the last, and then Σ wᵢ ℓᵢ.
    AllButLastAndWeighted(&'g [f64]),
}

/// A shard on its way to its gradients.
struct Leaf<'t, F: Real> {
    shard: Shard<'t>,
    /// Lent to the tape.
    pool: Option<&'t mut Pool<F>>,
    /// `None` for a shard without any label.
    recorded: Option<(Tape<'t, F>, Losses)>,
}

/// A batch, recorded: its losses are known, its gradients can be had once.
pub(super) struct Recorded<'t, F: Real> {
    model: &'t Model,
    params: &'t ParamStore<F>,
    words: &'t [u32],
    leaves: SmallVec<[Leaf<'t, F>; 1]>,
    sums: &'t mut Vec<F>,
    ranks: &'t mut Ranks<F>,
    is_one_shard: bool,
    /// The loss of each task over the whole batch; `None` for a task without a label in it.
    pub losses: PerTask<Option<f64>>,
    /// The tasks with a label in the batch, rising.
    pub tasks: PerTask<usize>,
    /// Whether any rank wants to stop after this step.
    pub stop: bool,
}

impl<'t, F: Real> Recorded<'t, F> {
    /// Records each shard's losses. `stop` tells the other ranks that this one wants to.
    pub fn new(
        settings: &'t Settings,
        model: &'t Model,
        params: &'t ParamStore<F>,
        cut: &'t Cut<'_>,
        workers: Workers<'t, F>,
        stop: bool,
    ) -> Self {
        let Workers { pools, sums, ranks } = workers;
        let denominators = cut.denominators(settings.loss_normaliser);
        let leaf = |(&shard, pool)| Leaf { shard, pool: Some(pool), recorded: None };
        let mut leaves: SmallVec<[Leaf<'t, F>; 1]> = cut.shards.iter().zip(pools).map(leaf).collect();
        assert_eq!(leaves.len(), cut.shards.len(), "a pool for each shard");

        let record = |leaf: &mut Leaf<'t, F>| -> PerTask<F> {
            let Shard { batch, row_keys } = leaf.shard;
            let has_labels = batch.labels.iter().any(|labels| labels.iter().any(Option::is_some));
            let pool = leaf.pool.take().filter(|_| has_labels);
            let Some(pool) = pool else { return denominators.iter().map(|_| F::ZERO).collect() };
            let mut tape = Tape::new(params, pool, Mode::Train { row_keys });
            let logits = model.forward(&mut tape, batch);
            let losses = model.losses_over(&mut tape, &logits, batch, &denominators);
            let value = |loss: &Option<Var>| loss.map_or(F::ZERO, |loss| tape.value(loss).item());
            let values = losses.tasks.iter().map(value).collect();
            leaf.recorded = Some((tape, losses));
            values
        };
        let add = |mut left: PerTask<F>, right: PerTask<F>| {
            pointwise::add(&mut left, &right);
            left
        };
        let mut numbers = tree(&mut leaves, &record, &add);
        numbers.push(if stop { F::ONE } else { F::ZERO });
        ranks.sum(&mut numbers);

        let stop = numbers.pop().is_some_and(|wishes| wishes > F::ZERO);
        let is_present = |labelled: usize| labelled > 0;
        let loss = |(loss, &labelled): (&F, &usize)| is_present(labelled).then(|| loss.to_f64());
        let losses = numbers.iter().zip(&cut.labelled).map(loss).collect();
        let tasks = (0..cut.labelled.len()).filter(|&task| is_present(cut.labelled[task])).collect();
        let is_one_shard = settings.shards == 1;
        Self { model, params, words: cut.words, leaves, sums, ranks, is_one_shard, losses, tasks, stop }
    }

    /// The gradients of these scalars over the whole batch, the same on every rank. Shards without a part in one add exact zeros.
    pub fn gradients(self, goals: &Goals<'_>) -> SmallVec<[Gradients<F>; 1]> {
        let Self { model, params, words, mut leaves, sums, ranks, is_one_shard, tasks, .. } = self;
        if is_one_shard {
            let mut gradients = SmallVec::new();
            sweep(&mut leaves[0], &tasks, goals, |_, swept, _| gradients.push(swept));
            return gradients;
        }
        let layout = Layout::new(model, params, words);
        let sum = summed(leaves, sums, &layout, &tasks, goals);
        ranks.sum(sum);
        sum.chunks(layout.length).map(|sum| layout.gradients(params, sum)).collect()
    }
}

/// The gradients of the goals, one behind the other, added over the leaves.
fn summed<'t, 's, F: Real>(
    leaves: SmallVec<[Leaf<'t, F>; 1]>,
    sums: &'s mut Vec<F>,
    layout: &Layout<'_>,
    tasks: &[usize],
    goals: &Goals<'_>,
) -> &'s mut [F] {
    let goal_count = match goals {
        Goals::Weighted(_) => 1,
        Goals::Each | Goals::AllButLastAndWeighted(_) => tasks.len(),
    };
    let length = goal_count * layout.length;
    sums.clear();
    sums.resize(leaves.len() * length, F::ZERO);
    let mut leaves: Vec<(Leaf<'t, F>, Option<&'s mut [F]>)> =
        leaves.into_iter().zip(sums.chunks_mut(length).map(Some)).collect();
    let leaf = |(leaf, sums): &mut (Leaf<'t, F>, Option<&'s mut [F]>)| -> &'s mut [F] {
        let sums = sums.take().expect("each leaf is swept once");
        sweep(leaf, tasks, goals, |goal, swept, pool| {
            layout.flatten(&swept, &mut sums[goal * layout.length..][..layout.length]);
            swept.give_to(pool);
        });
        sums
    };
    let add = |left: &'s mut [F], right: &'s mut [F]| -> &'s mut [F] {
        pointwise::add(left, right);
        left
    };
    tree(&mut leaves, &leaf, &add)
}

/// What the leaves give, added as a balanced binary tree has it: halves first. The number of leaves is a power of two, so each
/// aligned block of them has a tree of its own, whoever computes it. Branches are computed side by side where threads are idle.
fn tree<L: Send, T: Send>(
    leaves: &mut [L],
    leaf: &(impl Fn(&mut L) -> T + Sync),
    add: &(impl Fn(T, T) -> T + Sync),
) -> T {
    if let [only] = leaves {
        return leaf(only);
    }
    let (left, right) = leaves.split_at_mut(leaves.len() / 2);
    let (left, right) = rayon::join(|| tree(left, leaf, add), || tree(right, leaf, add));
    add(left, right)
}

/// Sweeps back from the goals of one shard, and hands over each gradient with the goal's number. Goals that the shard has no part in
/// are left out.
fn sweep<F: Real>(
    leaf: &mut Leaf<'_, F>,
    tasks: &[usize],
    goals: &Goals<'_>,
    mut take: impl FnMut(usize, Gradients<F>, &mut Pool<F>),
) {
    let Some((mut tape, losses)) = leaf.recorded.take() else { return };
    let all = |losses: &Losses| -> PerTask<Option<Var>> { tasks.iter().map(|&task| losses.tasks[task]).collect() };
    let goals = match *goals {
        Goals::Each => all(&losses),
        Goals::Weighted(weights) => smallvec![Some(weighted(&mut tape, &losses, tasks, weights))],
        Goals::AllButLastAndWeighted(weights) => {
            let mut goals = all(&losses);
            goals.pop();
            goals.push(Some(weighted(&mut tape, &losses, tasks, weights)));
            goals
        }
    };
    let (numbers, vars): (PerTask<usize>, PerTask<Var>) =
        goals.into_iter().enumerate().filter_map(|(number, goal)| Some((number, goal?))).unzip();
    let mut numbers = numbers.into_iter();
    tape.backward_taking(&vars, |gradients, pool| take(numbers.next().expect("one a goal"), gradients, pool));
}

/// Σ wᵢ ℓᵢ over the tasks that are present in the shard.
fn weighted<F: Real>(tape: &mut Tape<'_, F>, losses: &Losses, tasks: &[usize], weights: &[f64]) -> Var {
    if weights.iter().all(|&weight| weight == 1.0) {
        return losses.total.expect("a shard that is recorded has a label");
    }
    let present = tasks.iter().zip(weights).filter_map(|(&task, &weight)| Some((losses.tasks[task]?, weight)));
    let weighted: PerTask<Var> = present.map(|(loss, weight)| tape.scale(loss, F::from_f64(weight))).collect();
    weighted.into_iter().reduce(|sum, loss| tape.add(sum, loss)).expect("a shard that is recorded has a label")
}

/// Where the gradient of each trained parameter stands in one list of numbers. Behind them there is a number a parameter: how many
/// shards have a gradient of it, for none is not the same as zeros.
struct Layout<'w> {
    parts: Vec<Part>,
    /// The rows of the embedding that may have a gradient.
    words: &'w [u32],
    length: usize,
}

struct Part {
    id: ParamId,
    start: usize,
    /// Of the parameter, or of the batch's rows of the embedding.
    shape: Shape,
    is_embedding: bool,
}

impl<'w> Layout<'w> {
    fn new<F: Real>(model: &Model, params: &ParamStore<F>, words: &'w [u32]) -> Self {
        let mut start = 0;
        let part = |id: ParamId| {
            let (shape, is_embedding) = (params.value(id).shape(), id == model.embedding().weight);
            let shape = if is_embedding { [words.len(), shape.cols()].into() } else { shape };
            let part = Part { id, start, shape, is_embedding };
            start += shape.len();
            part
        };
        let parts: Vec<Part> = params.ids().filter(|&id| params.is_trainable(id)).map(part).collect();
        Self { words, length: start + parts.len(), parts }
    }

    /// Adds gradients to zeros, which stay where there is none.
    fn flatten<F: Real>(&self, gradients: &Gradients<F>, sum: &mut [F]) {
        let (sum, present) = sum.split_at_mut(self.length - self.parts.len());
        for (part, present) in self.parts.iter().zip(present) {
            let Some(gradient) = gradients.get(part.id) else { continue };
            *present = F::ONE;
            let sum = &mut sum[part.start..][..part.shape.len()];
            match gradient {
                Gradient::Dense(dense) => pointwise::add(sum, dense.data()),
                Gradient::Rows { ids, rows, .. } => {
                    let cols = part.shape.cols();
                    for (i, id) in ids.iter().enumerate() {
                        let at = self.words.binary_search(id).expect("a shard's words are the batch's");
                        pointwise::add(&mut sum[at * cols..][..cols], rows.row(i));
                    }
                }
            }
        }
    }

    fn gradients<F: Real>(&self, params: &ParamStore<F>, sum: &[F]) -> Gradients<F> {
        let (sum, present) = sum.split_at(self.length - self.parts.len());
        let mut gradients = Gradients::none(params.len());
        for (part, _) in self.parts.iter().zip(present).filter(|(_, shards)| **shards > F::ZERO) {
            let tensor = Tensor::new(part.shape, sum[part.start..][..part.shape.len()].to_vec());
            let gradient = match part.is_embedding {
                true => Gradient::Rows { shape: params.value(part.id).shape(), ids: self.words.to_vec(), rows: tensor },
                false => Gradient::Dense(tensor),
            };
            gradients.set(part.id, gradient);
        }
        gradients
    }
}
