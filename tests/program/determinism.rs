//! One seed gives one result: the same bytes of parameters and metrics, however the training came to its end.
#![cfg(unix)]

use std::{
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::common::{Place, output};
use mtlcore::mtl::data::Simulation;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Trains on the files beside it in about a second; flags replace what it says.
const STUDY: &str = "
vectors = 'vectors.txt'
units = 4
epochs = 12
[[task]]
name = 'task_a'
file = 'task_a.tsv'
[[task]]
name = 'task_b'
file = 'task_b.tsv'
";

fn place() -> Place {
    let place = Place::new(&[("study.toml", STUDY.as_bytes())]);
    let simulation = Simulation { rows: [300, 500], words: 120, dim: 8, ..Simulation::default() };
    for file in simulation.files().unwrap() {
        std::fs::write(place.path(&file.name), file.content).unwrap();
    }
    std::fs::write(place.path("vectors.txt"), simulation.vectors()).unwrap();
    place
}

/// What the run `name` gives when nothing disturbs it.
fn result(place: &Place, options: &str, name: &str) -> [Vec<u8>; 2] {
    let output = place.run(&format!("train study.toml {options} --out {name}"));
    assert_eq!(output.code, Some(0), "{output:?}");
    place.result(name)
}

fn signal(child: &Child, signal: &str) {
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
}

#[test]
fn threads_change_no_bit() {
    let place = place();
    for options in [
        "--patience 1 --learning-rate 0.05",
        "--shared conv",
        "--shared bilstm-conv --preset paper",
        "--shards 8 --balance mgda --embedding fine-tuned",
    ] {
        let words = format!("{options} --epochs 3 --force");
        let alone = result(&place, &format!("{words} --threads 1"), "one");
        for threads in [2, 8] {
            assert!(alone == result(&place, &format!("{words} --threads {threads}"), "many"), "{threads} {options}");
        }
    }
}

#[test]
fn checkpoints_and_unused_patience_change_no_bit() {
    let place = place();
    let plain = result(&place, "--epochs 4", "plain");
    assert!(plain == result(&place, "--epochs 4 --checkpoint-steps 1", "saved"));
    // The last epoch is the best here, so patience has nothing to do.
    assert!(plain == result(&place, "--epochs 4 --patience 4", "patient"));
    assert_eq!(place.manifest("patient")["epochs"]["chosen"], 4);
}

/// The best epoch is that of a training which ends there, and what is kept has nothing to do with when training stops.
#[test]
fn the_best_epoch_is_kept_as_if_training_had_ended_there() {
    let place = place();
    let words = "--learning-rate 0.05 --patience 0";
    result(&place, &format!("{words} --keep best"), "best");
    let chosen = place.manifest("best")["epochs"]["chosen"].as_u64().unwrap();
    assert!((1..12).contains(&chosen), "{chosen}");
    let [ended_there, _] = result(&place, &format!("{words} --keep last --epochs {chosen}"), "ended");
    let [best, metrics] = place.result("best");
    assert!(best == ended_there);

    let lines = String::from_utf8(metrics).unwrap();
    let held_out = |line: &str| {
        let report: serde_json::Value = serde_json::from_str(line).unwrap();
        let tasks = report["tasks"].as_object().unwrap().values();
        tasks.map(|task| task["validation"]["log_loss"].as_f64().unwrap()).sum::<f64>()
    };
    let losses: Vec<f64> = lines.lines().map(held_out).collect();
    assert_eq!(losses.iter().copied().reduce(f64::min), Some(losses[chosen as usize - 1]));

    // With a patience of one epoch the first loss that is not the smallest so far ends it, whatever is kept.
    let first = (1..losses.len()).find(|&at| losses[..at].iter().any(|&before| before <= losses[at]));
    let run = first.map_or(losses.len(), |at| at + 1);
    result(&place, "--learning-rate 0.05 --patience 1 --keep last", "last");
    assert_eq!(place.manifest("last")["epochs"], serde_json::json!({"run": run, "chosen": run}));
}

#[test]
fn the_order_of_declaring_tasks_changes_no_bit() {
    let place = place();
    let plain = result(&place, "--epochs 3", "plain");
    let swapped = "--task task_b=task_b.tsv --task task_a=task_a.tsv --epochs 3";
    assert!(plain == result(&place, swapped, "swapped"));
}

fn is_finished(place: &Place) -> bool {
    place.path("run/manifest.json").exists() && place.manifest("run")["finished"] == true
}

/// Kills a training ten times with SIGKILL, at random times from its very start on, and goes on with it each time as its user would:
/// by resuming it or, where there is nothing to resume, by beginning again.
fn killed_ten_times(options: &str, seed: u64) -> (Place, serde_json::Value) {
    let place = place();
    let start = Instant::now();
    let undisturbed = result(&place, options, "alone");
    let mut longest = start.elapsed() / 3;

    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let (mut kills, mut resumed) = (0, 0);
    while kills < 10 || !is_finished(&place) {
        let can_resume = !is_finished(&place) && place.path("run/checkpoint.safetensors").exists();
        resumed += usize::from(can_resume);
        let words =
            if can_resume { "train --resume run" } else { &format!("train study.toml {options} --out run --force") };
        let mut child = place.command(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        if kills < 10 {
            thread::sleep(longest.mul_f64(random.random_range(0.0..1.0)));
            child.kill().unwrap(); // SIGKILL
        }
        let output = output(child);
        match output.code {
            None => {
                kills += 1;
                // On a busy machine a training may need longer to its first checkpoint than the undisturbed one did.
                if !place.path("run/checkpoint.safetensors").exists() {
                    longest = longest.mul_f64(1.5);
                }
            }
            // It was faster than its killer.
            code => assert_eq!(code, Some(0), "{output:?}"),
        }
    }
    assert!(resumed > 0, "never resumed");
    assert!(undisturbed == place.result("run"), "{options}");
    let mut files = place.files("run");
    // The last kill may have come just before these were removed.
    files.retain(|name, _| {
        !["checkpoint.safetensors", "training.claim"].contains(&name.as_str()) && !name.contains(".writing-")
    });
    let files: Vec<String> = files.into_keys().collect();
    assert_eq!(
        files,
        ["config.toml", "learnt.bin", "manifest.json", "metrics.jsonl", "model.safetensors", "vocab.txt"]
    );
    let manifest = place.manifest("run");
    (place, manifest)
}

#[test]
fn killed_while_only_epochs_are_saved() {
    killed_ten_times("--shared bilstm-conv", 1);
}

#[test]
fn killed_with_a_best_epoch_behind() {
    let (_, manifest) = killed_ten_times("--checkpoint-steps 7 --patience 3 --learning-rate 0.05", 2);
    let epochs = &manifest["epochs"];
    assert!(epochs["chosen"].as_u64() < epochs["run"].as_u64(), "{epochs}");
}

#[test]
fn killed_while_batches_are_cut_into_shards() {
    killed_ten_times("--shards 4 --checkpoint-steps 5 --embedding fine-tuned --balance uncertainty", 5);
}

#[test]
fn killed_with_word_vectors_in_training() {
    killed_ten_times("--checkpoint-steps 5 --embedding fine-tuned --embedding-updates lazy --shared conv", 3);
    killed_ten_times("--checkpoint-steps 5 --embedding fine-tuned --embedding-updates dense --preset paper", 4);
}

/// Ctrl-C, once or twice, then `train --resume` as it says.
fn interrupted(options: &str, times: usize) {
    let place = place();
    let undisturbed = result(&place, options, "alone");
    let child = place.started(&format!("train study.toml {options} --out run --quiet"));
    for _ in 0..times {
        signal(&child, "-INT");
        thread::sleep(Duration::from_millis(2));
    }
    let stopped = output(child);
    assert_eq!((stopped.code, stopped.stdout.as_str()), (Some(130), ""), "{}", stopped.stderr);
    let (position, how) = stopped.stderr.split_once('\n').unwrap();
    assert!(position.starts_with("Stopped after ") && position.contains("epoch"), "{position}");
    assert_eq!(how, "  mtlcore train --resume run\n");
    assert!(!is_finished(&place));

    let resumed = place.run("train --resume run");
    assert_eq!(resumed.code, Some(0), "{resumed:?}");
    assert!(undisturbed == place.result("run"), "{options}");
}

#[test]
fn ctrl_c_saves_and_says_how_to_go_on() {
    interrupted("", 1);
    interrupted("--patience 3 --learning-rate 0.05", 1);
}

#[test]
fn a_second_ctrl_c_does_no_harm() {
    // One step an epoch: long enough for two signals.
    interrupted("--batch 1000 --epochs 30", 2);
}

/// The terminal may be gone together with whoever pressed Ctrl-C.
#[test]
fn nobody_needs_to_listen() {
    let place = place();
    let undisturbed = result(&place, "", "alone");
    let mut child = place.started("train study.toml --out run");
    drop((child.stdout.take(), child.stderr.take()));
    signal(&child, "-INT");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let mut resumed = place.command("train --resume run");
    let mut child = resumed.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop((child.stdout.take(), child.stderr.take()));
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(undisturbed == place.result("run"));
}
