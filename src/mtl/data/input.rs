//! How a file's bytes become text: unpacked if they are gzip, UTF-16 made UTF-8, lines of bounded length.

use crate::{Error, Result};
use flate2::bufread::GzDecoder;
use memchr::memchr;
use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Cursor, Read},
    path::Path,
};

/// Bytes read from a file at once.
pub(super) const BLOCK: usize = 1 << 18;

/// The longest line, or record of CSV, in bytes.
pub(super) const LONGEST_LINE: usize = 64 << 20;

/// Bytes to be read, from wherever they come.
pub type Input<'i> = Box<dyn BufRead + Send + 'i>;

/// The bytes of a file, unpacked if they are gzip, whatever the file is called.
///
/// # Errors
/// [`Error::Io`] if the file cannot be opened or read, or is of a format that is not unpacked here.
pub fn open(path: &Path) -> Result<Input<'static>> {
    let file = File::open(path).map_err(Error::io(path))?;
    unpacked(BufReader::with_capacity(BLOCK, file)).map_err(Error::io(path))
}

/// Checks that a file can be read again and again, and does so without opening it: to open a pipe is to wait for its writer.
///
/// # Errors
/// [`Error::Io`] if there is no such file, [`Error::File`] if it is none.
pub(super) fn require_file(path: &Path) -> Result<()> {
    let kind = fs::metadata(path).map_err(Error::io(path))?;
    if kind.is_dir() {
        return Err(Error::file(path, "it is a directory, expected a file"));
    }
    if !kind.is_file() {
        return Err(Error::file(path, "it is a pipe or a device, which can be read only once; save it to a file"));
    }
    Ok(())
}

/// What begins a file that is not text, and what to do about it.
const PACKED: [(&[u8], &str); 5] = [
    (b"PK\x03\x04", "a zip archive: unpack it first (an .xlsx workbook is one too: save it as \"CSV UTF-8\")"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook: save it as \"CSV UTF-8\""),
    (b"\xfd7zXZ\0", "packed by xz: unpack it first, or pack it with gzip"),
    (b"\x28\xb5\x2f\xfd", "packed by zstd: unpack it first, or pack it with gzip"),
    (b"BZh91AY&SY", "packed by bzip2: unpack it first, or pack it with gzip"),
];

/// Bytes, unpacked if they are gzip.
///
/// # Errors
/// If reading fails, or they are packed in another way.
pub fn unpacked(mut input: impl BufRead + Send + 'static) -> io::Result<Input<'static>> {
    let start = input.fill_buf()?;
    // A pipe may give out a single byte, which is enough: no text begins with it.
    if start.first() == Some(&0x1f) {
        return Ok(Box::new(BufReader::with_capacity(BLOCK, Gzip(Some(GzDecoder::new(input))))));
    }
    match PACKED.iter().find(|(magic, _)| start.starts_with(magic)) {
        Some((_, what)) => Err(invalid(format!("it is {what}"))),
        None => Ok(Box::new(input)),
    }
}

/// Members of gzip, one behind the other. After the last one there may be zeros, with which tapes and block devices fill up.
struct Gzip<R>(Option<GzDecoder<R>>);

impl<R: BufRead> Read for Gzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.0 {
            match member.read(buffer)? {
                0 if !buffer.is_empty() => {}
                read => return Ok(read),
            }
            let mut rest = self.0.take().expect("the member that has just ended").into_inner();
            loop {
                let block = rest.fill_buf()?;
                let zeros = block.iter().take_while(|&&byte| byte == 0).count();
                let (is_end, is_all) = (block.is_empty(), zeros == block.len());
                rest.consume(zeros);
                if is_end {
                    return Ok(0);
                }
                if !is_all {
                    break;
                }
            }
            self.0 = Some(GzDecoder::new(rest));
        }
        Ok(0)
    }
}

/// Text as UTF-8 without a byte order mark: UTF-16 is known by its mark, all else is taken to be UTF-8.
pub(super) fn decoded<'i>(mut input: impl BufRead + Send + 'i) -> io::Result<Input<'i>> {
    let mut start = Vec::new();
    input.by_ref().take(3).read_to_end(&mut start)?;
    Ok(match start[..] {
        [0xef, 0xbb, 0xbf] => Box::new(input),
        [0xff, 0xfe, ..] => Box::new(Utf16::reader(u16::from_le_bytes, &start[2..], input)),
        [0xfe, 0xff, ..] => Box::new(Utf16::reader(u16::from_be_bytes, &start[2..], input)),
        _ => Box::new(Cursor::new(start).chain(input)),
    })
}

/// Reads UTF-16 as UTF-8.
struct Utf16<R> {
    input: R,
    unit: fn([u8; 2]) -> u16,
    undecoded: Vec<u8>, // half a unit, or half of a surrogate pair and perhaps half a unit more
    decoded: Cursor<Vec<u8>>,
}

impl<R: Read> Utf16<R> {
    /// `start` is what was read of `input` already, less than a unit.
    fn reader(unit: fn([u8; 2]) -> u16, start: &[u8], input: R) -> BufReader<Self> {
        let (undecoded, decoded) = (start.to_vec(), Cursor::default());
        BufReader::with_capacity(BLOCK, Utf16 { input, unit, undecoded, decoded })
    }

    /// Decodes what one read gives; `false` at the end.
    fn decode(&mut self) -> io::Result<bool> {
        let before = self.undecoded.len();
        self.undecoded.resize(before + BLOCK, 0);
        let read = self.input.read(&mut self.undecoded[before..]);
        self.undecoded.truncate(before + *read.as_ref().unwrap_or(&0));
        if read? == 0 {
            return if before == 0 { Ok(false) } else { Err(invalid("UTF-16 that ends within a character")) };
        }
        let mut units: Vec<u16> =
            self.undecoded.chunks_exact(2).map(|bytes| (self.unit)([bytes[0], bytes[1]])).collect();
        // The other half of the pair is in the next block.
        units.pop_if(|last| (0xd800..0xdc00).contains(last));
        self.undecoded.drain(..2 * units.len());
        let text: std::result::Result<String, _> = char::decode_utf16(units).collect();
        let text = text.map_err(|_| invalid("half of a surrogate pair, which is no text in UTF-16"))?;
        self.decoded = Cursor::new(text.into_bytes());
        Ok(true)
    }
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.decoded.read(buffer)? {
                0 if !buffer.is_empty() && self.decode()? => {}
                read => return Ok(read),
            }
        }
    }
}

/// Appends what stands before the next `\n` (which is passed) to `line`; `false` if there is nothing any more.
///
/// It stops early at a NUL byte in a line that does not end within a block, so that what is no text is known soon.
///
/// # Errors
/// If reading fails, or the line is longer than [`LONGEST_LINE`].
pub(super) fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    let mut is_there = false;
    loop {
        let block = match input.fill_buf() {
            Ok([]) => return Ok(is_there),
            Ok(block) => block,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        is_there = true;
        let end = memchr(b'\n', block);
        let part = &block[..end.unwrap_or(block.len())];
        require_length(line.len() + part.len())?;
        line.extend_from_slice(part);
        let (taken, is_whole) = (part.len() + usize::from(end.is_some()), end.is_some() || memchr(0, part).is_some());
        input.consume(taken);
        if is_whole {
            return Ok(true);
        }
    }
}

/// Checks the length of a line, or record of CSV, before memory is asked for.
pub(super) fn require_length(bytes: usize) -> io::Result<()> {
    match bytes {
        0..=LONGEST_LINE => Ok(()),
        _ => Err(invalid(format!("longer than {} MiB, the longest line that is read", LONGEST_LINE >> 20))),
    }
}

pub(super) fn invalid(message: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), Default::default());
        gzip.write_all(content).unwrap();
        gzip.finish().unwrap()
    }

    fn all(input: io::Result<Input<'_>>) -> std::result::Result<String, String> {
        let mut text = String::new();
        input.and_then(|mut input| input.read_to_string(&mut text)).map_err(|error| error.to_string())?;
        Ok(text)
    }

    #[test]
    fn members_of_gzip_follow_each_other_and_zeros_the_last() {
        let [one, two] = [gzip(b"one "), gzip(b"two")];
        let packed = [&one[..], &two, &[0; 1000]].concat();
        assert_eq!(all(unpacked(Cursor::new(packed.clone()))).unwrap(), "one two");
        assert_eq!(all(unpacked(BufReader::with_capacity(1, Cursor::new(packed)))).unwrap(), "one two");
        assert!(all(unpacked(Cursor::new([&one[..], b"rest"].concat()))).is_err());
        assert!(all(unpacked(Cursor::new(one[..one.len() - 9].to_vec()))).is_err());
    }

    #[test]
    fn what_is_packed_in_another_way_is_named() {
        let message = all(unpacked(Cursor::new(b"PK\x03\x04..."))).unwrap_err();
        assert!(message.contains("zip archive") && message.contains("CSV UTF-8"), "{message}");
    }

    #[test]
    fn utf_16_is_known_by_its_mark_in_both_byte_orders() {
        let text = "id\té 😷\n";
        let bytes = |bytes: fn(u16) -> [u8; 2]| {
            std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(bytes).collect::<Vec<u8>>()
        };
        for bytes in [bytes(u16::to_le_bytes), bytes(u16::to_be_bytes)] {
            assert_eq!(all(decoded(&bytes[..])).unwrap(), text);
            // As a pipe may give it out: every character is cut somewhere.
            assert_eq!(all(decoded(BufReader::with_capacity(1, &bytes[..]))).unwrap(), text);
            assert!(all(decoded(&bytes[..bytes.len() - 1])).unwrap_err().contains("ends within a character"));
        }
        assert!(all(decoded(&b"\xff\xfe\x00\xdca\0"[..])).unwrap_err().contains("surrogate"));
        assert_eq!(all(decoded("\u{feff}é".as_bytes())).unwrap(), "é");
        assert_eq!(all(decoded(&b"ab"[..])).unwrap(), "ab");
    }

    #[test]
    fn a_line_without_end_is_refused_before_it_fills_memory() {
        let mut line = Vec::new();
        let error = read_line(&mut BufReader::with_capacity(BLOCK, io::repeat(b'a')), &mut line).unwrap_err();
        assert!(error.to_string().contains("longer than 64 MiB") && line.len() <= LONGEST_LINE, "{error}");
        line.clear();
        assert!(read_line(&mut BufReader::with_capacity(BLOCK, io::repeat(0)), &mut line).unwrap());
        assert!(line.len() <= BLOCK);
    }
}
