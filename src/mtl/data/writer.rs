//! Rows out again: every column as it came, and further ones appended.

use super::{
    format::Format,
    reader::{Cells, Row},
};
use serde_json::{Map, Value};
use std::io::{self, Write};

/// Writes the rows of a [`RowReader`](super::RowReader) with further columns at their end, in any format.
///
/// A tab or line break inside a value becomes a space in TSV, which has no way to write it.
pub struct RowWriter<W: Write> {
    output: W,
    format: Format,
    columns: Vec<String>,
    added: Vec<String>,
    line: Vec<u8>,
}

impl<W: Write> RowWriter<W> {
    /// Writes the header, if the format has one: `columns` are those of the reader, `added` the further ones.
    ///
    /// # Errors
    /// What `output` returns.
    pub fn new(output: W, format: Format, columns: &[String], added: &[String]) -> io::Result<Self> {
        let mut writer = Self { output, format, columns: columns.to_vec(), added: added.to_vec(), line: Vec::new() };
        if format != Format::Jsonl {
            let names: Vec<_> = columns.iter().chain(added).cloned().collect();
            writer.write_fields(names.iter().map(String::as_str))?;
        }
        Ok(writer)
    }

    /// Writes one row and its values in the added columns.
    ///
    /// # Errors
    /// What the output returns.
    ///
    /// # Panics
    /// If there are not as many values as added columns.
    pub fn write(&mut self, row: &Row, values: &[Value]) -> io::Result<()> {
        assert_eq!(values.len(), self.added.len(), "one value for each added column");
        if self.format == Format::Jsonl {
            let mut object = match &row.cells {
                Cells::Object(object) => object.clone(),
                Cells::Fields(fields) => {
                    let pairs = self.columns.iter().cloned().zip(fields.iter().cloned().map(Value::String));
                    Map::from_iter(pairs)
                }
            };
            object.extend(self.added.iter().cloned().zip(values.iter().cloned()));
            self.line.clear();
            serde_json::to_writer(&mut self.line, &object)?;
            self.line.push(b'\n');
            return self.output.write_all(&self.line);
        }
        let mut fields: Vec<String> = match &row.cells {
            Cells::Fields(fields) => fields.clone(),
            Cells::Object(object) => {
                self.columns.iter().map(|column| object.get(column).map(plain).unwrap_or_default()).collect()
            }
        };
        fields.extend(values.iter().map(plain));
        self.write_fields(fields.iter().map(String::as_str))
    }

    /// Passes on what the output may have buffered.
    ///
    /// # Errors
    /// What the output returns.
    pub fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }

    fn write_fields<'a>(&mut self, fields: impl Iterator<Item = &'a str>) -> io::Result<()> {
        self.line.clear();
        let separator = if self.format == Format::Csv { b',' } else { b'\t' };
        for (index, field) in fields.enumerate() {
            if index > 0 {
                self.line.push(separator);
            }
            if self.format == Format::Tsv {
                let breaks = |byte| matches!(byte, b'\t' | b'\n' | b'\r');
                self.line.extend(field.bytes().map(|byte| if breaks(byte) { b' ' } else { byte }));
            } else if field.contains([',', '"', '\n', '\r']) {
                self.line.push(b'"');
                self.line.extend_from_slice(field.replace('"', "\"\"").as_bytes());
                self.line.push(b'"');
            } else {
                self.line.extend_from_slice(field.as_bytes());
            }
        }
        self.line.push(b'\n');
        self.output.write_all(&self.line)
    }
}

/// A JSON value as a field: strings without quotes, null as nothing.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mtl::data::RowReader;
    use std::io::Cursor;

    fn convert(from: Format, content: &str, to: Format) -> String {
        let mut reader = RowReader::new(Box::new(Cursor::new(content.to_owned())), from, "data".into()).unwrap();
        let mut output = Vec::new();
        let mut writer = RowWriter::new(&mut output, to, reader.columns(), &["p".into()]).unwrap();
        while let Some(row) = reader.next_row().unwrap() {
            writer.write(&row, &[Value::from(0.5)]).unwrap();
        }
        String::from_utf8(output).unwrap()
    }

    #[test]
    fn columns_are_kept_and_added() {
        assert_eq!(convert(Format::Tsv, "a\tb\n1\t\"x,\n", Format::Tsv), "a\tb\tp\n1\t\"x,\t0.5\n");
        assert_eq!(convert(Format::Csv, "a,b\n1,\"x,\n\"\"y\"\n", Format::Csv), "a,b,p\n1,\"x,\n\"\"y\",0.5\n");
        let json = "{\"z\":[1,null],\"a\":\"x\"}\n";
        assert_eq!(convert(Format::Jsonl, json, Format::Jsonl), "{\"z\":[1,null],\"a\":\"x\",\"p\":0.5}\n");
    }

    #[test]
    fn formats_convert() {
        assert_eq!(convert(Format::Csv, "a\n\"x\ty\"\n", Format::Tsv), "a\tp\nx y\t0.5\n");
        assert_eq!(convert(Format::Tsv, "a\nx\n", Format::Jsonl), "{\"a\":\"x\",\"p\":0.5}\n");
        assert_eq!(convert(Format::Jsonl, "{\"a\":null,\"b\":true}\n", Format::Csv), "a,b,p\n,true,0.5\n");
    }
}
