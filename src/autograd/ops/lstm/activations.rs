//! Intermediate values of a recorded LSTM, for explanations: those of the fused kernel, not of the reference.

use std::any::Any;

use super::{
    Lstm, project,
    walk::{Recording, Walk},
};
use crate::autograd::{Tape, Var, op::Node};
use crate::tensor::{Packed, Pool, Real, Tensor, matmul, pointwise};

/// The activations of one direction of an LSTM, a row a token of the batch.
#[derive(Clone, Debug, PartialEq)]
pub struct LstmActivations<F> {
    /// i, f, g and o side by side, `[N, 4H]`.
    pub gates: Tensor<F>,
    /// c, `[N, H]`.
    pub cells: Tensor<F>,
    /// h, `[N, H]`.
    pub states: Tensor<F>,
}

/// The cotangents of one direction, a row a token of the batch: through the token's own output and through later time steps.
#[derive(Clone, Debug, PartialEq)]
pub struct LstmCotangents<F> {
    /// Of the gates' arguments a, before γ and tanh, `[N, 4H]`.
    pub arguments: Tensor<F>,
    /// Of c, `[N, H]`.
    pub cells: Tensor<F>,
    /// Of h, `[N, H]`.
    pub states: Tensor<F>,
}

impl<F: Real> Tape<'_, F> {
    /// The activations of each direction of an [`lstm`](Self::lstm); `None` for any other value, or one that was not kept for a sweep.
    pub fn lstm_activations(&self, hidden: Var) -> Option<Vec<LstmActivations<F>>> {
        let (op, node) = self.recorded_lstm(hidden)?;
        let direction = |d| {
            let recorded = of_direction(node, d);
            let walk = op.walk(d, recorded.states.cols());
            let [gates, cells, states] =
                [recorded.gates, recorded.cells, recorded.states].map(|stepped| to_tokens(walk, stepped));
            LstmActivations { gates, cells, states }
        };
        Some((0..op.reversed.len()).map(direction).collect())
    }

    /// The arguments a of each direction's gates, before γ and tanh, `[N, 4H]`; `None` as for [`lstm_activations`](Self::lstm_activations).
    /// They are recomputed from the states: they are not saved, and where γ is flat a gate does not determine its argument.
    pub fn lstm_arguments(&self, hidden: Var) -> Option<Vec<Tensor<F>>> {
        let (op, node) = self.recorded_lstm(hidden)?;
        let direction = |d: usize| {
            let [x, kernel, recurrent, bias] = [0, 1 + 3 * d, 2 + 3 * d, 3 + 3 * d].map(|i| self.value(node.inputs[i]));
            let walk = op.walk(d, recurrent.rows());
            let mut projected = Tensor::zeros([x.rows(), recurrent.cols()]);
            project(x, &[[kernel, bias]], projected.data_mut(), &mut Pool::new());
            to_tokens(walk, &arguments(walk, &projected, recurrent, of_direction(node, d).states))
        };
        Some((0..op.reversed.len()).map(direction).collect())
    }

    /// The cotangents within each direction of an [`lstm`](Self::lstm), from `dy`, the cotangent of its value.
    ///
    /// # Panics
    /// If `dy` does not have the value's shape.
    #[track_caller]
    pub fn lstm_cotangents(&self, hidden: Var, dy: &Tensor<F>) -> Option<Vec<LstmCotangents<F>>> {
        assert_eq!(self.shape(hidden), dy.shape(), "lstm_cotangents: value and cotangent");
        let (op, node) = self.recorded_lstm(hidden)?;
        let direction = |d: usize| {
            let recurrent = self.value(node.inputs[2 + 3 * d]);
            gradient(op.walk(d, recurrent.rows()), &of_direction(node, d), recurrent, dy)
        };
        Some((0..op.reversed.len()).map(direction).collect())
    }

    fn recorded_lstm(&self, hidden: Var) -> Option<(&Lstm, &Node<F>)> {
        let node = self.node(hidden);
        let op: &dyn Any = &**node.op.as_ref()?;
        Some((op.downcast_ref()?, node))
    }
}

fn of_direction<F: Real>(node: &Node<F>, d: usize) -> Recording<&Tensor<F>> {
    let [gates, cells, tanh_cells, states] = [0, 1, 2, 3].map(|i| &node.saved[4 * d + i]);
    Recording { gates, cells, tanh_cells, states }
}

fn to_tokens<F: Real>(walk: Walk<'_>, stepped: &Tensor<F>) -> Tensor<F> {
    let mut tokens = Tensor::zeros(stepped.shape());
    Walk { d: 0, ..walk }.scatter_to_tokens(stepped, &mut tokens);
    tokens
}

/// x·K + b + h_before·R in step order, `[N, 4H]`, from the projected rows `[U, 4H]` and the states h `[N, H]`.
fn arguments<F: Real>(walk: Walk<'_>, projected: &Tensor<F>, recurrent: &Tensor<F>, states: &Tensor<F>) -> Tensor<F> {
    let steps = walk.segments.steps();
    let mut passed_on = Tensor::zeros([states.rows(), projected.cols()]); // h·R, for the step after
    matmul(states.matrix(), recurrent.matrix(), passed_on.matrix_mut());
    let mut arguments = Tensor::zeros(passed_on.shape());
    for t in 0..steps.count() {
        for (i, row) in steps.rows(t).enumerate() {
            let argument = arguments.row_mut(row);
            argument.copy_from_slice(projected.row(walk.rows[row] as usize));
            if let Some(before) = t.checked_sub(1) {
                pointwise::add(argument, passed_on.row(steps.rows(before).start + i));
            }
        }
    }
    arguments
}

fn gradient<F: Real>(
    walk: Walk<'_>,
    recorded: &Recording<&Tensor<F>>,
    recurrent: &Tensor<F>,
    dy: &Tensor<F>,
) -> LstmCotangents<F> {
    let (units, steps) = (walk.units, walk.segments.steps());
    let mut transposed = Tensor::zeros([4 * units, units]);
    pointwise::transpose(recurrent.data(), 4 * units, transposed.data_mut());
    let mut buffer = Tensor::zeros([Packed::<F>::room(4 * units, units)]);
    let transposed = Packed::new(transposed.matrix(), &mut buffer);
    let mut arguments = Tensor::zeros(recorded.gates.shape());
    let mut carries = [(); 3].map(|()| Tensor::zeros([walk.segments.count(), units]));
    let [mut states, mut cells] = [(); 2].map(|()| Tensor::zeros(recorded.states.shape()));
    walk.backward(dy, recorded, &transposed, &mut arguments, &mut carries, |t, dstates, dcells| {
        for (i, row) in steps.rows(t).enumerate() {
            let token = steps.tokens(walk.reversed)[row] as usize;
            let output = &dy.row(token)[walk.d * units..][..units];
            for (unit, &output) in output.iter().enumerate() {
                let (o, tanh_c) = (recorded.gates.row(row)[3 * units + unit], recorded.tanh_cells.row(row)[unit]);
                let dh = dstates[i * units + unit] + output;
                states.row_mut(row)[unit] = dh;
                cells.row_mut(row)[unit] = dcells[i * units + unit] + dh * o * (F::ONE - tanh_c * tanh_c);
            }
        }
    });
    let [arguments, cells, states] = [arguments, cells, states].map(|stepped| to_tokens(walk, &stepped));
    LstmCotangents { arguments, cells, states }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::autograd::{
        Mode, ParamStore,
        gradcheck::wave,
        ops::lstm::{GateActivation, LstmDirection},
    };
    use crate::tensor::Segments;

    const UNITS: usize = 19;

    #[test]
    fn gates_are_the_functions_of_their_arguments() {
        let mut params = ParamStore::<f64>::new();
        let shapes: [&[usize]; 4] = [&[9, 5], &[5, 4 * UNITS], &[UNITS, 4 * UNITS], &[4 * UNITS]];
        // Large enough for gates that are clipped.
        let large = |shape: &[usize]| Tensor::from_fn(shape, |i| 3.0 * (12.9898 * i as f64).sin());
        let [x, kernel, recurrent_kernel, bias] = shapes.map(|shape| params.add(format!("{shape:?}"), large(shape)));
        let segments = Arc::new(Segments::from_lengths([3, 1, 0, 5]));
        let rows: Arc<[u32]> = [3, 0, 8, 3, 1, 5, 2, 2, 7].into();
        let mut pool = Pool::new();
        let mut tape = Tape::new(&params, &mut pool, Mode::Evaluate);
        let [x, kernel, recurrent_kernel, bias] = [x, kernel, recurrent_kernel, bias].map(|id| tape.param(id));
        let directions = [false, true].map(|reversed| LstmDirection { kernel, recurrent_kernel, bias, reversed });
        for gate in [GateActivation::Sigmoid, GateActivation::HardSigmoid] {
            let hidden = tape.lstm(x, &rows, &segments, &directions, gate);
            let gamma = |a: f64| match gate {
                GateActivation::Sigmoid => 1.0 / (1.0 + (-a).exp()),
                GateActivation::HardSigmoid => (0.2 * a + 0.5).clamp(0.0, 1.0),
            };
            let arguments = tape.lstm_arguments(hidden).unwrap();
            for (inside, arguments) in tape.lstm_activations(hidden).unwrap().iter().zip(&arguments) {
                for (n, (gate, a)) in inside.gates.data().iter().zip(arguments.data()).enumerate() {
                    let is_candidate = n / UNITS % 4 == 2;
                    let expected = if is_candidate { a.tanh() } else { gamma(*a) };
                    assert!((gate - expected).abs() < 1e-12, "{gate} for {expected}");
                }
            }
            assert_eq!(tape.lstm_arguments(x), None);
        }
    }

    /// The equations of the operation's documentation hold between what it shows, to the bit; and what it shows sums up to the
    /// gradients that a sweep returns.
    #[test]
    fn the_cotangents_are_those_of_the_sweep_to_the_bit() {
        let mut params = ParamStore::<f32>::new();
        let shapes: [&[usize]; 4] = [&[9, 5], &[5, 4 * UNITS], &[UNITS, 4 * UNITS], &[4 * UNITS]];
        let ids = shapes.map(|shape| params.add(format!("{shape:?}"), wave(shape, shape[0] as f64).cast()));
        let segments = Arc::new(Segments::from_lengths([6]));
        let rows: Arc<[u32]> = [3, 0, 8, 3, 1, 5].into();
        let mut pool = Pool::new();
        let mut tape = Tape::new(&params, &mut pool, Mode::Evaluate);
        let [x, kernel, recurrent_kernel, bias] = ids.map(|id| tape.param(id));
        for reversed in [false, true] {
            let direction = LstmDirection { kernel, recurrent_kernel, bias, reversed };
            let hidden = tape.lstm(x, &rows, &segments, &[direction], GateActivation::Sigmoid);
            let weights = tape.constant(wave([UNITS, 1], 0.3).cast());
            let ones = tape.constant(Tensor::from_fn([1, 6], |_| 1.0));
            let per_token = tape.matmul(hidden, weights);
            let loss = tape.matmul(ones, per_token);
            let sweep = tape.backward_retaining(loss);
            let dy = tape.gradient(&sweep, hidden).unwrap();
            let LstmActivations { gates, cells, states } = tape.lstm_activations(hidden).unwrap().remove(0);
            let inside = tape.lstm_cotangents(hidden, &dy).unwrap().remove(0);
            assert_eq!(&states, tape.value(hidden));

            let mut bias_gradient = vec![0.0; 4 * UNITS];
            let order: Vec<usize> = if reversed { (0..6).rev().collect() } else { (0..6).collect() };
            for (t, &token) in order.iter().enumerate() {
                for unit in 0..UNITS {
                    let [i, f, g, o] = [0, 1, 2, 3].map(|quarter| gates.row(token)[quarter * UNITS + unit]);
                    let [di, df, dg, do_] = [0, 1, 2, 3].map(|q| inside.arguments.row(token)[q * UNITS + unit]);
                    let (dc, dh) = (inside.cells.row(token)[unit], inside.states.row(token)[unit]);
                    let before = if t == 0 { 0.0 } else { cells.row(order[t - 1])[unit] };
                    assert_eq!(cells.row(token)[unit], i * g + f * before);
                    assert_eq!(di, dc * g * (i * (1.0 - i)));
                    assert_eq!(df, dc * before * (f * (1.0 - f)));
                    assert_eq!(dg, dc * i * (1.0 - g * g));
                    assert_eq!(do_, dh * Real::tanh(cells.row(token)[unit]) * (o * (1.0 - o)));
                    if t == 5 {
                        assert_eq!(dh, dy.row(token)[unit], "no step comes after the last");
                    }
                }
                bias_gradient.iter_mut().zip(inside.arguments.row(token)).for_each(|(sum, da)| *sum += da);
            }
            assert_eq!(sweep.gradients.dense(ids[3]).unwrap().data(), bias_gradient);
            assert!(bias_gradient.iter().all(|x| *x != 0.0));
            assert_eq!(tape.lstm_activations(loss), None);
        }
    }
}
