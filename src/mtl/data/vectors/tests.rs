use super::*;
use crate::mtl::data::Tokenizer;
use std::io::{Read, Write};

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
    assert_eq!(read(b"3 2\na 1 2\nb 3 4").unwrap_err(), "v.txt: found 2 vectors, the header says 3: was it cut off?");
    assert_eq!(read(b"1 3\na 1 2\n").unwrap_err(), "v.txt:2: found 2 numbers, expected 3");
}

#[test]
fn errors_name_file_and_line() {
    let wide = ["x", &" 1".repeat(4097), "\n"].concat();
    for (content, message) in [
        (&b""[..], "v.txt: no word vectors: the file is empty"),
        (b"\n \r\n", "v.txt: no word vectors: the file is empty"),
        (b"x\n", "v.txt:1: found no numbers, expected a word and its vector"),
        (b"x 1 2\na 1\nx 1 2\n", "v.txt:2: found 1 numbers, expected 2"),
        (b"x 1 2\na 1 two\nx 1 2\n", "v.txt:2: found \"two\", expected a finite number"),
        (b"x 1 2\na 1 inf\nx 1 2\n", "v.txt:2: found \"inf\", expected a finite number"),
        (b"2 99999999999999999\na 1 2\nb 3 4\n", "v.txt:2: found 2 numbers, expected 99999999999999999"),
        (b"x 1 2\ny 1 2\nz 1", "v.txt:3: found 1 numbers, expected 2"),
        (b"x 1 2\ny 1 2\nz 1\n\n", "v.txt:3: found 1 numbers, expected 2"),
        (b"x 1 2\ny 1 2\nz 1 -", "v.txt:3: found \"-\", expected a finite number"),
        (wide.as_bytes(), "v.txt:1: vectors of 4097 numbers, more than the 4096 that are read"),
    ] {
        assert_eq!(read(content).unwrap_err(), message);
    }
    let cr = read(b"x 1 2\ra 3 4\r").unwrap_err();
    assert!(cr.starts_with("v.txt:1: a carriage return") && cr.contains("end in CR alone"), "{cr}");
    let binary = read(b"2 2\na \0\0\x80?\0\0\0@\n").unwrap_err();
    assert!(binary.starts_with("v.txt:2: a NUL byte") && binary.contains("binary"), "{binary}");
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_word() {
    assert_eq!(read("\u{feff}a 1 2\nb 3 4\n".as_bytes()).unwrap().found, [false, false, true, false, true]);
    assert_eq!(read("\u{feff}2 2\na 1 2\nb 3 4\n".as_bytes()).unwrap().lines, 2);
}

/// As spaCy reads them (its issue 3667).
#[test]
fn the_last_numbers_are_the_vector_and_words_with_spaces_are_passed_over() {
    for content in [
        "x 1 2\na b 5 6\na 3 4\n",
        "3 2\nx 1 2\na 24 5 6\na 3 4\n",
        ". . . 1 2\na 3 4\n",
        "a 3 4\nzz top 1 2",
        "a\t3\t4\n",
    ] {
        let vectors = read(content.as_bytes()).unwrap();
        assert_eq!((vectors.dim, &vectors.values[4..6], vectors.found[4]), (2, &[3.0, 4.0][..], false), "{content}");
    }
}

#[test]
fn words_that_are_not_utf8_are_counted_and_passed_over() {
    for content in [&b"\xff 1 2\na 3 4\n"[..], b"a 3 4\n\xea\xb0 1 2\nx 5 6\n", b"2 2\na 3 4\ncaf\xe9 1 2\n"] {
        let vectors = read(content).unwrap();
        assert_eq!((vectors.not_utf8, &vectors.values[4..6]), (1, &[3.0, 4.0][..]));
    }
}

#[test]
fn blank_lines_count_for_nothing_wherever_they_are() {
    for content in ["\na 3 4\nb 5 6\n", "a 3 4\n\r\n \nb 5 6\n", "2 2\na 3 4\n\nb 5 6\n\n", "\n2 2\na 3 4\nb 5 6\n"] {
        let vectors = read(content.as_bytes()).unwrap();
        assert_eq!((vectors.lines, &vectors.values[8..]), (2, &[5.0, 6.0][..]), "{content:?}");
    }
}

#[test]
fn a_line_without_end_is_refused() {
    let endless = std::io::BufReader::with_capacity(1 << 18, "a 1 2\n".as_bytes().chain(std::io::repeat(b'x')));
    let message = Vectors::from_reader(endless, Path::new("v.txt"), &vocabulary()).unwrap_err().to_string();
    assert!(message.starts_with("v.txt:2: longer than 64 MiB"), "{message}");
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
        assert_eq!(
            Vectors::from_reader(std::io::BufReader::new(drip), Path::new("v.txt"), &vocabulary()).unwrap(),
            whole
        );
    }
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
