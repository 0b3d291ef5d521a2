//! The paper's models at the paper's sizes, in training.

use mtlcore::autograd::ops::{conv::ConvActivation, conv::TimePooling, lstm::GateActivation};
use mtlcore::autograd::{Adam, AdamSettings, Mode, ParamStore, Tape, Var};
use mtlcore::layers::{Bilstm, Conv, Dense, Dropout, Embedding, SentenceVector};
use mtlcore::tensor::{Pool, Tensor};
use rand::RngExt;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

use crate::{
    batch::Batch,
    texts::{TEXTS, VOCABULARY},
};

pub const WORD_SIZE: usize = 200;
pub const UNITS: usize = 25;
pub const FILTERS: usize = 25;
pub const WIDTH: usize = 3;

/// The paper's encoders: over the words B a BiLSTM, C a convolution, B+C a convolution over a BiLSTM's states.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    B,
    C,
    BC,
}

/// A model with two tasks in training.
pub struct Training {
    embedding: Embedding,
    bilstm: Option<Bilstm>,
    conv: Option<Conv>,
    heads: [Dense; 2],
    params: ParamStore,
    pool: Pool,
    adam: Adam,
}

impl Training {
    pub fn new(kind: Kind) -> Self {
        let rng = &mut ChaCha8Rng::seed_from_u64(3);
        let mut params = ParamStore::new();
        let vectors = Tensor::from_fn([VOCABULARY, WORD_SIZE], |_| rng.random_range(-0.7..0.7));
        let embedding = Embedding::new(&mut params, "embedding", vectors, false);
        let bilstm = (!matches!(kind, Kind::C))
            .then(|| Bilstm::new(&mut params, "bilstm", (WORD_SIZE, UNITS), 1.0, GateActivation::Sigmoid, rng));
        let channels = bilstm.map_or(WORD_SIZE, |_| 2 * UNITS);
        let conv = (!matches!(kind, Kind::B)).then(|| {
            let shape = [WIDTH, channels, FILTERS];
            Conv::new(&mut params, "conv", shape, ConvActivation::Relu, TimePooling::Max, rng)
        });
        let features = conv.map_or(2 * UNITS, |_| FILTERS);
        let heads = ["one", "two"].map(|name| Dense::new(&mut params, name, features, 1, rng));
        Self { embedding, bilstm, conv, heads, params, pool: Pool::new(), adam: Adam::new(AdamSettings::default()) }
    }

    /// Forward, backward, Adam; the loss.
    pub fn step(&mut self, batch: &Batch) -> f32 {
        let mode = Mode::Train { row_keys: &batch.row_keys };
        let mut tape = Tape::new(&self.params, &mut self.pool, mode);
        let mut sequence =
            self.embedding.forward(&mut tape, &batch.texts.distinct, &batch.texts.rows, &batch.texts.segments);
        if let Some(bilstm) = &self.bilstm {
            sequence = bilstm.forward(&mut tape, &sequence);
        }
        let vector = match (&self.bilstm, &self.conv) {
            (_, Some(conv)) => conv.forward(&mut tape, &sequence),
            (Some(bilstm), None) => bilstm.sentence(&mut tape, &sequence, SentenceVector::Last),
            (None, None) => unreachable!("every kind has an encoder"),
        };
        let vector = Dropout { rate: 0.25 }.forward(&mut tape, vector);
        let [one, two]: [Var; 2] = [0, 1].map(|task| {
            let logits = self.heads[task].forward(&mut tape, vector);
            tape.masked_bce(logits, batch.labels[task].clone(), TEXTS as f32)
        });
        let loss = tape.add(one, two);
        let value = tape.value(loss).item();
        let gradients = tape.backward(loss);
        self.adam.step(&mut self.params, &gradients);
        gradients.give_to(&mut self.pool);
        value
    }
}
