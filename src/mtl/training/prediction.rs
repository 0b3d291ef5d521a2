//! From texts to probabilities.

use std::{
    path::Path,
    sync::{Mutex, PoisonError},
};

use rayon::prelude::*;

use crate::autograd::{Mode, ParamStore, Tape};
use crate::mtl::{
    data::TextEncoder,
    model::{Model, ProjectedWords},
};
use crate::tensor::{Pool, Real};
use crate::{Error, Result};

/// The size of a batch, in texts and in tokens: enough for efficient matrix products, few enough for the cache, and bounded memory for
/// long texts. They change no bit of a probability.
const TEXTS: usize = 64;
const TOKENS: usize = 4096;

/// A network with fixed parameters, the words that it has projected so far, and the buffers that predicting with it needs.
pub struct Predictor<'p, F: Real = f32> {
    model: &'p Model,
    params: &'p ParamStore<F>,
    vocabulary: usize,
    /// Workspaces that no thread is using.
    idle: Mutex<Vec<Workspace<F>>>,
}

struct Workspace<F: Real> {
    pool: Pool<F>,
    words: ProjectedWords<F>,
}

impl<'p, F: Real> Predictor<'p, F> {
    /// A predictor for texts whose ids are below `vocabulary`.
    pub fn new(model: &'p Model, params: &'p ParamStore<F>, vocabulary: usize) -> Self {
        Self { model, params, vocabulary, idle: Mutex::default() }
    }

    /// For each text (a list of ids) the probability that each task is true, in the tasks' order. It is NaN where the network's
    /// logit is infinite or not a number: see [`require_numbers`](Self::require_numbers).
    ///
    /// # Panics
    /// If an id is not below the size of the vocabulary.
    pub fn probabilities(&self, texts: &[&[u32]]) -> Vec<Vec<f64>> {
        let of_text = |logits: Vec<F>| logits.into_iter().map(probability).collect();
        self.logits(texts).into_iter().map(of_text).collect()
    }

    /// As [`probabilities`](Self::probabilities), the logits themselves.
    pub(super) fn logits(&self, texts: &[&[u32]]) -> Vec<Vec<F>> {
        // Bucketed by length: a time step then has nearly all texts of a batch.
        let mut order: Vec<u32> = (0..texts.len() as u32).collect();
        order.sort_by_key(|&text| texts[text as usize].len());
        let ordered: Vec<&[u32]> = order.iter().map(|&text| texts[text as usize]).collect();
        let chunks: Vec<Vec<Vec<F>>> = chunks(&ordered).into_par_iter().map(|chunk| self.of_chunk(chunk)).collect();
        let mut logits = vec![Vec::new(); texts.len()];
        for (text, of_text) in order.into_iter().zip(chunks.into_iter().flatten()) {
            logits[text as usize] = of_text;
        }
        logits
    }

    /// As [`probabilities`](Self::probabilities), for texts that `encoder` makes ids of.
    ///
    /// # Panics
    /// If the encoder's vocabulary is larger than the predictor's.
    pub fn probabilities_of_texts(&self, encoder: &TextEncoder, texts: &[&str]) -> Vec<Vec<f64>> {
        let encoded: Vec<Encoded> = texts.par_chunks(ENCODED).map(|texts| Encoded::new(encoder, texts)).collect();
        let texts: Vec<&[u32]> = encoded.iter().flat_map(Encoded::texts).collect();
        self.probabilities(&texts)
    }

    /// As [`probabilities_of_texts`](Self::probabilities_of_texts), for rows `(line, text)` of the file `path`.
    ///
    /// # Errors
    /// As [`require_numbers`](Self::require_numbers).
    ///
    /// # Panics
    /// If the encoder's vocabulary is larger than the predictor's.
    pub fn probabilities_of_rows(
        &self,
        encoder: &TextEncoder,
        path: &Path,
        rows: &[(u64, &str)],
    ) -> Result<Vec<Vec<f64>>> {
        let texts: Vec<&str> = rows.iter().map(|(_, text)| *text).collect();
        let probabilities = self.probabilities_of_texts(encoder, &texts);
        self.require_numbers(&probabilities, |text| (path, rows[text].0))?;
        Ok(probabilities)
    }

    /// Refuses probabilities that are no numbers. A network with very large weights overflows, on some texts or on all; nothing
    /// can be decided or measured there. `place` is the file and line of a text.
    ///
    /// # Errors
    /// [`Error::Line`] for the first text and task whose probability is NaN.
    pub fn require_numbers<'f>(
        &self,
        probabilities: &[Vec<f64>],
        place: impl Fn(usize) -> (&'f Path, u64),
    ) -> Result<()> {
        for (text, of_text) in probabilities.iter().enumerate() {
            if let Some(task) = of_text.iter().position(|probability| probability.is_nan()) {
                let ((path, line), task) = (place(text), &self.model.heads()[task].task);
                let message = format!("the network gives no number for task `{task}`; its weights are too large");
                return Err(Error::line(path, line, message));
            }
        }
        Ok(())
    }

    fn of_chunk(&self, texts: &[&[u32]]) -> Vec<Vec<F>> {
        let fresh =
            || Workspace { pool: Pool::new(), words: ProjectedWords::new(self.model, self.params, self.vocabulary) };
        let idle = self.idle().pop();
        let Workspace { mut pool, mut words } = idle.unwrap_or_else(fresh);
        let projected = words.sequence(self.model, self.params, texts.iter().copied(), &mut pool);
        let mut tape = Tape::new(self.params, &mut pool, Mode::Evaluate);
        let logits = self.model.forward_of(&mut tape, &projected);
        let of_text = |text: usize| logits.iter().map(|&z| tape.value(z).data()[text]).collect();
        let logits = (0..texts.len()).map(of_text).collect();
        drop(tape);
        self.idle().push(Workspace { pool, words });
        logits
    }

    /// A thread that panicked has taken its buffers with it, so the others are whole.
    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Workspace<F>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The probability of a logit; NaN where that is infinite or not a number.
pub(super) fn probability<F: Real>(logit: F) -> f64 {
    if logit.is_finite() { logit.to_f64().sigmoid() } else { f64::NAN }
}

/// Texts that one thread makes ids of at a time.
const ENCODED: usize = 256;

/// The ids of some texts.
struct Encoded {
    /// One text behind the other.
    ids: Vec<u32>,
    /// Where each text ends.
    ends: Vec<usize>,
}

impl Encoded {
    fn new(encoder: &TextEncoder, texts: &[&str]) -> Self {
        let mut ids = Vec::new();
        let end = |text: &&str| {
            encoder.encode_onto(text, &mut ids);
            ids.len()
        };
        let ends = texts.iter().map(end).collect();
        Self { ids, ends }
    }

    fn texts(&self) -> impl Iterator<Item = &[u32]> {
        let starts = std::iter::once(&0).chain(&self.ends);
        starts.zip(&self.ends).map(|(&start, &end)| &self.ids[start..end])
    }
}

/// Cuts texts into runs of at most [`TEXTS`] texts and [`TOKENS`] tokens, but at least one text.
fn chunks<'a, 't>(mut texts: &'a [&'t [u32]]) -> Vec<&'a [&'t [u32]]> {
    let mut chunks = Vec::new();
    while !texts.is_empty() {
        let mut tokens = 0;
        let fits = |text: &&&[u32]| {
            tokens += text.len();
            tokens <= TOKENS
        };
        let (chunk, rest) = texts.split_at(texts.iter().take(TEXTS).take_while(fits).count().max(1));
        chunks.push(chunk);
        texts = rest;
    }
    chunks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mtl::{
        model::EmbeddingInit,
        settings::{Preset, Settings, Shared},
    };
    use crate::tensor::Tensor;

    #[test]
    fn chunks_are_bounded_by_texts_and_by_tokens_and_lose_nothing() {
        let (short, long) = (vec![1_u32; 3], vec![1_u32; TOKENS + 1]);
        let mut texts: Vec<&[u32]> = vec![&short; TEXTS + 2];
        texts.extend([&long[..], &long, &short, &[]]);
        let sizes: Vec<usize> = chunks(&texts).iter().map(|chunk| chunk.len()).collect();
        assert_eq!(sizes, [TEXTS, 2, 1, 1, 2]);
        assert_eq!(chunks(&texts).concat(), texts);
        assert!(chunks(&[]).is_empty());
    }

    /// Finite weights that overflow: a window is ∞ − ∞, or a logit is infinite.
    #[test]
    fn a_network_that_overflows_is_refused_with_line_and_task() {
        let settings = Settings { shared: Shared::Conv, kernel_width: 2, ..Settings::preset(Preset::Default) };
        let (texts, tasks): ([&[u32]; 2], _) = ([&[], &[1, 2, 3, 4]], ["a".to_owned(), "b".to_owned()]);
        for (name, sizes, task) in [("shared.conv.kernel", [3e38, -3e38], "a"), ("heads.b.kernel", [3e38, 3e38], "b")] {
            let weight = Tensor::from_fn([9, 4], |i| (i as f32).sin() * 100.0);
            let mut params = ParamStore::<f32>::new();
            let model = Model::new(&settings, &tasks, &EmbeddingInit { weight, trainable: false }, &mut params);
            let finite = Predictor::new(&model, &params, 9).probabilities(&texts);
            assert!(finite.iter().flatten().all(|p| p.is_finite()));
            let id = params.find(name).unwrap();
            params.value_mut(id).data_mut().iter_mut().enumerate().for_each(|(i, x)| *x = sizes[i % 2]);
            let predictor = Predictor::new(&model, &params, 9);
            let found = predictor.probabilities(&texts);
            assert!(found[0].iter().all(|p| *p == 0.5), "the empty text is zeros");
            let error = predictor.require_numbers(&found, |text| (Path::new("f"), text as u64 + 2)).unwrap_err();
            let expected = format!("f:3: the network gives no number for task `{task}`; its weights are too large");
            assert_eq!(error.to_string(), expected);
        }
    }

    /// Texts of 0 to 200 tokens in the company of others, alone, in another order, with buffers that others have used.
    #[test]
    fn a_probability_depends_on_its_text_alone_to_the_bit() {
        let texts: Vec<Vec<u32>> =
            (0..300_u32).map(|i| (0..i * i % 201).map(|t| (t * 31 + i * 17) % 500).collect()).collect();
        let texts: Vec<&[u32]> = texts.iter().map(Vec::as_slice).collect();
        for shared in [Shared::Bilstm, Shared::Conv, Shared::BilstmConv] {
            let settings = Settings { shared, ..Settings::preset(Preset::Default) };
            let weight = Tensor::from_fn([500, 30], |i| (i as f32 * 0.7).sin());
            let mut params = ParamStore::<f32>::new();
            let tasks = ["a".to_owned(), "b".to_owned()];
            let model = Model::new(&settings, &tasks, &EmbeddingInit { weight, trainable: false }, &mut params);
            let predictor = Predictor::new(&model, &params, 500);
            let together = predictor.probabilities(&texts);
            let mut reversed: Vec<&[u32]> = texts.clone();
            reversed.reverse();
            let mut backwards = predictor.probabilities(&reversed);
            backwards.reverse();
            assert_eq!(together, backwards, "{shared:?}");
            for (text, expected) in texts.iter().zip(&together) {
                assert_eq!(&predictor.probabilities(&[text])[0], expected, "{shared:?}, {} tokens", text.len());
            }
        }
    }
}
