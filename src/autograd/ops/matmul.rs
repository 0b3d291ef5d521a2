//! Y = A·B; dA = dY·Bᵀ, dB = Aᵀ·dY.

use crate::autograd::{
    Ctx, Flops, Op, Sizes, Tape, Var,
    gradcheck::{Check, wave},
};
use crate::tensor::{Real, matmul, matmul_add};

struct Matmul;

impl<F: Real> Tape<'_, F> {
    /// A·B for A `[m, k]` and B `[k, n]`: `[m, n]`. A tensor of three axes counts as a matrix whose rows are its first two.
    ///
    /// # Panics
    /// If A does not have one column for each row of B.
    #[track_caller]
    pub fn matmul(&mut self, a: Var, b: Var) -> Var {
        let ([a_value, b_value], pool) = self.operands([a, b]);
        assert_eq!(a_value.cols(), b_value.rows(), "matmul: {} · {}", a_value.shape(), b_value.shape());
        let mut y = pool.take([a_value.rows(), b_value.cols()]);
        matmul(a_value.matrix(), b_value.matrix(), y.matrix_mut());
        self.record(Matmul, &[a, b], y, [])
    }
}

impl<F: Real> Op<F> for Matmul {
    fn name(&self) -> &'static str {
        "matmul"
    }

    fn flops(&self, sizes: &Sizes) -> Option<Flops> {
        let product = 2 * sizes.input(0) * sizes.shape(1).cols() as u64;
        Some(Flops { forward: product, backward: product * (sizes.wanted(0) + sizes.wanted(1)) })
    }

    fn backward(&self, ctx: &mut Ctx<'_, F>) {
        let (dy, a, b) = (ctx.dy(), ctx.x(0), ctx.x(1));
        if let Some(da) = ctx.dx(0) {
            matmul_add(dy.matrix(), b.matrix().reversed_axes(), da.matrix_mut());
        }
        if let Some(db) = ctx.dx(1) {
            matmul_add(a.matrix().reversed_axes(), dy.matrix(), db.matrix_mut());
        }
    }
}

pub(super) fn checks() -> Vec<Check> {
    vec![
        Check::new("matmul", [("a", wave([3, 4], 1.0)), ("b", wave([4, 2], 2.0))], |tape, [a, b]| tape.matmul(a, b)),
        Check::new("matmul (three axes)", [("a", wave([3, 6], 1.0)), ("b", wave([2, 3, 4], 2.0))], |tape, [a, b]| {
            tape.matmul(a, b)
        }),
        Check::new("matmul (input used twice)", [("a", wave([3, 3], 1.0))], |tape, [a]| tape.matmul(a, a)),
        Check::new("matmul (constant input)", [("b", wave([4, 2], 2.0))], |tape, [b]| {
            let a = tape.constant(wave([3, 4], 1.0));
            tape.matmul(a, b)
        }),
    ]
}
