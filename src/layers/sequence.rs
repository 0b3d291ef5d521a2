//! What flows between the layers of a text.

use std::sync::Arc;

use crate::autograd::Var;
use crate::tensor::Segments;

/// The tokens of a batch of texts, packed one text after the other. A row of numbers is kept once for all tokens that show it.
#[derive(Clone, Debug)]
pub struct Sequence {
    /// The distinct rows, `[U, C]`.
    pub values: Var,
    /// For each token of the batch, its row of `values`.
    pub rows: Arc<[u32]>,
    /// Which tokens belong to which text.
    pub segments: Arc<Segments>,
}

impl Sequence {
    /// A sequence whose every token has a row of its own, `[tokens, C]`, in order.
    pub fn of_tokens(values: Var, segments: Arc<Segments>) -> Self {
        Self { values, rows: segments.every_row().clone(), segments }
    }
}
