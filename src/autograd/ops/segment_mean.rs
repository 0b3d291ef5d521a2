//! yᵢ = the mean of text i's rows; each row's cotangent is dyᵢ divided by their number. A text without rows gives zeros.

use std::sync::Arc;

use crate::autograd::{
    Ctx, Flops, Op, Sizes, Tape, Var,
    gradcheck::{Check, wave},
};
use crate::tensor::{Real, Segments, Tensor, pointwise};

struct SegmentMean {
    segments: Arc<Segments>,
}

impl<F: Real> Tape<'_, F> {
    /// The mean over each text's rows of x `[N, C]`: `[texts, C]`.
    ///
    /// # Panics
    /// If the segments do not cover the rows of x.
    #[track_caller]
    pub fn segment_mean(&mut self, x: Var, segments: &Arc<Segments>) -> Var {
        let ([value], pool) = self.operands([x]);
        assert_eq!(value.rows(), segments.total(), "segment_mean: rows of {} and segments", value.shape());
        let mut y = pool.zeros([segments.count(), value.cols()]);
        for (i, rows) in segments.iter().enumerate() {
            let share = share_of(rows.len());
            for row in rows {
                pointwise::axpy(y.row_mut(i), share, value.row(row));
            }
        }
        self.record(SegmentMean { segments: segments.clone() }, &[x], y, [])
    }
}

impl<F: Real> Op<F> for SegmentMean {
    fn name(&self) -> &'static str {
        "segment_mean"
    }

    fn flops(&self, sizes: &Sizes) -> Option<Flops> {
        Some(Flops { forward: 2 * sizes.input(0), backward: 2 * sizes.input(0) * sizes.wanted(0) })
    }

    fn backward(&self, ctx: &mut Ctx<'_, F>) {
        let dy = ctx.dy();
        let Some(dx) = ctx.dx(0) else { return };
        for (i, rows) in self.segments.iter().enumerate() {
            let share = share_of(rows.len());
            for row in rows {
                pointwise::axpy(dx.row_mut(row), share, dy.row(i));
            }
        }
    }
}

fn share_of<F: Real>(rows: usize) -> F {
    F::from_f64(1.0 / rows.max(1) as f64)
}

pub(super) fn checks() -> Vec<Check> {
    vec![
        Check::new("segment_mean", [("x", wave([6, 3], 1.0))], |tape, [x]| {
            tape.segment_mean(x, &Arc::new(Segments::from_lengths([2, 0, 3, 1])))
        })
        .against(|tape, [x]| {
            let (half, third) = (1.0 / 2.0, 1.0 / 3.0);
            let shares = [
                [half, half, 0.0, 0.0, 0.0, 0.0],
                [0.0; 6],
                [0.0, 0.0, third, third, third, 0.0],
                [0.0, 0.0, 0.0, 0.0, 0.0, 1.0],
            ];
            let shares = tape.constant(Tensor::new([4, 6], shares.concat()));
            tape.matmul(shares, x)
        }),
        Check::new("segment_mean (texts of one token)", [("x", wave([3, 2], 1.0))], |tape, [x]| {
            tape.segment_mean(x, &Arc::new(Segments::from_lengths([1; 3])))
        })
        .against(|tape, [x]| tape.scale(x, 1.0)),
    ]
}
