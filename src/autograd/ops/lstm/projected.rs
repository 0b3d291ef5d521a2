//! Prediction from projected words: with fixed parameters x·K + b is computed once a word, and a text costs its recurrent part
//! alone.

use std::sync::Arc;

use ndarray::Axis;

use super::{
    GateActivation, LstmDirection,
    walk::{Recording, Walk, extend_in_step_order},
};
use crate::autograd::{Tape, Var};
use crate::tensor::{Packed, Pool, Real, Segments, Start, Tensor, matmul_from, pointwise, view_mut};

/// x·K + b of each direction side by side, for x `[U, E]`, K `[E, 4H]` and b `[4H]`, into `projected` `[U, D·4H]`.
///
/// # Panics
/// If the shapes do not fit.
#[track_caller]
pub fn project<F: Real>(x: &Tensor<F>, directions: &[[&Tensor<F>; 2]], projected: &mut [F], pool: &mut Pool<F>) {
    let width = directions.first().map_or(0, |[_, bias]| bias.data().len());
    for [kernel, bias] in directions {
        let expected = [[x.cols(), width].into(), [width].into()];
        assert_eq!([kernel.shape(), bias.shape()], expected, "lstm: kernel and bias over {}", x.shape());
    }
    let mut projected = view_mut(projected, x.rows(), directions.len() * width);
    let together = directions_per_product::<F>(directions.len(), width);
    let columns = projected.axis_chunks_iter_mut(Axis(1), (together * width).max(1));
    for (directions, columns) in directions.chunks(together).zip(columns) {
        if let [[kernel, bias]] = directions {
            matmul_from(Start::Row(bias.data()), x.matrix(), kernel.matrix(), columns);
            continue;
        }
        let all = columns.ncols();
        let (mut kernels, mut biases) = (pool.take([x.cols(), all]), pool.take([all]));
        for (d, [kernel, bias]) in directions.iter().enumerate() {
            pointwise::set_columns(kernels.data_mut(), all, d * width, kernel.data(), width);
            biases.data_mut()[d * width..][..width].copy_from_slice(bias.data());
        }
        matmul_from(Start::Row(biases.data()), x.matrix(), kernels.matrix(), columns);
        pool.give(kernels);
        pool.give(biases);
    }
}

/// How many directions of `width` columns each share a product: all of them, where side by side they fill the kernel's registers so much
/// better (a fifteenth of them saved) that the copies are worth it. Of 16 numbers each, 25 units a direction take 7, or 13 for both.
pub(super) fn directions_per_product<F: Real>(directions: usize, width: usize) -> usize {
    let registers = |columns: usize| columns.div_ceil(F::lanes().unwrap_or(1));
    let saves = 16 * registers(directions * width) <= 15 * directions * registers(width);
    if saves { directions.max(1) } else { 1 }
}

impl<F: Real> Tape<'_, F> {
    /// As [`lstm`](Self::lstm), to the bit, for rows that are projected already: `projected` `[U, D·4H]` is what [`project`] makes.
    /// No gradient flows through it.
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn lstm_of_projected(
        &mut self,
        projected: &Tensor<F>,
        rows: &[u32],
        segments: &Arc<Segments>,
        directions: &[LstmDirection],
        gate: GateActivation,
    ) -> Var {
        assert_eq!(rows.len(), segments.total(), "lstm: rows and segments");
        directions.iter().for_each(|direction| self.check(direction.recurrent_kernel));
        let (nodes, params, pool) = (&self.nodes, self.params, &mut *self.pool);
        let recurrent_of = |direction: &LstmDirection| nodes[direction.recurrent_kernel.index()].value.tensor(params);
        let units = recurrent_of(&directions[0]).rows();
        assert_eq!(projected.cols(), directions.len() * 4 * units, "lstm: columns of projected rows, and directions");
        let mut hidden = pool.take([segments.total(), directions.len() * units]);
        let mut arguments = pool.take([segments.count(), 4 * units]);
        let mut recording = Recording::of_last_step(segments, units, pool);
        let (mut stepped, mut packed) = (pool.take_vec(), pool.take([Packed::<F>::room(units, 4 * units)]));
        for (d, direction) in directions.iter().enumerate() {
            let recurrent = recurrent_of(direction);
            assert_eq!(recurrent.shape(), [units, 4 * units].into(), "lstm: recurrent kernel");
            stepped.clear();
            extend_in_step_order(&mut stepped, rows, segments, direction.reversed);
            let recurrent = Packed::new(recurrent.matrix(), &mut packed);
            let walk = Walk { rows: &stepped, segments, reversed: direction.reversed, gate, units, d };
            walk.forward(projected, &recurrent, &mut arguments, &mut recording);
            walk.scatter_to_tokens(&recording.states, &mut hidden);
        }
        pool.give_vec(stepped);
        [packed, arguments].into_iter().for_each(|buffer| pool.give(buffer));
        recording.into_tensors().into_iter().for_each(|tensor| pool.give(tensor));
        self.constant(hidden)
    }
}
