//! One pass over a file of word vectors.

use super::Vectors;
use crate::mtl::data::{
    format::hexadecimal,
    input::{decoded, read_line, require_length},
    tokens::Tokenizer,
    vocabulary::Vocabulary,
};
use crate::printable::quoted;
use crate::{Error, Result};
use memchr::{memchr, memchr2};
use sha2::{Digest, Sha256};
use std::{
    io::{BufRead, ErrorKind},
    path::Path,
};

/// The most numbers a vector may have: a row of them is kept for each word of the texts.
const LARGEST_DIM: usize = 1 << 12;

pub(super) fn read(input: impl BufRead + Send, name: &Path, vocabulary: &Vocabulary) -> Result<Vectors> {
    let mut input = decoded(input).map_err(Error::io(name))?;
    let mut scan = Scan::new(name, vocabulary);
    let mut begun = Vec::new(); // a line whose end is not in the blocks so far
    let mut last = Vec::new(); // the last whole line that is not blank, which may turn out to be the file's last
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
            if scan.line(&begun)? {
                std::mem::swap(&mut begun, &mut last);
            }
            begun.clear();
            rest = &rest[end + 1..];
        }
        let mut whole = None;
        while begun.is_empty()
            && let Some(end) = memchr(b'\n', rest)
        {
            if scan.line(&rest[..end])? {
                whole = Some(&rest[..end]);
            }
            rest = &rest[end + 1..];
        }
        if let Some(line) = whole {
            last.clear();
            last.extend_from_slice(line);
        }
        let wrong = |message: String| Error::line(name, scan.line + 1, message);
        require_length(begun.len() + rest.len()).map_err(|error| wrong(error.to_string()))?;
        if memchr(0, rest).is_some() {
            return Err(wrong(BINARY.into()));
        }
        begun.extend_from_slice(rest);
        let length = block.len();
        input.consume(length);
    }
    if !begun.is_empty() && scan.line(&begun)? {
        last = begun;
    }
    scan.finish(&last)
}

pub(super) fn dim(input: impl BufRead + Send, name: &Path) -> Result<usize> {
    let mut input = decoded(input).map_err(Error::io(name))?;
    let vocabulary = Vocabulary::of(std::iter::empty(), Tokenizer::Plain);
    let mut scan = Scan::new(name, &vocabulary);
    let mut line = Vec::new();
    while scan.first && read_line(&mut input, &mut line).map_err(Error::io(name))? {
        scan.line(&line)?;
        line.clear();
    }
    if scan.first { Err(scan.empty()) } else { Ok(scan.vectors.dim) }
}

/// What is said of a NUL byte. (word2vec's own programs write both formats.)
const BINARY: &str = "a NUL byte: these are no vectors as text; word2vec's and fastText's binary formats are not read";

/// Reading in progress.
struct Scan<'a> {
    name: &'a Path,
    vocabulary: &'a Vocabulary,
    line: u64,
    last: u64,           // the last line that was not blank
    header: Option<u64>, // the number of vectors it promises
    first: bool,         // no vector was seen yet
    vectors: Vectors,
}

impl<'a> Scan<'a> {
    fn new(name: &'a Path, vocabulary: &'a Vocabulary) -> Self {
        let vectors = Vectors {
            dim: 0,
            values: Vec::new(),
            found: vec![false; vocabulary.len()],
            lines: 0,
            not_utf8: 0,
            sha256: String::new(),
        };
        Self { name, vocabulary, line: 0, last: 0, header: None, first: true, vectors }
    }

    /// Takes a line; `false` if it is blank.
    fn line(&mut self, line: &[u8]) -> Result<bool> {
        self.line += 1;
        if line.first().is_none_or(u8::is_ascii_whitespace) && line.trim_ascii().is_empty() {
            return Ok(false);
        }
        self.last = self.line;
        if self.first {
            if self.header.is_none() && self.take_header(line) {
                return Ok(true);
            }
            self.first = false;
            self.take_first(line)?;
        }
        self.vectors.lines += 1;
        // Words are cut at a space or tab alone: one word of the GloVe Twitter file is U+0085, which is white space elsewhere.
        let word = &line[..memchr2(b' ', b'\t', line).unwrap_or(line.len())];
        let Ok(word) = std::str::from_utf8(word) else {
            self.vectors.not_utf8 += 1;
            return Ok(true);
        };
        if let Some(row) = self.vocabulary.row(word)
            && row != Vocabulary::PAD as usize
            && !self.vectors.found[row]
        {
            let (fields, dim) = (fields(line).count(), self.vectors.dim);
            // With more fields, the word goes on after the space, and is none that a text can hold.
            if fields <= dim + 1 {
                let mut values = std::mem::take(&mut self.vectors.values);
                let result = self.parse(line, &mut values[row * dim..(row + 1) * dim]);
                self.vectors.values = values;
                self.vectors.found[row] = true;
                result?;
            }
        }
        Ok(true)
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

    /// Learns the dimension from the first vector, unless there was a header, and makes room for as many.
    fn take_first(&mut self, line: &[u8]) -> Result<()> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if memchr(b'\r', line).is_some() {
            return Err(
                self.wrong("a carriage return within the line: do the lines end in CR alone? They must end in LF")
            );
        }
        if memchr(0, line).is_some() {
            return Err(self.wrong(BINARY));
        }
        if self.header.is_none() {
            let is_number = |field: &&[u8]| number(field).is_some();
            // A word may be a number itself.
            self.vectors.dim = fields(line).skip(1).collect::<Vec<_>>().into_iter().rev().take_while(is_number).count();
        }
        if self.vectors.dim == 0 {
            return Err(self.wrong("found no numbers, expected a word and its vector"));
        }
        self.check(line)?; // before the header's number is believed
        let (dim, words) = (self.vectors.dim, self.vocabulary.len());
        let mut values = Vec::new();
        if dim > LARGEST_DIM || values.try_reserve_exact(words.saturating_mul(dim)).is_err() {
            let message = format!("vectors of {dim} numbers, more than the {LARGEST_DIM} that are read");
            return Err(self.wrong(message));
        }
        values.resize(words * dim, 0.0);
        self.vectors.values = values;
        Ok(())
    }

    /// Checks the last `dim` fields of a line.
    fn check(&self, line: &[u8]) -> Result<()> {
        self.parse(line, &mut [])
    }

    /// Parses the last `dim` fields of a line into `values`, as far as these reach.
    fn parse(&self, line: &[u8], values: &mut [f32]) -> Result<()> {
        let dim = self.vectors.dim;
        let found = fields(line).count().saturating_sub(1);
        if found < dim {
            return Err(self.wrong(format!("found {found} numbers, expected {dim}")));
        }
        for (place, field) in fields(line).skip(1 + found - dim).enumerate() {
            let Some(number) = number(field) else {
                let field = quoted(&String::from_utf8_lossy(field));
                return Err(self.wrong(format!("found {field}, expected a finite number")));
            };
            if let Some(value) = values.get_mut(place) {
                *value = number;
            }
        }
        Ok(())
    }

    fn wrong(&self, message: impl Into<String>) -> Error {
        Error::line(self.name, self.line, message)
    }

    fn empty(&self) -> Error {
        Error::file(self.name, "no word vectors: the file is empty")
    }

    fn finish(mut self, last: &[u8]) -> Result<Vectors> {
        if self.first {
            return Err(self.empty());
        }
        self.line = self.last;
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

/// The word, up to the first space or tab, and what stands between the blanks after it.
fn fields(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let end = memchr2(b' ', b'\t', line).unwrap_or(line.len());
    let numbers = line[end..].split(u8::is_ascii_whitespace).filter(|field| !field.is_empty());
    std::iter::once(&line[..end]).chain(numbers)
}

fn number(field: &[u8]) -> Option<f32> {
    std::str::from_utf8(field).ok()?.parse().ok().filter(|number: &f32| number.is_finite())
}
