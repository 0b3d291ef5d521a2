use super::*;
use std::fs;

/// A directory with these files, and its corpus for tasks in the command line's form.
fn corpus(files: &[(&str, &str)], tasks: &[&str]) -> std::result::Result<Corpus, String> {
    grouped(files, tasks, None)
}

/// As [`corpus`], with a column of groups.
fn grouped(files: &[(&str, &str)], tasks: &[&str], group: Option<&str>) -> std::result::Result<Corpus, String> {
    let directory = tempfile::tempdir().unwrap();
    for (name, content) in files {
        fs::write(directory.path().join(name), content).unwrap();
    }
    let tasks: Vec<TaskSource> = tasks
        .iter()
        .map(|task| {
            let mut task: TaskSource = task.parse().unwrap();
            task.file = directory.path().join(task.file);
            task
        })
        .collect();
    read_grouped(&tasks, group)
        .map_err(|error| error.to_string().replace(&format!("{}/", directory.path().display()), ""))
}

fn labels(corpus: &Corpus) -> Vec<Vec<Option<bool>>> {
    corpus.records.iter().map(|record| record.labels.clone()).collect()
}

const T: Option<bool> = Some(true);
const F: Option<bool> = Some(false);

#[test]
fn two_files_and_labels_missing() {
    let files = [("a.tsv", "text\tlabel\nx\t1\ny\t0\n"), ("b.tsv", "text\tlabel\nz\t1\nx\t0\n")];
    let forward = corpus(&files, &["one=a.tsv", "two=b.tsv"]).unwrap();
    assert_eq!(labels(&forward), [[T, None], [F, None], [None, T], [None, F]]);
    assert_eq!(forward.records[3].line, 3);
    let backward = corpus(&files, &["two=b.tsv", "one=a.tsv"]).unwrap();
    assert_eq!((&forward.tasks, &forward.records), (&backward.tasks, &backward.records));
}

#[test]
fn one_file_and_both_labels() {
    let files = [("a.csv", "text,two,one\nx,1,0\ny,,1\nz,0,-1\n")];
    let corpus = corpus(&files, &["two=a.csv", "one=a.csv"]).unwrap();
    assert_eq!(corpus.tasks, ["one", "two"]);
    assert_eq!(labels(&corpus), [[F, T], [T, None], [None, F]]);
    assert_eq!((corpus.sources.len(), corpus.sources[0].rows), (1, 3));
    assert_eq!(corpus.sources[0].tasks, ["one", "two"]);
}

#[test]
fn groups_are_texts_or_numbers_and_every_file_has_them() {
    let a = ("a.tsv", "text\tlabel\tauthor\nx\t1\t ann \ny\t0\t\nz\t0\t7\n");
    let b = ("b.jsonl", "{\"text\":\"x\",\"label\":1,\"author\":7}\n{\"text\":\"y\",\"label\":0}\n");
    let found = grouped(&[a, b], &["one=a.tsv", "two=b.jsonl"], Some("author")).unwrap();
    let groups: Vec<Option<&str>> = found.records.iter().map(|record| record.group.as_deref()).collect();
    assert_eq!(groups, [Some("ann"), None, Some("7"), Some("7"), None]);

    let plain = ("b.tsv", "text\tlabel\tautor\nx\t1\tann\n");
    assert_eq!(
        grouped(&[a, plain], &["one=a.tsv", "two=b.tsv"], Some("author")).unwrap_err(),
        "b.tsv: no column \"author\"; the columns are: text, label, autor; did you mean \"autor\"? say --group NAME"
    );
    let list = ("c.jsonl", "{\"text\":\"x\",\"label\":1,\"author\":[7]}\n");
    assert_eq!(
        grouped(&[list], &["one=c.jsonl"], Some("author")).unwrap_err(),
        "c.jsonl:1: \"author\" is an array, expected a text or a number"
    );
}

#[test]
fn spellings_of_labels() {
    let labels_of = |words: &[&str]| {
        let content =
            ["text\ta\n"].into_iter().map(str::to_owned).chain(words.iter().map(|word| format!("x\t{word}\n")));
        labels(&corpus(&[("d.tsv", &content.collect::<String>())], &["a=d.tsv"]).unwrap()).concat()
    };
    assert_eq!(labels_of(&["1", "true", "Yes", "1.0", "TRUE", "1.00"]), [T; 6]);
    assert_eq!(labels_of(&["0", "FALSE", "no", "0.0"]), [F; 4]);
    let missing = ["", "-1", "NULL", "-1.0", "NaN", "nan", "NA", "N/A", "n/a", "None", "none", "null", "<NA>", "#N/A"];
    assert_eq!(labels_of(&missing), [None; 14]);
}

#[test]
fn json_labels_and_keys_that_come_late() {
    let lines = [
        r#"{"text":"x"}"#,
        r#"{"text":"x","a":true}"#,
        r#"{"text":"x","a":0}"#,
        r#"{"text":"x","a":null}"#,
        r#"{"text":"x","a":"yes"}"#,
        r#"{"a":-1.0,"text":"x"}"#,
        r#"{"text":"x","a":1.0}"#,
        r#"{"text":"x","a":"NaN"}"#,
        r#"{"text":"x","a":false}"#,
    ];
    let found = labels(&corpus(&[("d.jsonl", &lines.join("\n"))], &["a=d.jsonl"]).unwrap());
    assert_eq!(found.concat(), [None, T, F, None, T, None, T, None, F]);
}

#[test]
fn a_declared_pair_and_a_validation_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    fs::write(path("d.tsv"), "tweet\tflu\nx\tsick\ny\twell\nz\t\n").unwrap();
    fs::write(path("v.tsv"), "flu\ttweet\nwell\tw\n").unwrap();
    let task = TaskSource {
        text: Some("tweet".into()),
        positive: Some("sick".into()),
        negative: Some("well".into()),
        validation: Some(path("v.tsv")),
        ..TaskSource::new("flu", path("d.tsv"))
    };
    let corpus = read(std::slice::from_ref(&task)).unwrap();
    assert_eq!(labels(&corpus).concat(), [T, F, None, F]);
    assert_eq!(corpus.records.iter().map(|record| record.validation).collect::<Vec<_>>(), [false, false, false, true]);
    assert_eq!((corpus.records[3].source, corpus.records[3].text.as_str()), (1, "w"));

    fs::write(path("v.tsv"), "flu\ttweet\n1\tw\n").unwrap();
    let message = read(std::slice::from_ref(&task)).unwrap_err().to_string();
    assert!(
        message.contains("v.tsv:2: label \"1\" in column \"flu\": expected \"sick\", \"well\", or empty, -1, NA"),
        "{message}"
    );
    let same = TaskSource { validation: Some(path("d.tsv")), ..task };
    assert_eq!(read(&[same]).unwrap_err().to_string(), "task `flu`: its validation file is the file it learns from");
}

/// It would be waited for, or read once where it is read several times.
#[cfg(unix)]
#[test]
fn what_is_no_file_is_refused_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pipe.tsv");
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    std::os::unix::fs::symlink("/dev/zero", directory.path().join("zero.tsv")).unwrap();
    for name in ["pipe.tsv", "zero.tsv"] {
        let message = read(&[TaskSource::new("a", directory.path().join(name))]).unwrap_err().to_string();
        assert!(
            message.ends_with("it is a pipe or a device, which can be read only once; save it to a file"),
            "{message}"
        );
    }
}

#[test]
fn a_file_of_another_name_is_read_if_its_format_is_said() {
    let directory = tempfile::tempdir().unwrap();
    for (name, content, format) in [
        ("a.txt", "text\tlabel\nx\t1\n", Format::Tsv),
        ("b.txt", "text;label\nx;1\n", Format::Csv),
        ("c.json", "{\"text\":\"x\",\"label\":1}\n", Format::Jsonl),
    ] {
        let path = directory.path().join(name);
        fs::write(&path, content).unwrap();
        let message = read(&[TaskSource::new("a", &path)]).unwrap_err().to_string();
        assert!(message.ends_with("say --input-format tsv, csv or jsonl"), "{message}");
        let task = TaskSource { input_format: Some(format), ..TaskSource::new("a", path) };
        assert_eq!(labels(&read(&[task]).unwrap()), [[T]]);
    }
}

#[test]
fn an_empty_text_is_a_text() {
    let corpus = corpus(&[("d.tsv", "text\ta\n\t1\nx\t0\n")], &["a=d.tsv"]).unwrap();
    assert_eq!(corpus.records[0].text, "");
}

#[test]
fn bad_input_is_named() {
    let label = |place: &str, label: &str| {
        format!(
            "{place}: label \"{label}\" in column \"flu\": expected 1, true, yes or 0, false, no, or empty, -1, NA, NaN, \
             None, null for a missing one; boolean only: make a class a task, or name the two words with --positive and \
             --negative"
        )
    };
    for (content, message) in [
        ("", "d.tsv: the file is empty"),
        ("text\tflu\n", "d.tsv: there is a header but no row"),
        (
            "txt\tflu\nx\t1\n",
            "d.tsv: no column \"text\"; the columns are: txt, flu; did you mean \"txt\"? say --text-column NAME",
        ),
        (
            "text\ty\nx\t1\n",
            "d.tsv: no column \"flu\" or \"label\"; the columns are: text, y; say --task NAME=FILE:LABEL_COLUMN",
        ),
        ("text\tflu\nx\t1\ny\tPositive\n", &label("d.tsv:3", "Positive")),
        ("text\tflu\nx\t1\ny\t2\n", &label("d.tsv:3", "2")),
        ("text\tflu\nx\t1\ny\n", "d.tsv:3: found 1 fields, expected 2"),
    ] {
        assert_eq!(corpus(&[("d.tsv", content)], &["flu=d.tsv"]).unwrap_err(), message);
    }
    for (content, message) in [
        (r#"{"flu":1}"#, "d.jsonl: no column \"text\"; the only column is flu; say --text-column NAME"),
        ("{\"text\":\"x\",\"flu\":1}\n{\"flu\":1}", "d.jsonl:2: no \"text\", expected a text"),
        (r#"{"text":3,"flu":1}"#, "d.jsonl:1: \"text\" is 3, expected a text"),
        (r#"{"text":"x","flu":[1]}"#, "d.jsonl:1: \"flu\" is an array, expected a label"),
        (r#"{"text":"x","flu":2}"#, &label("d.jsonl:1", "2")),
        ("{\"text\":\n\"x\"}", "d.jsonl:1: not JSON: EOF while parsing a value at column 8"),
    ] {
        assert_eq!(corpus(&[("d.jsonl", content)], &["flu=d.jsonl"]).unwrap_err(), message);
    }
    let good = ("d.tsv", "text\tflu\nx\t1\ny\t0\n");
    assert_eq!(corpus(&[good], &["flu=d.tsv", "flu=d.tsv"]).unwrap_err(), "task `flu`: two tasks have this name");
    assert!(corpus(&[], &["flu=d.tsv"]).unwrap_err().starts_with("d.tsv: No such file"));
}

#[test]
fn a_task_to_learn_needs_both_classes_but_reading_does_not() {
    for (content, message) in [
        ("text\tflu\nx\t1\ny\t1\n", "task `flu`: all 2 labelled rows are true, expected both classes"),
        ("text\tflu\nx\t0\ny\t\n", "task `flu`: all 1 labelled rows are false, expected both classes"),
        ("text\tflu\nx\t\n", "task `flu`: no row has a label"),
    ] {
        let corpus = corpus(&[("d.tsv", content)], &["flu=d.tsv"]).unwrap();
        assert_eq!(require_both_classes(&corpus).unwrap_err().to_string(), message);
    }
    let corpus = corpus(&[("d.tsv", "text\tflu\nx\t1\ny\t0\n")], &["flu=d.tsv"]).unwrap();
    assert!(require_both_classes(&corpus).is_ok());
}
