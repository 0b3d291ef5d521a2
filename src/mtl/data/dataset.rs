//! Texts as numbers: what the models learn from.

use super::{
    corpus::{Corpus, Record},
    example::Example,
    groups,
    tokens::Tokenizer,
    vocabulary::Vocabulary,
};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Whether and where texts are filled up with the id of padding to the length of the longest one.
///
/// The paper's framework needed this; here a text has its own length unless asked otherwise. Padding is visible to the
/// model: its ids are ordinary ids, whose vector is zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Padding {
    /// Every text has its own length.
    #[default]
    None,
    /// Before the text.
    Pre,
    /// After the text.
    Post,
}

/// What makes ids of a text; the same for learning and for prediction.
#[derive(Clone, Debug, PartialEq)]
pub struct TextEncoder {
    /// Text to tokens.
    pub tokenizer: Tokenizer,
    /// Tokens to ids.
    pub vocabulary: Vocabulary,
    /// The most tokens of a text; those beyond are cut off.
    pub max_length: Option<usize>,
    /// Where padding goes.
    pub padding: Padding,
    /// Texts shorter than this are padded, if at all: the longest text that was learnt from, in tokens.
    pub padded_length: usize,
}

impl TextEncoder {
    /// The ids of `text`: none for an empty text that is not padded.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        let mut ids = Vec::new();
        self.encode_onto(text, &mut ids);
        ids
    }

    /// As [`TextEncoder::encode`], behind what `ids` holds already.
    pub fn encode_onto(&self, text: &str, ids: &mut Vec<u32>) {
        self.encode_each(text, ids, |_| {});
    }

    /// As [`TextEncoder::encode_onto`]; passes each token that is kept to `see`.
    fn encode_each(&self, text: &str, ids: &mut Vec<u32>, mut see: impl FnMut(&str)) {
        let start = ids.len();
        let max_length = self.max_length.unwrap_or(usize::MAX);
        self.tokenizer.for_each(text, |token| {
            if ids.len() - start < max_length {
                ids.push(self.vocabulary.id(token));
                see(token);
            }
        });
        let missing = self.padded_length.saturating_sub(ids.len() - start);
        match self.padding {
            Padding::None => {}
            Padding::Pre => drop(ids.splice(start..start, std::iter::repeat_n(Vocabulary::PAD, missing))),
            Padding::Post => ids.extend(std::iter::repeat_n(Vocabulary::PAD, missing)),
        }
    }
}

/// The most tokens that all texts may have together once they are padded.
const MOST_PADDED: usize = 1 << 30;

/// The examples of all tasks.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// The tasks' names, sorted.
    pub tasks: Vec<String>,
    /// What made the ids.
    pub encoder: TextEncoder,
    /// In the order of the corpus.
    pub examples: Vec<Example>,
}

impl Dataset {
    /// Numbers the words of all texts (with frozen vectors a word that occurs only in held-out texts keeps its vector)
    /// and encodes the texts.
    pub fn new(corpus: &Corpus, tokenizer: Tokenizer, max_length: Option<usize>, padding: Padding) -> Self {
        let texts = || corpus.records.iter().map(|record| record.text.as_str());
        let vocabulary = Vocabulary::of(texts(), tokenizer);
        let padded_length = padded_length(corpus, tokenizer, max_length, padding);
        Self::with_encoder(corpus, TextEncoder { tokenizer, vocabulary, max_length, padding, padded_length })
    }

    /// Checks that padding does not make too much of the texts: a single long one lengthens all others.
    ///
    /// # Errors
    /// [`Error::Config`] if [`new`](Self::new) would need more than 4 GiB for the ids.
    pub fn require_room(
        corpus: &Corpus,
        tokenizer: Tokenizer,
        max_length: Option<usize>,
        padding: Padding,
    ) -> Result<()> {
        let (rows, length) = (corpus.records.len(), padded_length(corpus, tokenizer, max_length, padding));
        if rows.saturating_mul(length) <= MOST_PADDED {
            return Ok(());
        }
        let message = format!(
            "{rows} texts would be padded to {length} tokens, more than {MOST_PADDED} in all; cut long texts with \
             --max-length N, or say --padding none"
        );
        Err(Error::config("padding", message))
    }

    /// Encodes the texts for a model that was trained before.
    pub fn with_encoder(corpus: &Corpus, encoder: TextEncoder) -> Self {
        let mut ids = Vec::new();
        let mut spelt = Vec::new(); // the tokens' bytes: ids would depend on what other texts there are
        let examples = corpus.records.iter().map(|record| {
            spelt.clear();
            ids.clear();
            encoder.encode_each(&record.text, &mut ids, |token| {
                spelt.extend_from_slice(token.as_bytes());
                spelt.push(b'\n'); // no token contains it
            });
            Example {
                key: key(&record.text, record.line),
                group: first_word(Sha256::digest(&spelt).as_slice()),
                tokens: ids.clone(),
                labels: record.labels.clone(),
                source: record.source,
                line: record.line,
                validation: record.validation,
            }
        });
        let mut examples: Vec<Example> = examples.collect();
        groups::join(&mut examples, &corpus.records);
        Self { tasks: corpus.tasks.clone(), examples, encoder }
    }
}

/// The length to which texts are padded: that of the longest, in tokens.
fn padded_length(corpus: &Corpus, tokenizer: Tokenizer, max_length: Option<usize>, padding: Padding) -> usize {
    let length = |record: &Record| {
        let mut length = 0;
        tokenizer.for_each(&record.text, |_| length += 1);
        length
    };
    match padding {
        Padding::None => 0,
        _ => corpus.records.iter().map(length).max().unwrap_or(0).min(max_length.unwrap_or(usize::MAX)),
    }
}

fn key(text: &str, line: u64) -> u64 {
    let mut hash = Sha256::new();
    hash.update(line.to_le_bytes());
    hash.update(text.as_bytes());
    first_word(hash.finalize().as_slice())
}

/// The first eight bytes, little endian.
fn first_word(digest: &[u8]) -> u64 {
    digest.iter().take(8).rev().fold(0, |word, &byte| word << 8 | u64::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mtl::data::{TaskSource, read};

    fn corpus(texts: &[&str]) -> Corpus {
        let records = texts.iter().zip(2..).map(|(text, line)| Record {
            source: 0,
            line,
            text: text.to_string(),
            labels: vec![None],
            validation: false,
            group: None,
        });
        Corpus { tasks: vec!["a".into()], sources: Vec::new(), records: records.collect() }
    }

    #[test]
    fn ids_lengths_and_padding() {
        let corpus = corpus(&["b b b a", "", "b c"]);
        let ids = |max_length, padding| {
            let dataset = Dataset::new(&corpus, Tokenizer::Plain, max_length, padding);
            dataset.examples.into_iter().map(|example| example.tokens).collect::<Vec<_>>()
        };
        assert_eq!(ids(None, Padding::None), [vec![2, 2, 2, 3], vec![], vec![2, 4]]);
        assert_eq!(ids(Some(3), Padding::Pre), [[2, 2, 2], [0, 0, 0], [0, 2, 4]]);
        assert_eq!(ids(None, Padding::Post), [[2, 2, 2, 3], [0, 0, 0, 0], [2, 4, 0, 0]]);
        let encoder = Dataset::new(&corpus, Tokenizer::Plain, Some(3), Padding::Pre).encoder;
        assert_eq!(encoder.encode("new b"), [0, 1, 2]);
    }

    #[test]
    fn one_long_text_does_not_fill_memory() {
        let long = "a ".repeat(1 << 16);
        let mut texts = vec!["a"; 1 << 14];
        texts.push(&long);
        let check = |max_length, padding| Dataset::require_room(&corpus(&texts), Tokenizer::Plain, max_length, padding);
        let message = check(None, Padding::Pre).unwrap_err().to_string();
        assert!(message.starts_with("`padding`: 16385 texts would be padded to 65536 tokens"), "{message}");
        assert!(check(Some(100), Padding::Pre).is_ok() && check(None, Padding::None).is_ok());
    }

    #[test]
    fn groups_are_equal_tokens() {
        let dataset = |max_length| {
            Dataset::new(
                &corpus(&["Flu shot", "flu  SHOT", "flu shot", "flu"]),
                Tokenizer::Glove,
                max_length,
                Padding::None,
            )
        };
        let groups = |max_length| dataset(max_length).examples.iter().map(|example| example.group).collect::<Vec<_>>();
        let all = groups(None);
        assert_eq!(all[0], all[2]);
        assert_ne!(all[0], all[1]); // <allcaps>
        assert_ne!(all[0], all[3]);
        assert!(groups(Some(1)).iter().all(|&group| group == all[3]));
    }

    #[test]
    fn keys_and_groups_do_not_depend_on_other_tasks() {
        let directory = tempfile::tempdir().unwrap();
        let task = |name: &str, content: &str| {
            let path = directory.path().join(format!("{name}.tsv"));
            std::fs::write(&path, content).unwrap();
            TaskSource::new(name, path)
        };
        let one = task("b", "text\tlabel\nsore throat\t1\nfine day\t0\nfine day\t0\n");
        let two = task("a", "text\tlabel\nfine fine fine\t1\nother\t0\n");
        let dataset = |tasks: &[TaskSource]| Dataset::new(&read(tasks).unwrap(), Tokenizer::Glove, None, Padding::None);
        let identity =
            |examples: &[Example]| examples.iter().map(|example| (example.key, example.group)).collect::<Vec<_>>();
        let alone = identity(&dataset(std::slice::from_ref(&one)).examples);
        let both = dataset(&[one, two]);
        assert_eq!(alone, identity(&both.examples)[2..]);
        assert_ne!(alone[1].0, alone[2].0);
        assert_eq!(alone[1].1, alone[2].1);
    }
}
