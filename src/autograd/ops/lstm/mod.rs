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
//! and backwards, with dh and dc what the later steps (and the outputs) ask of h and c:
//!
//! ```text
//! dc += dh∘o∘(1 − tanh²c)
//! daᵢ = dc∘g∘γ′  da_f = dc∘c_before∘γ′  da_c = dc∘i∘(1 − g²)  daₒ = dh∘tanh(c)∘γ′
//! dc ← dc∘f   dh ← da·Rᵀ      for the step before
//! dR = Σ h_beforeᵀ·da   db = Σ da   dK = Σ xᵀ·da   dx = da·Kᵀ
//! ```
//!
//! The fused computation projects each *distinct* row of x once for all tokens that show it, in one product for both directions,
//! and walks all texts of the batch together, longest first, so that the live ones are always the first rows of a buffer.
//! [`reference`](Tape::lstm_reference) says the same in small operations.

mod cell;
mod reference;
mod walk;

use std::sync::Arc;

use ndarray::s;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::autograd::{
    Ctx, Op, Tape, Var,
    gradcheck::{Check, wave},
};
use crate::tensor::{Real, Segments, Tensor, matmul, matmul_add, pointwise};
use walk::{Recording, Walk};

/// The function γ of the gates.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
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
    rows: Arc<[u32]>,
    segments: Arc<Segments>,
    reversed: SmallVec<[bool; 2]>,
    gate: GateActivation,
    units: usize,
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
        let reversed: SmallVec<[bool; 2]> = directions.iter().map(|direction| direction.reversed).collect();
        let kernel = pack_kernels(self, directions);

        let x_value = self.nodes[x.index()].value.tensor(self.params);
        let mut projected = self.pool.take([x_value.rows(), kernel.cols()]); // [U, D·4H]
        matmul(x_value.matrix(), kernel.matrix(), projected.matrix_mut());
        self.pool.give(kernel);

        let mut recordings: SmallVec<[Recording<Tensor<F>>; 2]> =
            directions.iter().map(|_| Recording::new(segments.total(), units, self.pool)).collect();
        let (nodes, params) = (&self.nodes, self.params);
        let value = |var: Var| nodes[var.index()].value.tensor(params);
        let weights: SmallVec<[_; 2]> = directions.iter().map(|d| (value(d.recurrent_kernel), value(d.bias))).collect();
        recordings.par_iter_mut().enumerate().for_each(|(d, recording)| {
            let walk = Walk { rows, segments, reversed: reversed[d], gate, units, column: d * 4 * units };
            walk.forward(&projected, weights[d].0, weights[d].1, recording);
        });
        drop(weights);
        self.pool.give(projected);

        let mut hidden = self.pool.take([segments.total(), directions.len() * units]);
        for (d, recording) in recordings.iter().enumerate() {
            let walk = Walk { rows, segments, reversed: reversed[d], gate, units, column: d * units };
            walk.scatter_to_tokens(&recording.states, &mut hidden);
        }

        let inputs: SmallVec<[Var; 8]> =
            std::iter::once(x).chain(directions.iter().flat_map(|d| [d.kernel, d.recurrent_kernel, d.bias])).collect();
        let saved = recordings.into_iter().flat_map(Recording::into_tensors).collect();
        let op = Lstm { rows: rows.clone(), segments: segments.clone(), reversed, gate, units };
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

/// The kernels of all directions side by side, `[E, D·4H]`.
fn pack_kernels<F: Real>(tape: &mut Tape<'_, F>, directions: &[LstmDirection]) -> Tensor<F> {
    let shape = tape.shape(directions[0].kernel);
    let mut packed = tape.pool.take([shape.rows(), directions.len() * shape.cols()]);
    for (d, direction) in directions.iter().enumerate() {
        let columns = d * shape.cols()..(d + 1) * shape.cols();
        packed.matrix_mut().slice_mut(s![.., columns]).assign(&tape.value(direction.kernel).matrix());
    }
    packed
}

impl<F: Real> Op<F> for Lstm {
    fn name(&self) -> &'static str {
        "lstm"
    }

    fn backward(&self, ctx: &mut Ctx<'_, F>) {
        let (dy, x) = (ctx.dy(), ctx.x(0));
        let (count, width) = (self.reversed.len(), 4 * self.units);
        let walk = |d: usize, column: usize| Walk {
            rows: &self.rows,
            segments: &self.segments,
            reversed: self.reversed[d],
            gate: self.gate,
            units: self.units,
            column,
        };

        // Through the walks, each direction for itself: the cotangents of the gates' arguments, in step order.
        let mut gates: SmallVec<[Tensor<F>; 2]> =
            (0..count).map(|_| ctx.scratch([self.segments.total(), width])).collect();
        let mut carries: SmallVec<[[Tensor<F>; 2]; 2]> = (0..count)
            .map(|_| [ctx.zeros([self.segments.count(), self.units]), ctx.zeros([self.segments.count(), self.units])])
            .collect();
        let recorded: SmallVec<[_; 2]> = (0..count).map(|d| (Recording::saved(ctx, d), ctx.x(2 + 3 * d))).collect();
        gates.par_iter_mut().zip(&mut carries[..]).enumerate().for_each(|(d, (gates, carries))| {
            walk(d, d * self.units).backward(dy, &recorded[d].0, recorded[d].1, gates, carries);
        });
        carries.into_iter().flatten().for_each(|carry| ctx.release(carry));

        let mut projected = ctx.zeros([x.rows(), count * width]); // [U, D·4H]: cotangent of x·K
        let projection_wanted = ctx.wants(0) || (0..count).any(|d| ctx.wants(1 + 3 * d));
        for (d, gates) in gates.into_iter().enumerate() {
            if let Some(recurrent) = ctx.dx(2 + 3 * d) {
                walk(d, 0).add_recurrent_gradient(recorded[d].0.states, &gates, recurrent);
            }
            if let Some(bias) = ctx.dx(3 + 3 * d) {
                pointwise::add_column_sums(bias.data_mut(), gates.data());
            }
            if projection_wanted {
                walk(d, d * width).add_to_rows(&gates, &mut projected);
            }
            ctx.release(gates);
        }

        if (0..count).any(|d| ctx.wants(1 + 3 * d)) {
            let mut kernels = ctx.scratch([x.cols(), count * width]);
            matmul(x.matrix().reversed_axes(), projected.matrix(), kernels.matrix_mut());
            for d in 0..count {
                let Some(kernel) = ctx.dx(1 + 3 * d) else { continue };
                for row in 0..kernel.rows() {
                    pointwise::add(kernel.row_mut(row), &kernels.row(row)[d * width..][..width]);
                }
            }
            ctx.release(kernels);
        }
        for d in 0..count {
            let kernel = ctx.x(1 + 3 * d);
            let Some(dx) = ctx.dx(0) else { break };
            let columns = d * width..(d + 1) * width;
            matmul_add(projected.matrix().slice(s![.., columns]), kernel.matrix().reversed_axes(), dx.matrix_mut());
        }
        ctx.release(projected);
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
