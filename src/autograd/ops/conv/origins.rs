//! Intermediate values of a recorded convolution, for explanations.

use std::any::Any;

use super::{Conv, Origin};
use crate::autograd::{Tape, Var};
use crate::tensor::{Real, Tensor};

/// Where the vectors of a convolution came from.
#[derive(Clone, Debug, PartialEq)]
pub enum ConvOrigins<F> {
    /// Of each text and filter the first window that reaches the maximum, `texts · F` numbers: its first token, from the text's.
    Winners(Vec<u32>),
    /// φ(z) of every window, whose mean was taken, `[windows, F]`.
    Activations(Tensor<F>),
}

impl<F: Real> Tape<'_, F> {
    /// Where the value of a [`conv`](Self::conv) came from; `None` for any other value, or one that was not kept for a sweep.
    pub fn conv_origins(&self, var: Var) -> Option<ConvOrigins<F>> {
        let node = self.node(var);
        let op: &dyn Any = &**node.op.as_ref()?;
        Some(match &op.downcast_ref::<Conv>()?.origin {
            Origin::Winners(winners) => ConvOrigins::Winners(winners.clone()),
            Origin::All => ConvOrigins::Activations(node.saved[0].clone()),
        })
    }
}
