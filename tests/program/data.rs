//! `mtlcore data check` and `mtlcore data simulate`: what is understood of files, and what is said of bad ones.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    path::Path,
    process::{Command, Stdio},
};

use mtlcore::mtl::settings::Settings;
use serde_json::Value;

/// (exit code, output, errors) of `mtlcore data` in `directory`.
fn data(directory: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = assert_cmd::Command::cargo_bin("mtlcore").unwrap();
    let output = command.current_dir(directory).arg("data").args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// `mtlcore data check` in a new directory with these files.
fn check(files: &[(&str, &[u8])], arguments: &[&str]) -> (Option<i32>, String, String) {
    let directory = tempfile::tempdir().unwrap();
    for (name, content) in files {
        fs::write(directory.path().join(name), content).unwrap();
    }
    data(directory.path(), &[&["check"], arguments].concat())
}

/// The error of a check that fails before anything is printed.
fn refusal(files: &[(&str, &[u8])], arguments: &[&str]) -> String {
    let (code, output, errors) = check(files, arguments);
    assert_eq!((code, output.as_str(), errors.lines().count()), (Some(1), "", 1), "{output}{errors}");
    errors.strip_prefix("error: ").unwrap().trim_end().to_owned()
}

fn json(files: &[(&str, &[u8])], arguments: &[&str]) -> Value {
    let (code, output, errors) = check(files, &[arguments, &["--format", "json"]].concat());
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    serde_json::from_str(&output).unwrap()
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// The words of the output's line that starts with `start`.
fn row<'o>(output: &'o str, start: &str) -> Vec<&'o str> {
    let line = output.lines().find(|line| line.trim_start().starts_with(start));
    line.unwrap_or_else(|| panic!("no line {start:?} in {output}")).split_whitespace().collect()
}

const GOOD: &[u8] = b"text\tlabel\nsore throat\t1\nfine day\t0\n";

#[test]
fn a_small_case_done_by_hand() {
    let a = b"text\tlabel\nflu shot\t1\nflu  shot\t0\nflu\t0\n\t\n";
    let b = b"{\"text\":\"flu\",\"b\":true}\n{\"text\":\"day\",\"b\":false}\n";
    let files: [(&str, &[u8]); 3] = [("a.tsv", a), ("b.jsonl", b), ("v.txt", b"flu 1 2\nnight 3 4\n")];
    let (code, output, errors) = check(&files, &["--task", "a=a.tsv", "--task", "b=b.jsonl", "--vectors", "v.txt"]);
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    // task, rows, labelled, missing, true, share, duplicates, conflicting texts
    assert_eq!(row(&output, "a "), ["a", "4", "3", "1", "1", "33.3", "%", "1", "1"]);
    assert_eq!(row(&output, "b "), ["b", "2", "2", "0", "1", "50.0", "%", "0", "0"]);
    // file, task, purpose, rows, empty, duplicates, mean, median, 95 %, longest: lengths 2, 2, 1, 0
    assert_eq!(row(&output, "a.tsv"), ["a.tsv", "a", "learn", "4", "1", "1", "1.2", "1", "2", "2"]);
    assert!(output.contains("6 rows hold 4 different texts, 1 of them in more than one file."));
    assert!(output.contains("3 different words in 7 tokens."));
    assert!(output.contains(
        "v.txt has 2 vectors of 2 numbers: for 33.3 % of the different words and 57.1 % of the tokens.\n\
         Most frequent without a vector: shot (2), day (1)\n"
    ));
    assert_eq!(row(&output, "2  true"), ["2", "true", "flu", "shot"]);
    assert!(output.contains("First rows of b.jsonl, as tokens"));
}

#[test]
fn json_says_the_same() {
    let check = json(&[("a.tsv", GOOD)], &["--task", "a=a.tsv"]);
    assert_eq!((&check["rows"], &check["tasks"][0]["positive"]), (&2.into(), &1.into()));
    assert_eq!(check["sources"][0]["first-rows"][0]["tokens"], serde_json::json!(["sore", "throat"]));
    assert!(check["vocabulary"]["coverage"].is_null());
}

#[test]
fn tokens_are_those_of_the_settings() {
    let file: &[u8] = b"text\tlabel\nFLU!!!\t1\nb\t0\n";
    let tokens = |tokenizer| {
        let check = json(&[("a.tsv", file)], &["--task", "a=a.tsv", "--tokenizer", tokenizer]);
        check["sources"][0]["first-rows"][0]["tokens"].clone()
    };
    assert_eq!(tokens("plain"), serde_json::json!(["FLU!!!"]));
    assert_eq!(tokens("glove-2"), serde_json::json!(["flu", "<allcaps>", "!", "<repeat>"]));
    assert_eq!(tokens("glove"), serde_json::json!(["flu", "<allcaps>", "!", "<repeat>"]));
}

#[test]
fn without_a_task_it_is_a_simulated_pair_and_says_so() {
    let (code, output, errors) = check(&[], &[]);
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    assert!(output.starts_with("No task is named, so this is a simulated pair"));
    assert!(output.contains("for 100.0 % of the different words and 100.0 % of the tokens"));
    assert_eq!(row(&output, "task_a")[..2], ["task_a", "600"]);
}

#[test]
fn a_bad_file_is_named_with_its_line() {
    for (name, content, message) in [
        ("a.tsv", &b""[..], "a.tsv: the file is empty"),
        ("a.csv", b"", "a.csv: the file is empty"),
        ("a.jsonl", b"", "a.jsonl: the file is empty"),
        ("a.tsv", b"text\tflu\n", "a.tsv: there is a header but no row"),
        (
            "a.tsv",
            b"id\ttweet\tflu\n1\tx\t1\n",
            "a.tsv: no column \"text\"; the columns are: id, tweet, flu; did you mean \"tweet\"? say --text-column NAME",
        ),
        (
            "a.tsv",
            b"text\tfluu\nx\t1\n",
            "a.tsv: no column \"flu\" or \"label\"; the columns are: text, fluu; did you mean \"fluu\"? say --task \
             NAME=FILE:LABEL_COLUMN",
        ),
        ("a.tsv", b"text\tflu\nx\t1\ny\n", "a.tsv:3: found 1 fields, expected 2"),
        ("a.csv", b"text,flu\n\"x\ny\",1\ny\n", "a.csv:4: found 1 fields, expected 2"),
        ("a.csv", b"text,flu\nx,1\n\"y,0\nz,1\n", "a.csv:3: a quote is never closed"),
        (
            "a.jsonl",
            b"{\"text\":\"x\",\"flu\":1}\n{\"text\":",
            "a.jsonl:2: not JSON: EOF while parsing a value at column 8",
        ),
        ("a.jsonl", b"{\"text\":\"x\",\"flu\":1,\"flu\":0}\n", "a.jsonl:1: the key \"flu\" occurs twice"),
        (
            "a.txt",
            b"text\tflu\nx\t1\n",
            "a.txt: unknown file format: expected .tsv, .csv, .jsonl or .ndjson, each also with .gz; for a file of another name \
             say --input-format tsv, csv or jsonl",
        ),
    ] {
        assert_eq!(refusal(&[(name, content)], &["--task", &format!("flu={name}")]), message);
    }
    for (name, content, start, parts) in [
        (
            "a.tsv",
            &b"text\tflu\nx\t1\ny\tPositive\n"[..],
            "a.tsv:3: label \"Positive\" in column \"flu\": expected 1, true, yes or 0, false, no, or empty",
            ["boolean only: make a class a task", "--positive and --negative"],
        ),
        ("a.tsv", b"text\tflu\nx\xe9\t1\n", "a.tsv:2: not UTF-8 after 1 bytes", ["Latin-1 or Windows-1252", "iconv"]),
        ("a.tsv", b"text\tflu\nx\0\t1\n", "a.tsv:2: a NUL byte at byte 2 of the line", ["UTF-16", "UTF-8"]),
        ("a.tsv", b"text\tflu\rx\t1\r", "a.tsv:1: it holds a carriage return", ["end in CR alone", "tr "]),
        ("a.csv", b"text,flu\rx,1\r", "a.csv:1: it holds a carriage return", ["end in CR alone", "tr "]),
        (
            "a.tsv",
            b"text\tflu\n\"x\ny\"\t1\n",
            "a.tsv:2: found 1 fields",
            ["pandas", "--input-format csv --delimiter tab"],
        ),
        ("a.csv", b"PK\x03\x04rest", "a.csv: it is a zip archive", [".xlsx", "CSV UTF-8"]),
    ] {
        let message = refusal(&[(name, content)], &["--task", &format!("flu={name}")]);
        assert!(message.starts_with(start) && parts.iter().all(|part| message.contains(part)), "{message}");
    }
    let headerless = format!("{},1\nx,0\n", "a post that is long ".repeat(100));
    let message = refusal(&[("a.csv", headerless.as_bytes())], &["--task", "flu=a.csv"]);
    assert!(message.len() < 250 && message.contains("the first line must name the columns"), "{message}");
    let missing = refusal(&[], &["--task", "flu=absent.tsv"]);
    assert!(missing.starts_with("absent.tsv: No such file"), "{missing}");
}

/// One table in every form in which people have it.
#[test]
fn the_same_table_is_read_in_every_form() {
    let expected =
        json(&[("a.tsv", "text\tlabel\nflu; été, ok\t1\nfine day\t0\nso\t\n".as_bytes())], &["--task", "a=a.tsv"]);
    let utf16 = |text: &str, bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(bytes).collect()
    };
    let tabs = "text\tlabel\r\nflu; été, ok\t1\r\nfine day\t0\r\nso\tNA\r\n";
    let semicolons = "\u{feff}text;label\r\n\"flu; été, ok\";1\r\nfine day;0\r\nso;\r\n";
    let zeros = [gzip(tabs.as_bytes()), vec![0; 512]].concat();
    let lines = "{\"text\":\"flu; été, ok\",\"label\":1}\n{\"text\":\"fine day\",\"label\":0}\n{\"text\":\"so\"}\n";
    for (name, content, flags) in [
        ("b.tsv", tabs.as_bytes().to_vec(), ""),
        ("b.tsv", utf16(tabs, u16::to_le_bytes), ""),
        ("b.tsv", utf16(tabs, u16::to_be_bytes), ""),
        ("b.txt", utf16(tabs, u16::to_le_bytes), "--input-format tsv"),
        ("b.csv", semicolons.as_bytes().to_vec(), ""),
        ("b.csv", utf16(&semicolons[3..], u16::to_le_bytes), ""),
        ("b.csv", format!("sep=;\r\n{}", &semicolons[3..]).into_bytes(), ""),
        ("b.txt", semicolons.as_bytes().to_vec(), "--input-format csv"),
        ("b.csv", tabs.as_bytes().to_vec(), "--delimiter tab"),
        ("b.tsv", tabs.replace('\t', "|").into_bytes(), "--delimiter |"),
        ("b.tsv", zeros.clone(), ""),
        ("b.tsv.gz", zeros.clone(), ""),
        ("b.json", lines.as_bytes().to_vec(), "--input-format jsonl"),
        ("b.csv", tabs.replace("text", "tweet").into_bytes(), "--text-column tweet"),
        (
            "b.tsv",
            tabs.replace("\t1", "\tPositive").replace("\t0", "\tNegative").into_bytes(),
            "--positive Positive --negative Negative",
        ),
    ] {
        let task = format!("a={name}");
        let arguments: Vec<&str> = ["--task", &task].into_iter().chain(flags.split_whitespace()).collect();
        let found = json(&[(name, &content)], &arguments);
        assert_eq!(found["tasks"], expected["tasks"], "{name} {flags}");
        assert_eq!(found["sources"][0]["first-rows"][0]["tokens"], expected["sources"][0]["first-rows"][0]["tokens"]);
    }
}

#[test]
fn a_task_of_one_class_is_shown_and_then_refused() {
    let file: &[u8] = b"text\tlabel\nx\t1\ny\t1\n";
    let (code, output, errors) = check(&[("a.tsv", file)], &["--task", "flu=a.tsv"]);
    assert_eq!(code, Some(1));
    assert_eq!(row(&output, "flu ")[..5], ["flu", "2", "2", "0", "2"]);
    assert_eq!(errors, "error: task `flu`: all 2 labelled rows are true, expected both classes\n");
}

#[test]
fn an_empty_text_is_allowed_and_counted() {
    let (code, output, _) = check(&[("a.tsv", b"text\tlabel\n\t1\nx\t0\n")], &["--task", "flu=a.tsv"]);
    assert_eq!(code, Some(0));
    assert_eq!(row(&output, "a.tsv")[3..5], ["2", "1"]);
    assert_eq!(row(&output, "2  true"), ["2", "true", "(empty)"]);
}

#[test]
fn a_text_of_a_hundred_thousand_tokens_is_read_whole_and_shown_in_part() {
    let file = format!("text\tlabel\n{}\t1\nx\t0\n", "word ".repeat(100_000));
    let (code, output, _) = check(&[("a.tsv", file.as_bytes())], &["--task", "flu=a.tsv"]);
    assert_eq!(code, Some(0));
    assert_eq!(row(&output, "a.tsv").last(), Some(&"100,000"));
    assert!(output.contains("… 99,976 more") && output.len() < 5_000);
}

#[test]
fn two_tasks_of_one_name_are_refused() {
    let message = refusal(&[("a.tsv", GOOD)], &["--task", "flu=a.tsv", "--task", "flu=a.tsv"]);
    assert_eq!(message, "task `flu`: two tasks have this name; each needs its own");
}

#[test]
fn bad_vectors_are_named_with_their_line() {
    for (content, message) in [
        (&b""[..], "v.txt: no word vectors: the file is empty"),
        (b"x 1 2\nsore 1\nx 1 2\n", "v.txt:2: found 1 numbers, expected 2"),
        (b"x 1 2\nsore 1 two\nx 1 2\n", "v.txt:2: found \"two\", expected a finite number"),
        (b"x 1 2\nsore 1 2\ny 1", "v.txt:3: found 1 numbers, expected 2"),
        (b"3 2\nx 1 2\nsore 1 2\n", "v.txt: found 2 vectors, the header says 3: was it cut off?"),
    ] {
        let files: [(&str, &[u8]); 2] = [("a.tsv", GOOD), ("v.txt", content)];
        assert_eq!(refusal(&files, &["--task", "flu=a.tsv", "--vectors", "v.txt"]), message);
    }
}

#[test]
fn gzip_is_read_as_if_it_were_plain_and_a_damaged_one_is_an_error() {
    let (packed, vectors) = (gzip(GOOD), gzip(b"sore 1 2\nday 3 4\n"));
    let arguments = ["--task", "flu=a.tsv.gz", "--vectors", "v.txt.gz"];
    let check = json(&[("a.tsv.gz", &packed), ("v.txt.gz", &vectors)], &arguments);
    assert_eq!((&check["rows"], &check["vocabulary"]["coverage"]["types"]), (&2.into(), &2.into()));

    let cut = &packed[..packed.len() - 9];
    let message = refusal(&[("a.tsv.gz", cut), ("v.txt.gz", &vectors)], &arguments);
    assert!(message.starts_with("a.tsv.gz: "), "{message}");
}

#[test]
fn output_that_is_closed_early_is_no_failure() {
    let directory = tempfile::tempdir().unwrap();
    // More than a pipe holds, so that the program still writes when its reader has gone.
    let file = format!("text\tlabel\n{}\t1\nx\t0\n", "word ".repeat(100_000));
    fs::write(directory.path().join("a.tsv"), file).unwrap();
    let mut command = Command::new(assert_cmd::cargo::cargo_bin("mtlcore"));
    command.current_dir(&directory).args(["data", "check", "--task", "a=a.tsv", "--format", "json"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::with_capacity(16, child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let mut errors = String::new();
    child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    assert_eq!((first.as_str(), child.wait().unwrap().code(), errors.as_str()), ("{\n", Some(0), ""));
}

#[test]
fn simulated_files_are_ready_to_learn_from() {
    let directory = tempfile::tempdir().unwrap();
    let (code, output, errors) = data(directory.path(), &["simulate", "--out", "s", "--seed", "7", "--dim", "10"]);
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    assert!(output.contains("  mtlcore train s/config.toml\n"), "{output}");
    let settings = Settings::load(Some(&directory.path().join("s/config.toml")), toml::Table::new()).unwrap();
    assert_eq!((settings.seed, settings.tasks.len()), (7, 2));

    let (code, checked, errors) = data(directory.path(), &["check", "s/config.toml"]);
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    assert_eq!(row(&checked, "task_b")[..5], ["task_b", "1,200", "1,200", "0", "360"]);
    assert!(checked.contains("vectors of 10 numbers: for 100.0 % of the different words"));
    let mut names: Vec<_> =
        fs::read_dir(directory.path().join("s")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["config.toml", "task_a.tsv", "task_b.tsv", "vectors.txt"]);
}

#[test]
fn every_field_of_a_simulation_is_a_flag() {
    let directory = tempfile::tempdir().unwrap();
    let arguments = "simulate --out s --seed 2 --rows 50,90 --relatedness -0.5 --overlap 0.5 --words 60 \
                     --prevalence 0.5,0.2 --noise 0 --length 5 --dim 4 --doubly-labelled --implication";
    let (code, _, errors) =
        data(directory.path(), &arguments.split(' ').filter(|part| !part.is_empty()).collect::<Vec<_>>());
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    let rows = fs::read_to_string(directory.path().join("s/pair.tsv")).unwrap();
    assert_eq!((rows.lines().next(), rows.lines().count()), (Some("text\ttask_a\ttask_b"), 51));
    let count = |end: &str| rows.lines().filter(|line| line.ends_with(end)).count();
    assert_eq!([count("1\t1"), count("1\t0"), count("0\t0"), count("0\t1")], [10, 15, 25, 0]);
}

#[test]
fn files_are_replaced_only_by_force_and_never_in_part() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("s/config.toml");
    fs::create_dir(directory.path().join("s")).unwrap();
    fs::write(&config, "mine").unwrap();
    let (code, _, errors) = data(directory.path(), &["simulate", "--out", "s"]);
    assert_eq!((code, errors.as_str()), (Some(1), "error: s/config.toml: exists already; --force replaces it\n"));
    assert_eq!(fs::read_dir(directory.path().join("s")).unwrap().count(), 1);
    assert_eq!(fs::read_to_string(&config).unwrap(), "mine");

    assert_eq!(data(directory.path(), &["simulate", "--out", "s", "--force"]).0, Some(0));
    assert!(fs::read_to_string(&config).unwrap().starts_with("# Configuration"));
}

#[test]
fn what_cannot_be_simulated_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    for (arguments, code, message) in [
        (&["--relatedness", "2"][..], 1, "`relatedness`: found 2, expected -1 to 1"),
        (&["--dim", "1"], 1, "`dim`: found 1, expected at least 2"),
        (&["--implication"], 1, "`implication`: needs doubly-labelled rows"),
        (&["--rows", "600"], 2, "expected two numbers, A,B"),
        (&["--words", "-1"], 2, "expected a whole number"),
    ] {
        let (found, _, errors) = data(directory.path(), &[&["simulate"], arguments].concat());
        assert!(found == Some(code) && errors.contains(message), "{errors}");
    }
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    fs::write(directory.path().join("file"), "").unwrap();
    let (code, _, errors) = data(directory.path(), &["simulate", "--out", "file"]);
    assert_eq!(code, Some(1));
    assert!(errors.starts_with("error: file: "), "{errors}");
}
