//! What may watch a tape, and interfere: a trace takes times, a gradient check plants known bugs.

use super::{Ctx, Op};
use crate::tensor::{Real, Tensor};

/// Called by a [`Tape`](super::Tape) at every step of its recording and of its sweeps. By default nothing happens.
pub(super) trait Observer<F: Real>: Send + Sync {
    /// An operation of this name has computed its value, which is not recorded yet.
    fn computed(&mut self, _op: &str, _value: &mut Tensor<F>) {}

    /// One more value stands on the tape.
    fn recorded(&mut self) {}

    /// Makes an operation pass its cotangent on to its inputs.
    fn backward(&self, op: &dyn Op<F>, ctx: &mut Ctx<'_, F>) {
        op.backward(ctx);
    }

    /// Whether operations are kept whose value wants no gradient.
    fn keeps_operations(&self) -> bool {
        false
    }

    /// Whether fused operations record their readable references in their place.
    fn wants_references(&self) -> bool {
        false
    }

    /// How long value `i` took to compute, in nanoseconds.
    fn nanoseconds(&self, _i: usize) -> Option<u64> {
        None
    }
}
