//! A text as the network reads it.

use std::sync::Arc;

use serde::Serialize;

use super::GivenLabel;
use crate::autograd::{Mode, ParamStore, Tape};
use crate::mtl::{
    data::{Padding, Vocabulary},
    model::{Batch, Packer},
    run::Trained,
    settings::LossNormaliser,
};
use crate::tensor::{Pool, Real, Segments, Tensor};
use crate::{Error, Result};

/// One token of a text.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Token {
    /// As the tokenizer made it.
    pub text: String,
    /// What the network knows of it.
    pub kind: TokenKind,
}

/// What a network knows of a token.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TokenKind {
    /// It has a vector.
    Known,
    /// The run met it, but its vector is zeros: there was none for it.
    WithoutVector,
    /// The run never met it: it has the vector of the unknown word.
    Unknown,
    /// No word, but what fills the text up to the padded length.
    Padding,
}

/// A text's tokens and their ids.
pub(super) struct Subject {
    pub tokens: Vec<Token>,
    pub ids: Vec<u32>,
    /// Tokens behind `max-length`.
    pub left_out: usize,
}

/// A slot a task, with the label that was given for it.
pub(super) fn slots(tasks: &[String], labels: &[GivenLabel]) -> Result<Vec<Option<bool>>> {
    let mut slots = vec![None; tasks.len()];
    for (task, label) in labels {
        let slot = &mut slots[slot_of(tasks, task)?];
        if slot.replace(*label).is_some() {
            return Err(Error::task(task, "two labels are given for it"));
        }
    }
    Ok(slots)
}

/// The place of a task in the model's order.
pub(super) fn slot_of(tasks: &[String], task: &str) -> Result<usize> {
    let unknown = || Error::task(task, format!("the run has no such task; it has {}", tasks.join(", ")));
    tasks.iter().position(|name| name == task).ok_or_else(unknown)
}

impl Subject {
    pub fn new(trained: &Trained, text: &str) -> Result<Self> {
        let encoder = &trained.encoder;
        let mut words = encoder.tokenizer.tokens(text);
        if words.is_empty() {
            return Err(Error::config("text", "it has no tokens, so there is nothing to look at"));
        }
        let read = encoder.max_length.unwrap_or(usize::MAX).min(words.len());
        let left_out = words.split_off(read).len();
        let ids = encoder.encode(text);
        let padding = vec![Vocabulary::word_of_padding().to_owned(); ids.len() - words.len()];
        let texts = if encoder.padding == Padding::Pre { [padding, words] } else { [words, padding] }.concat();

        let vectors = trained.params.value(trained.model.embedding().weight);
        let kind = |id| match id {
            Vocabulary::PAD => TokenKind::Padding,
            Vocabulary::UNKNOWN => TokenKind::Unknown,
            id if vectors.row(id as usize).iter().all(|&x| x == 0.0) => TokenKind::WithoutVector,
            _ => TokenKind::Known,
        };
        let tokens = texts.into_iter().zip(&ids).map(|(text, &id)| Token { text, kind: kind(id) }).collect();
        Ok(Self { tokens, ids, left_out })
    }

    /// # Errors
    /// [`Error::Config`] if there are more tokens than `most`, padding included.
    pub fn limit(&self, most: usize, done: &str) -> Result<()> {
        match self.ids.len() {
            found if found > most => {
                Err(Error::config("text", format!("it has {found} tokens; at most {most} can be {done}")))
            }
            _ => Ok(()),
        }
    }

    /// The batch of this text alone, packed as for training.
    pub fn batch(&self, labels: &[Option<bool>]) -> Batch {
        let vocabulary = self.ids.iter().max().map_or(0, |&id| id as usize + 1);
        Packer::new(vocabulary).pack_labelled(std::iter::once((&self.ids[..], labels)), labels.len())
    }

    /// The same text, some times over, but every token has a row of its own, number n for token n, as in the parameters of
    /// [`own_rows`](Self::own_rows): a word that occurs twice has a gradient for each occurrence.
    pub fn batch_of_own_rows(&self, copies: usize, labels: &[Option<bool>]) -> Batch {
        let segments = Arc::new(Segments::from_lengths(vec![self.ids.len(); copies]));
        let rows = segments.every_row().clone();
        let labels = labels.iter().map(|&label| vec![label; copies].into()).collect();
        Batch { distinct: rows.clone(), rows, segments, labels }
    }

    /// The run's parameters, whose embedding is the vectors of this text's tokens, `[N, E]`, and wants a gradient.
    pub fn own_rows<F: Real>(&self, trained: &Trained) -> ParamStore<F> {
        let (mut params, id) = (trained.params.cast::<F>(), trained.model.embedding().weight);
        let table = params.value(id);
        let vectors = self.ids.iter().flat_map(|&id| table.row(id as usize).iter().copied()).collect();
        *params.value_mut(id) = Tensor::new([self.ids.len(), table.cols()], vectors);
        params.thaw(id);
        params
    }

    /// The gradient of each task's loss (of its logit, without a label) with respect to each token's vector, `[N, E]`.
    pub fn word_gradients(&self, trained: &Trained, labels: &[Option<bool>]) -> Vec<Tensor<f32>> {
        let (params, batch) = (self.own_rows(trained), self.batch_of_own_rows(1, labels));
        let mut pool = Pool::new();
        let mut tape = Tape::new(&params, &mut pool, Mode::Evaluate);
        let logits = trained.model.forward(&mut tape, &batch);
        let losses = trained.model.losses(&mut tape, &logits, &batch, LossNormaliser::Labelled).tasks;
        let objectives: Vec<_> = losses.iter().zip(logits).map(|(loss, logit)| loss.unwrap_or(logit)).collect();
        let gradients = tape.backward_each(&objectives);
        let of_words = |gradients: crate::autograd::Gradients| gradients.dense(trained.model.embedding().weight);
        gradients.into_iter().map(|g| of_words(g).expect("every task reads the words")).collect()
    }
}
