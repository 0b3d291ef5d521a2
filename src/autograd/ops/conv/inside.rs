//! What a recorded convolution computed within, to look at.

use std::any::Any;

use super::{Conv, Origin};
use crate::autograd::{Tape, Var};
use crate::tensor::{Real, Tensor};

/// Where the vectors of a convolution came from.
#[derive(Clone, Debug, PartialEq)]
pub enum ConvInside<F> {
    /// Of each text and filter the first window that reaches the maximum, `texts · F` numbers: its first token, from the text's.
    Winners(Vec<u32>),
    /// φ(z) of every window, whose mean was taken, `[windows, F]`.
    Activations(Tensor<F>),
}

impl<F: Real> Tape<'_, F> {
    /// Where the value of a [`conv`](Self::conv) came from; `None` for any other value, or one that was not kept for a sweep.
    pub fn conv_inside(&self, var: Var) -> Option<ConvInside<F>> {
        let node = self.node(var);
        let op: &dyn Any = &**node.op.as_ref()?;
        Some(match &op.downcast_ref::<Conv>()?.origin {
            Origin::Winners(winners) => ConvInside::Winners(winners.clone()),
            Origin::All => ConvInside::Activations(node.saved[0].clone()),
        })
    }
}
