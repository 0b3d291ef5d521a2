//! Y = the inputs one below the other (rows) or side by side (columns); each input's cotangent is its part of dY.

use crate::autograd::{
    Ctx, Flops, Op, Sizes, Tape, Var,
    gradcheck::{Check, wave},
};
use crate::tensor::{Real, pointwise};

struct ConcatRows {
    inputs: usize,
}

struct ConcatColumns {
    inputs: usize,
}

impl<F: Real> Tape<'_, F> {
    /// Matrices of equally many columns, one below the other.
    ///
    /// # Panics
    /// If there is none, or their columns differ.
    #[track_caller]
    pub fn concat_rows(&mut self, xs: &[Var]) -> Var {
        let cols = self.value(*xs.first().expect("concat_rows: at least one input")).cols();
        let rows = xs.iter().map(|&x| self.value(x).rows()).sum();
        let mut y = self.pool.take([rows, cols]);
        let mut start = 0;
        for &x in xs {
            let x = self.value(x);
            assert_eq!(x.cols(), cols, "concat_rows: {} beside others of {cols} columns", x.shape());
            y.data_mut()[start..][..x.data().len()].copy_from_slice(x.data());
            start += x.data().len();
        }
        self.record(ConcatRows { inputs: xs.len() }, xs, y, [])
    }

    /// Matrices of equally many rows, side by side.
    ///
    /// # Panics
    /// If there is none, or their rows differ.
    #[track_caller]
    pub fn concat_columns(&mut self, xs: &[Var]) -> Var {
        let rows = self.value(*xs.first().expect("concat_columns: at least one input")).rows();
        let cols = xs.iter().map(|&x| self.value(x).cols()).sum();
        let mut y = self.pool.take([rows, cols]);
        let mut start = 0;
        for &x in xs {
            let x = self.value(x);
            assert_eq!(x.rows(), rows, "concat_columns: {} beside others of {rows} rows", x.shape());
            pointwise::set_columns(y.data_mut(), cols, start, x.data(), x.cols());
            start += x.cols();
        }
        self.record(ConcatColumns { inputs: xs.len() }, xs, y, [])
    }
}

impl<F: Real> Op<F> for ConcatRows {
    fn name(&self) -> &'static str {
        "concat_rows"
    }

    fn flops(&self, sizes: &Sizes) -> Option<Flops> {
        Some(Flops {
            forward: 0,
            backward: (0..self.inputs).map(|input| sizes.input(input) * sizes.wanted(input)).sum(),
        })
    }

    fn backward(&self, ctx: &mut Ctx<'_, F>) {
        let dy = ctx.dy();
        let mut start = 0;
        for input in 0..self.inputs {
            let len = ctx.x(input).data().len();
            if let Some(dx) = ctx.dx(input) {
                pointwise::add(dx.data_mut(), &dy.data()[start..][..len]);
            }
            start += len;
        }
    }
}

impl<F: Real> Op<F> for ConcatColumns {
    fn name(&self) -> &'static str {
        "concat_columns"
    }

    fn flops(&self, sizes: &Sizes) -> Option<Flops> {
        Some(Flops {
            forward: 0,
            backward: (0..self.inputs).map(|input| sizes.input(input) * sizes.wanted(input)).sum(),
        })
    }

    fn backward(&self, ctx: &mut Ctx<'_, F>) {
        let dy = ctx.dy();
        let mut start = 0;
        for input in 0..self.inputs {
            let cols = ctx.x(input).cols();
            if let Some(dx) = ctx.dx(input) {
                for i in 0..dy.rows() {
                    pointwise::add(dx.row_mut(i), &dy.row(i)[start..][..cols]);
                }
            }
            start += cols;
        }
    }
}

pub(super) fn checks() -> Vec<Check> {
    vec![
        Check::new("concat_rows", [("a", wave([2, 3], 1.0)), ("b", wave([1, 3], 2.0))], |tape, [a, b]| {
            tape.concat_rows(&[a, b, a])
        }),
        Check::new("concat_columns", [("a", wave([2, 3], 1.0)), ("b", wave([2, 1], 2.0))], |tape, [a, b]| {
            tape.concat_columns(&[a, b, a])
        }),
    ]
}
