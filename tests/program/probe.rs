//! `mtlcore train --probe gradients`: what is measured is right, and measuring changes nothing.
#![cfg(unix)]

use std::process::Command;

use crate::common::{Place, assert_keeps_to_itself, output};
use mtlcore::mtl::data::Simulation;
use serde_json::Value;

const STUDY: &str = "
vectors = 'vectors.txt'
units = 3
epochs = 4
batch = 16
[[task]]
name = 'task_a'
file = 'task_a.tsv'
[[task]]
name = 'task_b'
file = 'task_b.tsv'
";

fn place() -> Place {
    let place = Place::new(&[("study.toml", STUDY.as_bytes())]);
    let simulation = Simulation { rows: [120, 200], words: 80, dim: 6, ..Simulation::default() };
    for file in simulation.files().unwrap() {
        std::fs::write(place.path(&file.name), file.content).unwrap();
    }
    std::fs::write(place.path("vectors.txt"), simulation.vectors()).unwrap();
    place
}

fn result(place: &Place, options: &str, name: &str) -> [Vec<u8>; 2] {
    let output = place.run(&format!("train study.toml {options} --out {name} --force"));
    assert_eq!(output.code, Some(0), "{output:?}");
    place.result(name)
}

fn bytes(place: &Place, name: &str) -> Vec<u8> {
    std::fs::read(place.path(name).join("probe.jsonl")).unwrap()
}

fn lines(place: &Place, name: &str) -> Vec<Value> {
    String::from_utf8(bytes(place, name)).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn measuring_changes_no_bit_of_the_training() {
    let place = place();
    for options in
        ["", "--embedding fine-tuned --embedding-updates lazy --shared conv", "--balance pcgrad", "--preset paper"]
    {
        let plain = result(&place, options, "plain");
        assert!(!place.files("plain").keys().any(|name| name.contains("probe")));
        assert!(plain == result(&place, &format!("{options} --probe gradients=2"), "probed"), "{options}");
        let steps: Vec<u64> = lines(&place, "probed").iter().map(|line| line["step"].as_u64().unwrap()).collect();
        let all = lines(&place, "probed").len() as u64;
        assert!(steps == (1..=all).map(|i| 2 * i).collect::<Vec<_>>() && all > 10, "{steps:?}");
        assert!(place.files("probed").contains_key("probe.html"));
    }
    // An old run's measurements go with it.
    result(&place, "", "probed");
    assert!(!place.files("probed").keys().any(|name| name.contains("probe")));
}

#[test]
fn every_block_is_measured_and_the_whole_is_made_of_its_parts() {
    let place = place();
    result(&place, "--shared bilstm-conv --probe gradients=3", "run");
    let last = lines(&place, "run").pop().unwrap();
    let blocks = last["blocks"].as_object().unwrap();
    let names: Vec<&String> = blocks.keys().collect();
    assert_eq!(names.len(), 9, "{names:?}");
    assert!(names.iter().any(|name| *name == "shared.bilstm.backward.recurrent_kernel"));
    for task in ["task_a", "task_b"] {
        let norm = |block: &Value| block["norms"][task].as_f64().unwrap();
        let squares: f64 = blocks.iter().filter(|(name, _)| *name != "all").map(|(_, block)| norm(block).powi(2)).sum();
        approx::assert_relative_eq!(norm(&blocks["all"]).powi(2), squares, max_relative = 1e-9);
    }
    for block in blocks.values() {
        let shares = block["update_share"].as_object().unwrap().values();
        approx::assert_relative_eq!(shares.map(|x| x.as_f64().unwrap().abs()).sum::<f64>(), 1.0, max_relative = 1e-9);
    }
    let conflicts = lines(&place, "run")
        .iter()
        .map(|line| line["blocks"]["all"]["pairs"][0]["cosine"].as_f64().unwrap() < 0.0)
        .filter(|c| *c)
        .count();
    let share = blocks["all"]["pairs"][0]["conflict_share"].as_f64().unwrap();
    assert_eq!(share, conflicts as f64 / lines(&place, "run").len() as f64);
}

/// Expected: the first-order value η·⟨gᵢ, gⱼ⟩/ℓⱼ, which the affinity comes to as the learning rate falls.
#[test]
fn affinity_is_that_of_a_small_step() {
    let place = place();
    for (preset, name) in [("default", "labelled"), ("paper", "batch")] {
        let options = format!("--preset {preset} --learning-rate 0.005 --dropout 0.25 --probe gradients=5");
        result(&place, &options, name);
    }
    for line in lines(&place, "labelled").into_iter().chain(lines(&place, "batch")) {
        let block = &line["blocks"]["all"];
        let norm = |task: &str| block["norms"][task].as_f64().unwrap();
        let cosine = block["pairs"][0]["cosine"].as_f64().unwrap();
        for (i, j) in [("task_a", "task_b"), ("task_b", "task_a")] {
            let product = norm(i) * norm(j) * cosine;
            let loss = line["losses"][j].as_f64().unwrap();
            let affinity = line["affinity"][i][j].as_f64().unwrap();
            // What is left is of second order in the step, and the rounding of losses in single precision.
            let tolerance = 1e-6 + 0.1 * (0.005 * norm(i) * norm(i).max(norm(j)) / loss);
            approx::assert_abs_diff_eq!(affinity, 0.005 * product / loss, epsilon = tolerance);
        }
    }
}

#[test]
fn a_copy_of_a_task_pulls_in_the_same_direction() {
    let rows = |i: usize| {
        let (word, label) = if i.is_multiple_of(3) { ("fever", 1) } else { ("sunshine", 0) };
        let letter = |i: usize| char::from(b'a' + i as u8);
        format!("{word} number {}{} is here\t{label}\t{label}\n", letter(i / 12), letter(i % 12))
    };
    let file = "text\tflu\tcopy\n".to_owned() + &(0..120).map(rows).collect::<String>();
    let place = Place::new(&[("posts.tsv", file.as_bytes())]);
    let tasks = ["--task flu=posts.tsv", "--task copy=posts.tsv"];
    for (order, name) in [([0, 1], "run"), ([1, 0], "swapped")] {
        let tasks = order.map(|i| tasks[i]).join(" ");
        let words =
            format!("train {tasks} --heads alike --units 3 --epochs 3 --batch 8 --probe gradients=1 --out {name}");
        assert_eq!(place.run(&words).code, Some(0));
    }
    for line in lines(&place, "run") {
        for block in line["blocks"].as_object().unwrap().values() {
            approx::assert_abs_diff_eq!(block["pairs"][0]["cosine"].as_f64().unwrap(), 1.0, epsilon = 1e-6);
            let norm = |task: &str| block["norms"][task].as_f64().unwrap();
            approx::assert_relative_eq!(norm("flu"), norm("copy"), max_relative = 1e-5);
            assert_eq!(block["pairs"][0]["conflict_share"], 0.0);
        }
    }
    assert!(bytes(&place, "run") == bytes(&place, "swapped"), "the order of declaring tasks does not matter");
}

#[test]
fn threads_change_no_measurement() {
    let place = place();
    for threads in [1, 2] {
        result(&place, &format!("--probe gradients --threads {threads}"), &format!("t{threads}"));
    }
    assert!(bytes(&place, "t1") == bytes(&place, "t2"));
}

#[test]
fn a_stopped_training_goes_on_with_the_same_lines() {
    let place = place();
    for options in
        ["--epochs 40 --probe gradients=3", "--epochs 40 --probe gradients --checkpoint-steps 7 --balance gradnorm"]
    {
        result(&place, options, "alone");
        std::fs::remove_dir_all(place.path("run")).ok();
        for signal in ["-INT", "-KILL"] {
            let mut child = match place.path("run").exists() {
                false => place.started(&format!("train study.toml {options} --out run")),
                true => place.started("train --resume run"),
            };
            Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
            child.wait().unwrap();
        }
        let resumed = place.run("train --resume run");
        assert_eq!(resumed.code, Some(0), "{resumed:?}");
        assert!(place.result("alone") == place.result("run"));
        assert!(bytes(&place, "alone") == bytes(&place, "run"), "{options}");
    }
}

#[test]
fn lost_lines_are_told() {
    let place = place();
    let child = place.started("train study.toml --epochs 200 --probe gradients=3 --out run");
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    output(child);
    std::fs::write(place.path("run/probe.jsonl"), "").unwrap();
    let resumed = place.run("train --resume run");
    assert_eq!(resumed.code, Some(1));
    assert!(
        resumed.stderr.starts_with("error: run/probe.jsonl: it is damaged: 0 lines are left of the "),
        "{resumed:?}"
    );
}

/// One task is measured as well; it has nobody to disagree with.
#[test]
fn one_task_has_no_pairs() {
    let place = place();
    let output = place.run("train --task task_a=task_a.tsv --units 2 --epochs 2 --probe gradients=2");
    assert!(output.code == Some(0) && output.stdout.contains("the run is in run"), "{output:?}");
    let last = lines(&place, "run").pop().unwrap();
    assert_eq!(last["blocks"]["all"]["pairs"], serde_json::json!([]));
    assert_eq!(last["blocks"]["all"]["update_share"]["task_a"].as_f64().map(f64::abs), Some(1.0));
    let output = place.run("train --task task_a=task_a.tsv --units 2 --epochs 1 --probe gradients=1000 --out few");
    assert_eq!(output.code, Some(0), "{output:?}");
    let page = std::fs::read_to_string(place.path("few/probe.html")).unwrap();
    assert_keeps_to_itself(&page, 4);
    assert!(page.contains("--probe gradients=1</code>") && page.contains("no two gradients can be compared"));
}
