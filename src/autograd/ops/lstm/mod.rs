//! A whole-sequence LSTM (Hochreiter & Schmidhuber 1997; Gers et al. 2000) over packed texts, in one or both directions.
//!
//! With the gates in the order i, f, c, o, for a text's token x at each step, and h and c starting from 0:
//!
//! ```text
//! a = x·K + h·R + b           [4H]
//! i = γ(aᵢ)  f = γ(a_f)  g = tanh(a_c)  o = γ(aₒ)
//! c ← f∘c + i∘g               [H]
//! h ← o∘tanh(c)               [H]
//! ```
//!
//! and backwards, with dh and dc the cotangents of h and c from later steps and from the outputs:
//!
//! ```text
//! dc += dh∘o∘(1 − tanh²c)
//! daᵢ = dc∘g∘γ′  da_f = dc∘c_before∘γ′  da_c = dc∘i∘(1 − g²)  daₒ = dh∘tanh(c)∘γ′
//! dc ← dc∘f   dh ← da·Rᵀ      for the step before
//! dR = Σ h_beforeᵀ·da   db = Σ da   dK = Σ xᵀ·da   dx = da·Kᵀ
//! ```
//!
//! The fused computation projects each *distinct* row of x once for all tokens that show it, and walks all texts of the batch
//! together, longest first, so that the live ones are always the first rows of a buffer.
//! [`reference`](Tape::lstm_reference) says the same in small operations.

mod activations;
mod cell;
mod projected;
mod reference;
mod walk;

pub use projected::project;

use std::sync::Arc;

use ndarray::Axis;
use rayon::prelude::*;
use smallvec::SmallVec;

use crate::autograd::{
    Ctx, Flops, Op, Sizes, Tape, Var,
    gradcheck::{Check, wave},
};
use crate::tensor::{Packed, Pool, Real, Segments, Tensor, matmul, pointwise};
pub use activations::{LstmActivations, LstmCotangents};
use projected::directions_per_product;
use walk::{Recording, Walk, extend_in_step_order};

/// The function γ of the gates.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum GateActivation {
    /// 1 / (1 + e⁻ˣ).
    #[default]
    Sigmoid,
    /// clip(0.2·x + 0.5, 0, 1), as in Keras 2.
    HardSigmoid,
}

/// The parameters of one direction.
#[derive(Clone, Copy, Debug)]
pub struct LstmDirection {
    /// K, `[E, 4H]`.
    pub kernel: Var,
    /// R, `[H, 4H]`.
    pub recurrent_kernel: Var,
    /// b, `[4H]`.
    pub bias: Var,
    /// Whether it walks each text from its last token to its first.
    pub reversed: bool,
}

struct Lstm {
    segments: Arc<Segments>,
    reversed: SmallVec<[bool; 2]>,
    /// See [`Walk`]; one direction's after the other's, `[D, N]`.
    rows: Vec<u32>,
    gate: GateActivation,
}

impl<F: Real> Tape<'_, F> {
    /// The hidden states of all tokens, `[tokens, directions · H]`, the directions side by side. Token `n` of the batch, which
    /// `segments` divides into texts, is row `rows[n]` of x `[U, E]`.
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn lstm(
        &mut self,
        x: Var,
        rows: &Arc<[u32]>,
        segments: &Arc<Segments>,
        directions: &[LstmDirection],
        gate: GateActivation,
    ) -> Var {
        let units = self.shape(directions.first().expect("lstm: at least one direction").recurrent_kernel).rows();
        self.check_shapes(x, rows, segments, directions, units);
        if self.uses_references() {
            return self.lstm_reference(x, rows, segments, directions, gate);
        }
        let reversed: SmallVec<[bool; 2]> = directions.iter().map(|direction| direction.reversed).collect();
        let (nodes, params, pool) = (&self.nodes, self.params, &mut *self.pool);
        let value = |var: Var| nodes[var.index()].value.tensor(params);
        let x_value = value(x);
        let mut projected = pool.take([x_value.rows(), directions.len() * 4 * units]);
        let weights = directions.iter().map(|d| [value(d.kernel), value(d.bias)]);
        project(x_value, &weights.collect::<SmallVec<[_; 2]>>(), projected.data_mut(), pool);
        let mut stepped = pool.take_vec();
        reversed.iter().for_each(|&reversed| extend_in_step_order(&mut stepped, rows, segments, reversed));
        let op = Lstm { segments: segments.clone(), rows: stepped, reversed, gate };
        let buffers = |_| {
            let packed = pool.take([Packed::<F>::room(units, 4 * units)]);
            (packed, pool.take([segments.count(), 4 * units]), Recording::new(segments.total(), units, pool))
        };
        let mut work: SmallVec<[_; 2]> = directions.iter().map(buffers).collect();
        work.par_iter_mut().zip(directions).enumerate().for_each(|(d, ((packed, arguments, recording), direction))| {
            let recurrent = Packed::new(value(direction.recurrent_kernel).matrix(), packed);
            op.walk(d, units).forward(&projected, &recurrent, arguments, recording);
        });

        let mut hidden = pool.take([segments.total(), directions.len() * units]);
        let mut saved = SmallVec::new();
        for (d, (packed, arguments, recording)) in work.into_iter().enumerate() {
            op.walk(d, units).scatter_to_tokens(&recording.states, &mut hidden);
            saved.extend(recording.into_tensors());
            pool.give(packed);
            pool.give(arguments);
        }
        pool.give(projected);
        let inputs: SmallVec<[Var; 8]> =
            std::iter::once(x).chain(directions.iter().flat_map(|d| [d.kernel, d.recurrent_kernel, d.bias])).collect();
        self.record_saving(op, &inputs, hidden, saved)
    }

    #[track_caller]
    fn check_shapes(&self, x: Var, rows: &[u32], segments: &Segments, directions: &[LstmDirection], units: usize) {
        let x = self.shape(x);
        assert_eq!(rows.len(), segments.total(), "lstm: rows and segments");
        assert!(rows.iter().all(|&row| (row as usize) < x.rows()), "lstm: a token's row is not among those of {x}");
        for direction in directions {
            let shapes = [direction.kernel, direction.recurrent_kernel, direction.bias].map(|var| self.shape(var));
            let expected = [[x.cols(), 4 * units].into(), [units, 4 * units].into(), [4 * units].into()];
            assert_eq!(shapes, expected, "lstm: kernel, recurrent kernel and bias over {x}");
        }
    }
}

impl Lstm {
    fn walk(&self, d: usize, units: usize) -> Walk<'_> {
        let tokens = self.segments.total();
        let (rows, segments, reversed) = (&self.rows[d * tokens..][..tokens], &self.segments, self.reversed[d]);
        Walk { rows, segments, reversed, gate: self.gate, units, d }
    }
}

/// The buffers of a direction's backward pass: see [`Walk::backward`] for gates and carries.
struct Backward<F> {
    transposed: Tensor<F>,   // Rᵀ, [4H, H]
    packed: Tensor<F>,       // Rᵀ again: see [`Packed`]
    gates: Tensor<F>,        // [N, 4H]
    carries: [Tensor<F>; 3], // [texts, H]
    before: Tensor<F>,       // [N, H], see [`Walk::recurrent_gradient`]
    recurrent: Tensor<F>,    // [H, 4H]
    bias: Tensor<F>,         // [4H]
}

impl<F: Real> Op<F> for Lstm {
    fn name(&self) -> &'static str {
        "lstm"
    }

    fn flops(&self, sizes: &Sizes) -> Option<Flops> {
        let (tokens, units) = (self.segments.total() as u64, sizes.shape(2).rows() as u64);
        let width = 4 * units;
        // The first token of a text has no state before it.
        let later = tokens - self.segments.iter().filter(|text| !text.is_empty()).count() as u64;
        let (projection, recurrence) = (2 * sizes.input(0) * width, 2 * later * units * width);
        // Additions, multiplications and functions of one unit of one token: see `cell`.
        let (forward, backward) = (9 * tokens * units, 23 * tokens * units);
        let mut flops = Flops::default();
        for d in 0..self.reversed.len() {
            let [x, kernel, recurrent] = [0, 1 + 3 * d, 2 + 3 * d].map(|i| sizes.wanted(i));
            flops.forward += projection + recurrence + forward;
            flops.backward += backward
                + recurrence * (1 + recurrent)
                + tokens * width * (1 + x.max(kernel))
                + projection * (x + kernel);
        }
        Some(flops)
    }

    fn backward(&self, ctx: &mut Ctx<'_, F>) {
        let (dy, x) = (ctx.dy(), ctx.x(0));
        let units = ctx.x(2).rows();
        let (width, count) = (4 * units, self.reversed.len());
        let recorded: SmallVec<[_; 2]> = (0..count).map(|d| (Recording::saved(ctx, d), ctx.x(2 + 3 * d))).collect();
        let mut work: SmallVec<[_; 2]> = recorded
            .iter()
            .map(|_| Backward {
                transposed: ctx.scratch([width, units]),
                packed: ctx.scratch([Packed::<F>::room(width, units)]),
                gates: ctx.scratch([self.segments.total(), width]),
                carries: [(); 3].map(|()| ctx.zeros([self.segments.count(), units])),
                before: ctx.scratch([self.segments.total(), units]),
                recurrent: ctx.scratch([units, width]),
                bias: ctx.zeros([width]),
            })
            .collect();
        let [kernel_wanted, recurrent_wanted]: [SmallVec<[bool; 2]>; 2] =
            [1, 2].map(|i| (0..count).map(|d| ctx.wants(i + 3 * d)).collect());
        work.par_iter_mut().zip(&recorded[..]).enumerate().for_each(|(d, (work, (recorded, recurrent)))| {
            let walk = self.walk(d, units);
            pointwise::transpose(recurrent.data(), width, work.transposed.data_mut());
            let transposed = Packed::new(work.transposed.matrix(), &mut work.packed);
            walk.backward(dy, recorded, &transposed, &mut work.gates, &mut work.carries, |_, _, _| {});
            if recurrent_wanted[d] {
                walk.recurrent_gradient(recorded.states, &work.gates, &mut work.before, &mut work.recurrent);
            }
            pointwise::add_column_sums(work.bias.data_mut(), work.gates.data());
        });
        if ctx.wants(0) || kernel_wanted.contains(&true) {
            // All directions add to rows of one matrix: one after the other.
            let mut projected = ctx.zeros([x.rows(), count * width]);
            work.iter().enumerate().for_each(|(d, work)| self.walk(d, units).add_to_rows(&work.gates, &mut projected));
            self.through_projection(&projected, &kernel_wanted, ctx);
            ctx.release(projected);
        }
        for (d, work) in work.into_iter().enumerate() {
            ctx.add_dx(2 + 3 * d, work.recurrent);
            ctx.add_dx(3 + 3 * d, work.bias);
            [work.transposed, work.packed, work.gates, work.before].into_iter().for_each(|buffer| ctx.release(buffer));
            work.carries.into_iter().for_each(|carry| ctx.release(carry));
        }
    }

    fn give_to(&mut self, pool: &mut Pool<F>) {
        pool.give_vec(std::mem::take(&mut self.rows));
    }
}

impl Lstm {
    /// From the cotangent of the projected rows `[U, D·4H]` to those of the kernels and of x.
    fn through_projection<F: Real>(&self, projected: &Tensor<F>, kernel_wanted: &[bool], ctx: &mut Ctx<'_, F>) {
        let (x, width) = (ctx.x(0), projected.cols() / kernel_wanted.len());
        let together = directions_per_product::<F>(kernel_wanted.len(), width);
        let cotangent = projected.matrix();
        let columns = cotangent.axis_chunks_iter(Axis(1), (together * width).max(1));
        for (columns, first) in columns.zip((0..).step_by(together)) {
            let wanted = (first..first + together).filter(|&d| kernel_wanted[d]);
            if wanted.clone().next().is_none() {
                continue;
            }
            let mut kernels = ctx.scratch([x.cols(), columns.ncols()]);
            matmul(x.matrix().reversed_axes(), columns, kernels.matrix_mut());
            if together == 1 {
                ctx.add_dx(1 + 3 * first, kernels);
                continue;
            }
            for d in wanted {
                let mut kernel = ctx.scratch([x.cols(), width]);
                let (kernels, all) = (kernels.data(), kernels.cols());
                pointwise::copy_columns(kernel.data_mut(), width, kernels, all, (d - first) * width);
                ctx.add_dx(1 + 3 * d, kernel);
            }
            ctx.release(kernels);
        }
        if ctx.wants(0) {
            // The kernels' transposes one below the other, as rows, which a product reads in place.
            let mut transposed = ctx.scratch([projected.cols(), x.cols()]);
            for (d, transposed) in transposed.data_mut().chunks_exact_mut((width * x.cols()).max(1)).enumerate() {
                pointwise::transpose(ctx.x(1 + 3 * d).data(), width, transposed);
            }
            let mut dx = ctx.scratch(x.shape());
            matmul(projected.matrix(), transposed.matrix(), dx.matrix_mut());
            ctx.add_dx(0, dx);
            ctx.release(transposed);
        }
    }
}

pub(super) fn checks() -> Vec<Check> {
    const UNITS: usize = 3;
    let inputs = || {
        [
            ("x", wave([5, 4], 0.1)),
            ("forward kernel", wave([4, 4 * UNITS], 0.2)),
            ("forward recurrent kernel", wave([UNITS, 4 * UNITS], 0.3)),
            ("forward bias", wave([4 * UNITS], 0.4)),
            ("backward kernel", wave([4, 4 * UNITS], 0.5)),
            ("backward recurrent kernel", wave([UNITS, 4 * UNITS], 0.6)),
            ("backward bias", wave([4 * UNITS], 0.7)),
        ]
    };
    let both = |[kf, rf, bf, kb, rb, bb]: [Var; 6]| {
        let direction =
            |kernel, recurrent_kernel, bias, reversed| LstmDirection { kernel, recurrent_kernel, bias, reversed };
        [direction(kf, rf, bf, false), direction(kb, rb, bb, true)]
    };
    let batch = |lengths: &[usize]| {
        let segments = Arc::new(Segments::from_lengths(lengths.iter().copied()));
        let rows: Arc<[u32]> = (0..segments.total() as u32).map(|n| n * 3 % 5).collect();
        (rows, segments)
    };
    let mut checks = Vec::new();
    for (name, lengths, gate) in [
        ("lstm (both directions)", &[2, 4, 1, 3][..], GateActivation::Sigmoid),
        ("lstm (both directions, hard sigmoid)", &[2, 4, 1, 3], GateActivation::HardSigmoid),
        ("lstm (texts of one token)", &[1, 1], GateActivation::Sigmoid),
        ("lstm (an empty text)", &[2, 0, 1], GateActivation::Sigmoid),
    ] {
        let (rows, segments) = batch(lengths);
        let (rows2, segments2) = (rows.clone(), segments.clone());
        let fused =
            move |tape: &mut Tape<'_, f64>, [x, w @ ..]: [Var; 7]| tape.lstm(x, &rows, &segments, &both(w), gate);
        let composed = move |tape: &mut Tape<'_, f64>, [x, w @ ..]: [Var; 7]| {
            tape.lstm_reference(x, &rows2, &segments2, &both(w), gate)
        };
        checks.push(Check::new(name, inputs(), fused).against(composed));
    }
    for reversed in [false, true] {
        let (rows, segments) = batch(&[3, 2]);
        let (rows2, segments2) = (rows.clone(), segments.clone());
        let one = move |[kernel, recurrent_kernel, bias]: [Var; 3]| {
            [LstmDirection { kernel, recurrent_kernel, bias, reversed }]
        };
        let [x, kernel, recurrent, bias, ..] = inputs();
        let name = if reversed { "lstm (backward only)" } else { "lstm (forward only)" };
        let fused = move |tape: &mut Tape<'_, f64>, [x, w @ ..]: [Var; 4]| {
            tape.lstm(x, &rows, &segments, &one(w), GateActivation::Sigmoid)
        };
        let composed = move |tape: &mut Tape<'_, f64>, [x, w @ ..]: [Var; 4]| {
            tape.lstm_reference(x, &rows2, &segments2, &one(w), GateActivation::Sigmoid)
        };
        checks.push(Check::new(name, [x, kernel, recurrent, bias], fused).against(composed));
    }
    checks
}

#[cfg(test)]
mod tests;
