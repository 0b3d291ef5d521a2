//! Lines of text with their numbers, in one reused buffer.

use super::text_of;
use crate::mtl::data::input::{Input, read_line};
use crate::{Error, Result};
use std::path::Path;

pub(super) struct Lines {
    pub input: Input<'static>,
    pub line: u64,
    bytes: Vec<u8>,
}

impl Lines {
    /// `line` is the number of lines before `input`.
    pub fn new(input: Input<'static>, line: u64) -> Self {
        Self { input, line, bytes: Vec::new() }
    }

    /// The next line without its end, and its number.
    pub fn next(&mut self, name: &Path) -> Result<Option<(u64, &str)>> {
        self.bytes.clear();
        self.line += 1;
        if !read_line(&mut self.input, &mut self.bytes).map_err(at(name, self.line))? {
            return Ok(None);
        }
        let line = self.bytes.strip_suffix(b"\r").unwrap_or(&self.bytes);
        let text = text_of(line).map_err(|message| Error::line(name, self.line, message))?;
        Ok(Some((self.line, text)))
    }
}

/// What is wrong with the content of a line, or with reading it.
pub(super) fn at(name: &Path, line: u64) -> impl FnOnce(std::io::Error) -> Error {
    move |error| match error.kind() {
        std::io::ErrorKind::InvalidData => Error::line(name, line, error.to_string()),
        _ => Error::io(name)(error),
    }
}
