//! yᵢ = the largest of text i's rows, column by column; the cotangent goes to the first row that reaches it. A NaN is larger
//! than every number. A text without rows gives zeros.

use std::sync::Arc;

use crate::autograd::{
    Ctx, Flops, Op, Sizes, Tape, Var,
    gradcheck::{Check, wave},
};
use crate::tensor::{Real, Segments};

struct SegmentMax {
    /// The row of each maximum, `[texts, C]`; `None` in a text without rows.
    winners: Vec<Option<usize>>,
}

impl<F: Real> Tape<'_, F> {
    /// The largest of each text's rows of x `[N, C]`, column by column: `[texts, C]`.
    ///
    /// # Panics
    /// If the segments do not cover the rows of x.
    #[track_caller]
    pub fn segment_max(&mut self, x: Var, segments: &Arc<Segments>) -> Var {
        let ([value], pool) = self.operands([x]);
        assert_eq!(value.rows(), segments.total(), "segment_max: rows of {} and segments", value.shape());
        let mut y = pool.zeros([segments.count(), value.cols()]);
        let mut winners = vec![None; y.data().len()];
        for (i, rows) in segments.iter().enumerate() {
            for row in rows {
                for (c, &x) in value.row(row).iter().enumerate() {
                    let winner = &mut winners[i * value.cols() + c];
                    if winner.is_none() || x > y.row(i)[c] || x.is_nan() {
                        *winner = Some(row);
                        y.row_mut(i)[c] = x;
                    }
                }
            }
        }
        self.record(SegmentMax { winners }, &[x], y, [])
    }
}

impl<F: Real> Op<F> for SegmentMax {
    fn name(&self) -> &'static str {
        "segment_max"
    }

    fn flops(&self, sizes: &Sizes) -> Option<Flops> {
        Some(Flops { forward: sizes.input(0), backward: sizes.value() * sizes.wanted(0) })
    }

    fn backward(&self, ctx: &mut Ctx<'_, F>) {
        let dy = ctx.dy();
        let Some(dx) = ctx.dx(0) else { return };
        for (i, winner) in self.winners.iter().enumerate() {
            if let Some(row) = *winner {
                dx.row_mut(row)[i % dy.cols()] += dy.data()[i];
            }
        }
    }
}

pub(super) fn checks() -> Vec<Check> {
    vec![
        Check::new("segment_max", [("x", wave([6, 3], 1.0))], |tape, [x]| {
            tape.segment_max(x, &Arc::new(Segments::from_lengths([2, 0, 3, 1])))
        }),
        Check::new("segment_max (texts of one token)", [("x", wave([3, 2], 1.0))], |tape, [x]| {
            tape.segment_max(x, &Arc::new(Segments::from_lengths([1; 3])))
        })
        .against(|tape, [x]| tape.scale(x, 1.0)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::{Mode, ParamStore};
    use crate::tensor::{Pool, Tensor};

    /// As `torch.max` has it.
    #[test]
    fn a_nan_wins_wherever_it_stands() {
        for place in 0..3 {
            let mut column = vec![1.0_f32, 3.0, 2.0];
            column[place] = f32::NAN;
            let mut params = ParamStore::new();
            let x = params.add("x", Tensor::new([3, 1], column));
            let mut pool = Pool::new();
            let mut tape = Tape::new(&params, &mut pool, Mode::Evaluate);
            let on_tape = tape.param(x);
            let y = tape.segment_max(on_tape, &Arc::new(Segments::from_lengths([3])));
            assert!(tape.value(y).item().is_nan());
            let expected: Vec<f32> = (0..3).map(|row| f32::from(u8::from(row == place))).collect();
            assert_eq!(tape.backward(y).dense(x).unwrap().data(), expected);
        }
    }
}
