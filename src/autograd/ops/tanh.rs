//! y = tanh x; dx = dy · (1 − y²).

use crate::autograd::{
    Ctx, Flops, Op, Sizes, Tape, Var,
    gradcheck::{Check, wave},
};
use crate::tensor::{Real, pointwise};

struct Tanh;

impl<F: Real> Tape<'_, F> {
    /// Hyperbolic tangent, element by element.
    pub fn tanh(&mut self, x: Var) -> Var {
        let ([value], pool) = self.operands([x]);
        let mut y = pool.copy(value);
        pointwise::tanh(y.data_mut());
        self.record(Tanh, &[x], y, [])
    }
}

impl<F: Real> Op<F> for Tanh {
    fn name(&self) -> &'static str {
        "tanh"
    }

    fn flops(&self, sizes: &Sizes) -> Option<Flops> {
        Some(Flops { forward: sizes.value(), backward: 4 * sizes.value() * sizes.wanted(0) })
    }

    fn backward(&self, ctx: &mut Ctx<'_, F>) {
        let (dy, y) = (ctx.dy(), ctx.y());
        let Some(dx) = ctx.dx(0) else { return };
        for ((dx, &dy), &y) in dx.data_mut().iter_mut().zip(dy.data()).zip(y.data()) {
            *dx += dy * (F::ONE - y * y);
        }
    }
}

pub(super) fn checks() -> Vec<Check> {
    vec![Check::new("tanh", [("x", wave([3, 5], 2.0))], |tape, [x]| tape.tanh(x))]
}
