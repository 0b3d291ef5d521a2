//! The time loop of one direction over all texts of a batch.

use super::{GateActivation, cell};
use crate::autograd::Ctx;
use crate::tensor::{
    Packed, Pool, Real, Segments, Start, Tensor, matmul, matmul_from, matmul_packed, pointwise, prefetch, view,
    view_mut,
};

/// One direction over one batch. Its buffers are in step order: see [`TimeSteps`](crate::tensor::TimeSteps).
#[derive(Clone, Copy)]
pub(super) struct Walk<'w> {
    /// The distinct row of each token, in step order.
    pub rows: &'w [u32],
    pub segments: &'w Segments,
    pub reversed: bool,
    pub gate: GateActivation,
    pub units: usize,
    /// Which of the directions it is: their hidden states and projected rows stand side by side.
    pub d: usize,
}

/// Appends `rows[token]` of the token at each place in step order.
pub(super) fn extend_in_step_order(to: &mut Vec<u32>, rows: &[u32], segments: &Segments, reversed: bool) {
    to.extend(segments.steps().tokens(reversed).iter().map(|&token| rows[token as usize]));
}

/// What the forward pass saves for the backward pass, in step order. In evaluation, gates and tanh c of the last step only.
pub(super) struct Recording<T> {
    pub gates: T,      // [N, 4H] or [texts, 4H], after activation
    pub cells: T,      // [N, H]
    pub tanh_cells: T, // [N, H] or [texts, H]
    pub states: T,     // [N, H]
}

impl<F: Real> Recording<Tensor<F>> {
    pub fn new(tokens: usize, units: usize, pool: &mut Pool<F>) -> Self {
        Self {
            gates: pool.take([tokens, 4 * units]),
            cells: pool.take([tokens, units]),
            tanh_cells: pool.take([tokens, units]),
            states: pool.take([tokens, units]),
        }
    }

    /// Where nothing will be walked backwards.
    pub fn of_last_step(segments: &Segments, units: usize, pool: &mut Pool<F>) -> Self {
        Self {
            gates: pool.take([segments.count(), 4 * units]),
            cells: pool.take([segments.total(), units]),
            tanh_cells: pool.take([segments.count(), units]),
            states: pool.take([segments.total(), units]),
        }
    }

    pub fn into_tensors(self) -> [Tensor<F>; 4] {
        [self.gates, self.cells, self.tanh_cells, self.states]
    }
}

impl<'c, F: Real> Recording<&'c Tensor<F>> {
    /// What direction `d` kept.
    pub fn saved(ctx: &Ctx<'c, F>, d: usize) -> Self {
        let [gates, cells, tanh_cells, states] = [0, 1, 2, 3].map(|i| ctx.saved(4 * d + i));
        Self { gates, cells, tanh_cells, states }
    }
}

/// Prefetch distance, in rows: the projected rows of a whole vocabulary are not in a cache, and a row arrives in the time that this many
/// texts take.
const AHEAD: usize = 64;
/// Up to this many numbers (512 KiB), as a batch of training has, projected rows are in the second-level cache already.
const CACHED: usize = 1 << 17;

impl Walk<'_> {
    /// From the projected rows of all directions `[U, D·4H]`, x·K + b, to the recording. `recurrent` is R; `arguments` `[texts, 4H]` is
    /// scratch.
    pub fn forward<F: Real>(
        &self,
        projected: &Tensor<F>,
        recurrent: &Packed<F>,
        arguments: &mut Tensor<F>,
        recording: &mut Recording<Tensor<F>>,
    ) {
        let (units, width) = (self.units, 4 * self.units);
        let first = self.d * width;
        let steps = self.segments.steps();
        for t in 0..steps.count() {
            let now = steps.rows(t);
            let ahead = if projected.data().len() > CACHED { now.len() } else { 0 };
            for &later in self.rows.iter().skip(now.start + AHEAD).take(ahead) {
                prefetch(&projected.row(later as usize)[first..][..width]);
            }
            let (earlier_cells, cells) = recording.cells.data_mut().split_at_mut(now.start * units);
            let (earlier_states, states) = recording.states.data_mut().split_at_mut(now.start * units);
            // The rows of the step before that are still live.
            let before =
                t.checked_sub(1).map(|t| steps.rows(t).start * units..(steps.rows(t).start + now.len()) * units);
            let arguments = &mut arguments.data_mut()[..now.len() * width];
            let start = Start::Gathered { matrix: projected, rows: &self.rows[now.clone()], first };
            let into = view_mut(arguments, now.len(), width);
            match &before {
                // There is no state yet: a product of depth 0, which leaves the rows that it starts from.
                None => matmul_from(start, view(&[], now.len(), 0), view(&[], 0, width), into),
                Some(before) => {
                    matmul_packed(start, view(&earlier_states[before.clone()], now.len(), units), recurrent, into);
                }
            }
            let end = now.len() * units;
            let kept = if recording.gates.rows() == self.segments.total() { now.start } else { 0 };
            let step = cell::Step {
                gates: &mut recording.gates.data_mut()[kept * width..][..now.len() * width],
                cells: &mut cells[..end],
                tanh_cells: &mut recording.tanh_cells.data_mut()[kept * units..][..end],
                states: &mut states[..end],
            };
            cell::forward(arguments, before.map(|before| &earlier_cells[before]), step, units, self.gate);
        }
    }

    /// From the cotangent of the hidden states `[N, ..]`, of which this direction's columns are its own, to that of the gates'
    /// arguments `[N, 4H]`, in step order. `transposed` is Rᵀ; `carries` are `[texts, H]` of zeros, for the cotangents of h and of
    /// c before and after a step. Before each step, `visit` gets its number and the cotangents of its h and c from later steps.
    pub fn backward<F: Real>(
        &self,
        dy: &Tensor<F>,
        recorded: &Recording<&Tensor<F>>,
        transposed: &Packed<F>,
        gates: &mut Tensor<F>,
        carries: &mut [Tensor<F>; 3],
        mut visit: impl FnMut(usize, &[F], &[F]),
    ) {
        let (units, width) = (self.units, 4 * self.units);
        let [dstates, dcells, dcells_before] = carries;
        let steps = self.segments.steps();
        for t in (0..steps.count()).rev() {
            let now = steps.rows(t);
            let end = now.len() * units;
            let dgates = &mut gates.data_mut()[now.start * width..now.end * width];
            visit(t, &dstates.data()[..end], &dcells.data()[..end]);
            let upstream = cell::Upstream {
                states: &dstates.data()[..end],
                cells: &dcells.data()[..end],
                outputs: dy.data(),
                tokens: &steps.tokens(self.reversed)[now.clone()],
                stride: dy.cols(),
                column: self.d * units,
            };
            let saved = cell::Saved {
                gates: &recorded.gates.data()[now.start * width..now.end * width],
                before: t.checked_sub(1).map(|t| &recorded.cells.data()[steps.rows(t).start * units..][..end]),
                tanh_cells: &recorded.tanh_cells.data()[now.start * units..][..end],
            };
            cell::backward(upstream, saved, dgates, &mut dcells_before.data_mut()[..end], units, self.gate);
            // Rows that are live from here on only have been written in neither of the two: they hold zeros.
            std::mem::swap(dcells, dcells_before);
            if t > 0 {
                let before = view_mut(&mut dstates.data_mut()[..end], now.len(), units);
                matmul_packed(Start::Zero, view(dgates, now.len(), width), transposed, before);
            }
        }
    }

    /// dR = Σ h_beforeᵀ·da over all steps but the first, in one product; `before` `[N, H]` is scratch, for the states before each row.
    pub fn recurrent_gradient<F: Real>(
        &self,
        states: &Tensor<F>,
        gates: &Tensor<F>,
        before: &mut Tensor<F>,
        recurrent: &mut Tensor<F>,
    ) {
        let (units, width) = (self.units, 4 * self.units);
        let steps = self.segments.steps();
        let first = if steps.count() == 0 { 0 } else { steps.rows(0).end };
        for t in 1..steps.count() {
            let (earlier, now) = (steps.rows(t - 1).start, steps.rows(t));
            let states = &states.data()[earlier * units..][..now.len() * units];
            before.data_mut()[(now.start - first) * units..][..states.len()].copy_from_slice(states);
        }
        let later = self.segments.total() - first;
        let before = view(&before.data()[..later * units], later, units);
        matmul(before.reversed_axes(), view(&gates.data()[first * width..], later, width), recurrent.matrix_mut());
    }

    /// Copies rows in step order to this direction's columns of a matrix in the order of the tokens.
    pub fn scatter_to_tokens<F: Real>(&self, stepped: &Tensor<F>, tokens: &mut Tensor<F>) {
        let (cols, stride) = (stepped.cols(), tokens.cols());
        let places = self.segments.steps().tokens(self.reversed);
        pointwise::scatter_rows(tokens.data_mut(), stride, self.d * cols, places, stepped.data(), cols);
    }

    /// Adds rows in step order to this direction's columns of the distinct rows that they came from.
    pub fn add_to_rows<F: Real>(&self, stepped: &Tensor<F>, distinct: &mut Tensor<F>) {
        let (cols, stride) = (stepped.cols(), distinct.cols());
        pointwise::add_rows(distinct.data_mut(), stride, self.d * cols, self.rows, stepped.data(), cols);
    }
}
