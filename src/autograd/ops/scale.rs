//! y = c · x for a fixed number c; dx = c · dy.

use crate::autograd::{
    Ctx, Flops, Op, Sizes, Tape, Var,
    gradcheck::{Check, wave},
};
use crate::tensor::{Real, pointwise};

struct Scale<F>(F);

impl<F: Real> Tape<'_, F> {
    /// `factor` · x.
    pub fn scale(&mut self, x: Var, factor: F) -> Var {
        let ([value], pool) = self.operands([x]);
        let mut y = pool.zeros(value.shape());
        pointwise::axpy(y.data_mut(), factor, value.data());
        self.record(Scale(factor), &[x], y, [])
    }
}

impl<F: Real> Op<F> for Scale<F> {
    fn name(&self) -> &'static str {
        "scale"
    }

    fn flops(&self, sizes: &Sizes) -> Option<Flops> {
        Some(Flops { forward: sizes.value(), backward: 2 * sizes.value() * sizes.wanted(0) })
    }

    fn backward(&self, ctx: &mut Ctx<'_, F>) {
        let dy = ctx.dy();
        if let Some(dx) = ctx.dx(0) {
            pointwise::axpy(dx.data_mut(), self.0, dy.data());
        }
    }
}

pub(super) fn checks() -> Vec<Check> {
    vec![Check::new("scale", [("x", wave([3, 4], 1.0))], |tape, [x]| tape.scale(x, -1.7))]
}
