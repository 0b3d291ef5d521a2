//! `mtlcore study` as a user meets it.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
    thread,
    time::Duration,
};

const SMALL: [&str; 14] = [
    "study", "--scale", "0.02", "--folds", "3", "--seeds", "1", "--epochs", "2", "--units", "5", "--shared", "conv",
    "--out",
];

fn mtlcore(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mtlcore"));
    command.current_dir(directory).args(arguments).env_remove("RUST_BACKTRACE");
    command
}

fn small(directory: &Path, out: &str) -> Command {
    let mut command = mtlcore(directory, &SMALL);
    command.arg(out);
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn assert_success(output: &Output) {
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
}

#[test]
fn a_study_prints_a_table_and_a_sentence_for_each_pair() {
    let directory = tempfile::tempdir().unwrap();
    let output = small(directory.path(), "s").args(["--controls", "masked", "--seed", "3"]).output().unwrap();
    assert_success(&output);
    let shown = text(&output.stdout);
    for pair in ["influenza and symptoms", "drug-use and vaccine-use", "intent and relevance"] {
        assert!(shown.contains(&format!("{pair} (")), "{shown}");
    }
    for word in ["verdict", "Δ", "95 %", "alone", "together", "(n-grams)", "(always true)", "It rests on", "Holm"] {
        assert!(shown.contains(word), "{word}\n{shown}");
    }
    for task in ["influenza", "symptoms", "drug-use", "vaccine-use", "intent", "relevance"] {
        assert!(shown.contains(&format!("\n{task}: ")), "an answer for {task}\n{shown}");
    }
    assert!(shown.lines().all(|line| line.chars().count() <= 80), "within 80 columns\n{shown}");
    assert!(!shown.contains(" -0.") && !shown.contains(" -1"), "minus signs are minus signs\n{shown}");
    for file in ["study.toml", "manifest.json", "results.json", "results.csv", "units"] {
        assert!(directory.path().join("s").join(file).exists(), "{file}");
    }
    let rows = fs::read_to_string(directory.path().join("s/results.csv")).unwrap();
    // 3 pairs of 2 tasks, 3 arms, 3 folds, 2 thresholds.
    assert_eq!(rows.lines().count(), 1 + 3 * 2 * 3 * 3 * 2);
    let manifest: serde_json::Value =
        serde_json::from_slice(&fs::read(directory.path().join("s/manifest.json")).unwrap()).unwrap();
    for fold in manifest["pairs"]["simulated-1"]["folds"].as_array().unwrap() {
        assert_eq!(fold["test_rows_used_before"], 0);
    }
}

/// Balancing methods are more arms of a study that is there already: what is finished stays, to the byte.
#[test]
fn balancing_methods_are_added_to_a_finished_study() {
    let directory = tempfile::tempdir().unwrap();
    assert_success(&small(directory.path(), "s").output().unwrap());
    let files = || -> Vec<(String, Vec<u8>)> {
        let entries = fs::read_dir(directory.path().join("s/units")).unwrap().map(|entry| entry.unwrap());
        entries.map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())).collect()
    };
    let before = files();
    assert_success(&small(directory.path(), "s").args(["--balance", "pcgrad,random"]).output().unwrap());
    let after = files();
    assert!(before.iter().all(|file| after.contains(file)));
    // 3 pairs, 3 folds, 2 methods.
    assert_eq!(after.len(), before.len() + 3 * 3 * 2);
    let results: serde_json::Value =
        serde_json::from_slice(&fs::read(directory.path().join("s/results.json")).unwrap()).unwrap();
    let balanced = &results["pairs"][0]["layers"][0]["tasks"][0]["balanced"];
    assert_eq!([&balanced[0]["balance"], &balanced[1]["balance"]], ["pcgrad", "random"]);
    assert!(fs::read_to_string(directory.path().join("s/report.md")).unwrap().contains("## Balancing"));
    let refused = small(directory.path(), "s").args(["--balance", "equal"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
}

#[test]
fn the_written_study_file_is_the_study() {
    let directory = tempfile::tempdir().unwrap();
    assert_success(&small(directory.path(), "s").output().unwrap());
    let again = mtlcore(directory.path(), &["study", "s/study.toml"]).output().unwrap();
    assert_success(&again);
    let other = mtlcore(directory.path(), &["study", "s/study.toml", "--seed", "2"]).output().unwrap();
    assert_eq!(other.status.code(), Some(1));
    assert_eq!(
        text(&other.stderr).lines().last().unwrap(),
        "error: s/study.toml: a study of other settings: `seed` is 1 there and 2 here; choose another --out, or replace \
         it with --force"
    );
}

/// A study in the place of another one: what mtlcore made goes, what somebody else put there stays.
#[test]
fn force_replaces_a_study_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    assert_success(&small(directory.path(), "s").output().unwrap());
    assert_success(&mtlcore(directory.path(), &["errors", "s"]).output().unwrap());
    let units = |out: &str| {
        let names = fs::read_dir(path(out).join("units")).unwrap().map(|entry| entry.unwrap().file_name());
        names.collect::<std::collections::BTreeSet<_>>()
    };
    for mine in ["s/notes.txt", "s/units/notes.json", "s/errors.csv"] {
        fs::write(path(mine), "mine").unwrap();
    }
    let other = |out: &str| {
        let mut command = small(directory.path(), out);
        command.args(["--seed", "2"]);
        command
    };
    let refused = other("s").output().unwrap();
    let error = text(&refused.stderr);
    assert!(error.ends_with("choose another --out, or replace it with --force\n"), "{error}");
    assert_success(&other("s").arg("--force").output().unwrap());
    for mine in ["s/notes.txt", "s/units/notes.json", "s/errors.csv"] {
        assert_eq!(fs::read_to_string(path(mine)).unwrap(), "mine", "{mine}");
    }
    assert_success(&other("t").output().unwrap());
    let mut replaced = units("s");
    assert!(replaced.remove(std::ffi::OsStr::new("notes.json")));
    assert_eq!(replaced, units("t"), "no unit of the old study is left");
    assert_eq!(fs::read(path("s/results.json")).unwrap(), fs::read(path("t/results.json")).unwrap());

    // A folder with a study.toml of somebody's own, a run, and a study whose new data cannot be read.
    fs::create_dir(path("own")).unwrap();
    fs::write(path("own/study.toml"), "seed = 3\n").unwrap();
    let train = ["train", "--epochs", "1", "--shared", "conv", "--out", "run"];
    assert_success(&mtlcore(directory.path(), &train).output().unwrap());
    for (out, more, message) in [
        ("own", &[][..], "error: own: it exists and is no study of mtlcore, so --force does not replace it\n"),
        ("run", &[], "error: run: it exists and is no study of mtlcore, so --force does not replace it\n"),
        ("s", &["--task", "a=a.tsv", "--task", "b=b.tsv"], "error: a.tsv: No such file or directory (os error 2)\n"),
    ] {
        let names = || {
            let entries = fs::read_dir(path(out)).unwrap().map(|entry| entry.unwrap());
            entries.map(|entry| (entry.file_name(), fs::read(entry.path()).ok())).collect::<Vec<_>>()
        };
        let before = names();
        let refused = small(directory.path(), out).arg("--force").args(more).output().unwrap();
        assert_eq!((refused.status.code(), text(&refused.stderr).ends_with(message)), (Some(1), true), "{refused:?}");
        assert_eq!(names(), before);
    }
}

#[test]
fn what_is_no_study_says_what_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let train = ["train", "--epochs", "1", "--shared", "conv", "--out", "run"];
    assert_success(&mtlcore(directory.path(), &train).output().unwrap());
    fs::create_dir(directory.path().join("empty")).unwrap();
    let run = "error: run: it is a run, not a study: `mtlcore evaluate run`, `mtlcore predict run FILE` and \
               `mtlcore explain run \"a text\"` read it";
    for (words, message) in [
        (&["report", "run"][..], run),
        (&["errors", "run"], run),
        (&["study", "run"], run),
        (&["report", "empty"], "error: empty: it is no study: it has no study.toml"),
        (&["errors", "nowhere"], "error: nowhere: there is no such study"),
    ] {
        let output = mtlcore(directory.path(), words).output().unwrap();
        assert_eq!((output.status.code(), text(&output.stderr).trim_end()), (Some(1), message), "{words:?}");
    }
    let plan = small(directory.path(), "s").args(["--plan"]).output().unwrap();
    assert_success(&plan);
}

/// The demonstration has a directory of its own, so that it is not in the way of a study of one's own data.
#[test]
fn a_study_of_own_data_does_not_meet_the_demonstration() {
    let directory = tempfile::tempdir().unwrap();
    let row = |i: usize| format!("word {}\t{}\n", "a".repeat(i + 1).replace("aa", "ab"), i % 2);
    let rows = "text\tlabel\n".to_owned() + &(0..40).map(row).collect::<String>();
    fs::write(directory.path().join("a.tsv"), rows).unwrap();
    let small = &SMALL[..SMALL.len() - 1];
    assert_success(&mtlcore(directory.path(), small).output().unwrap());
    let tasks = ["--task", "a=a.tsv", "--task", "b=a.tsv"];
    assert_success(&mtlcore(directory.path(), small).args(tasks).output().unwrap());
    for out in ["demonstration", "study"] {
        assert!(directory.path().join(out).join("report.html").exists(), "{out}");
    }
}

#[test]
fn bad_input_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let rows = |positives: usize| -> String {
        let row = |i: usize| format!("word {}\t{}\n", "a".repeat(i + 1).replace("aa", "ab"), u8::from(i < positives));
        "text\tlabel\n".to_owned() + &(0..40).map(row).collect::<String>()
    };
    fs::write(directory.path().join("a.tsv"), rows(20)).unwrap();
    fs::write(directory.path().join("b.tsv"), rows(4)).unwrap();
    fs::write(directory.path().join("one.toml"), "[[pair]]\nname = 'p'\n[[pair.task]]\nname = 'a'\nfile = 'a.tsv'\n")
        .unwrap();
    fs::create_dir(directory.path().join("full")).unwrap();
    fs::write(directory.path().join("full/thesis.txt"), "mine").unwrap();
    for (arguments, message) in [
        (
            &["--task", "a=a.tsv", "--task", "b=b.tsv"][..],
            "error: task `b`: 4 true rows are too few for 10 folds, each of which tests one; say --folds 4 or fewer",
        ),
        (&["--task", "a=a.tsv"], "error: `pair`: `a` has one task, `a`; to learn together takes two or more"),
        (&["one.toml"], "error: `pair`: `p` has one task, `a`; to learn together takes two or more"),
        (&["--out", "full"], "error: full: it exists and is no study of mtlcore; choose another --out"),
    ] {
        let output = mtlcore(directory.path(), &["study"]).args(arguments).output().unwrap();
        assert_eq!((output.status.code(), text(&output.stderr).lines().last()), (Some(1), Some(message)));
    }
    let output = mtlcore(directory.path(), &["study", "--folds", "1"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}

/// Killed twenty times, with one, two and four threads, a study of two trainings a fold ends with the bits of one left alone.
#[test]
#[cfg(unix)]
fn killing_it_loses_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let start = |out: &str, threads: &str| {
        let two_seeds = SMALL.map(|argument| if argument == "1" { "2" } else { argument });
        let mut command = mtlcore(directory.path(), &two_seeds);
        command.args([out, "--threads", threads]);
        command
    };
    let result = |out: &str| fs::read(directory.path().join(out).join("results.json")).unwrap();
    assert_success(&start("whole", "2").output().unwrap());
    for threads in ["1", "2", "4"] {
        let out = format!("killed-{threads}");
        let units = || fs::read_dir(directory.path().join(&out).join("units")).map_or(0, Iterator::count);
        let mut stops_between_units = 0;
        for milliseconds in (0..20).map(|i| 5 + i * 37 % 100) {
            let quiet = std::process::Stdio::null;
            let before = units();
            let mut child = start(&out, threads).stdout(quiet()).stderr(quiet()).spawn().unwrap();
            thread::sleep(Duration::from_millis(milliseconds));
            child.kill().unwrap();
            child.wait().unwrap();
            stops_between_units += usize::from(units() > before);
        }
        println!("{threads} threads: {stops_between_units} of 20 kills came after a unit");
        assert_success(&start(&out, threads).output().unwrap());
        assert!(result("whole") == result(&out), "{threads} threads");
    }
}

#[test]
fn two_processes_share_the_work() {
    let directory = tempfile::tempdir().unwrap();
    assert_success(&small(directory.path(), "whole").output().unwrap());
    let mut both = [0, 1].map(|_| small(directory.path(), "both").stdout(std::process::Stdio::null()).spawn().unwrap());
    for child in &mut both {
        assert!(child.wait().unwrap().success());
    }
    let result = |out: &str| fs::read(directory.path().join(out).join("results.json")).unwrap();
    assert!(result("whole") == result("both"));
}

/// Ctrl-C: exit code 130, a word how to go on, nothing half-written.
#[test]
#[cfg(unix)]
fn ctrl_c_says_how_to_go_on() {
    let directory = tempfile::tempdir().unwrap();
    let long = SMALL.map(|argument| if argument == "2" { "500" } else { argument });
    let mut child = mtlcore(directory.path(), &long).arg("s").stderr(std::process::Stdio::piped()).spawn().unwrap();
    while !directory.path().join("s/units").exists() {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it began");
        thread::sleep(Duration::from_millis(20));
    }
    thread::sleep(Duration::from_millis(300));
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert!(text(&output.stderr).ends_with(
        "Stopped; finished units are kept, and begun ones go on where they were. The same command goes on.\n"
    ));
    for unit in fs::read_dir(directory.path().join("s/units")).unwrap() {
        let path = unit.unwrap().path();
        let is_whole = |extension| extension == "json" || extension == "partial";
        assert!(path.extension().is_some_and(is_whole), "{}", path.display());
    }
}

/// A log shows how far a study is: lines without carriage returns, not one a unit, and none with `--quiet`.
#[test]
fn progress_is_plain_lines_where_there_is_no_terminal() {
    let place = crate::common::Place::new(&[]);
    let small = "study --scale 0.02 --folds 3 --seeds 1 --epochs 1 --shared conv";
    let told = |words: &str| {
        let output = place.run(words);
        assert_eq!(output.code, Some(0), "{output:?}");
        assert!(!output.stderr.contains('\r'), "{output:?}");
        let lines = output.stderr.lines().filter(|line| line.contains(" of 45 units")).count();
        (lines, output.stderr)
    };
    let (lines, errors) = told(&format!("{small} -o a"));
    assert!((5..=20).contains(&lines) && errors.ends_with("45 of 45 units\n"), "{errors}");
    assert_eq!(told(&format!("{small} -o b --quiet")), (0, String::new()));
    assert!(told(&format!("{small} -o c --verbose --threads 1")).0 >= 40);
}
