//! An epoch of training on made-up texts of given sizes.

use std::time::Instant;

use mtlcore::mtl::{
    data::{Dataset, Example, Padding, Split, TextEncoder, Tokenizer, Vocabulary},
    model::EmbeddingInit,
    settings::{EmbeddingUpdates, Preset, Settings},
    training::{Event, Flow, Trainer},
};
use mtlcore::tensor::Tensor;
use rand::RngExt;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use rand_distr::{Distribution, Zipf};

pub use mtlcore::mtl::settings::Shared;

pub const B: Shared = Shared::Bilstm;
pub const C: Shared = Shared::Conv;
pub const B_C: Shared = Shared::BilstmConv;

const DIM: usize = 200;

#[derive(Clone, Copy)]
pub enum Embedding {
    Frozen,
    Lazy,
    Dense,
}

#[derive(Clone, Copy)]
pub struct Work {
    pub shared: Shared,
    pub texts: usize,
    /// Of every text, in tokens.
    pub length: usize,
    pub vocabulary: usize,
    pub tasks: usize,
    /// Of the LSTM in each direction; as many filters.
    pub units: usize,
    pub embedding: Embedding,
}

impl Work {
    /// Of two epochs the second: the first finds caches and buffers empty.
    pub fn seconds_of_an_epoch(self) -> f64 {
        let settings = Settings {
            shared: self.shared,
            units: self.units,
            filters: self.units,
            epochs: 2,
            validation: 0.0,
            embedding_updates: match self.embedding {
                Embedding::Lazy => EmbeddingUpdates::Lazy,
                Embedding::Frozen | Embedding::Dense => EmbeddingUpdates::Dense,
            },
            ..Settings::preset(Preset::Default)
        };
        let rng = &mut ChaCha8Rng::seed_from_u64(1);
        let dataset = self.dataset(rng);
        let split = Split { train: (0..self.texts).collect(), held_out: Vec::new() };
        let weight = Tensor::from_fn([dataset.encoder.vocabulary.len(), DIM], |_| rng.random_range(-0.7..0.7));
        let table = EmbeddingInit { weight, trainable: !matches!(self.embedding, Embedding::Frozen) };
        let mut trainer = Trainer::new(&settings, &dataset, &split, &table);
        let (mut begin, mut seconds) = (Instant::now(), 0.0);
        let outcome = trainer.run(|_, event| {
            if let Event::Epoch(_) = event {
                seconds = begin.elapsed().as_secs_f64();
                begin = Instant::now();
            }
            Ok(Flow::Continue)
        });
        outcome.expect("the training does not diverge");
        seconds
    }

    /// Words follow Zipf's law; each text has a label of one task.
    fn dataset(self, rng: &mut ChaCha8Rng) -> Dataset {
        let words: Vec<String> = (0..self.vocabulary).map(|i| format!("w{i}")).collect();
        let vocabulary = Vocabulary::of(words.iter().map(String::as_str), Tokenizer::Plain);
        let reserved = (vocabulary.len() - self.vocabulary) as u32;
        let zipf = Zipf::new(self.vocabulary as f64, 1.0).expect("a number of words");
        let example = |text: usize| {
            let tokens = (0..self.length).map(|_| zipf.sample(rng) as u32 - 1 + reserved).collect();
            let mut labels = vec![None; self.tasks];
            labels[text % self.tasks] = Some(rng.random_bool(0.5));
            let key = text as u64;
            Example { key, group: key, tokens, labels, source: 0, line: key, validation: false }
        };
        let examples = (0..self.texts).map(example).collect();
        let tasks = (0..self.tasks).map(|task| format!("task{task:02}")).collect();
        let (tokenizer, padding) = (Tokenizer::Plain, Padding::None);
        let encoder = TextEncoder { tokenizer, vocabulary, max_length: None, padding, padded_length: 0 };
        Dataset { tasks, encoder, examples }
    }
}
