use super::*;

fn read(name: &str, content: &str, columns: &str) -> std::result::Result<Ids, String> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(name);
    std::fs::write(&path, content).unwrap();
    let columns: Vec<String> = columns.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect();
    let place = directory.path().to_str().unwrap().to_owned() + "/";
    Ids::read(&path, &columns).map_err(|error| error.to_string().replace(&place, ""))
}

fn row(id: &str, labels: &[&str]) -> IdRow {
    IdRow { id: id.into(), labels: labels.iter().map(|label| (*label).to_owned()).collect() }
}

/// The same two rows in the forms in which data sets are handed out.
#[test]
fn one_table_in_every_form() {
    for (name, content, columns) in [
        ("lamb.txt", "10\t1\n20\t0\n", "id,flu"),
        ("a.tsv", "\u{feff}id\tflu\r\n10\t1\r\n20\t0\r\n", ""),
        ("a.tsv", "tweet_id\tflu\n10\t1\n\n20\t0", ""),
        ("a.csv", "flu,id,more\n1,10,x\n0,20,y\n", "id,flu"),
        ("a.csv", "\"id\",\"flu\"\n\"10\",\"1\"\n\"20\",\"0\"\n", ""),
        ("a.csv", "id;flu\n10;1\n20;0\n", ""),
        ("a.txt", "10 1\n20   0\n", "id,flu"),
        ("a.json", "{\"id\":10,\"label\":{\"flu\":1}}\n{\"id\":20,\"label\":{\"flu\":0}}\n", ""),
        ("a.json", "{\"id_str\":\"10\",\"id\":9,\"label\":{\"flu\":1}}\n{\"id_str\":\"20\",\"id\":19,\"flu\":0}\n", ""),
    ] {
        let ids = read(name, content, columns).unwrap();
        assert_eq!(ids.labels, ["flu"], "{content}");
        assert_eq!(ids.rows, [row("10", &["1"]), row("20", &["0"])], "{content}");
    }
    assert_eq!(read("a.txt", "10\n20\n", "").unwrap().rows, [row("10", &[]), row("20", &[])]);
}

#[test]
fn a_label_that_is_missing_is_empty() {
    let content = "{\"id\":1,\"label\":{\"a\":true}}\n{\"id\":2,\"label\":{\"b\":null}}\n";
    let ids = read("flu.json", content, "").unwrap();
    assert_eq!(
        (ids.labels, ids.rows),
        (vec!["a".into(), "b".into()], vec![row("1", &["true", ""]), row("2", &["", ""])])
    );
}

#[test]
fn repeated_ids_are_kept_and_conflicts_counted() {
    let ids = read("a.tsv", "id\tl\n5\t1\n6\t0\n5\t1\n7\t1\n7\t0\n7\t0\n", "").unwrap();
    assert_eq!((ids.rows.len(), ids.repeated(), ids.conflicting()), (6, 3, 1));
    assert_eq!(ids.distinct(), ["5", "6", "7"]);
}

#[test]
fn what_cannot_be_fetched_is_refused_with_its_line() {
    for (name, content, columns, message) in [
        ("a.tsv", "id\tl\n1.39e18\t1\n", "", "a.tsv:2: the id \"1.39e18\" was saved as a float and has lost digits"),
        (
            "a.tsv",
            "1390000000000000000.0\t1\n",
            "id,l",
            "a.tsv:1: the id \"1390000000000000000.0\" was saved as a float",
        ),
        ("a.csv", "id;l\n1,39E+18;1\n", "", "a.csv:2: the id \"1,39E+18\" was saved as a float"),
        ("a.tsv", "id\tl\nabc\t1\n", "", "a.tsv:2: found \"abc\", expected an id of 1 to 19 digits"),
        ("a.tsv", "id\tl\n12345678901234567890\t1\n", "", "a.tsv:2: found \"12345678901234567890\", expected an id"),
        ("a.tsv", "id\tl\n1\t1\t1\n", "", "a.tsv:2: found 3 fields, expected 2"),
        ("a.tsv", "1\t1\n", "", "a.tsv: its first line is a row, so its 2 columns have no names; name them"),
        ("a.tsv", "1\t1\n", "id", "a.tsv: its rows have 2 fields, and --columns names 1: id; name each"),
        ("a.tsv", "id\tl\n1\t1\n", "id,m", "a.tsv: no column \"m\"; the columns are: id, l"),
        ("a.tsv", "id\ttext\n1\tx\n", "", "a.tsv: the column \"text\" would meet our own of that name"),
        ("a.tsv", "", "", "a.tsv: the file is empty"),
        ("a.json", "{\"id\":1.39e18}\n", "", "a.json:1: the id \"1.39e"),
        ("a.json", "{\"name\":1}\n", "", "a.json:1: no \"id\", expected an id"),
        (
            "a.tsv",
            "123456789012345000\n123456789012346000\n123456789012347000\n",
            "",
            "a.tsv: all its ids end in zeros, as in 123456789012345000: a spreadsheet has rounded them",
        ),
    ] {
        let error = read(name, content, columns).unwrap_err();
        assert!(error.starts_with(message), "{error}\n{message}");
    }
}
