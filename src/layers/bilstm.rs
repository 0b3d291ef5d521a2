//! An LSTM that reads each text in both directions (Schuster & Paliwal 1997; Graves & Schmidhuber 2005).

use std::sync::Arc;

use super::{Lstm, Rows, Sequence};
use crate::autograd::{
    ParamStore, Tape, Var,
    gradcheck::{Check, wave},
    ops::lstm::{self, GateActivation},
};
use crate::tensor::{Pool, Real, Segments, Tensor};
use rand::Rng;

/// Two LSTMs of H units, one a direction; their hidden states stand side by side, `[forward, backward]`.
#[derive(Clone, Copy, Debug)]
pub struct Bilstm {
    /// Reads from the first token to the last.
    pub forward: Lstm,
    /// Reads from the last token to the first.
    pub backward: Lstm,
    /// The gates' function.
    pub gate: GateActivation,
    /// H.
    pub units: usize,
}

/// How the hidden states of a text become one vector of 2H numbers. A text without tokens gives zeros.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum SentenceVector {
    /// Each direction's state after all tokens: the forward one at the last token, the backward one at the first.
    #[default]
    Last,
    /// The largest value of each unit over time.
    Max,
    /// The mean of each unit over time.
    Mean,
}

impl Bilstm {
    /// Adds the parameters of `{name}.forward` and `{name}.backward`; see [`Lstm::new`].
    pub fn new<F: Real>(
        params: &mut ParamStore<F>,
        name: &str,
        (inputs, units): (usize, usize),
        forget_bias: f64,
        gate: GateActivation,
        rng: &mut impl Rng,
    ) -> Self {
        let mut direction = |which| Lstm::new(params, &format!("{name}.{which}"), inputs, units, forget_bias, rng);
        Self { forward: direction("forward"), backward: direction("backward"), gate, units }
    }

    /// The hidden states of all tokens, `[tokens, 2H]`.
    pub fn forward<F: Real>(&self, tape: &mut Tape<'_, F>, input: &Sequence<'_, F>) -> Sequence<'static, F> {
        let directions = [self.forward.on(tape, false), self.backward.on(tape, true)];
        let Sequence { values, rows, segments } = input;
        let states = match *values {
            Rows::OnTape(x) => tape.lstm(x, rows, segments, &directions, self.gate),
            Rows::Projected(projected) => tape.lstm_of_projected(projected, rows, segments, &directions, self.gate),
        };
        Sequence::of_tokens(states, segments.clone())
    }

    /// x·K + b of both directions for x `[U, E]`, into `[U, 8H]`.
    pub fn project<F: Real>(&self, params: &ParamStore<F>, x: &Tensor<F>, into: &mut [F], pool: &mut Pool<F>) {
        let weights = [self.forward, self.backward].map(|lstm| [params.value(lstm.kernel), params.value(lstm.bias)]);
        lstm::project(x, &weights, into, pool);
    }

    /// One vector a text from the hidden states, `[texts, 2H]`.
    pub fn sentence<F: Real>(&self, tape: &mut Tape<'_, F>, states: &Sequence<'_, F>, kind: SentenceVector) -> Var {
        match kind {
            SentenceVector::Last => self.last(tape, states),
            SentenceVector::Max => tape.segment_max(states.var(), &states.segments),
            SentenceVector::Mean => tape.segment_mean(states.var(), &states.segments),
        }
    }

    fn last<F: Real>(&self, tape: &mut Tape<'_, F>, states: &Sequence<'_, F>) -> Var {
        let at_last = tape.gather_rows(states.var(), states.segments.last_rows().clone());
        let at_first = tape.gather_rows(states.var(), states.segments.first_rows().clone());
        let forward = tape.slice_columns(at_last, 0..self.units);
        let backward = tape.slice_columns(at_first, self.units..2 * self.units);
        tape.concat_columns(&[forward, backward])
    }
}

pub(super) fn checks() -> Vec<Check> {
    [
        ("last", SentenceVector::Last, [3, 1, 0, 4], false),
        ("max", SentenceVector::Max, [3, 1, 0, 4], false),
        ("mean", SentenceVector::Mean, [3, 1, 0, 4], false),
        ("last, texts of one token", SentenceVector::Last, [1, 1, 1, 1], false),
        ("last, frozen words", SentenceVector::Last, [3, 1, 0, 4], true),
    ]
    .map(|(name, kind, lengths, frozen)| {
        let mut params = ParamStore::new();
        let x = params.add("x", wave([5, 3], 0.1));
        if frozen {
            params.freeze(x);
        }
        // With these numbers the largest states stand at first, middle and last tokens, so that all gradients flow.
        let mut phase = 0.5;
        let mut direction = |which: &str| {
            let mut add = |part: &str, shape: &[usize]| {
                phase += 0.1;
                params.add(format!("{which}.{part}"), wave(shape, phase))
            };
            Lstm {
                kernel: add("kernel", &[3, 8]),
                recurrent_kernel: add("recurrent_kernel", &[2, 8]),
                bias: add("bias", &[8]),
            }
        };
        let (forward, backward) = (direction("forward"), direction("backward"));
        let layer = Bilstm { forward, backward, gate: GateActivation::Sigmoid, units: 2 };
        let segments = Arc::new(Segments::from_lengths(lengths));
        let rows: Arc<[u32]> = [0, 3, 1, 2, 4, 4, 0, 1][..segments.total()].into();
        Check::of_params(&format!("layer: bilstm, {name}"), params, move |tape| {
            let values = Rows::OnTape(tape.param(x));
            let states = layer.forward(tape, &Sequence { values, rows: rows.clone(), segments: segments.clone() });
            layer.sentence(tape, &states, kind)
        })
    })
    .into()
}
