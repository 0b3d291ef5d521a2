//! The loss.

use std::sync::Arc;

use super::{Batch, Model, PerTask};
use crate::autograd::{Tape, Var};
use crate::mtl::settings::LossNormaliser;
use crate::tensor::Real;

/// The losses of one batch.
#[derive(Clone, Debug)]
pub struct Losses {
    /// One a task, in the tasks' order; `None` where no row of the batch is labelled for it.
    pub tasks: PerTask<Option<Var>>,
    /// Their sum; `None` if no row is labelled at all.
    pub total: Option<Var>,
}

impl Model {
    /// Binary cross-entropy of each task over its labelled rows, and the sum over tasks.
    pub fn losses<F: Real>(
        &self,
        tape: &mut Tape<'_, F>,
        logits: &[Var],
        batch: &Batch,
        normaliser: LossNormaliser,
    ) -> Losses {
        let denominator = |labels: &Arc<[Option<bool>]>| match normaliser {
            LossNormaliser::Labelled => labels.iter().flatten().count(),
            LossNormaliser::Batch => labels.len(),
        };
        let denominators: PerTask<usize> = batch.labels.iter().map(denominator).collect();
        self.losses_over(tape, logits, batch, &denominators)
    }

    /// As [`losses`](Self::losses), with what each task's sum is divided by: that of a whole batch, of which this is a part.
    pub fn losses_over<F: Real>(
        &self,
        tape: &mut Tape<'_, F>,
        logits: &[Var],
        batch: &Batch,
        denominators: &[usize],
    ) -> Losses {
        let task = |task: usize| {
            let labels = &batch.labels[task];
            let denominator = F::from_f64(denominators[task] as f64);
            labels.iter().any(Option::is_some).then(|| tape.masked_bce(logits[task], labels.clone(), denominator))
        };
        let tasks: PerTask<Option<Var>> = (0..batch.labels.len()).map(task).collect();
        let total = tasks.iter().flatten().copied().reduce(|sum, loss| tape.add(sum, loss));
        Losses { tasks, total }
    }
}
