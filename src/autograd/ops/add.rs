//! y = a + b, where b may also be one row that is added to every row of a; da = dy, db = dy or the sum of its rows.

use crate::autograd::{
    Ctx, Flops, Op, Sizes, Tape, Var,
    gradcheck::{Check, wave},
};
use crate::tensor::{Real, pointwise};

struct Add;

impl<F: Real> Tape<'_, F> {
    /// a + b, for b of a's shape or (a bias) of one row of a.
    ///
    /// # Panics
    /// If b is neither.
    #[track_caller]
    pub fn add(&mut self, a: Var, b: Var) -> Var {
        let ([a_value, b_value], pool) = self.operands([a, b]);
        let (a_shape, b_shape) = (a_value.shape(), b_value.shape());
        let is_row = b_shape.dims() == [a_shape.cols()];
        assert!(a_shape == b_shape || is_row, "add: {a_shape} + {b_shape}");
        let mut y = pool.copy(a_value);
        for row in y.data_mut().chunks_exact_mut(b_shape.len().max(1)) {
            pointwise::add(row, b_value.data());
        }
        self.record(Add, &[a, b], y, [])
    }
}

impl<F: Real> Op<F> for Add {
    fn name(&self) -> &'static str {
        "add"
    }

    fn flops(&self, sizes: &Sizes) -> Option<Flops> {
        Some(Flops { forward: sizes.value(), backward: sizes.value() * (sizes.wanted(0) + sizes.wanted(1)) })
    }

    fn backward(&self, ctx: &mut Ctx<'_, F>) {
        let dy = ctx.dy();
        if let Some(da) = ctx.dx(0) {
            pointwise::add(da.data_mut(), dy.data());
        }
        if let Some(db) = ctx.dx(1) {
            pointwise::add_column_sums(db.data_mut(), dy.data());
        }
    }
}

pub(super) fn checks() -> Vec<Check> {
    let (a, b) = (wave([3, 4], 1.0), wave([3, 4], 2.0));
    vec![
        Check::new("add", [("a", a.clone()), ("b", b)], |tape, [a, b]| tape.add(a, b)),
        Check::new("add (row)", [("a", a.clone()), ("b", wave([4], 2.0))], |tape, [a, b]| tape.add(a, b)),
        Check::new("add (input used twice)", [("a", a)], |tape, [a]| tape.add(a, a)),
    ]
}
