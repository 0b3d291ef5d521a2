//! yᵢ = x[rows[i]]; dx[rows[i]] += dyᵢ. On an embedding's weights this is the look-up of words, and its gradient stays a list
//! of rows.

use std::sync::Arc;

use rayon::prelude::*;

use crate::autograd::{
    Ctx, Flops, Op, Sizes, Tape, Var,
    gradcheck::{Check, wave},
};
use crate::tensor::{NO_ROW, Real, Tensor, prefetch};

/// Prefetch distance, in rows: the rows of a word table are not in a cache.
const AHEAD: usize = 8;

/// Fewer numbers than this are not worth a second thread.
const WORTH_A_THREAD: usize = 1 << 14;

struct Gather {
    rows: Arc<[u32]>,
}

/// Copies rows of x one behind the other.
fn copy_rows<F: Real>(x: &Tensor<F>, rows: &[u32], y: &mut [F]) {
    for (i, (&row, y)) in rows.iter().zip(y.chunks_exact_mut(x.cols().max(1))).enumerate() {
        match rows.get(i + AHEAD) {
            None | Some(&NO_ROW) => {}
            Some(&later) => prefetch(x.row(later as usize)),
        }
        match row {
            NO_ROW => y.fill(F::ZERO),
            row => y.copy_from_slice(x.row(row as usize)),
        }
    }
}

impl<F: Real> Tape<'_, F> {
    /// Rows of x, in any order, also repeatedly: `[rows.len(), cols]`. [`NO_ROW`] gives a row of zeros.
    ///
    /// # Panics
    /// If x has no such row.
    #[track_caller]
    pub fn gather_rows(&mut self, x: Var, rows: impl Into<Arc<[u32]>>) -> Var {
        let rows = rows.into();
        let ([value], pool) = self.operands([x]);
        let mut y = pool.take([rows.len(), value.cols()]);
        if let Some(row) = rows.iter().find(|&&row| row != NO_ROW && row as usize >= value.rows()) {
            panic!("gather_rows: row {row} of {}", value.shape());
        }
        let of_a_thread = match y.data().len() {
            few if few < WORTH_A_THREAD => rows.len(),
            _ => rows.len().div_ceil(rayon::current_num_threads()),
        };
        let copies = y.data_mut().par_chunks_mut((of_a_thread * value.cols()).max(1));
        copies.zip(rows.par_chunks(of_a_thread.max(1))).for_each(|(y, rows)| copy_rows(value, rows, y));
        self.record(Gather { rows }, &[x], y, [])
    }
}

impl<F: Real> Op<F> for Gather {
    fn name(&self) -> &'static str {
        "gather_rows"
    }

    fn flops(&self, sizes: &Sizes) -> Option<Flops> {
        Some(Flops { forward: 0, backward: sizes.value() * sizes.wanted(0) })
    }

    fn backward(&self, ctx: &mut Ctx<'_, F>) {
        let dy = ctx.dy();
        if !self.rows.contains(&NO_ROW) {
            return ctx.dx_rows(0, &self.rows, dy);
        }
        let (ids, from): (Vec<u32>, Vec<usize>) =
            self.rows.iter().zip(0..).filter(|(row, _)| **row != NO_ROW).map(|(&row, i)| (row, i)).unzip();
        let mut real = ctx.scratch([ids.len(), dy.cols()]);
        for (i, from) in from.into_iter().enumerate() {
            real.row_mut(i).copy_from_slice(dy.row(from));
        }
        ctx.dx_rows(0, &ids, &real);
        ctx.release(real);
    }
}

/// The rows as a product with a matrix of zeros and ones.
fn reference(tape: &mut Tape<'_, f64>, x: Var) -> Var {
    let count = tape.shape(x).rows();
    let chosen = Tensor::from_fn([ROWS.len(), count], |i| f64::from(ROWS[i / count] as usize == i % count));
    let chosen = tape.constant(chosen);
    tape.matmul(chosen, x)
}

/// One row twice, one not at all.
const ROWS: [u32; 4] = [2, 0, NO_ROW, 2];

pub(super) fn checks() -> Vec<Check> {
    vec![
        Check::new("gather_rows", [("x", wave([4, 3], 1.0))], |tape, [x]| tape.gather_rows(x, ROWS))
            .against(|tape, [x]| reference(tape, x)),
        Check::new("gather_rows (of a value)", [("x", wave([4, 3], 1.0))], |tape, [x]| {
            let x = tape.tanh(x);
            tape.gather_rows(x, ROWS)
        })
        .against(|tape, [x]| {
            let x = tape.tanh(x);
            reference(tape, x)
        }),
        Check::new("gather_rows (input used twice)", [("x", wave([4, 3], 1.0))], |tape, [x]| {
            let [a, b] = [[2, 0, 2], [3, 2, 1]].map(|rows| tape.gather_rows(x, rows));
            tape.mul(a, b)
        }),
    ]
}
