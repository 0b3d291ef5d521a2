//! Learning from real posts: every model must beat the answer "always true" on rows that it has not seen.
//!
//! The posts are third parties' and not part of the project: `MTLCORE_DATA` names a directory with `phm_reddit.tsv` and
//! `phm_forum.tsv` (one label each), `crisis_related_informative.tsv` (both labels) and `glove.twitter.25d.subset.txt`. So these tests are ignored unless asked for:
//! `MTLCORE_DATA=… cargo test --test program real_data -- --ignored`.

use std::{env, fs, path::Path};

use assert_cmd::Command;

/// Long enough for the share predicted true to settle (after one epoch it may still be anything), and no longer.
const EPOCHS: [(&str, usize); 3] = [("bilstm", 3), ("conv", 10), ("bilstm-conv", 3)];

/// Trains each shared layer on both tasks together and on each alone.
fn beats_always_true(tasks: [&str; 2]) {
    let data = env::var_os("MTLCORE_DATA").expect("MTLCORE_DATA names the directory of the real posts");
    let mut failures = Vec::new();
    for (shared, epochs) in EPOCHS {
        for tasks in [&tasks[..], &tasks[..1], &tasks[1..]] {
            for (task, f1, always_true) in trained(Path::new(&data), tasks, shared, epochs) {
                let line =
                    format!("{shared}, {} task(s), {task}: F1 {f1:.3}, always true {always_true:.3}", tasks.len());
                println!("{line}");
                if f1 <= always_true {
                    failures.push(line);
                }
            }
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

/// Each task's name, its F1 on the held-out rows after the last epoch, and that of always-true there.
fn trained(data: &Path, tasks: &[&str], shared: &str, epochs: usize) -> Vec<(String, f64, f64)> {
    let run = tempfile::tempdir().unwrap();
    let mut command = Command::cargo_bin("mtlcore").unwrap();
    command.current_dir(data).args(["train", "--vectors", "glove.twitter.25d.subset.txt", "--shared", shared]);
    command.args(["--epochs", &epochs.to_string(), "--out"]).arg(run.path());
    for task in tasks {
        command.args(["--task", task]);
    }
    command.assert().success();
    let metrics = fs::read_to_string(run.path().join("metrics.jsonl")).unwrap();
    let last: serde_json::Value = serde_json::from_str(metrics.lines().last().unwrap()).unwrap();
    let of_task = |(name, report): (&String, &serde_json::Value)| {
        let number = |field: &str| report["validation"][field].as_f64().unwrap();
        // Precision is the share of true ones, recall is 1.
        let always_true = 2.0 * number("positives") / (number("n") + number("positives"));
        (name.clone(), number("f1"), always_true)
    };
    last["tasks"].as_object().unwrap().iter().map(of_task).collect()
}

#[test]
#[ignore = "needs MTLCORE_DATA"]
fn two_sources_with_one_label_each() {
    beats_always_true(["reddit=phm_reddit.tsv:label", "forum=phm_forum.tsv:label"]);
}

#[test]
#[ignore = "needs MTLCORE_DATA"]
fn one_source_with_both_labels() {
    beats_always_true(["related=crisis_related_informative.tsv", "informative=crisis_related_informative.tsv"]);
}
