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
mod tests {
    use super::*;
    use crate::mtl::data::Tokenizer;
    use std::io::Write;

    fn vocabulary() -> Vocabulary {
        Vocabulary::of(["a a a \u{e9} \u{e9} b"].into_iter(), Tokenizer::Plain)
    }

    fn read(content: &[u8]) -> std::result::Result<Vectors, String> {
        Vectors::from_reader(content, Path::new("v.txt"), &vocabulary()).map_err(|error| error.to_string())
    }

    #[test]
    fn keeps_the_words_in_use() {
        let vectors = read("x 1 2\na 3 -4e-1\n\u{85} 5 6\n<pad> 9 9\né 7 8 \r\na 0 0\n".as_bytes()).unwrap();
        assert_eq!((vectors.dim, vectors.lines), (2, 6));
        assert_eq!(vectors.values, [0.0, 0.0, 0.0, 0.0, 3.0, -0.4, 7.0, 8.0, 0.0, 0.0]);
        assert_eq!(vectors.found, [false, false, true, true, false]);
    }

    #[test]
    fn the_word_u0085_can_be_asked_for() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("vocab.txt");
        std::fs::write(&path, "<pad>\n<unk>\n\u{85}\n").unwrap();
        let vocabulary = Vocabulary::read(&path).unwrap();
        let vectors = Vectors::from_reader("\u{85} 5 6\n".as_bytes(), Path::new("v.txt"), &vocabulary).unwrap();
        assert_eq!(vectors.values[4..], [5.0, 6.0]);
    }

    #[test]
    fn a_header_is_understood_and_believed() {
        assert_eq!(read(b"2 2\na 1 2\nb 3 4").unwrap().values[8..], [3.0, 4.0]);
        assert_eq!(
            read(b"3 2\na 1 2\nb 3 4").unwrap_err(),
            "v.txt: found 2 vectors, the header says 3: was it cut off?"
        );
        assert_eq!(read(b"1 3\na 1 2\n").unwrap_err(), "v.txt:2: found 2 numbers, expected 3");
    }

    #[test]
    fn errors_name_file_and_line() {
        for (content, message) in [
            (&b""[..], "v.txt: no word vectors: the file is empty"),
            (b"x\n", "v.txt:1: found no numbers, expected a word and its vector"),
            (b"x 1 2\na 1 2 3\nx 1 2\n", "v.txt:2: found 3 numbers, expected 2"),
            (b"x 1 2\na 1 two\nx 1 2\n", "v.txt:2: found \"two\", expected a finite number"),
            (b"x 1 2\na 1 inf\nx 1 2\n", "v.txt:2: found \"inf\", expected a finite number"),
            (b"x 1 2\n\xff 1 2\n", "v.txt:2: the word is not UTF-8"),
            (b"x 1 2\ny 1 2\nz 1", "v.txt:3: found 1 numbers, expected 2"),
            (b"x 1 2\ny 1 2\nz 1\n", "v.txt:3: found 1 numbers, expected 2"),
            (b"x 1 2\ny 1 2\nz 1 -", "v.txt:3: found \"-\", expected a finite number"),
        ] {
            assert_eq!(read(content).unwrap_err(), message);
        }
    }

    /// Gives out a few bytes at a time, so that every line is cut somewhere.
    struct Drip<'a>(&'a [u8], usize);

    impl Read for Drip<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let length = self.1.min(self.0.len()).min(buffer.len());
            buffer[..length].copy_from_slice(&self.0[..length]);
            self.0 = &self.0[length..];
            Ok(length)
        }
    }

    #[test]
    fn blocks_may_end_anywhere() {
        let content = "x 1 2\na 3 4\né 5 6\nb 7 8".as_bytes();
        let whole = read(content).unwrap();
        for length in 1..content.len() {
            let drip = Drip(content, length);
            assert_eq!(Vectors::from_reader(drip, Path::new("v.txt"), &vocabulary()).unwrap(), whole);
        }
    }

    #[test]
    fn a_line_may_be_longer_than_a_block() {
        let mut content = b"a".to_vec();
        for _ in 0..BLOCK {
            content.extend_from_slice(b" 1");
        }
        assert_eq!(read(&content).unwrap().dim, BLOCK);
    }

    #[test]
    fn gzip() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("v.txt.gz");
        let mut gzip = flate2::write::GzEncoder::new(std::fs::File::create(&path).unwrap(), Default::default());
        gzip.write_all(b"a 1 2\n").unwrap();
        gzip.finish().unwrap();
        assert_eq!(Vectors::read(&path, &vocabulary()).unwrap().values[4..6], [1.0, 2.0]);
        let packed = std::fs::read(&path).unwrap();
        std::fs::write(&path, &packed[..packed.len() - 9]).unwrap();
        assert!(Vectors::read(&path, &vocabulary()).is_err());
    }
}
