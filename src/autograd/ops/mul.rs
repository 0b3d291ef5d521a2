//! y = a ∘ b, element by element; da = dy ∘ b, db = dy ∘ a.

use crate::autograd::{
    Ctx, Flops, Op, Sizes, Tape, Var,
    gradcheck::{Check, wave},
};
use crate::tensor::{Real, pointwise};

struct Mul;

impl<F: Real> Tape<'_, F> {
    /// a ∘ b, element by element.
    ///
    /// # Panics
    /// If the shapes differ.
    #[track_caller]
    pub fn mul(&mut self, a: Var, b: Var) -> Var {
        let ([a_value, b_value], pool) = self.operands([a, b]);
        assert_eq!(a_value.shape(), b_value.shape(), "mul: the shapes differ");
        let mut y = pool.zeros(a_value.shape());
        pointwise::add_product(y.data_mut(), a_value.data(), b_value.data());
        self.record(Mul, &[a, b], y, [])
    }
}

impl<F: Real> Op<F> for Mul {
    fn name(&self) -> &'static str {
        "mul"
    }

    fn flops(&self, sizes: &Sizes) -> Option<Flops> {
        Some(Flops { forward: sizes.value(), backward: 2 * sizes.value() * (sizes.wanted(0) + sizes.wanted(1)) })
    }

    fn backward(&self, ctx: &mut Ctx<'_, F>) {
        let (dy, a, b) = (ctx.dy(), ctx.x(0), ctx.x(1));
        if let Some(da) = ctx.dx(0) {
            pointwise::add_product(da.data_mut(), dy.data(), b.data());
        }
        if let Some(db) = ctx.dx(1) {
            pointwise::add_product(db.data_mut(), dy.data(), a.data());
        }
    }
}

pub(super) fn checks() -> Vec<Check> {
    let (a, b) = (wave([3, 4], 1.0), wave([3, 4], 2.0));
    vec![
        Check::new("mul", [("a", a.clone()), ("b", b.clone())], |tape, [a, b]| tape.mul(a, b)),
        Check::new("mul (input used twice)", [("a", a)], |tape, [a]| tape.mul(a, a)),
        Check::new("mul (constant input)", [("b", b)], |tape, [b]| {
            let a = tape.constant(wave([3, 4], 3.0));
            tape.mul(a, b)
        }),
    ]
}
