//! Word vectors in GloVe's text format, of which only the words in use are kept.

mod scan;

use super::{input, vocabulary::Vocabulary};
use crate::Result;
use std::{io::BufRead, path::Path};

/// The vectors of the words of a [`Vocabulary`].
#[derive(Clone, Debug, PartialEq)]
pub struct Vectors {
    /// Numbers a vector.
    pub dim: usize,
    /// One row a word of the vocabulary, zero where the file has none.
    pub values: Vec<f32>, // [V, dim]
    /// Whether the file has a vector for each word of the vocabulary.
    pub found: Vec<bool>, // [V]
    /// The vectors in the file, kept or not.
    pub lines: u64,
    /// How many of them belong to words that are not UTF-8, which no text holds.
    pub not_utf8: u64,
    /// SHA-256 of the kept words and vectors, in hexadecimal. (That of a file of gigabytes would take longer than reading it.)
    pub sha256: String,
}

impl Vectors {
    /// Reads a file, plain or gzip, of which it never holds more than a block: a word, a space, `dim` numbers a line. A
    /// first line of two whole numbers, as word2vec and fastText write it, is a header: count and dimension. Of a word that
    /// occurs twice the first vector counts. Padding never has a vector. Blank lines count for nothing.
    ///
    /// The last `dim` fields of a line are the vector, what stands before them is the word. Words with a space in them (the
    /// published `glove.840B.300d` has some) and words that are not UTF-8 are passed over, since no token equals them.
    ///
    /// Lines of words that are not in the vocabulary are not parsed, except the first and the last of the file: a file
    /// that was cut off is always noticed.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io) if the file cannot be read; [`Error::File`](crate::Error::File) if it is a pipe, or
    /// holds no vector or fewer than its header says; [`Error::Line`](crate::Error::Line) for fewer numbers than in the
    /// first line, more than are allowed, or what is not a finite number.
    pub fn read(path: &Path, vocabulary: &Vocabulary) -> Result<Self> {
        input::require_file(path)?;
        Self::from_reader(input::open(path)?, path, vocabulary)
    }

    /// How many numbers the vectors of a file have, of which only the beginning is read.
    ///
    /// # Errors
    /// As [`Vectors::read`].
    pub fn dim_of(path: &Path) -> Result<usize> {
        input::require_file(path)?;
        scan::dim(input::open(path)?, path)
    }

    /// As [`Vectors::read`], from `input`, which errors call `name`.
    ///
    /// # Errors
    /// As [`Vectors::read`].
    pub fn from_reader(input: impl BufRead + Send, name: &Path, vocabulary: &Vocabulary) -> Result<Self> {
        scan::read(input, name, vocabulary)
    }
}

#[cfg(test)]
mod tests;
