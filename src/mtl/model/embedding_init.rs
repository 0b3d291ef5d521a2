//! The initial embedding matrix.

use rand::RngExt;

use crate::mtl::{
    data::{Vectors, Vocabulary},
    settings::{EmbeddingSource, Settings, UnknownWord},
    streams::Streams,
};
use crate::tensor::Tensor;

/// A row a word of the vocabulary.
#[derive(Clone, Debug, PartialEq)]
pub struct EmbeddingInit {
    /// `[V, E]`.
    pub weight: Tensor<f32>,
    /// Whether it is trained with the rest.
    pub trainable: bool,
}

impl EmbeddingInit {
    /// The rows that the settings choose: word vectors, with zeros or their mean for words that have none, or random rows.
    /// Padding is a row of zeros. Without vectors the rows are random.
    pub fn new(settings: &Settings, vocabulary: &Vocabulary, vectors: Option<&Vectors>) -> Self {
        let weight = match vectors {
            Some(vectors) if settings.embedding != EmbeddingSource::Random => {
                known(vocabulary, vectors, settings.unknown)
            }
            _ => random(vocabulary, settings),
        };
        Self::of_weight(settings, weight, vectors.is_some())
    }

    /// Given rows, trained or frozen as the settings say.
    pub fn of_weight(settings: &Settings, weight: Tensor<f32>, has_vectors: bool) -> Self {
        Self { weight, trainable: !(has_vectors && settings.embedding == EmbeddingSource::Frozen) }
    }
}

fn known(vocabulary: &Vocabulary, vectors: &Vectors, unknown: UnknownWord) -> Tensor<f32> {
    let mut weight = Tensor::new([vocabulary.len(), vectors.dim], vectors.values.clone());
    if unknown == UnknownWord::Mean {
        let found = vectors.found.iter().filter(|&&found| found).count().max(1) as f64;
        let column_mean = |c: usize| {
            let sum: f64 = (0..weight.rows()).map(|row| f64::from(weight.row(row)[c])).sum();
            (sum / found) as f32
        };
        let mean: Vec<f32> = (0..vectors.dim).map(column_mean).collect();
        for row in (0..vocabulary.len()).filter(|&row| !vectors.found[row] && row != Vocabulary::PAD as usize) {
            weight.row_mut(row).copy_from_slice(&mean);
        }
    }
    weight
}

/// Uniform in ±0.05 as in Keras, each word's row from a stream of its own: it is the same in any vocabulary.
fn random(vocabulary: &Vocabulary, settings: &Settings) -> Tensor<f32> {
    let streams = Streams::new(settings.seed);
    let mut weight = Tensor::zeros([vocabulary.len(), settings.embedding_dim]);
    for (row, word) in vocabulary.words().enumerate().skip(Vocabulary::PAD as usize + 1) {
        let mut rng = streams.rng(&format!("initialise embedding.weight {word}"), 0);
        weight.row_mut(row).fill_with(|| rng.random_range(-0.05..0.05));
    }
    weight
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mtl::{data::Tokenizer, settings::Preset};

    fn vocabulary(text: &str) -> Vocabulary {
        Vocabulary::of([text].into_iter(), Tokenizer::Plain)
    }

    #[test]
    fn words_without_a_vector_are_zero_or_the_mean() {
        let vocabulary = vocabulary("flu shot shot zzz");
        let vectors = Vectors::from_reader("flu 1 2\nshot 3 4\n".as_bytes(), "v".as_ref(), &vocabulary).unwrap();
        let table = |unknown| {
            let settings = Settings { unknown, ..Settings::preset(Preset::Default) };
            EmbeddingInit::new(&settings, &vocabulary, Some(&vectors))
        };
        let row = |table: &EmbeddingInit, word: &str| table.weight.row(vocabulary.id(word) as usize).to_vec();
        let (zero, mean) = (table(UnknownWord::Zero), table(UnknownWord::Mean));
        assert_eq!(
            (row(&zero, "shot"), row(&zero, "zzz"), row(&zero, "never seen")),
            (vec![3.0, 4.0], vec![0.0; 2], vec![0.0; 2])
        );
        assert_eq!(
            (row(&mean, "shot"), row(&mean, "zzz"), row(&mean, "never seen")),
            (vec![3.0, 4.0], vec![2.0, 3.0], vec![2.0, 3.0])
        );
        assert_eq!(mean.weight.row(0), [0.0, 0.0], "padding stays zero");
        assert!(!zero.trainable);
    }

    #[test]
    fn a_words_random_row_does_not_depend_on_the_vocabulary() {
        let settings = Settings { embedding_dim: 4, ..Settings::preset(Preset::Default) };
        let row = |text: &str| {
            let vocabulary = vocabulary(text);
            let table = EmbeddingInit::new(&settings, &vocabulary, None);
            assert!(table.trainable);
            table.weight.row(vocabulary.id("flu") as usize).to_vec()
        };
        assert_eq!(row("flu shot"), row("a b flu c d"));
    }
}
