//! `mtlcore evaluate`: the figures of a run, recomputed here from what `mtlcore predict` writes.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use serde_json::Value;
use tempfile::TempDir;

/// Runs mtlcore; (exit code, output, errors).
fn mtlcore(arguments: &[&str]) -> (i32, String, String) {
    let output = assert_cmd::Command::cargo_bin("mtlcore").unwrap().args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn succeed(arguments: &[&str]) -> String {
    let (code, output, errors) = mtlcore(arguments);
    assert_eq!((code, errors.as_str()), (0, ""));
    output
}

fn fail(arguments: &[&str]) -> String {
    let (code, output, errors) = mtlcore(arguments);
    assert_eq!((code, output.as_str()), (1, ""));
    errors
}

/// A run on two small files, `flu.tsv` and `shot.csv`, trained once for all tests.
struct Fixture {
    directory: TempDir,
}

impl Fixture {
    fn get() -> &'static Self {
        static FIXTURE: OnceLock<Fixture> = OnceLock::new();
        FIXTURE.get_or_init(|| {
            let fixture = Self { directory: tempfile::tempdir().unwrap() };
            let words = ["sore", "arm", "flu", "day", "sun", "park", "shot", "nice"];
            let text = |i: usize| (0..3 + i % 4).map(|t| words[(i * 5 + t * t * 3) % 8]).collect::<Vec<_>>().join(" ");
            let rows = |count: usize| (0..count).map(text).enumerate();
            // Labels that the words explain, but for every ninth.
            let label = |i: usize, text: &str, word| u8::from(text.contains(word) != i.is_multiple_of(9));
            let flu: String = rows(150).map(|(i, text)| format!("{text} {i}\t{}\n", label(i, &text, "arm"))).collect();
            let shot: String = rows(90)
                .map(|(i, text)| format!("\"{text}, {i}\",{}\n", ["no", "yes"][label(i, &text, "sun") as usize]))
                .collect();
            fs::write(fixture.path("flu.tsv"), format!("text\tlabel\n{flu}")).unwrap();
            fs::write(fixture.path("shot.csv"), format!("text,relevant\n{shot}")).unwrap();
            let [flu, shot] = [fixture.task("flu", "flu.tsv"), fixture.task("shot", "shot.csv:relevant")];
            let run = fixture.run();
            let arguments = ["train", "--task", &flu, "--task", &shot, "--epochs", "4", "--embedding-dim", "8"];
            let (code, _, errors) =
                mtlcore(&[&arguments[..], &["--units", "6", "--validation", "0.3", "--out", &run]].concat());
            assert_eq!(code, 0, "{errors}");
            fixture
        })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn run(&self) -> String {
        self.path("run").display().to_string()
    }

    fn task(&self, name: &str, file: &str) -> String {
        format!("{name}={}", self.path(file).display())
    }
}

fn json(arguments: &[&str]) -> Value {
    serde_json::from_str(&succeed(&[arguments, &["--format", "json"]].concat())).unwrap()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

fn assert_close(value: &Value, expected: f64) {
    assert!((number(value) - expected).abs() < 1e-12, "{value} is not {expected}");
}

/// The definitions, from (probability, label) pairs, one comparison at a time.
fn check_by_definition(metrics: &Value, predicted: &[(f64, bool)], threshold: f64) {
    let count = |decision: bool, label: bool| {
        predicted.iter().filter(|&&(p, y)| (p > threshold) == decision && y == label).count() as f64
    };
    let [tp, fp, fn_, tn] = [count(true, true), count(true, false), count(false, true), count(false, false)];
    for (name, expected) in [("tp", tp), ("fp", fp), ("fn", fn_), ("tn", tn)] {
        assert_close(&metrics["counts"][name], expected);
    }
    let n = predicted.len() as f64;
    let or_zero = |x: f64| if x.is_nan() { 0.0 } else { x };
    let (precision, recall) = (or_zero(tp / (tp + fp)), or_zero(tp / (tp + fn_)));
    let positives: Vec<f64> = predicted.iter().filter(|row| row.1).map(|row| row.0).collect();
    let negatives: Vec<f64> = predicted.iter().filter(|row| !row.1).map(|row| row.0).collect();
    let wins = |p: f64| {
        negatives
            .iter()
            .map(|&q| {
                if p > q {
                    1.0
                } else if p == q {
                    0.5
                } else {
                    0.0
                }
            })
            .sum::<f64>()
    };
    let auroc = positives.iter().map(|&p| wins(p)).sum::<f64>() / (positives.len() * negatives.len()) as f64;
    // The mean over true texts of the precision among all that rank as high.
    let precision_at = |p: f64| {
        let above = |of: &[f64]| of.iter().filter(|&&q| q >= p).count() as f64;
        above(&positives) / (above(&positives) + above(&negatives))
    };
    let average_precision = positives.iter().map(|&p| precision_at(p)).sum::<f64>() / positives.len() as f64;
    let given = |&(p, y): &(f64, bool)| if y { p } else { 1.0 - p };
    let mean = |loss: &dyn Fn(f64) -> f64| predicted.iter().map(given).map(loss).sum::<f64>() / n;
    for (name, expected) in [
        ("n", n),
        ("positives", positives.len() as f64),
        ("threshold", threshold),
        ("accuracy", (tp + tn) / n),
        ("precision", precision),
        ("recall", recall),
        ("f1", or_zero(2.0 * precision * recall / (precision + recall))),
        ("share_predicted_true", (tp + fp) / n),
        ("auroc", auroc),
        ("average_precision", average_precision),
        ("brier_score", mean(&|p| (1.0 - p).powi(2))),
        ("log_loss", mean(&|p| -p.clamp(f64::EPSILON, 1.0 - f64::EPSILON).ln())),
    ] {
        assert_close(&metrics[name], expected);
    }
}

/// (probability, label) of every row of a file, from what `predict` writes.
fn predicted(fixture: &Fixture, file: &str, task: &str, label: &str) -> Vec<(f64, bool)> {
    let output = succeed(&["predict", &fixture.run(), &fixture.path(file).display().to_string(), "--format", "jsonl"]);
    let row = |line: &str| {
        let row: Value = serde_json::from_str(line).unwrap();
        let p = number(&row[format!("{task}_probability")]);
        assert_eq!(row[format!("{task}_prediction")], u8::from(p > 0.5));
        (p, ["1", "yes"].contains(&row[label].as_str().unwrap()))
    };
    output.lines().map(row).collect()
}

#[test]
fn figures_on_files_are_those_of_the_predictions_and_of_their_definitions() {
    let fixture = Fixture::get();
    // The label column of `shot` is that of the run, unless said otherwise.
    let tasks = [fixture.task("shot", "shot.csv"), fixture.task("flu", "flu.tsv:label")];
    let manifest: Value = serde_json::from_slice(&fs::read(fixture.path("run/manifest.json")).unwrap()).unwrap();
    for threshold in [0.5, 0.42] {
        let report = json(&[
            "evaluate",
            &fixture.run(),
            "--task",
            &tasks[0],
            "--task",
            &tasks[1],
            "--threshold",
            &threshold.to_string(),
        ]);
        assert_eq!((&report["rows"]["kind"], &report["rows"]["count"]), (&Value::from("files"), &Value::from(240)));
        assert_eq!(report["tasks"].as_object().unwrap().keys().collect::<Vec<_>>(), ["flu", "shot"]);
        for (task, file, label) in [("flu", "flu.tsv", "label"), ("shot", "shot.csv", "relevant")] {
            let (figures, predicted) = (&report["tasks"][task], predicted(fixture, file, task, label));
            check_by_definition(&figures["model"], &predicted, threshold);
            let learnt = &manifest["tasks"][task];
            let prior = number(&learnt["train_positive"]) / number(&learnt["train"]);
            let constantly = |p: f64| predicted.iter().map(|&(_, label)| (p, label)).collect::<Vec<_>>();
            check_by_definition(&figures["majority"], &constantly(prior), 0.5);
            check_by_definition(&figures["always_true"], &constantly(1.0), 0.5);
            assert_close(&figures["share_true_in_training"], prior);
        }
    }
}

/// The held-out rows are found again: the figures are those that training wrote after the epoch that it kept, to the bit.
#[test]
fn held_out_rows_are_those_of_the_training() {
    let fixture = Fixture::get();
    let metrics = fs::read_to_string(fixture.path("run/metrics.jsonl")).unwrap();
    let manifest: Value = serde_json::from_slice(&fs::read(fixture.path("run/manifest.json")).unwrap()).unwrap();
    let kept = manifest["epochs"]["chosen"].as_u64().unwrap() as usize;
    let kept: Value = serde_json::from_str(metrics.lines().nth(kept - 1).unwrap()).unwrap();
    let report = json(&["evaluate", &fixture.run(), "--threads", "1"]);
    assert_eq!(report["rows"]["kind"], "held-out");
    let mut count = 0;
    for task in ["flu", "shot"] {
        assert_eq!(report["tasks"][task]["model"], kept["tasks"][task]["validation"]);
        count += report["tasks"][task]["model"]["n"].as_u64().unwrap();
    }
    assert_eq!(report["rows"]["count"], count);
    assert!(count > 60 && count < 84, "0.3 of 240 rows, not {count}");
}

/// On the held-out rows no threshold has a better F1; on others it is measured as any other.
#[test]
fn the_tuned_threshold_is_the_best_on_held_out_rows_and_is_measured_beside() {
    let fixture = Fixture::get();
    let manifest: Value = serde_json::from_slice(&fs::read(fixture.path("run/manifest.json")).unwrap()).unwrap();
    let held_out = json(&["evaluate", &fixture.run()]);
    let table = succeed(&["evaluate", &fixture.run()]);
    assert!(table.contains("which are these: it will do worse on others."), "{table}");
    for task in ["flu", "shot"] {
        let tuned = &held_out["tasks"][task]["tuned"];
        assert_eq!(tuned["threshold"], manifest["tasks"][task]["tuned_threshold"]);
        for threshold in (0..20).map(|i| (f64::from(i) / 20.0).to_string()) {
            let other = json(&["evaluate", &fixture.run(), "--threshold", &threshold]);
            assert_eq!(&other["tasks"][task]["tuned"], tuned);
            let f1 = &other["tasks"][task]["model"]["f1"];
            assert!(number(f1) <= number(&tuned["f1"]), "{task} at {threshold}: {f1} > {}", tuned["f1"]);
        }
    }
    let report = json(&["evaluate", &fixture.run(), "--task", &fixture.task("flu", "flu.tsv")]);
    let threshold = number(&manifest["tasks"]["flu"]["tuned_threshold"]);
    check_by_definition(&report["tasks"]["flu"]["tuned"], &predicted(fixture, "flu.tsv", "flu", "label"), threshold);
}

#[test]
fn the_table_says_what_was_measured_and_shows_both_baselines() {
    let fixture = Fixture::get();
    let flu = fixture.task("flu", "flu.tsv");
    let table = succeed(&["evaluate", &fixture.run(), "--task", &flu]);
    let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], [fixture.run().as_str(), "on", "150", "rows"]);
    assert_eq!(rows[1], ["150", "of", "150", "in", &flu["flu=".len()..], "(flu)"]);
    assert!(table.contains("Predicted true above 0.5"));
    let report = json(&["evaluate", &fixture.run(), "--task", &flu]);
    for (words, name) in
        [(&["flu", "model"][..], "model"), (&["majority"], "majority"), (&["always", "true"], "always_true")]
    {
        let line = rows.iter().find(|row| row.starts_with(words)).unwrap();
        let metrics = &report["tasks"]["flu"][name];
        let rates = ["accuracy", "precision", "recall", "f1", "average_precision", "auroc", "share_predicted_true"];
        let counts = ["tp", "fp", "fn", "tn"].map(|count| metrics["counts"][count].to_string());
        let mut expected = vec!["150".to_owned(), metrics["positives"].to_string()];
        expected.extend(rates.map(|rate| format!("{:.1}", 100.0 * number(&metrics[rate]))));
        expected.extend(counts);
        assert_eq!(line[words.len()..], expected, "{table}");
    }
    assert!(succeed(&["evaluate", &fixture.run()]).lines().next().unwrap().ends_with("rows that the run held out"));
}

#[test]
fn a_task_that_the_run_does_not_know_is_refused() {
    let fixture = Fixture::get();
    let message = fail(&["evaluate", &fixture.run(), "--task", &fixture.task("flue", "flu.tsv")]);
    let expected = "error: task `flue`: the run has no such task; its tasks are: flu, shot; did you mean `flu`?\n";
    assert_eq!(message, expected);
}

#[test]
fn a_threshold_that_is_no_share_is_refused() {
    let (code, _, errors) = mtlcore(&["evaluate", "run", "--threshold", "1.5"]);
    assert_eq!(code, 2);
    assert!(errors.contains("found \"1.5\", expected a number from 0 to 1"), "{errors}");
}

#[test]
fn nothing_held_out_is_an_error_that_says_what_to_do() {
    let fixture = Fixture::get();
    let run = fixture.path("nothing-held-out").display().to_string();
    let flu = fixture.task("flu", "flu.tsv");
    let arguments = ["train", "-q", "--task", &flu, "--epochs", "1", "--validation", "0", "--embedding-dim", "4"];
    succeed(&[&arguments[..], &["--out", &run]].concat());
    let message = fail(&["evaluate", &run]);
    assert_eq!(
        message,
        format!("error: {run}: it held no rows out; name files to measure it on with --task NAME=FILE\n")
    );
    let table = succeed(&["evaluate", &run, "--task", &flu]);
    assert!(table.contains("\nAll of these 150 rows were learnt from by the run: "), "{table}");
}

/// Of a file that the run learnt from, the rows that it held out are the new ones.
#[test]
fn rows_that_were_learnt_from_are_counted_apart() {
    let fixture = Fixture::get();
    let manifest: Value = serde_json::from_slice(&fs::read(fixture.path("run/manifest.json")).unwrap()).unwrap();
    let learnt = manifest["tasks"]["flu"]["train"].as_u64().unwrap();
    let arguments = ["evaluate", &fixture.run(), "--task", &fixture.task("flu", "flu.tsv")];
    let report = json(&arguments);
    assert_eq!(report["learnt_from"], learnt);
    let held_out = json(&["evaluate", &fixture.run()]);
    assert_eq!(held_out["learnt_from"], 0);
    for predictor in ["model", "tuned"] {
        assert_eq!(report["tasks"]["flu"]["new_rows"][predictor], held_out["tasks"]["flu"][predictor]);
    }
    let table = succeed(&arguments);
    assert!(table.contains(&format!("\n{learnt} of these 150 rows were learnt from by the run; ")), "{table}");

    fs::write(fixture.path("new.tsv"), "text\tlabel\nquite another text\t1\nand one more\t0\n").unwrap();
    let arguments = ["evaluate", &fixture.run(), "--task", &fixture.task("flu", "new.tsv")];
    assert_eq!(json(&arguments)["learnt_from"], 0);
    assert!(!succeed(&arguments).contains("learnt from"));
}

/// By definition, from what `predict` writes; the same run twice is a draw.
#[test]
fn two_runs_are_compared_on_the_same_rows() {
    let fixture = Fixture::get();
    let second = fixture.path("second").display().to_string();
    let tasks = [fixture.task("flu", "flu.tsv"), fixture.task("shot", "shot.csv:relevant")];
    let train = ["train", "-q", "--task", &tasks[0], "--task", &tasks[1], "--epochs", "3", "--embedding-dim", "5"];
    succeed(&[&train[..], &["--shared", "conv", "--validation", "0.3", "--out", &second]].concat());

    let flu = fixture.path("flu.tsv").display().to_string();
    let decisions = |run: &str| -> Vec<bool> {
        let output = succeed(&["predict", run, &flu, "--format", "jsonl", "--threshold", "0.45"]);
        let row = |line: &str| {
            let row: Value = serde_json::from_str(line).unwrap();
            (row["flu_prediction"] == 1) == (row["label"] == "1")
        };
        output.lines().map(row).collect()
    };
    let right: Vec<(bool, bool)> = decisions(&fixture.run()).into_iter().zip(decisions(&second)).collect();
    let count = |by: (bool, bool)| right.iter().filter(|&&row| row == by).count();
    let (b, c) = (count((true, false)), count((false, true)));
    let report =
        json(&["evaluate", &fixture.run(), &second, "--task", &tasks[0], "--threshold", "0.45"])["tasks"]["flu"].take();
    let test = &report["model"]["mcnemar"];
    for (name, expected) in [
        ("both_right", count((true, true))),
        ("only_first", b),
        ("only_second", c),
        ("both_wrong", count((false, false))),
    ] {
        assert_eq!(test[name], expected);
    }
    // Twice the lower tail of Binomial(b + c, 1/2).
    let choose = |n: usize, k: usize| (0..k).map(|i| (n - i) as f64 / (i + 1) as f64).product::<f64>();
    let tail: f64 = (0..=b.min(c)).map(|k| choose(b + c, k) * 0.5_f64.powi((b + c) as i32)).sum();
    assert!((number(&test["p"]) - (2.0 * tail).min(1.0)).abs() < 1e-9, "{test}");
    for (place, run) in [("first", fixture.run()), ("second", second.clone())] {
        let alone = json(&["evaluate", &run, "--task", &tasks[0], "--threshold", "0.45"]);
        assert_eq!(report["model"][place], alone["tasks"]["flu"]["model"]);
        assert_eq!(report["tuned"][place], alone["tasks"]["flu"]["tuned"]);
        assert_eq!(report["new_rows"][place], alone["tasks"]["flu"]["new_rows"]["model"]);
    }
    let f1 = |place: &str| number(&report["model"][place]["f1"]);
    assert_close(&report["model"]["difference"]["f1"], f1("second") - f1("first"));

    let same = json(&["evaluate", &fixture.run(), &fixture.run()]);
    assert_eq!(same["rows"]["kind"], "held-out");
    let task = &same["tasks"]["shot"]["model"];
    assert_eq!((&task["difference"]["f1"], &task["mcnemar"]["p"]), (&Value::from(0.0), &Value::from(1.0)));
    let table = succeed(&["evaluate", &fixture.run(), &second]);
    assert!(table.starts_with(&format!("A = {} and B = {second} on ", fixture.run())), "{table}");
}

/// The question that single-task twins are trained for.
#[test]
fn a_single_task_twin_is_compared_on_the_rows_that_both_held_out() {
    let fixture = Fixture::get();
    let [alone, other] = ["alone", "other"].map(|name| fixture.path(name).display().to_string());
    let train = |task: &str, out: &str| {
        let train = ["train", "-q", "--task", task, "--epochs", "1", "--embedding-dim", "5"];
        succeed(&[&train[..], &["--validation", "0.3", "--out", out]].concat());
    };
    train(&fixture.task("flu", "flu.tsv"), &alone);
    train(&fixture.task("shot", "shot.csv:relevant"), &other);
    let report = json(&["evaluate", &alone, &fixture.run()]);
    assert_eq!(report["tasks"].as_object().unwrap().keys().collect::<Vec<_>>(), ["flu"]);
    let rows = report["rows"]["count"].as_u64().unwrap();
    assert!(rows > 0 && report["tasks"]["flu"]["model"]["first"]["n"] == rows);
    assert_eq!(report["runs"][0]["learnt_from"], 0);
    assert_eq!(report["runs"][1]["learnt_from"], 0);
    let message = fail(&["evaluate", &alone, &other]);
    assert!(message.starts_with("error: no row was held out by both runs; name files"), "{message}");
}

#[test]
fn files_that_have_changed_or_gone_are_named() {
    let fixture = Fixture::get();
    let run = fixture.path("changed").display().to_string();
    fs::copy(fixture.path("flu.tsv"), fixture.path("changing.tsv")).unwrap();
    let flu = fixture.task("flu", "changing.tsv");
    succeed(&["train", "-q", "--task", &flu, "--epochs", "1", "--embedding-dim", "4", "--out", &run]);
    let refused = |what: &str| {
        let message = fail(&["evaluate", &run]);
        let again = "error: the rows that the run held out cannot be read again; name files with --task NAME=FILE: ";
        assert!(message.starts_with(again) && message.contains(what), "{message}");
    };
    let mut content = fs::read_to_string(fixture.path("changing.tsv")).unwrap();
    content.push_str("one more\t1\n");
    fs::write(fixture.path("changing.tsv"), content).unwrap();
    refused("changing.tsv: it is not what it was when the run began");
    fs::remove_file(fixture.path("changing.tsv")).unwrap();
    refused("changing.tsv: No such file");
}

#[test]
fn the_simulated_pair_is_held_out_again() {
    let directory = tempfile::tempdir().unwrap();
    let run = directory.path().join("run").display().to_string();
    let (code, ..) = mtlcore(&["train", "--epochs", "1", "--out", &run]);
    assert_eq!(code, 0);
    let metrics: Value = serde_json::from_slice(&fs::read(Path::new(&run).join("metrics.jsonl")).unwrap()).unwrap();
    let report = json(&["evaluate", &run]);
    for task in ["task_a", "task_b"] {
        assert_eq!(report["tasks"][task]["model"], metrics["tasks"][task]["validation"]);
    }
}
