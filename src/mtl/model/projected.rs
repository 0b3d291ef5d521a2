//! A cache of projected words, to predict many texts with fixed parameters.

use std::sync::Arc;

use super::Model;
use crate::autograd::ParamStore;
use crate::layers::{Rows, Sequence};
use crate::tensor::{Pool, Real, Segments, Tensor};

/// The products of words and the first layer's kernels, each computed when a text first holds the word.
///
/// Time and memory grow with the distinct words in use, memory up to 64 MiB (in single precision). A full cache is emptied: the
/// frequent words are back at once.
#[derive(Clone, Debug)]
pub struct ProjectedWords<F: Real = f32> {
    /// The row of each id, or [`ABSENT`].
    row_of: Vec<u32>,
    /// The id of each row.
    ids: Vec<u32>,
    /// `[rows, 8H]` for an LSTM of two directions, `[rows, k·F]` for a convolution. Pages of rows that no word has taken yet are not
    /// resident, since they have not been written.
    products: Tensor<F>,
}

const ABSENT: u32 = u32::MAX;

/// Numbers of the products: 64 MiB of single precision, which are 84,000 words at 25 units a direction.
pub const ROOM: usize = 1 << 24;

impl<F: Real> ProjectedWords<F> {
    /// An empty cache for ids below `vocabulary`.
    pub fn new(model: &Model, params: &ParamStore<F>, vocabulary: usize) -> Self {
        Self::with_room(model, params, vocabulary, ROOM)
    }

    fn with_room(model: &Model, params: &ParamStore<F>, vocabulary: usize, room: usize) -> Self {
        let width = model.shared.projection_width(params);
        let rows = (room / width.max(1)).min(vocabulary);
        let products = Tensor::zeros([rows, width]);
        Self { row_of: vec![ABSENT; vocabulary], ids: Vec::new(), products }
    }

    /// Some texts as rows of projected words, which are computed if they were not yet. [`Model::forward_of`] gives the same logits
    /// for them as [`Model::forward`] in evaluation, to the bit.
    ///
    /// # Panics
    /// If an id is not below the size of the vocabulary.
    pub fn sequence<'t>(
        &mut self,
        model: &Model,
        params: &ParamStore<F>,
        texts: impl Iterator<Item = &'t [u32]> + Clone,
        pool: &mut Pool<F>,
    ) -> Sequence<'_, F> {
        let segments = Arc::new(Segments::from_lengths(texts.clone().map(<[u32]>::len)));
        let mut known = self.ids.len();
        let mut rows = pool.take_vec();
        self.assign(texts.clone(), &mut rows);
        if self.ids.len() > self.products.rows() {
            self.ids.drain(..).for_each(|id| self.row_of[id as usize] = ABSENT);
            known = 0;
            rows.clear();
            self.assign(texts, &mut rows);
            if self.ids.len() > self.products.rows() {
                // One text may have more words than there was room for.
                self.products = Tensor::zeros([self.ids.len(), self.products.cols()]);
            }
        }
        let table = params.value(model.embedding.weight);
        let new = &self.ids[known..];
        if !new.is_empty() {
            let mut words = pool.take([new.len(), table.cols()]);
            for (i, &id) in new.iter().enumerate() {
                words.row_mut(i).copy_from_slice(table.row(id as usize));
            }
            let width = self.products.cols();
            let into = &mut self.products.data_mut()[known * width..][..new.len() * width];
            model.shared.project(params, &words, into, pool);
            pool.give(words);
        }
        let sequence = Sequence { values: Rows::Projected(&self.products), rows: Arc::from(&rows[..]), segments };
        pool.give_vec(rows);
        sequence
    }

    /// The row of each token; a word without one takes the next.
    fn assign<'t>(&mut self, texts: impl Iterator<Item = &'t [u32]>, rows: &mut Vec<u32>) {
        for &id in texts.flatten() {
            let row = &mut self.row_of[id as usize];
            if *row == ABSENT {
                *row = self.ids.len() as u32;
                self.ids.push(id);
            }
            rows.push(*row);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::ops::conv::TimePooling;
    use crate::autograd::{Mode, Tape};
    use crate::layers::SentenceVector;
    use crate::mtl::{
        model::{EmbeddingInit, Packer},
        settings::{Preset, Settings, Shared},
    };

    /// Batches in turn, of texts of 0 to 40 tokens, with room for all words, for some, and for fewer than a batch has.
    #[test]
    fn the_logits_are_those_of_the_plain_computation_to_the_bit() {
        const VOCABULARY: u32 = 300;
        let text = |batch: u32, i: u32| (0..i * 7 % 41).map(|t| (t * 31 + i * 17 + batch * 11) % VOCABULARY).collect();
        let batches: Vec<Vec<Vec<u32>>> = (0..5).map(|batch| (0..20).map(|i| text(batch, i)).collect()).collect();
        for (shared, sentence, conv_pooling) in [
            (Shared::Bilstm, SentenceVector::Last, TimePooling::Max),
            (Shared::Bilstm, SentenceVector::Mean, TimePooling::Max),
            (Shared::Conv, SentenceVector::Last, TimePooling::Max),
            (Shared::Conv, SentenceVector::Last, TimePooling::Mean),
            (Shared::BilstmConv, SentenceVector::Last, TimePooling::Max),
        ] {
            let settings = Settings { shared, sentence, conv_pooling, ..Settings::preset(Preset::Default) };
            let weight = Tensor::from_fn([VOCABULARY as usize, 30], |i| (i as f32 * 0.7).sin());
            let mut params = ParamStore::<f32>::new();
            let tasks = ["a".to_owned(), "b".to_owned()];
            let model = Model::new(&settings, &tasks, &EmbeddingInit { weight, trainable: false }, &mut params);
            for rows in [VOCABULARY as usize, 200, 3] {
                let room = rows * model.shared.projection_width(&params);
                let mut words = ProjectedWords::with_room(&model, &params, VOCABULARY as usize, room);
                let mut pool = Pool::new();
                for texts in &batches {
                    let texts = texts.iter().map(Vec::as_slice);
                    let batch = Packer::new(VOCABULARY as usize).pack(texts.clone());
                    let projected = words.sequence(&model, &params, texts, &mut pool);
                    let mut tape = Tape::new(&params, &mut pool, Mode::Evaluate);
                    let plain = model.forward(&mut tape, &batch);
                    let fast = model.forward_of(&mut tape, &projected);
                    for (plain, fast) in plain.into_iter().zip(fast) {
                        assert_eq!(tape.value(plain), tape.value(fast), "{shared:?}, {sentence:?}, {conv_pooling:?}");
                    }
                }
            }
        }
    }
}
