//! Numbers that no operation computed, to be checked like those that one did.

use crate::autograd::{Ctx, Op, Tape, Var};
use crate::tensor::{Real, Tensor};

struct Named(&'static str);

/// Records a tensor as if an operation of this name, without inputs, had computed it: so a check can hold an initial value or an
/// optimiser's state against a formula, and a [`Fault`](super::Fault) can reach it.
pub(crate) fn named<F: Real>(tape: &mut Tape<'_, F>, name: &'static str, value: Tensor<F>) -> Var {
    tape.record(Named(name), &[], value, [])
}

impl<F: Real> Op<F> for Named {
    fn name(&self) -> &'static str {
        self.0
    }

    /// Without inputs there is nothing to add to.
    fn backward(&self, _: &mut Ctx<'_, F>) {}
}
