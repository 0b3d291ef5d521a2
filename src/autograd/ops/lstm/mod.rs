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
//! The fused computation projects each *distinct* row of x once for all tokens that show it, in one product a direction,
//! and walks all texts of the batch together, longest first, so that the live ones are always the first rows of a buffer.
//! [`reference`](Tape::lstm_reference) says the same in small operations.

mod activations;
mod cell;
mod projected;
mod reference;
mod walk;

pub use projected::project;

use std::sync::Arc;

use rayon::prelude::*;
use smallvec::SmallVec;

use crate::autograd::{
    Ctx, Flops, Op, Sizes, Tape, Var,
    gradcheck::{Check, wave},
};
use crate::tensor::{Real, Segments, Tensor, matmul, matmul_add, pointwise};
pub use activations::{LstmActivations, LstmCotangents};
use walk::{Recording, Walk};

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
        if self.uses_references() {
            return self.lstm_reference(x, rows, segments, directions, gate);
        }
        let reversed: SmallVec<[bool; 2]> = directions.iter().map(|direction| direction.reversed).collect();
        let (nodes, params, pool) = (&self.nodes, self.params, &mut *self.pool);
        let value = |var: Var| nodes[var.index()].value.tensor(params);
        let x_value = value(x);
        let walk = |d: usize| Walk { rows, segments, reversed: reversed[d], gate, units, column: d * units };
        let mut work: SmallVec<[_; 2]> = directions
            .iter()
            .map(|_| {
                let projected = pool.take([x_value.rows(), 4 * units]);
                let arguments = pool.take([segments.count(), 4 * units]);
                (projected, arguments, Recording::new(segments.total(), units, pool))
            })
            .collect();
        work.par_iter_mut().zip(directions).enumerate().for_each(
            |(d, ((projected, arguments, recording), direction))| {
                project(x_value, value(direction.kernel), value(direction.bias), projected.data_mut());
                walk(d).forward(projected, value(direction.recurrent_kernel), arguments, recording);
            },
        );

        let mut hidden = pool.take([segments.total(), directions.len() * units]);
        let mut saved = SmallVec::new();
        for (d, (projected, arguments, recording)) in work.into_iter().enumerate() {
            walk(d).scatter_to_tokens(&recording.states, &mut hidden);
            saved.extend(recording.into_tensors());
            pool.give(projected);
            pool.give(arguments);
        }

        let inputs: SmallVec<[Var; 8]> =
            std::iter::once(x).chain(directions.iter().flat_map(|d| [d.kernel, d.recurrent_kernel, d.bias])).collect();
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

/// The buffers of a direction's backward pass: see [`Walk::backward`] for the first three.
struct Backward<F> {
    transposed: Tensor<F>,   // [4H, H]
    gates: Tensor<F>,        // [N, 4H]
    carries: [Tensor<F>; 3], // [texts, H]
    projected: Tensor<F>,    // [U, 4H], the cotangent of x·K
    kernel: Tensor<F>,       // [E, 4H]
    before: Tensor<F>,       // [N, H], see [`Walk::recurrent_gradient`]
    recurrent: Tensor<F>,    // [H, 4H]
    bias: Tensor<F>,         // [4H]
}

impl<F: Real> Op<F> for Lstm {
    fn name(&self) -> &'static str {
        "lstm"
    }

    fn flops(&self, sizes: &Sizes) -> Option<Flops> {
        let (tokens, width) = (self.segments.total() as u64, 4 * self.units as u64);
        // The first token of a text has no state before it.
        let later = tokens - self.segments.iter().filter(|text| !text.is_empty()).count() as u64;
        let (projection, recurrence) = (2 * sizes.input(0) * width, 2 * later * self.units as u64 * width);
        // Additions, multiplications and functions of one unit of one token: see `cell`.
        let (forward, backward) = (9 * tokens * self.units as u64, 23 * tokens * self.units as u64);
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
        let (units, width) = (self.units, 4 * self.units);
        let recorded: SmallVec<[_; 2]> =
            (0..self.reversed.len()).map(|d| (Recording::saved(ctx, d), ctx.x(2 + 3 * d))).collect();
        let mut work: SmallVec<[_; 2]> = recorded
            .iter()
            .map(|_| Backward {
                transposed: ctx.scratch([width, units]),
                gates: ctx.scratch([self.segments.total(), width]),
                carries: [(); 3].map(|()| ctx.zeros([self.segments.count(), units])),
                projected: ctx.zeros([x.rows(), width]),
                kernel: ctx.scratch([x.cols(), width]),
                before: ctx.scratch([self.segments.total(), units]),
                recurrent: ctx.scratch([units, width]),
                bias: ctx.zeros([width]),
            })
            .collect();
        let x_wanted = ctx.wants(0);
        let [kernel_wanted, recurrent_wanted]: [SmallVec<[bool; 2]>; 2] =
            [1, 2].map(|i| (0..work.len()).map(|d| ctx.wants(i + 3 * d)).collect());
        work.par_iter_mut().zip(&recorded[..]).enumerate().for_each(|(d, (work, (recorded, recurrent)))| {
            let (rows, segments, reversed) = (&self.rows, &self.segments, self.reversed[d]);
            let walk = Walk { rows, segments, reversed, gate: self.gate, units, column: d * units };
            pointwise::transpose(recurrent.data(), width, work.transposed.data_mut());
            walk.backward(dy, recorded, &work.transposed, &mut work.gates, &mut work.carries, |_, _, _| {});
            if recurrent_wanted[d] {
                walk.recurrent_gradient(recorded.states, &work.gates, &mut work.before, &mut work.recurrent);
            }
            pointwise::add_column_sums(work.bias.data_mut(), work.gates.data());
            if x_wanted || kernel_wanted[d] {
                walk.add_to_rows(&work.gates, &mut work.projected);
            }
            if kernel_wanted[d] {
                matmul(x.matrix().reversed_axes(), work.projected.matrix(), work.kernel.matrix_mut());
            }
        });
        for (d, work) in work.into_iter().enumerate() {
            if x_wanted {
                // Kᵀ as rows, which a product reads in place.
                let mut transposed = ctx.scratch([width, x.cols()]);
                pointwise::transpose(ctx.x(1 + 3 * d).data(), width, transposed.data_mut());
                let dx = ctx.dx(0).expect("the input wants a gradient");
                matmul_add(work.projected.matrix(), transposed.matrix(), dx.matrix_mut());
                ctx.release(transposed);
            }
            ctx.add_dx(1 + 3 * d, work.kernel);
            ctx.add_dx(2 + 3 * d, work.recurrent);
            ctx.add_dx(3 + 3 * d, work.bias);
            [work.transposed, work.gates, work.projected, work.before]
                .into_iter()
                .for_each(|buffer| ctx.release(buffer));
            work.carries.into_iter().for_each(|carry| ctx.release(carry));
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
mod tests {
    use super::*;
    use crate::autograd::{Mode, ParamStore};
    use crate::tensor::Pool;

    /// The hidden states of a batch and the gradients of all weights, by the fused computation or by the reference.
    fn run<F: Real>(units: usize, gate: GateActivation, fused: bool) -> Vec<Tensor<F>> {
        let mut params = ParamStore::<F>::new();
        let shapes: [&[usize]; 4] = [&[9, 5], &[5, 4 * units], &[units, 4 * units], &[4 * units]];
        let ids = shapes.map(|shape| params.add(format!("{shape:?}"), wave(shape, shape[0] as f64).cast()));
        let segments = Arc::new(Segments::from_lengths([7, 2, 0, 11, 1, 3]));
        let rows: Arc<[u32]> = (0..segments.total() as u32).map(|n| n * 5 % 9).collect();
        let mut pool = Pool::new();
        let mut tape = Tape::new(&params, &mut pool, Mode::Evaluate);
        let [x, kernel, recurrent_kernel, bias] = ids.map(|id| tape.param(id));
        let directions = [false, true].map(|reversed| LstmDirection { kernel, recurrent_kernel, bias, reversed });
        let hidden = match fused {
            true => tape.lstm(x, &rows, &segments, &directions, gate),
            false => tape.lstm_reference(x, &rows, &segments, &directions, gate),
        };
        let states = tape.value(hidden).clone();
        let gradients = tape.vjp(hidden, &wave(states.shape().dims(), 0.5).cast());
        std::iter::once(states).chain(ids.map(|id| gradients.dense(id).unwrap())).collect()
    }

    fn assert_close<F: Real>(tolerance: f64) {
        for gate in [GateActivation::Sigmoid, GateActivation::HardSigmoid] {
            for units in [1, 15, 16, 17, 25, 32, 40] {
                for (fused, plain) in run::<F>(units, gate, true).iter().zip(run::<F>(units, gate, false)) {
                    let largest = plain.data().iter().fold(0.0_f64, |m, x| m.max(x.to_f64().abs()));
                    for (a, b) in fused.data().iter().zip(plain.data()) {
                        let error = (*a - *b).to_f64().abs();
                        assert!(error <= tolerance * largest, "{units} units, {gate:?}: {a} for {b} of {largest}");
                    }
                }
            }
        }
    }

    #[test]
    fn every_number_of_units_agrees_with_the_reference_in_both_precisions() {
        assert_close::<f32>(1e-5);
        assert_close::<f64>(1e-12);
    }

    /// Squashing functions saturate; a NaN in one must not end as one of their limits. In each gate's bias it reaches its unit at every
    /// token; in a word's vector it reaches all units from that word on.
    #[test]
    fn a_nan_in_a_gate_or_a_word_is_one_in_the_states() {
        const TOKENS: usize = 5;
        let states = |gate: GateActivation, units: usize, bad: [Option<usize>; 2], how: &str| -> Tensor<f32> {
            let mut params = ParamStore::<f32>::new();
            let shapes: [&[usize]; 4] = [&[9, 5], &[5, 4 * units], &[units, 4 * units], &[4 * units]];
            let ids = shapes.map(|shape| params.add(format!("{shape:?}"), wave(shape, shape[0] as f64).cast()));
            for (id, place) in [(ids[3], bad[0]), (ids[0], bad[1])] {
                if let Some(place) = place {
                    params.value_mut(id).data_mut()[place] = f32::NAN;
                }
            }
            let segments = Arc::new(Segments::from_lengths([TOKENS]));
            let rows: Arc<[u32]> = [0, 1, 2, 3, 4].into();
            let mut projected = vec![Tensor::zeros([9, 4 * units])];
            let [word, kernel, bias] = [0, 1, 3].map(|i| params.value(ids[i]).clone());
            project(&word, &kernel, &bias, projected[0].data_mut());
            let mut pool = Pool::new();
            let mut tape = Tape::new(&params, &mut pool, Mode::Evaluate);
            let [x, kernel, recurrent_kernel, bias] = ids.map(|id| tape.param(id));
            let direction = [LstmDirection { kernel, recurrent_kernel, bias, reversed: false }];
            let hidden = match how {
                "fused" => tape.lstm(x, &rows, &segments, &direction, gate),
                "reference" => tape.lstm_reference(x, &rows, &segments, &direction, gate),
                _ => tape.lstm_of_projected(&projected, &rows, &segments, &direction, gate),
            };
            tape.value(hidden).clone()
        };
        for gate in [GateActivation::Sigmoid, GateActivation::HardSigmoid] {
            for units in [1, 16, 25] {
                for how in ["fused", "reference", "projected"] {
                    for quarter in 0..4 {
                        let unit = units / 2;
                        let found = states(gate, units, [Some(quarter * units + unit), None], how);
                        // At the first token there is no cell to forget, and small operations leave that gate out.
                        let from = usize::from(how == "reference" && quarter == 1);
                        for token in from..TOKENS {
                            assert!(found.row(token)[unit].is_nan(), "{how}, {gate:?}, gate {quarter}, token {token}");
                        }
                    }
                    let found = states(gate, units, [None, Some(2 * 5 + 3)], how);
                    for token in 0..TOKENS {
                        let is_nan = |x: &f32| x.is_nan() == (token >= 2);
                        assert!(found.row(token).iter().all(is_nan), "{how}, {gate:?}, token {token}");
                    }
                }
            }
        }
    }

    /// A gradient that is not wanted is not computed, and the others stay the same.
    #[test]
    fn a_frozen_recurrent_kernel_has_no_gradient_and_changes_no_other() {
        let gradients_of = |frozen: bool| {
            let mut params = ParamStore::<f32>::new();
            let shapes: [&[usize]; 4] = [&[9, 5], &[5, 12], &[3, 12], &[12]];
            let ids = shapes.map(|shape| params.add(format!("{shape:?}"), wave(shape, shape[0] as f64).cast()));
            if frozen {
                params.freeze(ids[2]);
            }
            let segments = Arc::new(Segments::from_lengths([4, 0, 2]));
            let rows: Arc<[u32]> = [0, 8, 3, 0, 5, 1].into();
            let mut pool = Pool::new();
            let mut tape = Tape::new(&params, &mut pool, Mode::Evaluate);
            let [x, kernel, recurrent_kernel, bias] = ids.map(|id| tape.param(id));
            let direction = LstmDirection { kernel, recurrent_kernel, bias, reversed: true };
            let hidden = tape.lstm(x, &rows, &segments, &[direction], GateActivation::Sigmoid);
            let gradients = tape.vjp(hidden, &wave([6, 3], 0.5).cast());
            ids.map(|id| gradients.dense(id))
        };
        let (all, mut others) = (gradients_of(false), gradients_of(true));
        assert_eq!(others[2], None);
        others[2].clone_from(&all[2]);
        assert!(all.iter().all(Option::is_some));
        assert_eq!(all, others);
    }

    #[test]
    fn the_bits_do_not_depend_on_the_number_of_threads() {
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| run::<f32>(25, GateActivation::Sigmoid, true))
        };
        assert_eq!(on(1), on(2));
        assert_eq!(on(1), on(5));
    }
}
