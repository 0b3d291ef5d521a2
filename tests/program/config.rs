//! `mtlcore config`: what holds, where it comes from, and what is said when it cannot be.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Read},
    process::{Command, Stdio},
};

use mtlcore::mtl::data::TaskSource;
use mtlcore::mtl::settings::Settings;
use toml::{Table, Value};

/// Runs `mtlcore config` in a directory of its own where `config.toml` holds `file`; (exit code, output, errors).
fn config(file: &str, arguments: &[&str]) -> (Option<i32>, String, String) {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("config.toml"), file).unwrap();
    let mut command = assert_cmd::Command::cargo_bin("mtlcore").unwrap();
    let output = command.current_dir(&directory).arg("config").args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn table(file: &str, arguments: &[&str]) -> Table {
    let (code, output, errors) = config(file, arguments);
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    output.parse().unwrap()
}

#[test]
fn flags_replace_the_file_and_the_file_replaces_the_preset() {
    let file = "preset = 'paper'\nadam = 'kingma'\nepochs = 3";
    let shown = table(file, &["config.toml", "--epochs", "4", "--forget-bias", "-1"]);
    for (field, value) in [
        ("padding", Value::from("pre")),
        ("adam", "kingma".into()),
        ("epochs", 4.into()),
        ("forget-bias", (-1.0).into()),
    ] {
        assert_eq!(shown[field], value, "{field}");
    }
}

#[test]
fn the_presets_differ_where_the_paper_and_todays_practice_do() {
    let [default, paper] = ["default", "paper"].map(|preset| table("", &["--preset", preset]));
    let differing: BTreeMap<_, _> = default
        .iter()
        .filter(|(name, value)| paper[*name] != **value)
        .map(|(name, _)| (name.as_str(), &paper[name]))
        .collect();
    let expected = [
        ("preset", Value::from("paper")),
        ("padding", "pre".into()),
        ("gate-activation", "hard-sigmoid".into()),
        ("adam", "keras".into()),
        ("epsilon", 1e-7.into()),
        ("embedding-updates", "dense".into()),
        ("absent-head", "decay".into()),
        ("loss-normaliser", "batch".into()),
        ("epochs", 10.into()),
        ("patience", 0.into()),
        ("keep", "last".into()),
    ];
    assert_eq!(differing, expected.iter().map(|(name, value)| (*name, value)).collect());
    assert!(paper.keys().eq(default.keys()));
}

/// Values from Joshi et al. 2019 and, where they are silent, the defaults of Keras 2.2.5.
#[test]
fn both_presets_hold_what_the_paper_states() {
    for preset in ["default", "paper"] {
        let shown = table("", &["--preset", preset]);
        for (field, value) in
            [("dropout", 0.25), ("learning-rate", 1e-3), ("beta1", 0.9), ("beta2", 0.999), ("forget-bias", 1.0)]
        {
            assert_eq!(shown[field].as_float(), Some(value), "{field}");
        }
        for (field, value) in [("units", 25), ("filters", 25), ("kernel-width", 3), ("batch", 32)] {
            assert_eq!(shown[field].as_integer(), Some(value), "{field}");
        }
        for (field, value) in
            [("embedding", "frozen"), ("unknown", "zero"), ("sentence", "last"), ("conv-activation", "relu")]
        {
            assert_eq!(shown[field].as_str(), Some(value), "{field}");
        }
    }
}

#[test]
fn the_output_is_a_file_of_the_same_settings() {
    let arguments =
        ["--preset", "paper", "--patience", "3", "--vectors", "it's.txt", "--task", "a=a b.tsv:x", "--task", "c=c.tsv"];
    let (_, first, _) = config("", &arguments);
    let (_, second, _) = config(&first, &["config.toml"]);
    assert_eq!(first, second);

    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), &first).unwrap();
    let settings = Settings::load(Some(file.path()), Table::new()).unwrap();
    assert_eq!((settings.patience, settings.tasks.len()), (3, 2));
    let task: TaskSource = "a=a b.tsv:x".parse().unwrap();
    assert_eq!(settings.tasks[0], TaskSource { text: Some("text".into()), ..task });
}

#[test]
fn json_has_every_field_and_null_where_nothing_is_set() {
    let (_, output, _) = config("", &["--format", "json", "--patience", "3"]);
    let shown: serde_json::Value = serde_json::from_str(&output).unwrap();
    assert_eq!((shown["patience"].as_i64(), shown["epsilon"].as_f64()), (Some(3), Some(1e-8)));
    assert!(shown["max-length"].is_null() && shown.as_object().unwrap().contains_key("max-length"));
}

#[test]
fn the_table_shows_a_value_beside_both_presets() {
    let (_, output, _) = config("", &["--format", "table", "--epsilon", "1e-6"]);
    let row = output.lines().find(|line| line.trim_start().starts_with("epsilon ")).unwrap();
    assert_eq!(row.split_whitespace().collect::<Vec<_>>(), ["epsilon", "1e-6", "1e-8", "1e-7"]);
}

#[test]
fn an_unknown_field_names_the_nearest() {
    let (code, output, errors) = config("seed = 1\nlearning-rat = 0.1", &["config.toml"]);
    assert_eq!((code, output.as_str()), (Some(1), ""));
    assert_eq!(
        errors,
        "error: config.toml:2: `learning-rat`: unknown field; the nearest known one is `learning-rate`\n"
    );

    let (code, _, errors) = config("", &["--learning-rat", "0.1"]);
    assert_eq!(code, Some(2));
    assert!(errors.contains("--learning-rat") && errors.contains("'--learning-rate'"), "{errors}");
}

#[test]
fn a_wrong_type_names_the_field_and_where_it_stands() {
    let (code, _, errors) = config("\nepochs = 'ten'", &["config.toml"]);
    assert_eq!(code, Some(1));
    assert_eq!(errors, "error: config.toml:2: `epochs`: found \"ten\", expected a whole number from 1 to 1000000\n");

    for (flag, value, expected) in [
        ("--epochs", "ten", "expected a whole number from 1 to 1000000"),
        ("--dropout", "1", "expected a number of at least 0 and below 1"),
        ("--shared", "con", "bilstm, conv, bilstm-conv"),
        ("--task", "flu", "expected NAME=FILE[:LABEL_COLUMN]"),
    ] {
        let (code, _, errors) = config("", &[flag, value]);
        assert_eq!(code, Some(2), "{flag}");
        assert!([flag, value, expected].iter().all(|part| errors.contains(part)), "{errors}");
    }
}

#[test]
fn a_missing_file_is_one_line() {
    let (code, output, errors) = config("", &["absent.toml"]);
    assert_eq!((code, output.as_str()), (Some(1), ""));
    assert!(errors.starts_with("error: absent.toml: No such file") && errors.lines().count() == 1, "{errors}");
}

#[test]
fn output_that_is_closed_early_is_no_failure() {
    let program = assert_cmd::cargo::cargo_bin("mtlcore");
    // More than a pipe holds, so that the program still writes when its reader has gone.
    let tasks = (0..1500).flat_map(|i| ["--task".into(), format!("task{i}={}.tsv", "x".repeat(60))]);
    let mut command = Command::new(program);
    command.arg("config").args(tasks).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut first = String::new();
    BufReader::with_capacity(16, child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let mut errors = String::new();
    child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    assert!(first.starts_with("# Configuration"));
    assert_eq!((child.wait().unwrap().code(), errors.as_str()), (Some(0), ""));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = Command::new(assert_cmd::cargo::cargo_bin("mtlcore")).arg("config").stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().starts_with("error: standard output: No space left"));
}

#[test]
fn help_teaches_by_example() {
    let (code, output, _) = config("", &["--help"]);
    assert_eq!(code, Some(0));
    assert!(output.contains("Examples:\n  mtlcore config "));
    let headings = ["Run:", "Data:", "Text:", "Model:", "Training:"];
    assert!(headings.iter().all(|heading| output.lines().any(|line| line == *heading)));
}
