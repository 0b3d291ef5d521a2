use super::*;
use proptest::prelude::*;

fn reader(format: Format, content: impl Into<Vec<u8>>) -> Result<RowReader> {
    RowReader::new(Box::new(Cursor::new(content.into())), format, Dialect::default(), PathBuf::from("data"))
}

/// Lines and fields of all rows, or the first error's message.
fn rows(format: Format, content: impl Into<Vec<u8>>) -> std::result::Result<Vec<(u64, Vec<String>)>, String> {
    let mut reader = reader(format, content).map_err(|error| error.to_string())?;
    let mut rows = Vec::new();
    while let Some(row) = reader.next_row().map_err(|error| error.to_string())? {
        rows.push((
            row.line,
            match row.cells {
                Cells::Fields(fields) => fields.iter().map(str::to_owned).collect(),
                Cells::Object(object) => {
                    let member = |(name, value): (&String, &Json)| match value {
                        Json::Text(text) => format!("{name}=\"{text}\""),
                        Json::Other(spelt) => format!("{name}={spelt}"),
                    };
                    object.iter().map(member).collect()
                }
            },
        ));
    }
    Ok(rows)
}

fn fields(fields: &[&str]) -> Vec<String> {
    fields.iter().map(|field| field.to_string()).collect()
}

#[test]
fn tsv_has_no_quotes() {
    let content = "\u{feff}id\ttext\r\n1\t\"it\"\" said, \"no\"\r\n\r\n2\t\n";
    assert_eq!(reader(Format::Tsv, content).unwrap().columns(), ["id", "text"]);
    let expected = vec![(2, fields(&["1", "\"it\"\" said, \"no\""])), (4, fields(&["2", ""]))];
    assert_eq!(rows(Format::Tsv, content).unwrap(), expected);
}

#[test]
fn an_empty_line_of_a_single_column_is_an_empty_text() {
    assert_eq!(rows(Format::Tsv, "text\na\n\nb").unwrap().len(), 3);
}

/// RFC 4180 has no empty lines, and csv skips them; a text without a character stands between quotes.
#[test]
fn an_empty_line_of_csv_is_no_row_however_it_ends() {
    for end in ["\n", "\r\n"] {
        let content = ["text", "", "a", "", "", "\"\"", "b", ""].join(end);
        let found: Vec<_> = rows(Format::Csv, content.as_str()).unwrap();
        assert_eq!(found, [(3, fields(&["a"])), (6, fields(&[""])), (7, fields(&["b"]))], "{content:?}");
    }
}

#[test]
fn csv_quotes_and_lines() {
    let content = "\u{feff}id,text\r\n1,\"a, \"\"b\"\"\nc\"\r\n2,d\r\n";
    assert_eq!(reader(Format::Csv, content).unwrap().columns(), ["id", "text"]);
    let expected = vec![(2, fields(&["1", "a, \"b\"\nc"])), (4, fields(&["2", "d"]))];
    assert_eq!(rows(Format::Csv, content).unwrap(), expected);
}

#[test]
fn jsonl_keeps_keys_and_their_order() {
    let content = "\u{feff}{\"z\":1,\"a\":[2,null]}\n\n{\"b\":\"\\u0041\"}";
    assert_eq!(reader(Format::Jsonl, content).unwrap().columns(), ["z", "a"]);
    let expected = vec![(1, fields(&["z=1", "a=[2,null]"])), (3, fields(&["b=\"A\""]))];
    assert_eq!(rows(Format::Jsonl, content).unwrap(), expected);
}

#[test]
fn errors_name_the_line() {
    for (format, content, message) in [
        (Format::Tsv, &b""[..], "data: the file is empty"),
        (Format::Csv, b"", "data: the file is empty"),
        (Format::Jsonl, b"\n", "data: the file is empty"),
        (Format::Tsv, b"a\tb\n1\t2\n3\n", "data:3: found 1 fields, expected 2"),
        (Format::Tsv, b"a\tb\n1\t2\t3\n", "data:2: found 3 fields, expected 2"),
        (Format::Csv, b"a,b\n\"1\n\",2\n3\n", "data:4: found 1 fields, expected 2"),
        (Format::Csv, b"a,b\n\n\r\n1\n", "data:4: found 1 fields, expected 2"),
        (Format::Csv, b"a,b\n1,2\n\"3\n\",\"4\n5,6\n", "data:4: a quote is never closed"),
        (Format::Csv, b"a,b\n1,\"", "data:2: a quote is never closed"),
        (Format::Jsonl, b"{}\n{\"a\":}\n", "data:2: not JSON: expected value at column 6"),
        (Format::Jsonl, b"{}\n7\n", "data:2: found 7, expected a JSON object"),
        (Format::Jsonl, b"{\"a\":1,\"b\":2,\"a\":3}\n", "data:1: the key \"a\" occurs twice"),
    ] {
        assert_eq!(rows(format, content).unwrap_err(), message);
    }
    for (format, content, start, part) in [
        (Format::Csv, &b"a\n\0\nx\n"[..], "data:2: a NUL byte at byte 1 of the line", "UTF-16"),
        (Format::Csv, b"a\nx\n\0", "data:3: a NUL byte at byte 1 of the line", "UTF-16"),
        (Format::Tsv, b"a\nx\0y\n", "data:2: a NUL byte at byte 2 of the line", "UTF-16"),
        (Format::Tsv, b"a\0\n\0", "data:1: a NUL byte at byte 2 of the line", "UTF-16"),
        (Format::Tsv, b"a\nx\xe9y\n", "data:2: not UTF-8 after 1 bytes (byte 0xe9)", "iconv -f WINDOWS-1252"),
        (Format::Csv, b"a\nx\xe9y\n", "data:2: not UTF-8 after 1 bytes (byte 0xe9)", "CSV UTF-8"),
        (Format::Jsonl, b"{\"a\":\"\xe9\"}\n", "data:1: not UTF-8 after 6 bytes (byte 0xe9)", "Latin-1"),
        (Format::Tsv, b"text\tid\rhi\t1\rho\t2\r", "data:1: it holds a carriage return", "end in CR alone"),
        (Format::Csv, b"text,id\rhi,1\rho,2\r", "data:1: it holds a carriage return", "end in CR alone"),
        (Format::Csv, b"text\rhi\rho\r", "data:1: it holds a carriage return", "end in CR alone"),
        (Format::Jsonl, b"{\"a\":1}\r{\"a\":2}\r", "data:1: not JSON: trailing characters", "end in CR alone"),
        (Format::Tsv, b"text\tid\nhi\t1\rho\t2\r", "data:2: found 3 fields, expected 2", "end in CR alone"),
        (Format::Jsonl, b"[\n{\"a\":1}\n]", "data:1: found an array", "one object a line"),
        (Format::Jsonl, b"[{\"a\":1}]", "data:1: found an array", "one object a line"),
        (Format::Jsonl, b"{\"a\":NaN}", "data:1: not JSON: ", "write null"),
        (
            Format::Tsv,
            b"id\ttext\n1\t\"a\nb\"\n",
            "data:3: found 1 fields, expected 2",
            "--input-format csv --delimiter tab",
        ),
        (
            Format::Tsv,
            b"id\ttext\n1\t\"a\tb\"\n",
            "data:2: found 3 fields, expected 2",
            "--input-format csv --delimiter tab",
        ),
        (
            Format::Tsv,
            b"id\ttext\n1\t\"he said \"\"hi\"\"\"\n",
            "data:2: a text between quotes, with quotes doubled: \"\"he said \"\"hi\"\"\"\"",
            "--input-format csv --delimiter tab",
        ),
    ] {
        let message = rows(format, content).unwrap_err();
        assert!(message.starts_with(start) && message.contains(part), "{message}");
    }
}

#[test]
fn quotes_are_text_in_tsv_if_it_is_said_to_be_tsv() {
    let said = Dialect { format: Some(Format::Tsv), ..Dialect::default() };
    let content = Box::new(Cursor::new("text\n\"he said \"\"hi\"\"\"\n"));
    let mut reader = RowReader::new(content, Format::Tsv, said, "data".into()).unwrap();
    let row = reader.next_row().unwrap().unwrap();
    assert_eq!(row.cells, Cells::Fields(Fields("\"he said \"\"hi\"\"\"".into())));
}

#[test]
fn a_quoted_carriage_return_is_part_of_its_field() {
    let expected = vec![(2, fields(&["x", "a\r"])), (3, fields(&["\r", "y"]))];
    assert_eq!(rows(Format::Csv, "text,b\nx,\"a\r\"\n\"\r\",y\n").unwrap(), expected);
    assert_eq!(rows(Format::Csv, "text,b\r\nx,\"a\r\"\r\n\"\r\",y\r\n").unwrap(), expected);
    assert_eq!(rows(Format::Csv, "text,b\r\nx,\"a\r\"\r\n\"\r\",y").unwrap(), expected);
}

#[test]
fn csv_of_semicolons_tabs_or_bars_is_known_by_its_header() {
    for (content, line) in [
        ("id;text\n1;a, b\n", 2),
        ("id\ttext\n1\t\"a, b\"\n", 2),
        ("id|text\r\n1|a, b\r\n", 2),
        ("sep=;\r\nid;text\r\n1;a, b\r\n", 3),
        ("\u{feff}\"id\";\"text\"\n\"1\";\"a, b\"\n", 2),
    ] {
        let found = reader(Format::Csv, content).unwrap();
        assert_eq!(found.columns(), ["id", "text"], "{content:?}");
        assert_eq!(rows(Format::Csv, content).unwrap(), [(line, fields(&["1", "a, b"]))], "{content:?}");
    }
    let said = Dialect { delimiter: Some("|".parse().unwrap()), ..Dialect::default() };
    for format in [Format::Csv, Format::Tsv] {
        let content = Box::new(Cursor::new("id,x|text;y\n1|a\n"));
        assert_eq!(RowReader::new(content, format, said, "data".into()).unwrap().columns(), ["id,x", "text;y"]);
    }
    let error = RowReader::new(Box::new(Cursor::new("{}")), Format::Jsonl, said, "data".into()).err().unwrap();
    assert_eq!(error.to_string(), "`delimiter`: data is JSON Lines, which has no delimiter");
}

#[test]
fn utf_16_is_read_in_both_byte_orders() {
    let text = "id\ttext\r\n1\té 😷\r\n";
    for bytes in [u16::to_le_bytes, u16::to_be_bytes] {
        let content: Vec<u8> = std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(bytes).collect();
        assert_eq!(rows(Format::Tsv, content).unwrap(), [(2, fields(&["1", "é 😷"]))]);
    }
}

/// The integers are those that Python's `json` keeps; half of a surrogate pair is no text.
#[test]
fn json_values_keep_their_spelling() {
    let content =
        r#"{"id":123456789012345678901234567890,"x":1E5,"y":{"a":-9223372036854775809},"z":1e400,"s":"\ud83d"}"#;
    let expected =
        ["id=123456789012345678901234567890", "x=1E5", "y={\"a\":-9223372036854775809}", "z=1e400", "s=\"\\ud83d\""];
    assert_eq!(rows(Format::Jsonl, content).unwrap(), [(1, fields(&expected))]);
    let mut reader = reader(Format::Jsonl, content).unwrap();
    let (text, row) = (reader.column("s").unwrap(), reader.next_row().unwrap().unwrap());
    let message = row.text(&text).unwrap_err();
    assert_eq!(message, "\"s\" is \"\\ud83d\", half of a surrogate pair, expected a text");
}

/// The same bytes without end; the number is that of the next one.
struct Repeated(&'static [u8], usize);

impl Read for Repeated {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        for byte in buffer.iter_mut() {
            *byte = self.0[self.1];
            self.1 = (self.1 + 1) % self.0.len();
        }
        Ok(buffer.len())
    }
}

#[test]
fn sizes_have_a_bound() {
    let wide = |between: &str| vec!["a"; (1 << 20) + 1].join(between);
    let expected = "data:1: more than 1048576 columns, the most that are read";
    assert_eq!(rows(Format::Tsv, wide("\t")).unwrap_err(), expected);
    assert_eq!(rows(Format::Csv, wide(",")).unwrap_err(), expected);
    for (format, start) in [(Format::Tsv, "text\n"), (Format::Csv, "text\n\""), (Format::Jsonl, "{}\n{\"text\":\"")] {
        let endless = std::io::BufReader::with_capacity(1 << 18, start.as_bytes().chain(std::io::repeat(b'x')));
        let mut reader = RowReader::new(Box::new(endless), format, Dialect::default(), "data".into()).unwrap();
        let message = loop {
            match reader.next_row() {
                Ok(row) => assert!(row.is_some()),
                Err(error) => break error.to_string(),
            }
        };
        assert!(message.starts_with("data:2: longer than 64 MiB, the longest line that is read"), "{message}");
    }
    let open = "text\n\"a\n".as_bytes().chain(Repeated(b"a, \"\"b\"\"\n", 0));
    let open = std::io::BufReader::with_capacity(1 << 18, open);
    let mut reader = RowReader::new(Box::new(open), Format::Csv, Dialect::default(), "data".into()).unwrap();
    let message = reader.next_row().unwrap_err().to_string();
    assert!(
        message.starts_with("data:2: longer than 64 MiB") && message.ends_with("is a quote never closed?"),
        "{message}"
    );
    let long = format!("text\n{}\n", "a ".repeat(600_000));
    let mut reader = super::tests::reader(Format::Tsv, long).unwrap();
    let (text, row) = (reader.column("text").unwrap(), reader.next_row().unwrap().unwrap());
    assert_eq!(
        row.text(&text).unwrap_err(),
        "\"text\" has 1200000 bytes, more than the 1 MiB that a text may have; cut it"
    );
}

/// In time that grows with the number of columns, not its square: in seconds, an hour would pass.
#[test]
fn a_wide_header_is_soon_read() {
    let names: Vec<String> = (0..200_000).map(|i| i.to_string()).collect();
    let reader = reader(Format::Csv, names.join(",")).unwrap();
    assert_eq!((reader.repeated_column(), reader.columns().len()), (None, names.len()));
    let message = reader.column("text").unwrap_err().to_string();
    assert!(message.contains("10, 11 and 199988 more; the first line must name the columns"), "{message}");
}

#[test]
fn a_missing_column_lists_the_known_ones_and_the_nearest() {
    let of = |format, content: &str| reader(format, content).unwrap().column("text").unwrap_err().to_string();
    assert_eq!(
        reader(Format::Tsv, "id\ttweet_text\tlabel\n").unwrap().column("tweet_txt").unwrap_err().to_string(),
        "data: no column \"tweet_txt\"; the columns are: id, tweet_text, label; did you mean \"tweet_text\"?"
    );
    assert_eq!(of(Format::Tsv, "text\ttext\n"), "data: two columns are called \"text\"");
    let headerless = format!("1,{}\n", "my arm is sore after the shot ".repeat(20));
    let message = of(Format::Csv, &headerless);
    assert!(message.len() < 250 && message.ends_with("add such a line if the file has none"), "{message}");
    assert!(
        of(Format::Tsv, "text,label\n").ends_with("; it has commas and no tab: read the file with --input-format csv")
    );
    assert!(
        of(Format::Tsv, "text;label\n")
            .ends_with("; it has semicolons and no tab: read the file with --input-format csv")
    );
    assert!(of(Format::Tsv, "\"text\"\t\"label\"\n").contains("--input-format csv --delimiter tab"));
    let comma = Dialect { delimiter: Some(Delimiter::COMMA), ..Dialect::default() };
    let reader = RowReader::new(Box::new(Cursor::new("text;label\n")), Format::Csv, comma, "data".into()).unwrap();
    let message = reader.column_or("text", "say --text-column NAME").unwrap_err().to_string();
    assert!(message.ends_with("as in --delimiter ';'"), "{message}");
}

#[test]
fn gzip_is_known_by_its_bytes() {
    use std::io::Write;
    let directory = tempfile::tempdir().unwrap();
    for name in ["a.tsv", "a.tsv.gz"] {
        let path = directory.path().join(name);
        let mut gzip = flate2::write::GzEncoder::new(std::fs::File::create(&path).unwrap(), Default::default());
        gzip.write_all(b"text\nhello\n").unwrap();
        gzip.finish().unwrap();
        let row = RowReader::open(&path).unwrap().next_row().unwrap().unwrap();
        assert_eq!(row.cells, Cells::Fields(Fields("hello".into())));
    }
    let message = RowReader::open(&directory.path().join("none.tsv")).err().unwrap().to_string();
    assert!(message.contains("none.tsv: No such file"), "{message}");
}

proptest! {
    #[test]
    fn no_input_panics(format in 0..3usize, bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = rows([Format::Tsv, Format::Csv, Format::Jsonl][format], bytes);
    }
}
