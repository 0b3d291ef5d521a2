//! The walk of one direction through all texts of a batch, step by step.

use super::{GateActivation, cell};
use crate::autograd::Ctx;
use crate::tensor::{Pool, Real, Segments, Tensor, matmul, matmul_add, pointwise, view, view_mut};

/// One direction over one batch. Its buffers are in step order: see [`Steps`](crate::tensor::Steps).
#[derive(Clone, Copy)]
pub(super) struct Walk<'w> {
    pub rows: &'w [u32],
    pub segments: &'w Segments,
    pub reversed: bool,
    pub gate: GateActivation,
    pub units: usize,
    /// Where this direction's columns begin in the matrix that holds all directions side by side.
    pub column: usize,
}

/// What the forward walk keeps for the backward one, in step order.
pub(super) struct Recording<T> {
    pub gates: T,      // [N, 4H], after activation
    pub cells: T,      // [N, H]
    pub tanh_cells: T, // [N, H]
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

impl Walk<'_> {
    /// From the projected rows `[U, ..]`, of which this direction's columns are x·K, to the recording.
    pub fn forward<F: Real>(
        &self,
        projected: &Tensor<F>,
        recurrent: &Tensor<F>,
        bias: &Tensor<F>,
        recording: &mut Recording<Tensor<F>>,
    ) {
        let (units, width) = (self.units, 4 * self.units);
        self.each_token(|step_row, token| {
            let gates = recording.gates.row_mut(step_row);
            gates.copy_from_slice(&projected.row(self.rows[token] as usize)[self.column..][..width]);
            pointwise::add(gates, bias.data());
        });
        let steps = self.segments.steps();
        for t in 0..steps.count() {
            let now = steps.rows(t);
            let gates = &mut recording.gates.data_mut()[now.start * width..now.end * width];
            let (earlier_cells, cells) = recording.cells.data_mut().split_at_mut(now.start * units);
            let (earlier_states, states) = recording.states.data_mut().split_at_mut(now.start * units);
            // The rows of the step before that are still live.
            let before =
                t.checked_sub(1).map(|t| steps.rows(t).start * units..(steps.rows(t).start + now.len()) * units);
            if let Some(before) = &before {
                let before = view(&earlier_states[before.clone()], now.len(), units);
                matmul_add(before, recurrent.matrix(), view_mut(gates, now.len(), width));
            }
            let end = now.len() * units;
            cell::forward(
                gates,
                before.map(|before| &earlier_cells[before]),
                &mut cells[..end],
                &mut recording.tanh_cells.data_mut()[now.start * units..][..end],
                &mut states[..end],
                units,
                self.gate,
            );
        }
    }

    /// From the cotangent of the hidden states `[N, ..]`, of which this direction's columns are its own, to that of the gates'
    /// arguments `[N, 4H]`, in step order. `carries` are the cotangents of h and c, `[texts, H]` of zeros.
    pub fn backward<F: Real>(
        &self,
        dy: &Tensor<F>,
        recorded: &Recording<&Tensor<F>>,
        recurrent: &Tensor<F>,
        gates: &mut Tensor<F>,
        carries: &mut [Tensor<F>; 2],
    ) {
        let (units, width) = (self.units, 4 * self.units);
        let [state_carry, cell_carry] = carries;
        let steps = self.segments.steps();
        for t in (0..steps.count()).rev() {
            let now = steps.rows(t);
            for (i, &text) in steps.live(t).iter().enumerate() {
                let token = self.token(text, t);
                pointwise::add(state_carry.row_mut(i), &dy.row(token)[self.column..][..units]);
            }
            let end = now.len() * units;
            let dgates = &mut gates.data_mut()[now.start * width..now.end * width];
            cell::backward(
                dgates,
                &recorded.gates.data()[now.start * width..now.end * width],
                t.checked_sub(1).map(|t| &recorded.cells.data()[steps.rows(t).start * units..][..end]),
                &recorded.tanh_cells.data()[now.start * units..][..end],
                &state_carry.data()[..end],
                &mut cell_carry.data_mut()[..end],
                units,
                self.gate,
            );
            if t > 0 {
                let before = view_mut(&mut state_carry.data_mut()[..end], now.len(), units);
                matmul(view(dgates, now.len(), width), recurrent.matrix().reversed_axes(), before);
            }
        }
    }

    /// dR += Σ h_beforeᵀ·da over all steps but the first.
    pub fn add_recurrent_gradient<F: Real>(&self, states: &Tensor<F>, gates: &Tensor<F>, recurrent: &mut Tensor<F>) {
        let (units, width) = (self.units, 4 * self.units);
        let steps = self.segments.steps();
        for t in 1..steps.count() {
            let (before, now) = (steps.rows(t - 1).start, steps.rows(t));
            let states = view(&states.data()[before * units..][..now.len() * units], now.len(), units);
            let gates = view(&gates.data()[now.start * width..now.end * width], now.len(), width);
            matmul_add(states.reversed_axes(), gates, recurrent.matrix_mut());
        }
    }

    /// Copies rows in step order to this direction's columns of a matrix in the order of the tokens.
    pub fn scatter_to_tokens<F: Real>(&self, stepped: &Tensor<F>, tokens: &mut Tensor<F>) {
        let cols = stepped.cols();
        self.each_token(|step_row, token| {
            tokens.row_mut(token)[self.column..][..cols].copy_from_slice(stepped.row(step_row));
        });
    }

    /// Adds rows in step order to this direction's columns of the distinct rows that they came from.
    pub fn add_to_rows<F: Real>(&self, stepped: &Tensor<F>, distinct: &mut Tensor<F>) {
        let cols = stepped.cols();
        self.each_token(|step_row, token| {
            let row = self.rows[token] as usize;
            pointwise::add(&mut distinct.row_mut(row)[self.column..][..cols], stepped.row(step_row));
        });
    }

    /// Each row of a buffer in step order with its token.
    fn each_token(&self, mut visit: impl FnMut(usize, usize)) {
        let steps = self.segments.steps();
        for t in 0..steps.count() {
            for (step_row, &text) in steps.rows(t).zip(steps.live(t)) {
                visit(step_row, self.token(text, t));
            }
        }
    }

    /// The token that this direction meets in a text at step `t`.
    fn token(&self, text: usize, t: usize) -> usize {
        let range = self.segments.range(text);
        if self.reversed { range.end - 1 - t } else { range.start + t }
    }
}
