//! Y = some neighbouring columns of X; dX is dY in those columns.

use std::ops::Range;

use crate::autograd::{
    Ctx, Flops, Op, Sizes, Tape, Var,
    gradcheck::{Check, wave},
};
use crate::tensor::{Real, pointwise};

struct Slice {
    columns: Range<usize>,
}

impl<F: Real> Tape<'_, F> {
    /// The given columns of x.
    ///
    /// # Panics
    /// If x has fewer columns.
    #[track_caller]
    pub fn slice_columns(&mut self, x: Var, columns: Range<usize>) -> Var {
        let ([value], pool) = self.operands([x]);
        assert!(columns.end <= value.cols(), "slice_columns: {columns:?} of {}", value.shape());
        let mut y = pool.take([value.rows(), columns.len()]);
        pointwise::copy_columns(y.data_mut(), columns.len(), value.data(), value.cols(), columns.start);
        self.record(Slice { columns }, &[x], y, [])
    }
}

impl<F: Real> Op<F> for Slice {
    fn name(&self) -> &'static str {
        "slice_columns"
    }

    fn flops(&self, sizes: &Sizes) -> Option<Flops> {
        Some(Flops { forward: 0, backward: sizes.value() * sizes.wanted(0) })
    }

    fn backward(&self, ctx: &mut Ctx<'_, F>) {
        let dy = ctx.dy();
        let Some(dx) = ctx.dx(0) else { return };
        for i in 0..dy.rows() {
            pointwise::add(&mut dx.row_mut(i)[self.columns.clone()], dy.row(i));
        }
    }
}

pub(super) fn checks() -> Vec<Check> {
    vec![Check::new("slice_columns", [("x", wave([3, 5], 1.0))], |tape, [x]| tape.slice_columns(x, 1..4))]
}
