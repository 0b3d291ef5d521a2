//! Records of CSV: fields between delimiters, in double quotes where they hold a delimiter, a quote or a line break.

use super::{Fields, lines::at, text_of};
use crate::mtl::data::{
    Delimiter,
    input::{Input, LONGEST_LINE, require_length},
};
use crate::{Error, Result};
use csv_core::ReadRecordResult;
use std::{
    io::{BufRead, ErrorKind, Read},
    path::Path,
};

/// The most columns a file may have.
const MOST_COLUMNS: usize = 1 << 20;

/// Put behind the input: a record of its own if all quotes are closed, else the end of the field that was left open. No
/// text holds a NUL byte.
const END: &[u8] = b"\n\0";

/// `csv-core` does the parsing; what is here are buffers that have a bound, and the numbers of lines.
pub(super) struct Records {
    input: Box<dyn BufRead + Send>,
    core: csv_core::Reader,
    breaks: u64, // line breaks so far
    previous: u8,
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

/// What the buffers hold.
struct Found {
    fields: usize,
    /// Whether the line ends in `\r\n`, of which the `\r` is then the last byte of the last field.
    has_return: bool,
    /// Whether there is nothing but ends of lines: an empty line that ends in `\r\n`, for csv-core skips one that ends in `\n`.
    is_empty_line: bool,
}

impl Records {
    /// `line` is the number of lines before `input`.
    pub fn new(input: Input<'static>, delimiter: Delimiter, line: u64) -> Self {
        // Ending records at `\n` alone keeps a quoted `\r`, and the line numbers right where lines end in `\r\n`.
        let mut core = csv_core::ReaderBuilder::new();
        core.delimiter(delimiter.byte()).terminator(csv_core::Terminator::Any(b'\n'));
        Self {
            input: Box::new(input.chain(END)),
            core: core.build(),
            breaks: line,
            previous: 0,
            bytes: vec![0; 1 << 12],
            ends: vec![0; 1 << 8],
        }
    }

    /// The next record that is not an empty line, and the line where it begins.
    pub fn next(&mut self, name: &Path) -> Result<Option<(u64, Fields)>> {
        let found = loop {
            match self.read(name)? {
                None => return Ok(None),
                Some(found) if found.is_empty_line => {}
                Some(found) => break found,
            }
        };
        let mut start = 0;
        let spans: Vec<_> = self.ends[..found.fields]
            .iter()
            .map(|&end| {
                let span = start..end;
                start = end;
                span
            })
            .collect();
        // A record of the file itself that is only a NUL byte does not end with the input.
        if self.bytes[..start] == *b"\0" && self.input.fill_buf().map_err(Error::io(name))?.is_empty() {
            return Ok(None);
        }
        let breaks =
            |span: &std::ops::Range<usize>| memchr::memchr_iter(b'\n', &self.bytes[span.clone()]).count() as u64;
        if let Some(open) = spans.last().filter(|last| self.bytes[(*last).clone()].ends_with(END)) {
            return Err(Error::line(name, self.breaks + 1 - breaks(open), "a quote is never closed"));
        }
        let line = self.breaks - spans.iter().map(breaks).sum::<u64>();
        let mut fields = String::with_capacity(start + spans.len());
        for (place, span) in spans.iter().enumerate() {
            let is_last = place + 1 == spans.len();
            let bytes = &self.bytes[span.clone()];
            let bytes = if is_last && found.has_return { bytes.strip_suffix(b"\r").unwrap_or(bytes) } else { bytes };
            Fields::push(&mut fields, place, text_of(bytes).map_err(|message| Error::line(name, line, message))?);
        }
        Ok(Some((line, Fields(fields))))
    }

    /// Fills the buffers; `None` at the end.
    fn read(&mut self, name: &Path) -> Result<Option<Found>> {
        let (mut written, mut ended) = (0, 0);
        let start = self.breaks + 1;
        let mut is_empty_line = true;
        loop {
            let block = match self.input.fill_buf() {
                Ok(block) => block,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(at(name, self.breaks + 1)(error)),
            };
            let (result, taken, put, ends) =
                self.core.read_record(block, &mut self.bytes[written..], &mut self.ends[ended..]);
            let passed = &block[..taken];
            is_empty_line = is_empty_line && passed.iter().all(|byte| matches!(byte, b'\r' | b'\n'));
            self.breaks += memchr::memchr_iter(b'\n', passed).count() as u64;
            let before = match passed {
                [.., before, _] => *before,
                _ => self.previous,
            };
            self.previous = passed.last().copied().unwrap_or(self.previous);
            self.input.consume(taken);
            written += put;
            ended += ends;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => {
                    require_length(written + 1)
                        .map_err(|error| Error::line(name, start, format!("{error}; is a quote never closed?")))?;
                    self.bytes.resize((2 * written).clamp(1 << 12, LONGEST_LINE + 1), 0);
                }
                ReadRecordResult::OutputEndsFull => {
                    require_columns(ended + 1).map_err(|message| Error::line(name, start, message))?;
                    self.ends.resize(2 * ended, 0);
                }
                ReadRecordResult::Record => {
                    return Ok(Some(Found { fields: ended, has_return: before == b'\r', is_empty_line }));
                }
                ReadRecordResult::End => return Ok(None),
            }
        }
    }
}

/// Checks the number of columns before memory is asked for.
pub(in super::super) fn require_columns(found: usize) -> std::result::Result<(), String> {
    match found {
        0..=MOST_COLUMNS => Ok(()),
        _ => Err(format!("more than {MOST_COLUMNS} columns, the most that are read")),
    }
}
