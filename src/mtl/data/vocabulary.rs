//! The words of a data set, numbered.

use super::tokens::Tokenizer;
use crate::{Error, Result};
use foldhash::fast::FixedState;
use std::{collections::HashMap, io::Write, path::Path};

/// By word. Looking up words is half the cost of encoding a text, and the standard library's hash is a slow one.
type WordMap<V> = HashMap<String, V, FixedState>;

/// Words and their ids, which are the rows of `embedding.weight`.
///
/// Row 0 is [`PAD`](Self::PAD), row 1 is [`UNKNOWN`](Self::UNKNOWN), then come the words by falling count, equal counts in
/// the order of their bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vocabulary {
    words: Vec<String>,
    ids: WordMap<u32>,
}

/// The names of rows 0 and 1.
const RESERVED: [&str; 2] = ["<pad>", "<unk>"];

impl Vocabulary {
    /// The id of padding.
    pub const PAD: u32 = 0;
    /// The id of every word that is not in the vocabulary.
    pub const UNKNOWN: u32 = 1;

    /// Counts the tokens of `texts`. Tokens that are spelt like a reserved row stay unknown.
    pub fn of<'t>(texts: impl Iterator<Item = &'t str>, tokenizer: Tokenizer) -> Self {
        let mut counts: WordMap<u64> = WordMap::default();
        for text in texts {
            tokenizer.for_each(text, |token| match counts.get_mut(token) {
                Some(count) => *count += 1,
                None => {
                    counts.insert(token.to_owned(), 1);
                }
            });
        }
        for reserved in RESERVED {
            counts.remove(reserved);
        }
        let mut words: Vec<(String, u64)> = counts.into_iter().collect();
        words.sort_unstable_by(|(a, count_a), (b, count_b)| count_b.cmp(count_a).then_with(|| a.cmp(b)));
        Self::from_words(
            RESERVED.map(str::to_owned).into_iter().chain(words.into_iter().map(|(word, _)| word)).collect(),
        )
    }

    fn from_words(words: Vec<String>) -> Self {
        let ids = words.iter().zip(0..).map(|(word, id)| (word.clone(), id));
        Self { ids: ids.collect(), words }
    }

    /// What padding is called.
    pub fn word_of_padding() -> &'static str {
        RESERVED[Self::PAD as usize]
    }

    /// The number of rows, the two reserved ones included.
    #[expect(clippy::len_without_is_empty, reason = "two rows are always there")]
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// The id of `word`, or [`UNKNOWN`](Self::UNKNOWN). A text cannot ask for padding.
    pub fn id(&self, word: &str) -> u32 {
        self.ids.get(word).copied().filter(|&id| id != Self::PAD).unwrap_or(Self::UNKNOWN)
    }

    /// The row of `word`, reserved or not, if it has one.
    pub fn row(&self, word: &str) -> Option<usize> {
        self.ids.get(word).map(|&id| id as usize)
    }

    /// All words, in the order of their ids.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// Writes one word a line; the first line is row 0.
    ///
    /// # Errors
    /// What `output` returns.
    pub fn write(&self, output: &mut impl Write) -> std::io::Result<()> {
        for word in &self.words {
            writeln!(output, "{word}")?;
        }
        Ok(())
    }

    /// Reads what [`Vocabulary::write`] wrote.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be read; [`Error::Line`] if the first two lines are not the reserved words, or a
    /// line is empty or occurs twice.
    pub fn read(path: &Path) -> Result<Self> {
        let content = std::fs::read_to_string(path).map_err(Error::io(path))?;
        let words: Vec<String> = content.split_terminator('\n').map(str::to_owned).collect();
        for (place, reserved) in RESERVED.into_iter().enumerate() {
            if words.get(place).is_none_or(|word| word != reserved) {
                return Err(Error::line(path, place as u64 + 1, format!("expected {reserved}: not a vocabulary")));
            }
        }
        let vocabulary = Self::from_words(words);
        // A word that occurs twice has its last id in the map, so the first occurrence does not find itself.
        for (word, id) in vocabulary.words.iter().zip(0..) {
            if word.is_empty() || vocabulary.ids[word] != id {
                let what =
                    if word.is_empty() { "an empty word".into() } else { format!("the word {word:?} occurs twice") };
                return Err(Error::line(path, u64::from(id) + 1, what));
            }
        }
        Ok(vocabulary)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_by_count_then_by_bytes() {
        let vocabulary = Vocabulary::of(["b a c b", "<pad> <unk> é"].into_iter(), Tokenizer::Plain);
        assert_eq!(vocabulary.words(), ["<pad>", "<unk>", "b", "a", "c", "é"]);
        assert_eq!(["b", "zzz", "<pad>", "<unk>"].map(|word| vocabulary.id(word)), [2, 1, 1, 1]);
    }

    #[test]
    fn writes_and_reads() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("vocab.txt");
        // A word joiner and a line separator of Unicode are no line breaks here.
        let words = ["<pad>", "<unk>", "a\u{85}b", "\u{2028}", "c\r"].map(str::to_owned).to_vec();
        let vocabulary = Vocabulary::from_words(words);
        let mut bytes = Vec::new();
        vocabulary.write(&mut bytes).unwrap();
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(Vocabulary::read(&path).unwrap(), vocabulary);

        for (content, message) in [
            ("a\nb\n", ":1: expected <pad>: not a vocabulary"),
            ("<pad>\n<unk>\na\nb\na\n", ":3: the word \"a\" occurs twice"),
            ("<pad>\n<unk>\n\n", ":3: an empty word"),
        ] {
            std::fs::write(&path, content).unwrap();
            let found = Vocabulary::read(&path).unwrap_err().to_string();
            assert!(found.ends_with(message), "{found}");
        }
    }
}
