//! y = max(x, 0); dx = dy where y > 0.

use crate::autograd::{
    Ctx, Flops, Op, Sizes, Tape, Var,
    gradcheck::{Check, wave},
};
use crate::tensor::{Real, pointwise};

struct Relu;

impl<F: Real> Tape<'_, F> {
    /// max(x, 0), element by element.
    pub fn relu(&mut self, x: Var) -> Var {
        let ([value], pool) = self.operands([x]);
        let mut y = pool.copy(value);
        pointwise::relu(y.data_mut());
        self.record(Relu, &[x], y, [])
    }
}

impl<F: Real> Op<F> for Relu {
    fn name(&self) -> &'static str {
        "relu"
    }

    fn flops(&self, sizes: &Sizes) -> Option<Flops> {
        Some(Flops { forward: sizes.value(), backward: 2 * sizes.value() * sizes.wanted(0) })
    }

    fn backward(&self, ctx: &mut Ctx<'_, F>) {
        let (dy, y) = (ctx.dy(), ctx.y());
        let Some(dx) = ctx.dx(0) else { return };
        for ((dx, &dy), &y) in dx.data_mut().iter_mut().zip(dy.data()).zip(y.data()) {
            if y > F::ZERO {
                *dx += dy;
            }
        }
    }
}

pub(super) fn checks() -> Vec<Check> {
    vec![Check::new("relu", [("x", wave([3, 5], 2.0))], |tape, [x]| tape.relu(x))]
}
