//! The layer that all tasks share: words to one vector a text.

use crate::autograd::{ParamStore, Tape, Var};
use crate::layers::{Bilstm, Conv, SentenceVector, Sequence};
use crate::mtl::{
    settings::{Settings, Shared},
    streams::Streams,
};
use crate::tensor::{Pool, Real, Tensor};

/// The paper's three alternatives.
#[derive(Clone, Debug)]
pub enum SharedLayer {
    /// B: the states of a BiLSTM, made one vector.
    Bilstm(Bilstm, SentenceVector),
    /// C: a convolution over the words.
    Conv(Conv, usize),
    /// B+C: a convolution over the states of a BiLSTM.
    BilstmConv(Bilstm, Conv, usize),
}

impl SharedLayer {
    /// Adds the parameters of a fresh layer over words of `channels` numbers.
    pub(super) fn new<F: Real>(
        settings: &Settings,
        channels: usize,
        params: &mut ParamStore<F>,
        streams: &Streams,
    ) -> Self {
        let bilstm = |params: &mut ParamStore<F>| {
            let mut rng = streams.rng("initialise shared.bilstm", 0);
            let sizes = (channels, settings.units);
            Bilstm::new(params, "shared.bilstm", sizes, settings.forget_bias, settings.gate_activation, &mut rng)
        };
        let conv = |params: &mut ParamStore<F>, channels: usize| {
            let mut rng = streams.rng("initialise shared.conv", 0);
            let shape = [settings.kernel_width, channels, settings.filters];
            Conv::new(params, "shared.conv", shape, settings.conv_activation, settings.conv_pooling, &mut rng)
        };
        match settings.shared {
            Shared::Bilstm => Self::Bilstm(bilstm(params), settings.sentence),
            Shared::Conv => Self::Conv(conv(params, channels), settings.filters),
            Shared::BilstmConv => Self::BilstmConv(bilstm(params), conv(params, 2 * settings.units), settings.filters),
        }
    }

    /// How many numbers the vector has.
    pub fn width(&self) -> usize {
        match self {
            Self::Bilstm(bilstm, _) => 2 * bilstm.units,
            Self::Conv(_, filters) | Self::BilstmConv(_, _, filters) => *filters,
        }
    }

    /// The states of a BiLSTM, `[tokens, 2H]`, if there is one, and the sentence vectors, `[texts, width]`.
    pub(super) fn forward<F: Real>(&self, tape: &mut Tape<'_, F>, words: &Sequence<'_, F>) -> (Option<Var>, Var) {
        match self {
            Self::Bilstm(bilstm, kind) => {
                let states = bilstm.forward(tape, words);
                (Some(states.var()), bilstm.sentence(tape, &states, *kind))
            }
            Self::Conv(conv, _) => (None, conv.forward(tape, words)),
            Self::BilstmConv(bilstm, conv, _) => {
                let states = bilstm.forward(tape, words);
                (Some(states.var()), conv.forward(tape, &states))
            }
        }
    }

    /// The numbers that a word's projection has: those of the product that the first layer begins with.
    pub(super) fn projection_width<F: Real>(&self, params: &ParamStore<F>) -> usize {
        match self {
            Self::Bilstm(bilstm, _) | Self::BilstmConv(bilstm, ..) => 2 * 4 * bilstm.units,
            Self::Conv(conv, filters) => params.value(conv.kernel).shape().dims()[0] * filters,
        }
    }

    /// Projects words `[U, E]` into U rows of as many numbers.
    pub(super) fn project<F: Real>(
        &self,
        params: &ParamStore<F>,
        words: &Tensor<F>,
        into: &mut [F],
        pool: &mut Pool<F>,
    ) {
        match self {
            Self::Bilstm(bilstm, _) | Self::BilstmConv(bilstm, ..) => bilstm.project(params, words, into, pool),
            Self::Conv(conv, _) => conv.project(params, words, into, pool),
        }
    }
}
