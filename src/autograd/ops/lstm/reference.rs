//! The LSTM in small operations, to read, to trace and to hold the fused one against.

use std::sync::Arc;

use super::{GateActivation, LstmDirection};
use crate::autograd::{Tape, Var};
use crate::tensor::{Real, Segments, Tensor};

impl<F: Real> Tape<'_, F> {
    /// What [`lstm`](Self::lstm) computes, composed of some fifteen small operations a step.
    pub fn lstm_reference(
        &mut self,
        x: Var,
        rows: &Arc<[u32]>,
        segments: &Arc<Segments>,
        directions: &[LstmDirection],
        gate: GateActivation,
    ) -> Var {
        let hidden: Vec<Var> =
            directions.iter().map(|direction| self.one_direction(x, rows, segments, direction, gate)).collect();
        self.concat_columns(&hidden)
    }

    fn one_direction(
        &mut self,
        x: Var,
        rows: &[u32],
        segments: &Segments,
        direction: &LstmDirection,
        gate: GateActivation,
    ) -> Var {
        let units = self.shape(direction.recurrent_kernel).rows();
        let steps = segments.steps();
        // Step order has the longest text first; `place[n]` is where token n stands in it.
        let mut place = vec![0; rows.len()];
        let mut states = vec![self.constant(Tensor::zeros([0, units]))];
        let mut before: Option<(Var, Var)> = None;
        for t in 0..steps.count() {
            let tokens: Vec<usize> = steps
                .live(t)
                .iter()
                .map(|&text| segments.range(text))
                .map(|range| if direction.reversed { range.end - 1 - t } else { range.start + t })
                .collect();
            for (step_row, &token) in steps.rows(t).zip(&tokens) {
                place[token] = step_row as u32;
            }
            let x_t = self.gather_rows(x, tokens.iter().map(|&token| rows[token]).collect::<Vec<_>>());
            let mut a = self.matmul(x_t, direction.kernel);
            let live: Vec<u32> = (0..tokens.len() as u32).collect();
            let before_live = before.map(|(h, c)| (self.gather_rows(h, live.clone()), self.gather_rows(c, live)));
            if let Some((h, _)) = before_live {
                let recurrent = self.matmul(h, direction.recurrent_kernel);
                a = self.add(a, recurrent);
            }
            a = self.add(a, direction.bias);
            let [i, f, g, o] =
                [0, 1, 2, 3].map(|quarter| self.slice_columns(a, quarter * units..(quarter + 1) * units));
            let [i, f, o] = [i, f, o].map(|gate_argument| match gate {
                GateActivation::Sigmoid => self.sigmoid(gate_argument),
                GateActivation::HardSigmoid => self.hard_sigmoid(gate_argument),
            });
            let g = self.tanh(g);
            let mut c = self.mul(i, g);
            if let Some((_, c_before)) = before_live {
                let kept = self.mul(f, c_before);
                c = self.add(c, kept);
            }
            let tanh_c = self.tanh(c);
            let h = self.mul(o, tanh_c);
            states.push(h);
            before = Some((h, c));
        }
        let in_step_order = self.concat_rows(&states);
        self.gather_rows(in_step_order, place)
    }
}
