//! Word vectors in GloVe's text format, of which only the words in use are kept.

use super::{
    format::{self, hexadecimal},
    vocabulary::Vocabulary,
};
use crate::{Error, Result};
use memchr::{memchr, memrchr};
use sha2::{Digest, Sha256};
use std::{io::Read, path::Path};

/// Bytes read at once.
const BLOCK: usize = 1 << 20;

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
    /// [`Error::Line`] for another number of numbers than in the first line, what is not a finite number, or a word that
    /// is not UTF-8.
    pub fn read(path: &Path, vocabulary: &Vocabulary) -> Result<Self> {
        Self::from_reader(format::open(path)?, path, vocabulary)
    }

    /// As [`Vectors::read`], from `input`, which errors call `name`.
    ///
    /// # Errors
    /// As [`Vectors::read`].
    pub fn from_reader(mut input: impl Read, name: &Path, vocabulary: &Vocabulary) -> Result<Self> {
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
        let mut buffer = vec![0; BLOCK];
        let mut filled = 0; // bytes of the buffer in use
        let mut last = Vec::new(); // the last line seen whole, which may turn out to be the file's last
        loop {
            if filled == buffer.len() {
                buffer.resize(2 * buffer.len(), 0); // a line longer than the buffer
            }
            let read = match input.read(&mut buffer[filled..]) {
                Ok(read) => read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Error::io(name)(error)),
            };
            if read == 0 {
                break;
            }
            let searched = filled;
            filled += read;
            let Some(end) = memrchr(b'\n', &buffer[searched..filled]).map(|place| searched + place + 1) else {
                continue;
            };
            let start = scan.lines(&buffer[..end])?;
            last.clear();
            last.extend_from_slice(&buffer[start..end - 1]);
            buffer.copy_within(end..filled, 0);
            filled -= end;
        }
        if filled > 0 {
            scan.line(&buffer[..filled])?;
            last = buffer[..filled].to_vec();
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
    /// Takes whole lines, each with its line break; returns where the last one begins.
    fn lines(&mut self, block: &[u8]) -> Result<usize> {
        let (mut start, mut last) = (0, 0);
        while let Some(length) = memchr(b'\n', &block[start..]) {
            self.line(&block[start..start + length])?;
            last = start;
            start += length + 1;
        }
        Ok(last)
    }

    fn line(&mut self, line: &[u8]) -> Result<()> {
        self.line += 1;
        if self.first {
            if self.line == 1 && self.take_header(line) {
                return Ok(());
            }
            self.first = false;
            let numbers = numbers(line).count();
            if self.header.is_none() {
                self.vectors.dim = numbers;
                if numbers == 0 {
                    return Err(Error::line(self.name, self.line, "found no numbers, expected a word and its vector"));
                }
            }
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
        let fail = |message| Err(Error::line(self.name, self.line, message));
        let found = numbers(line).count();
        if found != values.len() {
            return fail(format!("found {found} numbers, expected {}", values.len()));
        }
        for (value, field) in values.iter_mut().zip(numbers(line)) {
            match std::str::from_utf8(field).ok().and_then(|field| field.parse::<f32>().ok()) {
                Some(number) if number.is_finite() => *value = number,
                _ => return fail(format!("found {:?}, expected a finite number", String::from_utf8_lossy(field))),
            }
        }
        Ok(())
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
        for (row, word) in self.vocabulary.words().iter().enumerate() {
            if self.vectors.found[row] {
                hash.update(word.as_bytes());
                hash.update(b"\n");
                let values = &self.vectors.values[row * self.vectors.dim..(row + 1) * self.vectors.dim];
                for value in values {
                    hash.update(value.to_le_bytes());
                }
            }
        }
        self.vectors.sha256 = hexadecimal(&hash.finalize());
        Ok(self.vectors)
    }
}

/// What stands between the blanks after the word.
fn numbers(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let start = memchr(b' ', line).unwrap_or(line.len());
    line[start..].split(u8::is_ascii_whitespace).filter(|field| !field.is_empty())
}

#[cfg(test)]
mod tests;
