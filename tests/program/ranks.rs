//! `mpirun -n P mtlcore train`: the bits of one process, and one message where something goes wrong.
//!
//! Needs `mpirun`; `cargo test --features mpi --test program ranks` runs it.

use std::{
    fs,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use mtlcore::mtl::data::Simulation;
use regex::Regex;

use crate::common::{Output, Place, finished, output};

/// Trains on the files beside it in about a second; flags replace what it says.
const STUDY: &str = "
vectors = 'vectors.txt'
units = 4
filters = 4
epochs = 3
shards = 8
[[task]]
name = 'task_a'
file = 'task_a.tsv'
[[task]]
name = 'task_b'
file = 'task_b.tsv'
";

/// Far more epochs than a test waits for.
const LONG: &str = "train study.toml --epochs 100000 --patience 0 --out run";

fn place() -> Place {
    let place = Place::new(&[("study.toml", STUDY.as_bytes())]);
    let simulation = Simulation { rows: [300, 500], words: 120, dim: 8, ..Simulation::default() };
    for file in simulation.files().unwrap() {
        fs::write(place.path(&file.name), file.content).unwrap();
    }
    fs::write(place.path("vectors.txt"), simulation.vectors()).unwrap();
    place
}

/// More ranks than processors, by whichever user.
fn launcher(place: &Place) -> Command {
    let mut command = Command::new("mpirun");
    command.current_dir(place.path("."));
    for (variable, value) in [
        ("OMPI_ALLOW_RUN_AS_ROOT", "1"),
        ("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1"),
        ("OMPI_MCA_rmaps_base_oversubscribe", "1"),
        ("OMPI_MCA_mpi_yield_when_idle", "1"),
    ] {
        command.env(variable, value);
    }
    command
}

fn by(place: &Place, ranks: usize, words: &str) -> Command {
    let mut command = launcher(place);
    let program = assert_cmd::cargo::cargo_bin("mtlcore");
    command.args(["-n", &ranks.to_string()]).arg(program).args(words.split_whitespace());
    command
}

/// What mtlcore says, without what the launcher adds.
fn said(output: &Output) -> Vec<&str> {
    output.stderr.lines().filter(|line| line.starts_with("error: ") || line.contains("panicked")).collect()
}

#[test]
fn any_number_of_ranks_gives_the_bits_of_one_process() {
    let place = place();
    for options in [
        "--shared bilstm",
        "--shared conv --probe gradients=3",
        "--shared bilstm-conv --preset paper",
        "--shared conv --balance mgda",
        "--shared conv --embedding fine-tuned --embedding-updates lazy",
    ] {
        let words = format!("train study.toml {options} --force --out");
        assert_eq!(place.run(&format!("{words} alone")).code, Some(0));
        for ranks in [1, 2, 4] {
            let output = finished(by(&place, ranks, &format!("{words} many")));
            assert_eq!(output.code, Some(0), "{output:?}");
            assert!(place.result("many") == place.result("alone"), "{ranks} ranks, {options}");
            if options.contains("probe") {
                assert!(place.files("many")["probe.jsonl"] == place.files("alone")["probe.jsonl"]);
            }
        }
    }
}

#[test]
fn the_first_alone_says_who_trains_and_where_the_time_went() {
    let place = place();
    let alone = place.run("train study.toml --out alone");
    let output = finished(by(&place, 2, "train study.toml --out many"));
    assert_eq!(output.code, Some(0), "{output:?}");
    assert_eq!(output.stdout, alone.stdout.replace("alone", "many"));
    let first = Regex::new(
        r"(?m)^2 ranks on 1 node \(\S+ ×2\), .+ \d[\d.]*; batch 32 in 8 shards of 4 rows, 4 a rank; 1 thread each$",
    );
    let last = Regex::new(
        r"(?m)^step \d+\.\d ms: \d+\.\d computing, \d+\.\d exchanging; the same bits on 1, 2, 4 or 8 ranks$",
    );
    for line in [first, last] {
        assert_eq!(line.unwrap().find_iter(&output.stderr).count(), 1, "{}", output.stderr);
    }
}

/// A training by so many ranks, once it has made an epoch.
fn started(place: &Place, ranks: usize) -> Child {
    let mut child = by(place, ranks, LONG).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let begun = Instant::now();
    while !fs::read(place.path("run/metrics.jsonl")).is_ok_and(|lines| !lines.is_empty()) {
        assert_eq!(child.try_wait().unwrap(), None, "it ended before its first epoch did");
        assert!(begun.elapsed() < Duration::from_secs(60), "no epoch in a minute");
        thread::sleep(Duration::from_millis(5));
    }
    child
}

fn signal(process: u32, name: &str) {
    assert!(Command::new("kill").args([name, &process.to_string()]).status().unwrap().success());
}

/// The process of the last rank.
fn last_rank(launcher: &Child) -> u32 {
    let id = launcher.id();
    let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
    children.split_whitespace().next_back().unwrap().parse().unwrap()
}

/// Waits for an end that must come soon.
fn soon(child: Child) -> Output {
    let begun = Instant::now();
    let output = output(child);
    assert!(begun.elapsed() < Duration::from_secs(20), "{output:?}");
    output
}

/// Goes on by as many ranks until some epochs are done, and again alone to the end of `epochs`.
fn is_resumed_with_the_same_bits(place: &Place, ranks: usize) {
    let config = fs::read_to_string(place.path("run/config.toml")).unwrap();
    let done = fs::read_to_string(place.path("run/metrics.jsonl")).unwrap().lines().count();
    let epochs = done + 3;
    // As if no more epochs had been asked for in the first place.
    fs::write(place.path("run/config.toml"), config.replace("epochs = 100000", &format!("epochs = {epochs}"))).unwrap();
    crate::common::edit_json(&place.path("run/manifest.json"), |manifest| {
        manifest["checksums"].as_object_mut().unwrap().remove("config.toml").unwrap();
    });
    let output = finished(by(place, ranks, "train --resume run"));
    assert_eq!(output.code, Some(0), "{output:?}");
    let alone = place.run(&format!("train study.toml --epochs {epochs} --patience 0 --out alone --force"));
    assert_eq!(alone.code, Some(0), "{alone:?}");
    assert!(place.result("run") == place.result("alone"), "{ranks}");
}

#[test]
#[cfg(target_os = "linux")]
fn signals_leave_a_checkpoint_that_any_number_of_ranks_goes_on_with() {
    // SIGUSR1 the launcher only passes on. After SIGTERM it returns 1, and kills within a second what is left: on a busy machine that may
    // be all, and the checkpoint is that of the last epoch.
    for (name, ranks, code, others) in [("-USR1", 2, 130, 4), ("-TERM", 4, 1, 1), ("-INT", 2, 1, 2)] {
        let place = place();
        let child = started(&place, ranks);
        signal(child.id(), name);
        let stopped = soon(child);
        assert_eq!((stopped.code, stopped.stdout.as_str()), (Some(code), ""), "{name}: {stopped:?}");
        let said = stopped.stderr.matches("mtlcore train --resume run").count();
        assert!(said == 1 || (said == 0 && name != "-USR1"), "{name}: {stopped:?}");
        is_resumed_with_the_same_bits(&place, others);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_killed_rank_ends_all_and_costs_an_epoch_at_most() {
    let place = place();
    let child = started(&place, 2);
    signal(last_rank(&child), "-KILL");
    let killed = soon(child);
    assert_eq!(killed.code, Some(137), "{killed:?}");
    assert!(killed.stderr.contains("signal 9"), "{killed:?}");
    is_resumed_with_the_same_bits(&place, 2);
}

#[test]
fn what_is_wrong_for_all_is_said_once() {
    let place = place();
    for (ranks, words, message) in [
        (
            3,
            "--out run --shards 4",
            "error: `shards`: a batch of 4 shards can be shared by 1, 2 or 4 ranks, and there are 3",
        ),
        (2, "--out run --shards 1", "error: `shards`: a batch of 1 shard is for 1 rank, and there are 2; say --shards"),
        (2, "--out run --task a=none.tsv", "error: none.tsv: No such file or directory (os error 2)"),
        (2, "--out study.toml", "error: study.toml: Not a directory (os error 20)"),
        (2, "--out run --learning-rate 1e30 --shared conv", "error: the loss of task `task_a` is not finite"),
    ] {
        let output = finished(by(&place, ranks, &format!("train study.toml {words}")));
        assert_eq!(output.code, Some(1), "{output:?}");
        let said = said(&output);
        assert!(said.len() == 1 && said[0].starts_with(message), "{said:?} {output:?}");
    }
}

/// Two directories in place of two nodes.
#[test]
fn ranks_that_read_other_files_are_told_before_anything_is_written() {
    let (place, other) = (place(), place());
    let program = assert_cmd::cargo::cargo_bin("mtlcore");
    let run = |words: &str| {
        let out = place.path("run").to_str().unwrap().to_owned();
        let mut command = launcher(&place);
        for (i, place) in [&place, &other].into_iter().enumerate() {
            command.args([":", "-n", "1", "--wdir"].into_iter().skip(usize::from(i == 0))).arg(place.path("."));
            command.arg(&program).args(["train", "study.toml", "--out", &out]);
            command.args(words.split_whitespace().filter(|_| i == 1));
        }
        finished(command)
    };
    let refused = |words: &str, start: &str, end: &str| {
        let output = run(words);
        assert_eq!(output.code, Some(1), "{output:?}");
        let said = said(&output);
        assert!(said.len() == 1 && said[0].starts_with(start) && said[0].ends_with(end), "{said:?} {output:?}");
        assert!(!place.path("run").exists());
    };
    let same = "all ranks must read the same files";
    refused("--epochs 4", "error: rank 1 on ", same);
    assert!(said(&run("--epochs 4"))[0].contains(" has other settings than rank 0 on "));
    let rows = fs::read_to_string(other.path("task_b.tsv")).unwrap();
    let (start, last) = rows.trim_end().rsplit_once('\n').unwrap();
    fs::write(other.path("task_b.tsv"), format!("{start}\nanother {last}\n")).unwrap();
    refused("", "error: rank 1 on ", same);
    assert!(said(&run(""))[0].contains(" has other rows than rank 0 on "));
    fs::write(other.path("task_b.tsv"), &rows).unwrap();
    let vectors = fs::read_to_string(other.path("vectors.txt")).unwrap();
    fs::write(other.path("vectors.txt"), vectors.replacen(" 0.", " 0.9", 1)).unwrap();
    refused("", "error: rank 1 on ", same);
    assert!(said(&run(""))[0].contains(" has other word vectors, or another checkpoint, than rank 0 on "));
    fs::write(other.path("vectors.txt"), &vectors).unwrap();
    fs::remove_file(other.path("task_a.tsv")).unwrap();
    refused("", "error: task_a.tsv: No such file or directory", "");
}

/// A launcher of another kind than the library: every process sees itself alone.
#[test]
fn a_launcher_that_the_library_does_not_know_is_told() {
    let place = place();
    for rank in ["0", "1"] {
        let mut command = place.command("train study.toml --out run");
        command.env("PMI_SIZE", "2").env("PMI_RANK", rank);
        let output = finished(command);
        let message = "error: the launcher has started 2 processes, and Open MPI";
        assert_eq!(output.code, Some(i32::from(rank == "0")), "{output:?}");
        assert_eq!(said(&output).iter().filter(|line| line.starts_with(message)).count(), usize::from(rank == "0"));
        assert!(!place.path("run").exists());
    }
}
