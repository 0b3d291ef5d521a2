//! y = 1 / (1 + e⁻ˣ); dx = dy · y · (1 − y).

use crate::autograd::{
    Ctx, Flops, Op, Sizes, Tape, Var,
    gradcheck::{Check, wave},
};
use crate::tensor::{Real, pointwise};

struct Sigmoid;

impl<F: Real> Tape<'_, F> {
    /// 1 / (1 + e⁻ˣ), element by element.
    pub fn sigmoid(&mut self, x: Var) -> Var {
        let ([value], pool) = self.operands([x]);
        let mut y = pool.copy(value);
        pointwise::sigmoid(y.data_mut());
        self.record(Sigmoid, &[x], y, [])
    }
}

impl<F: Real> Op<F> for Sigmoid {
    fn name(&self) -> &'static str {
        "sigmoid"
    }

    fn flops(&self, sizes: &Sizes) -> Option<Flops> {
        Some(Flops { forward: sizes.value(), backward: 4 * sizes.value() * sizes.wanted(0) })
    }

    fn backward(&self, ctx: &mut Ctx<'_, F>) {
        let (dy, y) = (ctx.dy(), ctx.y());
        let Some(dx) = ctx.dx(0) else { return };
        for ((dx, &dy), &y) in dx.data_mut().iter_mut().zip(dy.data()).zip(y.data()) {
            *dx += dy * y * (F::ONE - y);
        }
    }
}

pub(super) fn checks() -> Vec<Check> {
    vec![Check::new("sigmoid", [("x", wave([3, 5], 2.0))], |tape, [x]| tape.sigmoid(x))]
}
