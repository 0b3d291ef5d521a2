//! Prediction from projected words: with fixed parameters x·K + b is computed once a word, and a text costs its recurrent part
//! alone.

use std::sync::Arc;

use super::{
    GateActivation, LstmDirection,
    walk::{Recording, Walk},
};
use crate::autograd::{Tape, Var};
use crate::tensor::{Real, Segments, Tensor, matmul_add, view_mut};

/// x·K + b for x `[U, E]`, K `[E, 4H]` and b `[4H]`, into `projected` `[U, 4H]`.
///
/// # Panics
/// If the shapes do not fit.
#[track_caller]
pub fn project<F: Real>(x: &Tensor<F>, kernel: &Tensor<F>, bias: &Tensor<F>, projected: &mut [F]) {
    let bias = bias.data();
    projected.chunks_exact_mut(bias.len()).for_each(|row| row.copy_from_slice(bias));
    matmul_add(x.matrix(), kernel.matrix(), view_mut(projected, x.rows(), bias.len()));
}

impl<F: Real> Tape<'_, F> {
    /// As [`lstm`](Self::lstm), to the bit, for rows that are projected already: `projected` has x·K + b of each direction,
    /// `[U, 4H]`, as [`project`] makes it. No gradient flows through it.
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn lstm_of_projected(
        &mut self,
        projected: &[Tensor<F>],
        rows: &[u32],
        segments: &Arc<Segments>,
        directions: &[LstmDirection],
        gate: GateActivation,
    ) -> Var {
        assert_eq!(rows.len(), segments.total(), "lstm: rows and segments");
        assert_eq!(projected.len(), directions.len(), "lstm: projections and directions");
        directions.iter().for_each(|direction| self.check(direction.recurrent_kernel));
        let (nodes, params, pool) = (&self.nodes, self.params, &mut *self.pool);
        let recurrent_of = |direction: &LstmDirection| nodes[direction.recurrent_kernel.index()].value.tensor(params);
        let units = recurrent_of(&directions[0]).rows();
        let mut hidden = pool.take([segments.total(), directions.len() * units]);
        let mut arguments = pool.take([segments.count(), 4 * units]);
        let mut recording = Recording::of_last_step(segments, units, pool);
        for (d, (direction, projected)) in directions.iter().zip(projected).enumerate() {
            let recurrent = recurrent_of(direction);
            assert_eq!(
                (recurrent.shape(), projected.cols()),
                ([units, 4 * units].into(), 4 * units),
                "lstm: recurrent kernel, and columns of projected rows"
            );
            let walk = Walk { rows, segments, reversed: direction.reversed, gate, units, column: d * units };
            walk.forward(projected, recurrent, &mut arguments, &mut recording);
            walk.scatter_to_tokens(&recording.states, &mut hidden);
        }
        pool.give(arguments);
        recording.into_tensors().into_iter().for_each(|tensor| pool.give(tensor));
        self.constant(hidden)
    }
}
