//! Rows out again: every column as it came, and further ones appended.

use super::{
    dialect::Delimiter,
    format::Format,
    reader::{Cells, Json, Row},
};
use serde::Serialize;
use serde_json::Value;

/// Spells the rows of a [`RowReader`](super::RowReader) with further columns at their end, in any format.
///
/// A tab (or other delimiter) or line break inside a value becomes a space in TSV, which has no way to write it. Numbers and
/// other values of JSON Lines keep their spelling.
#[derive(Clone, Debug)]
pub struct RowWriter {
    format: Format,
    delimiter: Delimiter,
    columns: Vec<String>,
    added: Vec<String>,
}

impl RowWriter {
    /// `columns` are those of the reader, `added` the further ones.
    pub fn new(format: Format, columns: &[String], added: &[String]) -> Self {
        let delimiter = if format == Format::Csv { Delimiter::COMMA } else { Delimiter::TAB };
        Self { format, delimiter, columns: columns.to_vec(), added: added.to_vec() }
    }

    /// As [`new`](Self::new), with another delimiter between the columns.
    pub fn with_delimiter(self, delimiter: Delimiter) -> Self {
        Self { delimiter, ..self }
    }

    /// Appends the header to `output`, if the format has one.
    pub fn header(&self, output: &mut Vec<u8>) {
        if self.format != Format::Jsonl {
            let start = output.len();
            self.columns.iter().chain(&self.added).for_each(|name| self.text(name, output));
            self.end(start, output);
        }
    }

    /// Appends one row and its values in the added columns to `output`.
    ///
    /// # Panics
    /// If there are not as many values as added columns.
    pub fn row(&self, row: &Row, values: &[Value], output: &mut Vec<u8>) {
        assert_eq!(values.len(), self.added.len(), "one value for each added column");
        if self.format == Format::Jsonl {
            output.push(b'{');
            let start = output.len();
            match &row.cells {
                Cells::Object(object) => object.iter().for_each(|(name, value)| match value {
                    Json::Text(text) => member(name, text, output),
                    Json::Other(spelt) => {
                        spell(name, output);
                        output.push(b':');
                        output.extend_from_slice(spelt.as_bytes());
                        output.push(b',');
                    }
                }),
                Cells::Fields(fields) => {
                    self.columns.iter().zip(fields.iter()).for_each(|(name, text)| member(name, text, output));
                }
            }
            self.added.iter().zip(values).for_each(|(name, value)| member(name, value, output));
            return end_with(b"}\n", start, output);
        }
        let start = output.len();
        match &row.cells {
            Cells::Object(object) => self.columns.iter().for_each(|name| match object.get(name) {
                Some(Json::Text(text)) => self.text(text, output),
                Some(Json::Other(spelt)) if **spelt != *Json::NULL => self.text(spelt, output),
                _ => self.text("", output),
            }),
            Cells::Fields(fields) => fields.iter().for_each(|text| self.text(text, output)),
        }
        values.iter().for_each(|value| self.value(value, output));
        self.end(start, output);
    }

    /// Ends a line. In CSV a single empty field stands between quotes, since an empty line is no row.
    fn end(&self, start: usize, output: &mut Vec<u8>) {
        if self.format == Format::Csv && output.len() == start + 1 {
            output.splice(start..start, *b"\"\"");
        }
        end_with(b"\n", start, output);
    }

    /// A JSON value as a field, and a separator: strings without quotes, null as nothing.
    fn value(&self, value: &Value, output: &mut Vec<u8>) {
        match value {
            Value::Null => self.text("", output),
            Value::String(text) => self.text(text, output),
            Value::Bool(_) | Value::Number(_) => {
                spell(value, output);
                output.push(self.separator());
            }
            Value::Array(_) | Value::Object(_) => self.text(&value.to_string(), output),
        }
    }

    /// A field and a separator.
    fn text(&self, text: &str, output: &mut Vec<u8>) {
        let start = output.len();
        output.extend_from_slice(text.as_bytes());
        if self.format == Format::Tsv {
            let delimiter = self.separator();
            let breaks = |byte: &&mut u8| **byte == delimiter || matches!(**byte, b'\n' | b'\r');
            output[start..].iter_mut().filter(breaks).for_each(|byte| *byte = b' ');
        } else if text.contains([char::from(self.separator()), '"', '\n', '\r']) {
            output.truncate(start);
            output.push(b'"');
            output.extend_from_slice(text.replace('"', "\"\"").as_bytes());
            output.push(b'"');
        }
        output.push(self.separator());
    }

    fn separator(&self) -> u8 {
        self.delimiter.byte()
    }
}

/// A member of a JSON object, and a comma.
fn member(name: &str, value: &(impl Serialize + ?Sized), output: &mut Vec<u8>) {
    spell(name, output);
    output.push(b':');
    spell(value, output);
    output.push(b',');
}

/// A value in JSON.
fn spell(value: &(impl Serialize + ?Sized), output: &mut Vec<u8>) {
    serde_json::to_writer(output, value).expect("JSON in memory meets no error");
}

/// Replaces the separator after the last value, if there is a value after `start`.
fn end_with(end: &[u8], start: usize, output: &mut Vec<u8>) {
    if output.len() > start {
        output.pop();
    }
    output.extend_from_slice(end);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mtl::data::{Dialect, RowReader};
    use std::io::Cursor;

    fn convert(from: Format, content: &str, to: Format) -> String {
        let reader = RowReader::new(Box::new(Cursor::new(content.to_owned())), from, Dialect::default(), "data".into());
        let mut reader = reader.unwrap();
        let mut output = Vec::new();
        let writer = RowWriter::new(to, reader.columns(), &["p".into()]);
        writer.header(&mut output);
        while let Some(row) = reader.next_row().unwrap() {
            writer.row(&row, &[Value::from(0.5)], &mut output);
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
    fn values_of_json_keep_their_spelling() {
        let row = r#"{"n":18446744073709551616,"m":[1e400, 1.50],"k":1E5,"s":"\ud83d","t":"é"}"#;
        let expected = row.replace('}', ",\"p\":0.5}") + "\n";
        assert_eq!(convert(Format::Jsonl, row, Format::Jsonl), expected);
        let fields = "n,m,k,s,t,p\n18446744073709551616,\"[1e400, 1.50]\",1E5,\"\"\"\\ud83d\"\"\",é,0.5\n";
        assert_eq!(convert(Format::Jsonl, row, Format::Csv), fields);
        assert_eq!(convert(Format::Jsonl, "{}", Format::Jsonl), "{\"p\":0.5}\n");
        let mut output = Vec::new();
        let row = Row { line: 1, cells: Cells::Object(Default::default()) };
        RowWriter::new(Format::Jsonl, &[], &[]).row(&row, &[], &mut output);
        assert_eq!(output, b"{}\n");
    }

    #[test]
    fn a_quoted_carriage_return_stays() {
        assert_eq!(convert(Format::Csv, "text,b\nx,\"a\r\"\n", Format::Csv), "text,b,p\nx,\"a\r\",0.5\n");
        assert_eq!(
            convert(Format::Csv, "text,b\r\nx,\"a\r\"\r\n", Format::Jsonl),
            "{\"text\":\"x\",\"b\":\"a\\r\",\"p\":0.5}\n"
        );
    }

    /// As Python's `csv.writer` has it: an empty line would be no row.
    #[test]
    fn a_single_empty_field_of_csv_stands_between_quotes() {
        for (format, expected) in [(Format::Csv, "\"\"\n"), (Format::Tsv, "\n")] {
            let mut output = Vec::new();
            let row = Row { line: 1, cells: Cells::Object(Default::default()) };
            RowWriter::new(format, &["text".into()], &[]).row(&row, &[], &mut output);
            assert_eq!(String::from_utf8(output).unwrap(), expected);
        }
    }

    #[test]
    fn formats_convert() {
        assert_eq!(convert(Format::Csv, "a\n\"x\ty\"\n", Format::Tsv), "a\tp\nx y\t0.5\n");
        assert_eq!(convert(Format::Tsv, "a\nx\n", Format::Jsonl), "{\"a\":\"x\",\"p\":0.5}\n");
        assert_eq!(convert(Format::Jsonl, "{\"a\":null,\"b\":true}\n", Format::Csv), "a,b,p\n,true,0.5\n");
    }
}
