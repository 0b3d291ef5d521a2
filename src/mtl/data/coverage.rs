//! How far word vectors cover the texts.

use super::{dataset::Dataset, vectors::Vectors, vocabulary::Vocabulary};
use crate::{Error, Result};
use serde::Serialize;
use std::{fmt, path::Path};

/// How many words without a vector are kept.
const SHOWN_WORDS: usize = 20;

/// How many of them the sentence names.
const NAMED_WORDS: usize = 3;

/// The share of the tokens below which the vectors are taken to be those of other texts.
const LEAST_SHARE: f64 = 0.01;

/// How far a file of word vectors covers the texts.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Coverage {
    /// Vectors in the file.
    pub vectors: u64,
    /// How many of them belong to words that are not UTF-8, which no text holds.
    pub not_utf8: u64,
    /// Numbers a vector.
    pub dim: usize,
    /// Different tokens with a vector.
    pub types: usize,
    /// Tokens with a vector.
    pub tokens: u64,
    /// The same as a share of all different tokens.
    pub share_of_types: f64,
    /// The same as a share of all tokens.
    pub share_of_tokens: f64,
    /// The most frequent tokens without one, and how often they occur.
    pub missing: Vec<(String, u64)>,
}

impl Coverage {
    /// Counts the tokens of a data set that have a vector.
    ///
    /// # Panics
    /// If the vectors were not read for the data set's vocabulary.
    pub fn new(dataset: &Dataset, vectors: &Vectors) -> Self {
        let vocabulary = &dataset.encoder.vocabulary;
        assert_eq!(vectors.found.len(), vocabulary.len(), "vectors of another vocabulary");
        let counts = counts(dataset);
        let used = || (0..counts.len()).filter(|&row| counts[row] > 0);
        let covered = || used().filter(|&row| vectors.found[row]);
        let (types, tokens) = (covered().count(), covered().map(|row| counts[row]).sum());
        // The vocabulary is in the order of falling counts already.
        let missing = used().filter(|&row| !vectors.found[row]).take(SHOWN_WORDS);
        Self {
            vectors: vectors.lines,
            not_utf8: vectors.not_utf8,
            dim: vectors.dim,
            types,
            tokens,
            share_of_types: types as f64 / used().count().max(1) as f64,
            share_of_tokens: tokens as f64 / counts.iter().sum::<u64>().max(1) as f64,
            missing: missing.map(|row| (vocabulary.word(row).to_owned(), counts[row])).collect(),
        }
    }

    /// Checks that the vectors of `file` are of use: those of another language would leave a network of zeros.
    ///
    /// # Errors
    /// [`Error::File`] if hardly a token has one.
    pub fn require(&self, file: &Path) -> Result<()> {
        if self.share_of_tokens >= LEAST_SHARE || self.tokens == 0 && self.missing.is_empty() {
            return Ok(());
        }
        let message = format!(
            "{self}: are they vectors of this language, and of words in small letters? `mtlcore data check` shows the tokens; \
             --tokenizer plain keeps words as they are, and --embedding random does without vectors"
        );
        Err(Error::file(file, message))
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |share: f64| format!("{:.1} %", 100.0 * share);
        let (tokens, types) = (percent(self.share_of_tokens), percent(self.share_of_types));
        write!(f, "vectors for {tokens} of the tokens and {types} of the different words")?;
        let named: Vec<&str> = self.missing.iter().take(NAMED_WORDS).map(|(word, _)| word.as_str()).collect();
        if named.is_empty() { Ok(()) } else { write!(f, ", but none for {}", crate::printable::listed(&named)) }
    }
}

/// How often each word of the vocabulary occurs; padding does not.
pub(super) fn counts(dataset: &Dataset) -> Vec<u64> {
    let mut counts = vec![0; dataset.encoder.vocabulary.len()];
    for &id in dataset.examples.iter().flat_map(|example| &example.tokens) {
        counts[id as usize] += 1;
    }
    counts[Vocabulary::PAD as usize] = 0;
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mtl::data::{Padding, TaskSource, Tokenizer, read};

    /// Of 200 tokens, padded to twice as many, this many are `flu`, which has a vector.
    fn coverage(covered: usize) -> Coverage {
        let file = tempfile::Builder::new().suffix(".tsv").tempfile().unwrap();
        let text = "flu ".repeat(covered) + &"zzz ".repeat(200 - covered);
        std::fs::write(file.path(), format!("text\tlabel\n{text}\t1\n\t0\n")).unwrap();
        let corpus = read(&[TaskSource::new("a", file.path())]).unwrap();
        let dataset = Dataset::new(&corpus, Tokenizer::Plain, None, Padding::Pre);
        let vectors = "flu 1 2\nday 3 4\n\u{e9} 5 6\n";
        let vectors = Vectors::from_reader(vectors.as_bytes(), "v".as_ref(), &dataset.encoder.vocabulary).unwrap();
        Coverage::new(&dataset, &vectors)
    }

    #[test]
    fn shares_are_of_tokens_and_of_words() {
        let half = coverage(150);
        assert_eq!((half.share_of_tokens, half.share_of_types), (0.75, 0.5));
        assert_eq!(
            half.to_string(),
            "vectors for 75.0 % of the tokens and 50.0 % of the different words, but none for zzz"
        );
        assert_eq!(coverage(200).to_string(), "vectors for 100.0 % of the tokens and 100.0 % of the different words");
    }

    #[test]
    fn vectors_of_other_texts_are_refused() {
        assert!(coverage(2).require("v".as_ref()).is_ok());
        let message = coverage(1).require("v".as_ref()).unwrap_err().to_string();
        assert!(
            message.starts_with("v: vectors for 0.5 % of the tokens") && message.contains("--embedding"),
            "{message}"
        );
        assert!(coverage(0).require("v".as_ref()).is_err());
    }
}
