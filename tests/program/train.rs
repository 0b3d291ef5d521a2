//! `mtlcore train` where something is wrong: each message says what and where, and nothing is lost.
#![cfg(unix)]

use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::common::{Place, finished, output};
use safetensors::SafeTensors;

/// Forty posts that are easy to tell apart.
fn posts() -> String {
    let post = |i: usize| {
        let (word, label) = if i.is_multiple_of(2) { ("fever", 1) } else { ("sunshine", 0) };
        let letter = char::from(b'a' + i as u8 / 2);
        format!("{word} number {letter} is here\t{label}\n")
    };
    "text\tflu\n".to_owned() + &(0..40).map(post).collect::<String>()
}

/// Trains in no time.
const TINY: &str = "units = 2\nfilters = 2\nembedding-dim = 3\nbatch = 8\n[[task]]\nname = 'flu'\nfile = 'flu.tsv'\n";
const TRAIN: &str = "train tiny.toml";

/// A directory with these files beside the configuration.
fn place(files: &[(&str, &[u8])]) -> Place {
    Place::new(&[files, &[("tiny.toml", TINY.as_bytes())]].concat())
}

/// What `mtlcore train` says in refusing; it leaves no run behind.
fn refusal(files: &[(&str, &[u8])], words: &str) -> String {
    let place = place(files);
    let output = place.run(words);
    assert_eq!((output.code, output.stdout.as_str()), (Some(1), ""), "{output:?}");
    assert!(!place.path("run").exists());
    let message = output.stderr.strip_prefix("error: ").expect("an error").strip_suffix('\n').expect("one line");
    assert!(!message.contains('\n'), "{message}");
    message.to_owned()
}

#[test]
fn bad_rows_are_named() {
    assert_eq!(refusal(&[], TRAIN), "flu.tsv: No such file or directory (os error 2)");
    for (content, message) in [
        (&b""[..], "flu.tsv: the file is empty"),
        (b"text\tflu\n", "flu.tsv: there is a header but no row"),
        (
            b"id\tbody\tflu\n1\tx\t1\n",
            "flu.tsv: no column \"text\"; the columns are: id, body, flu; say --text-column NAME",
        ),
        (
            b"text\ty\nx\t1\n",
            "flu.tsv: no column \"flu\" or \"label\"; the columns are: text, y; say --task NAME=FILE:LABEL_COLUMN",
        ),
        (b"text\tflu\nx\t1\ny\n", "flu.tsv:3: found 1 fields, expected 2"),
        (b"text\tflu\nx\t1\ny\t1\n", "task `flu`: all 2 labelled rows are true, expected both classes"),
        (
            b"text\tflu\nx\t1\ny\t0\n",
            "task `flu`: no true row would be held out: found 1, in too few distinct texts (or groups), which are never parted; \
             --validation 0 holds no rows out",
        ),
    ] {
        assert_eq!(refusal(&[("flu.tsv", content)], TRAIN), message);
    }
    for (content, start) in [
        (
            &b"text\tflu\nx\t1\ny\tyep\n"[..],
            "flu.tsv:3: label \"yep\" in column \"flu\": expected 1, true, yes or 0, false",
        ),
        (b"text\tflu\nx\xff\t1\n", "flu.tsv:2: not UTF-8 after 1 bytes"),
        (b"text\tflu\nx\0\t1\n", "flu.tsv:2: a NUL byte at byte 2 of the line"),
    ] {
        let message = refusal(&[("flu.tsv", content)], TRAIN);
        assert!(message.starts_with(start), "{message}");
    }
}

#[test]
fn bad_arguments_are_named() {
    let posts = posts();
    let files: &[(&str, &[u8])] = &[
        ("flu.tsv", posts.as_bytes()),
        ("c.toml", b"seed = 3\nepoch = 4\n"),
        ("v.txt", b"fever 1 2\nsunshine 1\nnumber 1 2\n"),
    ];
    for (words, message) in [
        ("--task flu=flu.tsv --task flu=other.tsv", "task `flu`: two tasks have this name; each needs its own"),
        ("--vectors v.txt", "v.txt:2: found 1 numbers, expected 2"),
        ("--vectors none.txt", "none.txt: No such file or directory (os error 2)"),
        (
            "--patience 2 --validation 0",
            "`patience`: stopping early needs held-out rows, and `validation` is 0; 0 runs all epochs",
        ),
        ("--out flu.tsv/run", "flu.tsv/run: Not a directory (os error 20)"),
    ] {
        assert_eq!(refusal(files, &format!("{TRAIN} {words}")), message);
    }
    let message = "c.toml:2: `epoch`: unknown field; the nearest known one is `epochs`";
    assert_eq!(refusal(files, "train c.toml"), message);
    assert_eq!(refusal(&[], "train --resume run"), "run: there is no such run: it has no manifest.json");
    let place = place(files);
    assert_eq!(place.run("train --resume run --epochs 3").code, Some(2));
}

/// What a launcher says of its processes. One of them speaks for all.
#[test]
#[cfg(not(feature = "mpi"))]
fn copies_that_a_launcher_started_are_refused() {
    let message = "error: 4 copies of mtlcore would train the same model into one directory; build with --features mpi, or start one\n";
    for variables in [
        [("OMPI_COMM_WORLD_SIZE", "4"), ("OMPI_COMM_WORLD_RANK", "0")],
        [("PMI_SIZE", "4"), ("PMI_RANK", "0")],
        [("SLURM_STEP_NUM_TASKS", "4"), ("SLURM_PROCID", "0")],
    ] {
        let place = place(&[("flu.tsv", posts().as_bytes())]);
        let run = |rank: &str| {
            let mut command = place.command(TRAIN);
            command.envs(variables).env(variables[1].0, rank);
            finished(command)
        };
        let first = run("0");
        assert_eq!((first.code, first.stderr.as_str()), (Some(1), message), "{first:?}");
        let other = run("3");
        assert_eq!((other.code, other.stderr.as_str()), (Some(0), ""), "{other:?}");
        assert!(!place.path("run").exists());
    }
    // In the batch script of a job with four tasks there is one process.
    let place = place(&[("flu.tsv", posts().as_bytes())]);
    let mut command = place.command(TRAIN);
    command.env("SLURM_NTASKS", "4").env("OMPI_COMM_WORLD_SIZE", "1");
    assert_eq!(finished(command).code, Some(0));
}

fn trained(place: &Place, words: &str) {
    let output = place.run(&format!("--quiet {words}"));
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
    assert!(output.stdout.contains("the run is in "), "{output:?}");
}

/// A line an epoch, so that a log of a training that runs for hours is not empty until its end.
#[test]
fn every_epoch_is_told_with_both_losses_and_the_best_one() {
    let place = place(&[("flu.tsv", posts().as_bytes())]);
    let output = place.run(&format!("{TRAIN} --epochs 6 --patience 0"));
    assert_eq!(output.code, Some(0), "{output:?}");
    assert!(!output.stderr.contains('\r'), "{output:?}");
    let [_, metrics] = place.result("run");
    let lines: Vec<&str> = output.stderr.lines().collect();
    let reports = String::from_utf8(metrics).unwrap();
    assert_eq!((lines.len(), reports.lines().count()), (6, 6));
    let mut best = (0, f64::INFINITY);
    for ((epoch, line), report) in (1..).zip(lines).zip(reports.lines()) {
        let report: serde_json::Value = serde_json::from_str(report).unwrap();
        let task = &report["tasks"]["flu"];
        let (loss, held_out) = (task["loss"].as_f64().unwrap(), task["validation"]["log_loss"].as_f64().unwrap());
        let is_best = held_out < best.1;
        best = if is_best { (epoch, held_out) } else { best };
        let best = if is_best { "the best so far".to_owned() } else { format!("the best is epoch {}", best.0) };
        let expected = format!("epoch {epoch} of 6: loss flu {loss:.4} (held out {held_out:.4}); {best}");
        assert!(line.starts_with(&expected), "{line}\n{expected}");
        assert_eq!(line.ends_with(" left"), epoch < 6, "{line}");
    }
    assert!(
        output.stdout.contains(&format!("\nKept epoch {} of 6, where the held-out loss is the smallest; ", best.0))
    );

    let last = place.run(&format!("{TRAIN} --epochs 2 --keep last --validation 0 --force"));
    assert!(last.stderr.starts_with("No rows are held out, so nothing tells which epoch is the best: all 2 are run"));
    assert!(last.stdout.contains("\nKept epoch 2 of 2, the last; "), "{}", last.stdout);
}

/// Two at once would mix their files: the settings of one beside the parameters of the other.
#[test]
fn one_process_trains_in_a_directory() {
    let place = place(&[("flu.tsv", posts().as_bytes())]);
    let mut child = place.started(&format!("{TRAIN} --epochs 1000000 --patience 0 -q"));
    let refusal = "error: run: another process trains there; wait for its end, or choose another --out\n";
    for words in [&format!("{TRAIN} --force --seed 2"), "train --resume run"] {
        let output = place.run(words);
        assert_eq!((output.code, output.stderr.as_str()), (Some(1), refusal), "{words}");
    }
    assert_eq!(child.try_wait().unwrap(), None, "it goes on");
    child.kill().unwrap();
    child.wait().unwrap();
    // The claim of a process that was killed stands for nothing.
    assert!(place.path("run/training.claim").exists());
    trained(&place, &format!("{TRAIN} --force"));
    assert!(!place.path("run/training.claim").exists());
}

#[test]
fn what_is_no_run_is_never_replaced() {
    let place = place(&[("flu.tsv", posts().as_bytes())]);
    let study: &[(&str, &str)] = &[("study.toml", "seed = 1\n"), ("manifest.json", "{}")];
    let extension = &[("manifest.json", "{}"), ("config.toml", "mine = 1\n")];
    let notes = &[("notes.md", "mine\n")];
    for (name, files) in [("study", study), ("extension", extension), ("notes", notes)] {
        fs::create_dir(place.path(name)).unwrap();
        files.iter().for_each(|(file, content)| fs::write(place.path(name).join(file), content).unwrap());
        let before = place.files(name);
        let refused = place.run(&format!("{TRAIN} --out {name} --force"));
        let message = format!("error: {name}: it exists and is no run of mtlcore, so --force does not replace it\n");
        assert_eq!((refused.code, refused.stderr), (Some(1), message));
        let refused = place.run(&format!("{TRAIN} --out {name}"));
        let message = format!("error: {name}: it exists already and is no run of mtlcore; choose another --out\n");
        assert_eq!((refused.code, refused.stderr), (Some(1), message));
        assert_eq!(place.files(name), before);
    }
    // A study with a manifest that would pass for a run's is a study all the same.
    trained(&place, TRAIN);
    fs::copy(place.path("run/manifest.json"), place.path("study/manifest.json")).unwrap();
    assert_eq!(place.run(&format!("{TRAIN} --out study --force")).code, Some(1));
    let message = "error: study: it is a study, not a run: `mtlcore report study` and `mtlcore errors study` read it\n";
    for words in ["predict study", "evaluate study", "train --resume study"] {
        assert_eq!(place.run(words).stderr, message);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_claim_never_empties_a_file_behind_a_link() {
    let place = place(&[("flu.tsv", posts().as_bytes()), ("precious.txt", b"mine")]);
    fs::create_dir(place.path("run")).unwrap();
    std::os::unix::fs::symlink(place.path("precious.txt"), place.path("run/training.claim")).unwrap();
    let output = place.run(TRAIN);
    assert_eq!(output.code, Some(1));
    assert!(output.stderr.starts_with("error: run/training.claim: it is a link"), "{output:?}");
    assert_eq!(fs::read(place.path("precious.txt")).unwrap(), b"mine");
    assert_eq!(place.files("run").len(), 1);
}

#[test]
fn quiet_is_silent_and_verbose_says_what_is_learnt_from() {
    let place = place(&[("flu.tsv", posts().as_bytes())]);
    trained(&place, TRAIN);
    for words in ["-v train tiny.toml --out v1", "train tiny.toml --out v2 --verbose"] {
        let output = place.run(words);
        assert!(
            output.stderr.contains("flu: 32 rows (16 true) to learn from, 8 rows (4 true) held out\n"),
            "{output:?}"
        );
    }
    assert_eq!(place.run("train tiny.toml -q -v").code, Some(2));
    // Errors and how to go on are no notes.
    assert!(place.run("train none.toml -q").stderr.starts_with("error: none.toml: "));
}

#[test]
fn an_empty_text_is_learnt_from() {
    let posts = posts() + "\t0\n\t1\n";
    let place = place(&[("flu.tsv", posts.as_bytes())]);
    for shared in ["bilstm", "conv", "bilstm-conv"] {
        trained(&place, &format!("{TRAIN} --shared {shared} --validation 0 --force"));
        assert_eq!(place.manifest("run")["tasks"]["flu"]["train"], 42);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_text_of_a_hundred_thousand_tokens_is_learnt_from() {
    let long: String = (0..100_000).map(|i| format!("word{} ", i % 1000)).collect();
    let posts = format!("{}{long}\t1\n", posts());
    let place = place(&[("flu.tsv", posts.as_bytes())]);
    for shared in ["bilstm", "conv", "bilstm-conv"] {
        let begun = Instant::now();
        let train = place.command(&format!("{TRAIN} --shared {shared} --validation 0 --epochs 1 --threads 2 --force"));
        let output = finished(with_limit("-v 1500000", &train)); // KiB
        assert_eq!(output.code, Some(0), "{shared}: {output:?}");
        assert!(begun.elapsed() < Duration::from_secs(20), "{shared}: {:?}", begun.elapsed());
    }
}

/// The command under a limit of the shell's `ulimit`. A file that grows too large is an error then, and not a signal.
fn with_limit(limit: &str, command: &Command) -> Command {
    let mut limited = Command::new("sh");
    limited.args(["-c", &format!("trap '' XFSZ; ulimit {limit}; exec \"$@\""), "sh"]);
    limited.arg(command.get_program()).args(command.get_args());
    limited.current_dir(command.get_current_dir().unwrap());
    limited
}

#[test]
fn validation_rows_may_be_given_or_left_out() {
    let posts = posts();
    let config = "[[task]]\nname = 'flu'\nfile = 'flu.tsv'\nvalidation = 'new.tsv'\n";
    let new = "text\tflu\nmuch fever\t1\nmuch sunshine\t0\nfever again\t1\n";
    let files = [("flu.tsv", posts.as_bytes()), ("new.tsv", new.as_bytes()), ("c.toml", config.as_bytes())];
    let place = place(&files);
    let counts = |run: &str| {
        let task = &place.manifest(run)["tasks"]["flu"];
        ["train", "train_positive", "held_out", "held_out_positive"].map(|count| task[count].as_u64().unwrap())
    };
    let small = "--units 2 --embedding-dim 3 --epochs 2";
    trained(&place, &format!("train c.toml {small} --out given"));
    assert_eq!(counts("given"), [40, 20, 3, 2]);
    trained(&place, &format!("train c.toml {small} --validation 0 --patience 1 --out alone"));
    assert_eq!(counts("alone"), [40, 20, 3, 2]);
    trained(&place, &format!("{TRAIN} --validation 0 --out none"));
    assert_eq!(counts("none"), [40, 20, 0, 0]);
    let metrics = String::from_utf8(place.files("none").remove("metrics.jsonl").unwrap()).unwrap();
    let line: serde_json::Value = serde_json::from_str(metrics.lines().next().unwrap()).unwrap();
    assert!(line["tasks"]["flu"]["validation"].is_null() && line["tasks"]["flu"]["loss"].is_f64(), "{line}");
}

#[test]
fn only_force_replaces_a_run_and_only_the_run() {
    let place = place(&[("flu.tsv", posts().as_bytes())]);
    trained(&place, TRAIN);
    let before = place.files("run");

    let output = place.run(&format!("{TRAIN} --seed 2"));
    assert_eq!(output.code, Some(1));
    assert_eq!(output.stderr, "error: run: it exists already; choose another --out, or replace it with --force\n");
    assert_eq!(place.files("run"), before);

    fs::write(place.path("run/notes.md"), "mine").unwrap();
    trained(&place, &format!("{TRAIN} --seed 2 --force"));
    let mut after = place.files("run");
    assert_ne!(after["model.safetensors"], before["model.safetensors"]);
    assert_eq!(after.remove("notes.md").unwrap(), b"mine");
    assert!(after.keys().eq(before.keys()));

    // What remains of a run that was killed while it began can be replaced as well.
    for name in ["config.toml", "model.safetensors", "vocab.txt"] {
        fs::remove_file(place.path("run").join(name)).unwrap();
    }
    trained(&place, &format!("{TRAIN} --force"));
    assert_eq!(place.files("run")["model.safetensors"], before["model.safetensors"]);
    fs::create_dir(place.path("new")).unwrap();
    fs::write(place.path("new/manifest.json.writing-1"), "{").unwrap();
    trained(&place, &format!("{TRAIN} --out new"));

    let no_run = "train --task flu=flu.tsv --force --out .";
    let output = place.run(no_run);
    assert_eq!(output.code, Some(1));
    assert_eq!(output.stderr, "error: .: it exists and is no run of mtlcore, so --force does not replace it\n");
    assert!(place.path("flu.tsv").exists());

    // A bad file is found before the old run is touched.
    let before = place.files("run");
    fs::remove_file(place.path("flu.tsv")).unwrap();
    assert_eq!(place.run(&format!("{TRAIN} --force")).code, Some(1));
    assert_eq!(place.files("run"), before);
}

/// A directory with a training that was killed after its first epoch.
fn killed(words: &str) -> Place {
    let vectors = "fever 1 2\nsunshine 3 4\nnumber 5 6\n";
    let files = [("flu.tsv", posts()), ("v.txt", vectors.into()), ("w.txt", vectors.replace('6', "7"))];
    let place = place(&files.each_ref().map(|(name, content)| (*name, content.as_bytes())));
    let vectors = if words.contains("--vectors") { "" } else { "--vectors v.txt" };
    let mut child = place.started(&format!("{TRAIN} {vectors} {words} --epochs 2000 --checkpoint-steps 1"));
    child.kill().unwrap();
    child.wait().unwrap();
    place
}

/// What is said in refusing to resume; nothing changes but the claim that the killed process left.
fn not_resumed(place: &Place) -> String {
    let files = || {
        let mut files = place.files("run");
        files.remove("training.claim");
        files
    };
    let before = files();
    let output = place.run("train --resume run");
    assert_eq!((output.code, output.stdout.as_str()), (Some(1), ""), "{output:?}");
    assert!(files() == before);
    output.stderr
}

#[test]
fn a_damaged_checkpoint_is_not_resumed() {
    let place = killed("");
    let path = place.path("run/checkpoint.safetensors");
    let whole = fs::read(&path).unwrap();
    let damaged = "error: run/checkpoint.safetensors: the checkpoint is damaged: ";
    for length in [0, 7, 100, whole.len() / 2, whole.len() - 1] {
        fs::write(&path, &whole[..length]).unwrap();
        let message = not_resumed(&place);
        assert!(message.starts_with(damaged), "{length}: {message}");
    }
    // In the numbers, and in the position: a digit that becomes another.
    let position = whole.windows(9).position(|bytes| bytes == b"epochs\\\":").unwrap() + 9;
    assert!(whole[position].is_ascii_digit());
    for byte in [position, whole.len() - 1, whole.len() - 200] {
        let mut flipped = whole.clone();
        flipped[byte] ^= 1;
        fs::write(&path, &flipped).unwrap();
        let message = not_resumed(&place);
        assert!(message.starts_with(damaged), "{byte}: {message}");
    }
    fs::remove_file(&path).unwrap();
    assert_eq!(not_resumed(&place), "error: run: it was stopped before training began; begin again, with --force\n");
}

#[test]
fn a_foreign_checkpoint_is_not_resumed() {
    let other_words = "it has other rows, another order of rows or other word vectors";
    let message =
        |what: &str| format!("error: run/checkpoint.safetensors: the checkpoint is of another training: {what}\n");
    let place = killed("");
    let own = fs::read(place.path("run/checkpoint.safetensors")).unwrap();
    for (words, what) in [
        ("--units 3", "`shared.bilstm.forward.kernel` does not fit"),
        ("--shared conv", "`shared.bilstm.forward.kernel` does not fit"),
        ("--seed 2", other_words),
        ("--batch 7", other_words),
        ("--vectors w.txt", other_words),
    ] {
        let foreign = killed(words).files("run").remove("checkpoint.safetensors").unwrap();
        fs::write(place.path("run/checkpoint.safetensors"), foreign).unwrap();
        assert_eq!(not_resumed(&place), message(what), "{words}");
    }
    // The frozen word vectors are in another file.
    fs::write(place.path("run/checkpoint.safetensors"), own).unwrap();
    let mut model = place.files("run").remove("model.safetensors").unwrap();
    let five = model.windows(4).position(|bytes| bytes == 5.0_f32.to_le_bytes()).unwrap();
    model[five] ^= 1;
    fs::write(place.path("run/model.safetensors"), model).unwrap();
    assert_eq!(not_resumed(&place), message(other_words));
}

#[test]
fn a_run_whose_own_files_changed_is_not_resumed() {
    let place = killed("");
    for file in ["vocab.txt", "config.toml"] {
        let whole = fs::read_to_string(place.path("run").join(file)).unwrap();
        let mut lines: Vec<&str> = whole.lines().collect();
        lines.swap(3, 4);
        fs::write(place.path("run").join(file), lines.join("\n") + "\n").unwrap();
        let message = not_resumed(&place);
        let expected =
            format!("error: run/{file}: it is damaged or was changed: its SHA-256 is not that in manifest.json");
        assert!(message.starts_with(&expected), "{message}");
        fs::write(place.path("run").join(file), whole).unwrap();
    }
}

#[test]
fn files_that_changed_are_not_resumed_with() {
    let place = killed("");
    fs::write(place.path("flu.tsv"), posts() + "one more\t1\n").unwrap();
    let message = "error: flu.tsv: it is not what it was when the run began (its SHA-256 differs)\n";
    assert_eq!(not_resumed(&place), message);
    fs::remove_file(place.path("flu.tsv")).unwrap();
    assert_eq!(not_resumed(&place), "error: flu.tsv: No such file or directory (os error 2)\n");
    // Resuming needs no vectors any more, so it does not matter what became of their file.
    fs::write(place.path("flu.tsv"), posts()).unwrap();
    fs::remove_file(place.path("v.txt")).unwrap();
    let mut child = place.command("train --resume run").stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    thread::sleep(Duration::from_millis(300));
    assert_eq!(child.try_wait().unwrap(), None, "it goes on");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_finished_run_has_nothing_to_resume() {
    let place = place(&[("flu.tsv", posts().as_bytes())]);
    trained(&place, TRAIN);
    let before = place.files("run");
    let output = place.run("train --resume run");
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), "run is finished already.\n"));
    assert_eq!(place.files("run"), before);
}

/// A limit on the size of files stands for the full disk: it refuses the larger checkpoint that follows the first step.
#[test]
fn a_full_disk_ends_a_run_that_can_be_resumed() {
    let place = place(&[("flu.tsv", posts().as_bytes())]);
    // All parameters are trained, so the first checkpoint has about the size of the model, and the second three times as much.
    let words = "train --task flu=flu.tsv --units 24 --embedding-dim 40 --batch 8 --epochs 3";
    trained(&place, &format!("{words} --out alone"));
    let size = fs::metadata(place.path("alone/model.safetensors")).unwrap().len();
    let blocks = size * 5 / 4 / 512; // of 512 bytes; in some shells of 1024
    let full = finished(with_limit(&format!("-f {blocks}"), &place.command(&format!("-q {words}"))));
    assert_eq!((full.code, full.stdout.as_str()), (Some(1), ""), "{full:?}");
    assert_eq!(full.stderr, "error: run/checkpoint.safetensors: File too large (os error 27)\n");
    let left: Vec<String> = place.files("run").into_keys().collect();
    let expected = [
        "checkpoint.safetensors",
        "config.toml",
        "learnt.bin",
        "manifest.json",
        "metrics.jsonl",
        "model.safetensors",
        "vocab.txt",
    ];
    assert_eq!(left, expected);
    trained(&place, "train --resume run");
    assert!(place.result("run") == place.result("alone"));
}

#[test]
fn a_full_disk_loses_no_page() {
    let place = place(&[("flu.tsv", posts().as_bytes()), ("page.html", b"of yesterday")]);
    trained(&place, TRAIN);
    let explain = place.command("explain run fever --out page.html");
    let output = finished(with_limit("-f 8", &explain)); // a few kilobytes
    assert_eq!((output.code, output.stderr.as_str()), (Some(1), "error: page.html: File too large (os error 27)\n"));
    assert_eq!(fs::read(place.path("page.html")).unwrap(), b"of yesterday");
}

#[test]
fn output_that_is_closed_early_is_no_failure() {
    let place = place(&[("flu.tsv", posts().as_bytes())]);
    let mut child =
        place.command(&format!("{TRAIN} -q")).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = output(child);
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""));
    place.result("run");
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_written_loses_only_the_output() {
    let place = place(&[("flu.tsv", posts().as_bytes())]);
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = output(place.command(&format!("{TRAIN} -q")).stdout(full).stderr(Stdio::piped()).spawn().unwrap());
    assert_eq!(output.code, Some(1));
    assert!(output.stderr.starts_with("error: standard output: No space left"), "{output:?}");
    place.result("run");
}

/// All numbers of a checkpoint by name.
fn numbers(place: &Place) -> BTreeMap<String, Vec<f32>> {
    let bytes = fs::read(place.path("run/checkpoint.safetensors")).unwrap();
    let number = |bytes: &[u8]| f32::from_le_bytes(bytes.try_into().unwrap());
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    tensors.iter().map(|(name, view)| (name.to_owned(), view.data().chunks(4).map(number).collect())).collect()
}

#[test]
fn a_loss_that_is_not_finite_leaves_the_last_good_checkpoint() {
    let huge = "fever 3e38 -3e38\nsunshine -3e38 3e38\nnumber 3e38 3e38\nis 1 1\n";
    let files: &[(&str, &[u8])] = &[("flu.tsv", &posts().into_bytes()), ("huge.txt", huge.as_bytes())];
    for (words, position) in [
        // The first step makes the numbers huge, the second meets them; eight rows of 32 make four steps.
        ("--learning-rate 1e30 --shared conv", "epoch 1, step 2"),
        ("--learning-rate 1e30 --shared conv --checkpoint-steps 1", "epoch 1, step 2"),
        ("--vectors huge.txt --shared conv", "epoch 1, step 1"),
        // Nothing but the numbers after the last step of an epoch is not finite.
        ("--learning-rate 1e30 --shared conv --batch 1000", "epoch 1, step 1"),
    ] {
        let place = place(files);
        let output = place.run(&format!("{TRAIN} {words} --quiet"));
        let message =
            format!("error: the loss of task `flu` is not finite at {position}; try a smaller learning-rate\n");
        assert_eq!(output.code, Some(1), "{words}");
        assert!(output.stderr.ends_with(&message), "{words}: {}", output.stderr); // the vectors' coverage stands before it
        assert!(numbers(&place).values().flatten().all(|x| x.is_finite()), "{words}");
        assert_eq!(not_resumed(&place), message, "{words}");
    }
}
