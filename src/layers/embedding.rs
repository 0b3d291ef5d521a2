//! Word embeddings.

use std::sync::Arc;

use super::{Rows, Sequence};
use crate::autograd::{
    ParamId, ParamStore, Tape,
    gradcheck::{Check, wave},
};
use crate::tensor::{Real, Segments, Tensor};

/// A table of word vectors. Frozen it is a constant; trained, its gradient is a list of the rows in use.
#[derive(Clone, Copy, Debug)]
pub struct Embedding {
    /// `[V, E]`.
    pub weight: ParamId,
}

impl Embedding {
    /// Adds the parameter `{name}.weight`.
    pub fn new<F: Real>(params: &mut ParamStore<F>, name: &str, weight: Tensor<F>, trainable: bool) -> Self {
        let weight = params.add(format!("{name}.weight"), weight);
        if !trainable {
            params.freeze(weight);
        }
        Self { weight }
    }

    /// Looks up each of the `distinct` ids of a batch once; token `n` shows number `rows[n]` of them.
    pub fn forward<F: Real>(
        &self,
        tape: &mut Tape<'_, F>,
        distinct: &Arc<[u32]>,
        rows: &Arc<[u32]>,
        segments: &Arc<Segments>,
    ) -> Sequence<'static, F> {
        let weight = tape.param(self.weight);
        let values = Rows::OnTape(tape.gather_rows(weight, distinct.clone()));
        Sequence { values, rows: rows.clone(), segments: segments.clone() }
    }
}

pub(super) fn checks() -> Vec<Check> {
    let mut params = ParamStore::new();
    let layer = Embedding::new(&mut params, "embedding", wave([6, 3], 0.1), true);
    let segments = Arc::new(Segments::from_lengths([2, 1, 2]));
    let fused = move |tape: &mut Tape<'_, f64>| {
        let sequence = layer.forward(tape, &[1, 4, 5].into(), &[0, 2, 2, 1, 0].into(), &segments);
        tape.gather_rows(sequence.var(), sequence.rows)
    };
    // Token by token, as a product with a matrix of zeros and ones.
    let composed = move |tape: &mut Tape<'_, f64>| {
        let ids = [1, 5, 5, 4, 1];
        let shown = tape.constant(Tensor::from_fn([5, 6], |i| f64::from(ids[i / 6] == i % 6)));
        let weight = tape.param(layer.weight);
        tape.matmul(shown, weight)
    };
    vec![Check::of_params("layer: embedding, fine-tuned", params, fused).against_params(composed)]
}
