//! One step of training: the only place where parameters change.

use crate::autograd::{Adam, AdamSettings, Mode, ParamStore, Tape};
use crate::mtl::{
    model::{Batch, Model, PerTask},
    settings::{AbsentHead, Settings},
};
use crate::tensor::{Pool, Real};

/// The optimiser that the settings ask for, before its first step.
pub fn optimiser<F: Real>(settings: &Settings) -> Adam<F> {
    Adam::new(AdamSettings {
        learning_rate: settings.learning_rate,
        beta1: settings.beta1,
        beta2: settings.beta2,
        epsilon: settings.epsilon,
        form: settings.adam,
        row_updates: settings.embedding_updates,
    })
}

/// Moves the parameters against the gradient of the batch's loss, the sum over tasks, with dropout from a key for each text.
///
/// Returns the loss of each task before the step, in the tasks' order; `None` for a task without a label in the batch.
/// Nothing moves if no task has one, or if a loss is not finite: the caller must look.
pub fn step<F: Real>(
    settings: &Settings,
    model: &Model,
    params: &mut ParamStore<F>,
    adam: &mut Adam<F>,
    pool: &mut Pool<F>,
    batch: &Batch,
    row_keys: &[u64],
) -> PerTask<Option<f64>> {
    let mut tape = Tape::new(params, pool, Mode::Train { row_keys });
    let logits = model.forward(&mut tape, batch);
    let losses = model.losses(&mut tape, &logits, batch, settings.loss_normaliser);
    let values: PerTask<Option<f64>> =
        losses.tasks.iter().map(|loss| loss.map(|loss| tape.value(loss).item().to_f64())).collect();
    let Some(total) = losses.total else { return values };
    if !values.iter().flatten().all(|loss| loss.is_finite()) {
        return values;
    }
    let mut gradients = tape.backward(total);
    if settings.absent_head == AbsentHead::Decay {
        for id in model.heads().iter().flat_map(|head| [head.dense.kernel, head.dense.bias]) {
            gradients.fill(id, params.value(id).shape(), pool);
        }
    }
    adam.step(params, &gradients);
    gradients.give_to(pool);
    values
}
