//! Word vectors in GloVe's text format, of which only the words in use are kept.

use super::{
    format::{self, hexadecimal},
    vocabulary::Vocabulary,
};
use crate::{Error, Result};
use memchr::memchr;
use sha2::{Digest, Sha256};
use std::{
    io::{BufRead, ErrorKind},
    path::Path,
};

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
    /// SHA-256 of the kept words and vectors, in hexadecimal. (That of a file of gigabytes would take longer than reading it.)
    pub sha256: String,
}

impl Vectors {
    /// Reads a file, plain or gzip, of which it never holds more than a block: a word, a space, `dim` numbers a line. A
    /// first line of two whole numbers, as word2vec writes it, is a header: count and dimension. Of a word that occurs
    /// twice the first vector counts. Padding never has a vector.
    ///
    /// Lines of words that are not in the vocabulary are not parsed, except the first and the last of the file: a file
    /// that was cut off is always noticed.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be read; [`Error::File`] if it holds no vector or fewer than its header says;
    /// [`Error::Line`] for another number of numbers than in the first line, what is not a finite number, or what is
    /// not UTF-8.
    pub fn read(path: &Path, vocabulary: &Vocabulary) -> Result<Self> {
        Self::from_reader(format::open(path)?, path, vocabulary)
    }

    /// As [`Vectors::read`], from `input`, which errors call `name`.
    ///
    /// # Errors
    /// As [`Vectors::read`].
    pub fn from_reader(mut input: impl BufRead, name: &Path, vocabulary: &Vocabulary) -> Result<Self> {
        let mut scan = Scan {
            name,
            vocabulary,
            line: 0,
            header: None,
            first: true,
            vectors: Self {
                dim: 0,
                values: Vec::new(),
                found: vec![false; vocabulary.len()],
                lines: 0,
                sha256: String::new(),
            },
        };
        let mut begun = Vec::new(); // a line whose end is not in the blocks so far
        let mut last = Vec::new(); // the last whole line, which may turn out to be the file's last
        loop {
            let block = match input.fill_buf() {
                Ok([]) => break,
                Ok(block) => block,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(Error::io(name)(error)),
            };
            let mut rest = block;
            if !begun.is_empty()
                && let Some(end) = memchr(b'\n', rest)
            {
                begun.extend_from_slice(&rest[..end]);
                scan.line(&begun)?;
                std::mem::swap(&mut begun, &mut last);
                begun.clear();
                rest = &rest[end + 1..];
            }
            let mut whole = None;
            while begun.is_empty()
                && let Some(end) = memchr(b'\n', rest)
            {
                scan.line(&rest[..end])?;
                whole = Some(&rest[..end]);
                rest = &rest[end + 1..];
            }
            if let Some(line) = whole {
                last.clear();
                last.extend_from_slice(line);
            }
            begun.extend_from_slice(rest);
            let length = block.len();
            input.consume(length);
        }
        if !begun.is_empty() {
            scan.line(&begun)?;
            last = begun;
        }
        scan.finish(&last)
    }
}

/// Reading in progress.
struct Scan<'a> {
    name: &'a Path,
    vocabulary: &'a Vocabulary,
    line: u64,
    header: Option<u64>, // the number of vectors it promises
    first: bool,         // no vector was seen yet
    vectors: Vectors,
}

impl Scan<'_> {
    fn line(&mut self, line: &[u8]) -> Result<()> {
        self.line += 1;
        if self.first {
            if self.line == 1 && self.take_header(line) {
                return Ok(());
            }
            self.first = false;
            let found = numbers(self.text(line)?).count();
            if found == 0 {
                return Err(Error::line(self.name, self.line, "found no numbers, expected a word and its vector"));
            }
            if self.header.is_none() {
                self.vectors.dim = found;
            }
            self.expect(found)?; // before the header's number is believed
            self.vectors.values = vec![0.0; self.vocabulary.len() * self.vectors.dim];
            self.check(line)?;
        }
        self.vectors.lines += 1;
        // Words are cut at the byte 0x20 alone: one word of the GloVe Twitter file is U+0085, which is white space elsewhere.
        let word = &line[..memchr(b' ', line).unwrap_or(line.len())];
        let word = std::str::from_utf8(word).map_err(|_| Error::line(self.name, self.line, "the word is not UTF-8"))?;
        match self.vocabulary.row(word) {
            Some(row) if row != Vocabulary::PAD as usize && !self.vectors.found[row] => {
                let dim = self.vectors.dim;
                let mut values = std::mem::take(&mut self.vectors.values);
                let result = self.parse(line, &mut values[row * dim..(row + 1) * dim]);
                self.vectors.values = values;
                self.vectors.found[row] = true;
                result
            }
            _ => Ok(()),
        }
    }

    /// Whether the first line is a header. So is a vector of one number if it and its word are whole numbers.
    fn take_header(&mut self, line: &[u8]) -> bool {
        let Ok(text) = std::str::from_utf8(line) else { return false };
        let mut fields = text.split_ascii_whitespace().map(str::parse);
        if let (Some(Ok(count)), Some(Ok(dim)), None) = (fields.next(), fields.next(), fields.next())
            && dim > 0
        {
            self.header = Some(count);
            self.vectors.dim = dim as usize;
            return true;
        }
        false
    }

    fn parse(&self, line: &[u8], values: &mut [f32]) -> Result<()> {
        let mut found = 0;
        for field in numbers(self.text(line)?) {
            match field.parse::<f32>() {
                Ok(number) if number.is_finite() => values.get_mut(found).map(|value| *value = number),
                _ => {
                    let message = format!("found {field:?}, expected a finite number");
                    return Err(Error::line(self.name, self.line, message));
                }
            };
            found += 1;
        }
        self.expect(found)
    }

    fn text<'l>(&self, line: &'l [u8]) -> Result<&'l str> {
        std::str::from_utf8(line).map_err(|_| Error::line(self.name, self.line, "the line is not UTF-8"))
    }

    fn expect(&self, found: usize) -> Result<()> {
        if found == self.vectors.dim {
            return Ok(());
        }
        let message = format!("found {found} numbers, expected {}", self.vectors.dim);
        Err(Error::line(self.name, self.line, message))
    }

    fn check(&self, line: &[u8]) -> Result<()> {
        self.parse(line, &mut vec![0.0; self.vectors.dim])
    }

    fn finish(mut self, last: &[u8]) -> Result<Vectors> {
        if self.first {
            return Err(Error::file(self.name, "no word vectors: the file is empty"));
        }
        self.check(last)?;
        if let Some(count) = self.header.filter(|&count| count != self.vectors.lines) {
            let message = format!("found {} vectors, the header says {count}: was it cut off?", self.vectors.lines);
            return Err(Error::file(self.name, message));
        }
        let mut hash = Sha256::new();
        let mut bytes = Vec::new();
        for (row, word) in self.vocabulary.words().enumerate() {
            if self.vectors.found[row] {
                hash.update(word.as_bytes());
                hash.update(b"\n");
                let values = &self.vectors.values[row * self.vectors.dim..(row + 1) * self.vectors.dim];
                bytes.clear();
                bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
                hash.update(&bytes);
            }
        }
        self.vectors.sha256 = hexadecimal(&hash.finalize());
        Ok(self.vectors)
    }
}

/// What stands between the blanks after the word.
fn numbers(line: &str) -> impl Iterator<Item = &str> {
    line[memchr(b' ', line.as_bytes()).unwrap_or(line.len())..].split_ascii_whitespace()
}

#[cfg(test)]
mod tests;
