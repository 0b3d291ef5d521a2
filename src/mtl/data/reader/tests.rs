use super::*;
use proptest::prelude::*;

fn reader(format: Format, content: impl Into<Vec<u8>>) -> Result<RowReader> {
    RowReader::new(Box::new(Cursor::new(content.into())), format, PathBuf::from("data"))
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
                Cells::Object(object) => vec![Value::Object(object).to_string()],
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
    let expected = vec![(1, fields(&["{\"z\":1,\"a\":[2,null]}"])), (3, fields(&["{\"b\":\"A\"}"]))];
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
        (Format::Csv, b"a\n\0\nx\n", "data:2: a NUL byte at byte 1 of the line: is this a text file?"),
        (Format::Csv, b"a\nx\n\0", "data:3: a NUL byte at byte 1 of the line: is this a text file?"),
        (Format::Tsv, b"a\nx\xffy\n", "data:2: invalid UTF-8 after 1 bytes"),
        (Format::Csv, b"a\nx\xffy\n", "data:2: invalid UTF-8 after 1 bytes"),
        (Format::Tsv, b"a\nx\0y\n", "data:2: a NUL byte at byte 2 of the line: is this a text file?"),
        (Format::Jsonl, b"{}\n[1]\n", "data:2: found an array, expected a JSON object"),
        (Format::Jsonl, b"{}\n{\"a\":}\n", "data:2: not JSON: expected value at column 6"),
    ] {
        assert_eq!(rows(format, content).unwrap_err(), message);
    }
}

#[test]
fn a_missing_column_lists_the_known_ones_and_the_nearest() {
    let reader = reader(Format::Tsv, "id\ttweet_text\tlabel\n").unwrap();
    assert_eq!(
        reader.column("tweet_txt").unwrap_err().to_string(),
        "data: no column \"tweet_txt\"; the columns are: id, tweet_text, label; did you mean \"tweet_text\"?"
    );
    let twice = super::tests::reader(Format::Tsv, "text\ttext\n").unwrap();
    assert_eq!(twice.column("text").unwrap_err().to_string(), "data: two columns are called \"text\"");
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
