//! y = clip(0.2·x + 0.5, 0, 1), the gate of Keras 2; dx = 0.2·dy where 0 < y < 1.

use crate::autograd::{
    Ctx, Flops, Op, Sizes, Tape, Var,
    gradcheck::{Check, wave},
};
use crate::tensor::{Real, pointwise};

struct HardSigmoid;

impl<F: Real> Tape<'_, F> {
    /// clip(0.2·x + 0.5, 0, 1), element by element.
    pub fn hard_sigmoid(&mut self, x: Var) -> Var {
        let ([value], pool) = self.operands([x]);
        let mut y = pool.copy(value);
        pointwise::hard_sigmoid(y.data_mut());
        self.record(HardSigmoid, &[x], y, [])
    }
}

impl<F: Real> Op<F> for HardSigmoid {
    fn name(&self) -> &'static str {
        "hard_sigmoid"
    }

    fn flops(&self, sizes: &Sizes) -> Option<Flops> {
        Some(Flops { forward: 4 * sizes.value(), backward: 4 * sizes.value() * sizes.wanted(0) })
    }

    fn backward(&self, ctx: &mut Ctx<'_, F>) {
        let (dy, y) = (ctx.dy(), ctx.y());
        let Some(dx) = ctx.dx(0) else { return };
        for ((dx, &dy), &y) in dx.data_mut().iter_mut().zip(dy.data()).zip(y.data()) {
            if y > F::ZERO && y < F::ONE {
                *dx += F::from_f64(0.2) * dy;
            }
        }
    }
}

pub(super) fn checks() -> Vec<Check> {
    vec![Check::new("hard_sigmoid", [("x", wave([3, 5], 4.0))], |tape, [x]| tape.hard_sigmoid(x))]
}
