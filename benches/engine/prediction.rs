//! From texts to probabilities, with the models of the paper's sizes and a vocabulary of 20,000 words. An item is a text, of
//! 3 to 40 words.

use divan::{Bencher, counter::ItemsCount};
use mtlcore::autograd::ParamStore;
use mtlcore::mtl::{
    data::{Padding, TextEncoder, Tokenizer, Vocabulary},
    model::{EmbeddingInit, Model},
    settings::{Preset, Settings, Shared},
    training::Predictor,
};
use mtlcore::tensor::Tensor;

use crate::training::WORD_SIZE;
use crate::{
    batch::Batch,
    texts::{Texts, VOCABULARY},
};

/// The word of a number, in small letters: tokenisers leave it alone.
fn word(mut id: u32) -> String {
    let mut word = String::from("w");
    while id > 0 {
        word.push_str(["ba", "ce", "di", "fo", "gu", "ka", "le", "mi", "no", "pu"][id as usize % 10]);
        id /= 10;
    }
    word
}

fn texts() -> Vec<String> {
    let text = |texts: &Texts, range: std::ops::Range<usize>| {
        let words: Vec<String> = texts.rows[range].iter().map(|&row| word(texts.distinct[row as usize])).collect();
        words.join(" ")
    };
    let epoch = Batch::epoch();
    epoch.iter().flat_map(|batch| batch.texts.segments.iter().map(|range| text(&batch.texts, range))).collect()
}

fn encoder() -> TextEncoder {
    let words: Vec<String> = (0..VOCABULARY as u32).map(word).collect();
    let vocabulary = Vocabulary::of(words.iter().map(String::as_str), Tokenizer::Glove);
    TextEncoder { tokenizer: Tokenizer::Glove, vocabulary, max_length: None, padding: Padding::None, padded_length: 0 }
}

#[divan::bench(sample_count = 50, sample_size = 1)]
fn tokenise(bencher: Bencher) {
    let texts = texts();
    bencher.counter(ItemsCount::new(texts.len())).bench_local(|| {
        let mut tokens = 0;
        texts.iter().for_each(|text| Tokenizer::Glove.for_each(text, |_| tokens += 1));
        tokens
    });
}

#[divan::bench(sample_count = 50, sample_size = 1)]
fn encode(bencher: Bencher) {
    let (texts, encoder) = (texts(), encoder());
    let mut ids = Vec::new();
    bencher.counter(ItemsCount::new(texts.len())).bench_local(|| {
        ids.clear();
        texts.iter().for_each(|text| encoder.encode_onto(text, &mut ids));
        ids.len()
    });
}

/// Tokenising included; the words have been projected before.
#[divan::bench(args = [Shared::Bilstm, Shared::Conv, Shared::BilstmConv], sample_count = 20, sample_size = 1)]
fn predict(bencher: Bencher, shared: Shared) {
    let (texts, encoder) = (texts(), encoder());
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let settings = Settings { shared, ..Settings::preset(Preset::Default) };
    let weight = Tensor::from_fn([encoder.vocabulary.len(), WORD_SIZE], |i| (i as f32 * 0.7).sin());
    let mut params = ParamStore::<f32>::new();
    let tasks = ["one".to_owned(), "two".to_owned()];
    let model = Model::new(&settings, &tasks, &EmbeddingInit { weight, trainable: false }, &mut params);
    let predictor = Predictor::new(&model, &params, encoder.vocabulary.len());
    predictor.probabilities_of_texts(&encoder, &texts);
    bencher.counter(ItemsCount::new(texts.len())).bench_local(|| {
        texts.chunks(1024).map(|block| predictor.probabilities_of_texts(&encoder, block).len()).sum::<usize>()
    });
}
