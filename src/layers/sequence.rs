//! What flows between the layers of a text.

use std::sync::Arc;

use crate::autograd::Var;
use crate::tensor::{Real, Segments, Tensor};

/// The tokens of a batch of texts, packed one text after the other. A row of numbers is kept once for all tokens that show it.
#[derive(Clone, Debug)]
pub struct Sequence<'p, F: Real = f32> {
    /// The distinct rows.
    pub values: Rows<'p, F>,
    /// For each token of the batch, its row of `values`.
    pub rows: Arc<[u32]>,
    /// Which tokens belong to which text.
    pub segments: Arc<Segments>,
}

/// The distinct rows of a [`Sequence`].
#[derive(Clone, Copy, Debug)]
pub enum Rows<'p, F: Real = f32> {
    /// On the tape, `[U, C]`.
    OnTape(Var),
    /// The products with the kernels of the first layer, as its `project` computes them: with fixed parameters a row is projected
    /// once for all texts. No gradient flows through them.
    Projected(&'p Tensor<F>),
}

impl<F: Real> Sequence<'_, F> {
    /// A sequence whose every token has a row of its own, `[tokens, C]`, in order.
    pub fn of_tokens(values: Var, segments: Arc<Segments>) -> Self {
        Self { values: Rows::OnTape(values), rows: segments.every_row().clone(), segments }
    }

    /// The distinct rows on the tape, `[U, C]`.
    ///
    /// # Panics
    /// If they are projected.
    #[track_caller]
    pub fn var(&self) -> Var {
        match self.values {
            Rows::OnTape(values) => values,
            Rows::Projected(_) => panic!("the rows of the sequence are projected"),
        }
    }
}
