//! The words of a data set, numbered.

use super::tokens::Tokenizer;
use crate::{Error, Result};
use foldhash::fast::FixedState;
use hashbrown::HashTable;
use std::{collections::HashMap, hash::BuildHasher, io::Write, ops::Range, path::Path};

/// Words and their ids, which are the rows of `embedding.weight`.
///
/// Row 0 is [`PAD`](Self::PAD), row 1 is [`UNKNOWN`](Self::UNKNOWN), then come the words by falling count, equal counts in
/// the order of their bytes.
#[derive(Clone, Debug)]
pub struct Vocabulary {
    /// All words, one behind the other.
    letters: String,
    /// Where each word ends.
    ends: Vec<usize>,
    /// The ids, by the hash of their words. Looking up words is half the cost of encoding a text, and the standard library's
    /// hash is a slow one.
    ids: HashTable<u32>,
    hasher: FixedState,
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
        let mut counts: HashMap<String, u64, FixedState> = HashMap::default();
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
        Self::from_words(RESERVED.into_iter().chain(words.iter().map(|(word, _)| word.as_str())))
    }

    /// Of words that are all different.
    fn from_words<'w>(words: impl IntoIterator<Item = &'w str>) -> Self {
        let mut vocabulary = Self::empty();
        for word in words {
            assert_eq!(vocabulary.push(word), None, "{word:?} is there already");
        }
        vocabulary
    }

    fn empty() -> Self {
        Self { letters: String::new(), ends: Vec::new(), ids: HashTable::new(), hasher: FixedState::default() }
    }

    /// Gives `word` the next row, unless it has one, which is returned.
    fn push(&mut self, word: &str) -> Option<usize> {
        if let Some(row) = self.row(word) {
            return Some(row);
        }
        self.letters.push_str(word);
        self.ends.push(self.letters.len());
        let id = self.ends.len() as u32 - 1;
        let (letters, ends, hasher) = (&self.letters, &self.ends, &self.hasher);
        let hash_of = |id: &u32| hasher.hash_one(&letters[place(ends, *id as usize)]);
        self.ids.insert_unique(hasher.hash_one(word), id, hash_of);
        None
    }

    /// What padding is called.
    pub fn word_of_padding() -> &'static str {
        RESERVED[Self::PAD as usize]
    }

    /// The number of rows, the two reserved ones included.
    #[expect(clippy::len_without_is_empty, reason = "two rows are always there")]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// The id of `word`, or [`UNKNOWN`](Self::UNKNOWN). A text cannot ask for padding.
    pub fn id(&self, word: &str) -> u32 {
        self.row(word).map_or(Self::UNKNOWN, |row| row as u32).max(Self::UNKNOWN)
    }

    /// The row of `word`, reserved or not, if it has one.
    pub fn row(&self, word: &str) -> Option<usize> {
        let is_same = |&id: &u32| self.letters.as_bytes()[place(&self.ends, id as usize)] == *word.as_bytes();
        self.ids.find(self.hasher.hash_one(word), is_same).map(|&id| id as usize)
    }

    /// The word of a row.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn word(&self, row: usize) -> &str {
        &self.letters[place(&self.ends, row)]
    }

    /// All words, in the order of their ids.
    pub fn words(&self) -> impl ExactSizeIterator<Item = &str> {
        (0..self.len()).map(|row| self.word(row))
    }

    /// Writes one word a line; the first line is row 0.
    ///
    /// # Errors
    /// What `output` returns.
    pub fn write(&self, output: &mut impl Write) -> std::io::Result<()> {
        for word in self.words() {
            writeln!(output, "{word}")?;
        }
        Ok(())
    }

    /// Reads what [`Vocabulary::write`] wrote.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be read; [`Error::Line`] if the first two lines are not the reserved words, or a
    /// line is empty or as one before.
    pub fn read(path: &Path) -> Result<Self> {
        let content = std::fs::read_to_string(path).map_err(Error::io(path))?;
        let mut vocabulary = Self::empty();
        for (word, line) in content.split_terminator('\n').zip(1..) {
            if word.is_empty() {
                return Err(Error::line(path, line, "an empty word"));
            }
            if let Some(row) = vocabulary.push(word) {
                return Err(Error::line(path, line, format!("the word {word:?} is that of line {}", row + 1)));
            }
        }
        for (row, reserved) in RESERVED.into_iter().enumerate() {
            if vocabulary.row(reserved) != Some(row) {
                return Err(Error::line(path, row as u64 + 1, format!("expected {reserved}: not a vocabulary")));
            }
        }
        Ok(vocabulary)
    }
}

impl PartialEq for Vocabulary {
    fn eq(&self, other: &Self) -> bool {
        (&self.letters, &self.ends) == (&other.letters, &other.ends)
    }
}

impl Eq for Vocabulary {}

/// Where the word of a row stands among the letters of all.
#[inline]
fn place(ends: &[usize], row: usize) -> Range<usize> {
    let start = if row == 0 { 0 } else { ends[row - 1] };
    start..ends[row]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_by_count_then_by_bytes() {
        let vocabulary = Vocabulary::of(["b a c b", "<pad> <unk> é"].into_iter(), Tokenizer::Plain);
        assert_eq!(vocabulary.words().collect::<Vec<_>>(), ["<pad>", "<unk>", "b", "a", "c", "é"]);
        assert_eq!(["b", "zzz", "<pad>", "<unk>"].map(|word| vocabulary.id(word)), [2, 1, 1, 1]);
    }

    #[test]
    fn writes_and_reads() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("vocab.txt");
        // A word joiner and a line separator of Unicode are no line breaks here.
        let vocabulary = Vocabulary::from_words(["<pad>", "<unk>", "a\u{85}b", "\u{2028}", "c\r"]);
        let mut bytes = Vec::new();
        vocabulary.write(&mut bytes).unwrap();
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(Vocabulary::read(&path).unwrap(), vocabulary);

        for (content, message) in [
            ("a\nb\n", ":1: expected <pad>: not a vocabulary"),
            ("<pad>\n<unk>\na\nb\na\n", ":5: the word \"a\" is that of line 3"),
            ("<pad>\n<unk>\n\n", ":3: an empty word"),
        ] {
            std::fs::write(&path, content).unwrap();
            let found = Vocabulary::read(&path).unwrap_err().to_string();
            assert!(found.ends_with(message), "{found}");
        }
    }
}
