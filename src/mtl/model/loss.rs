//! The loss.

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
        let task = |(&logits, labels): (&Var, &std::sync::Arc<[Option<bool>]>)| {
            let labelled = labels.iter().flatten().count();
            let denominator = match normaliser {
                LossNormaliser::Labelled => labelled,
                LossNormaliser::Batch => labels.len(),
            };
            (labelled > 0).then(|| tape.masked_bce(logits, labels.clone(), F::from_f64(denominator as f64)))
        };
        let tasks: PerTask<Option<Var>> = logits.iter().zip(&batch.labels).map(task).collect();
        let total = tasks.iter().flatten().copied().reduce(|sum, loss| tape.add(sum, loss));
        Losses { tasks, total }
    }
}
