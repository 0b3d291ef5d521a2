//! `mtlcore balance` and `mtlcore train --balance`.
#![cfg(unix)]

use std::process::Command;

use crate::common::{Place, edit_json, output};
use mtlcore::mtl::{data::Simulation, settings::Balance};
use serde_json::Value;

/// Two small tasks that train in no time; flags replace what it says.
const STUDY: &str = "
vectors = 'vectors.txt'
units = 3
epochs = 4
batch = 32
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

fn json(place: &Place, words: &str) -> Value {
    let output = place.run(words);
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{output:?}");
    serde_json::from_str(&output.stdout).unwrap()
}

fn numbers(list: &Value) -> Vec<f64> {
    list.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

/// Expected: TorchJD on the same two gradients.
#[test]
fn without_arguments_it_shows_the_example_of_torchjd() {
    let shown = json(&Place::new(&[]), "balance --format json");
    for (name, expected) in [
        ("equal", [2.0, 2.0, 2.0]),
        ("mgda", [0.0, 1.0, 1.0]),
        ("pcgrad", [0.5848, 3.8012, 3.8012]),
        ("upgrad", [0.2929, 1.9004, 1.9004]),
        ("imtl-g", [0.0767, 1.0, 1.0]),
        ("cagrad", [0.1835, 1.2041, 1.2041]),
        ("nash-mtl", [0.0542, 0.7061, 0.7061]),
        ("aligned-mtl", [0.2133, 0.9673, 0.9673]),
    ] {
        let method = shown["methods"].as_array().unwrap().iter().find(|method| method["method"] == name).unwrap();
        for (found, expected) in numbers(&method["combined"]).into_iter().zip(expected) {
            approx::assert_abs_diff_eq!(found, expected, epsilon = 1e-4);
        }
        assert_eq!(method["conflict_left"], name == "equal", "{name}");
    }
    let table = Place::new(&[]).run("balance").stdout;
    assert!(Balance::WORDS.iter().filter(|word| **word != "static").all(|word| table.contains(word)), "{table}");
}

#[test]
fn given_gradients_may_be_of_any_number_and_length() {
    let place = Place::new(&[]);
    let shown = json(&place, "balance --gradients 1,0;-1,0.5;0,-1 --format json");
    assert_eq!(shown["tasks"], serde_json::json!(["task 1", "task 2", "task 3"]));
    assert_eq!(numbers(&shown["gram"][1]), [-1.0, 1.25, -0.5]);
    for gradients in ["0;0", "1e-30,0;1e30,1", "0,0;1,1"] {
        let picture = place.run(&format!("balance --gradients {gradients} --format svg"));
        assert_eq!(picture.code, Some(0), "{picture:?}");
        assert!(!picture.stdout.contains("NaN") && !picture.stdout.contains("inf"), "{gradients}");
    }
    let picture = place.run("balance --format svg").stdout;
    assert!(picture.starts_with("<svg xmlns=") && picture.ends_with("</svg>\n"));
    assert_eq!(picture.matches("class=\"name\"").count(), Balance::WORDS.len() - 1);
}

#[test]
fn what_is_wrong_is_named() {
    let place = place();
    let train = "train study.toml --epochs 1";
    assert_eq!(place.run(train).code, Some(0));
    assert_eq!(place.run("train --task task_a=task_a.tsv --units 2 --epochs 1 --out alone").code, Some(0));
    assert_eq!(place.run(&format!("{train} --batches alternate --out alternate")).code, Some(0));
    for (words, message) in [
        (
            "--gradients 1,2",
            "--gradients: found one gradient, expected one of each of two tasks or more, with `;` between them",
        ),
        ("--gradients 1,2;3", "--gradients: gradient 2 has 1 numbers, and the first has 2"),
        ("--gradients 1,x;3,4", "--gradients: found \"x\" in gradient 1, expected a number"),
        ("--gradients 1,2;", "--gradients: found \"\" in gradient 2, expected a number"),
        ("--gradients 1;inf", "--gradients: found \"inf\" in gradient 2, expected a number"),
        ("--gradients 1;2;3 --format svg", "the picture is of two gradients, and there are 3"),
        ("--run none --step 1", "none: there is no such run: it has no manifest.json"),
        ("--run alone --step 1", "alone: it has one task, `task_a`; balancing needs two or more"),
        ("--run run --step 99", "run: its training has 8 steps, so there is no step 99"),
        (
            "--run alternate --step 1",
            "alternate: the batch of step 1 has labels of one task, `task_a`; balancing needs two or more",
        ),
    ] {
        let output = place.run(&format!("balance {words}"));
        assert_eq!((output.code, output.stdout.as_str()), (Some(1), ""), "{output:?}");
        assert_eq!(output.stderr, format!("error: {message}\n"));
    }
    for words in ["--run run", "--step 3", "--run run --step 0", "--run run --step 1 --gradients 1;2"] {
        assert_eq!(place.run(&format!("balance {words}")).code, Some(2), "{words}");
    }
    for (words, message) in [
        ("--balance static", "`balance-weights`: not set, and `balance = \"static\"` needs them"),
        ("--balance static --balance-weights task_a=1", "`balance-weights`: task `task_b` has none"),
    ] {
        assert_eq!(place.run(&format!("{train} --out x {words}")).stderr, format!("error: {message}\n"));
    }
}

#[test]
fn a_run_of_another_version_is_told() {
    let place = place();
    assert_eq!(place.run("train study.toml --epochs 1").code, Some(0));
    assert_eq!(place.run("balance --run run --step 1").stderr, "");
    edit_json(&place.path("run/manifest.json"), |manifest| manifest["version"] = "0.0.9".into());
    let output = place.run("balance --run run --step 1");
    assert!(output.code == Some(0) && output.stderr.contains("trained by mtlcore 0.0.9"), "{output:?}");
}

/// Made again to a step, a training has there the losses and angles that were measured when it was made.
#[test]
fn a_step_of_a_run_is_made_again() {
    let place = place();
    for options in ["", "--embedding fine-tuned --balance pcgrad", "--shared bilstm-conv --balance uncertainty"] {
        let output = place.run(&format!("train study.toml {options} --probe gradients=1 --force"));
        assert_eq!(output.code, Some(0), "{output:?}");
        let lines = std::fs::read_to_string(place.path("run/probe.jsonl")).unwrap();
        let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        for step in [1, 9, lines.len()] {
            let shown = json(&place, &format!("balance --run run --step {step} --format json"));
            let line = &lines[step - 1];
            // A probe takes the last task's gradient from the sum, which rounds in single precision.
            let cosine = line["blocks"]["all"]["pairs"][0]["cosine"].as_f64().unwrap();
            approx::assert_abs_diff_eq!(shown["cosines"][0][1].as_f64().unwrap(), cosine, epsilon = 1e-4);
            let losses: Vec<f64> = line["losses"].as_object().unwrap().values().map(|x| x.as_f64().unwrap()).collect();
            assert_eq!(numbers(&shown["losses"]), losses, "{options} {step}");
        }
    }
}

fn result(place: &Place, options: &str, name: &str) -> [Vec<u8>; 2] {
    let output = place.run(&format!("train study.toml {options} --out {name} --force"));
    assert_eq!(output.code, Some(0), "{output:?}");
    place.result(name)
}

/// Every method with its options.
fn methods() -> impl Iterator<Item = String> {
    let weights = |word: &str| if word == "static" { " --balance-weights task_a=0.5,task_b=2" } else { "" };
    Balance::WORDS.iter().map(move |word| format!("--balance {word}{}", weights(word)))
}

#[test]
fn each_method_trains_in_its_own_way_to_the_same_bits_on_any_number_of_threads() {
    let place = place();
    let mut results: Vec<[Vec<u8>; 2]> = Vec::new();
    for method in methods() {
        let options = format!("{method} --preset paper --vectors vectors.txt --units 3 --epochs 4");
        let alone = result(&place, &format!("{options} --threads 1"), "one");
        assert!(alone == result(&place, &format!("{options} --threads 2"), "two"), "{method}");
        assert!(!results.contains(&alone), "{method} is the same as another");
        results.push(alone);
    }
}

#[test]
fn equal_is_what_training_is_without_a_method() {
    let place = place();
    assert!(result(&place, "", "plain") == result(&place, "--balance equal", "equal"));
    let ones = "--balance static --balance-weights task_a=1,task_b=1";
    assert!(place.result("plain") == result(&place, ones, "ones"));
}

/// There is nothing to balance, and the weight of 1 changes no bit.
#[test]
fn one_task_alone_is_trained_as_ever() {
    let place = place();
    let alone = |options: &str, name: &str| {
        let words = format!("train --task task_a=task_a.tsv --units 3 --epochs 2 {options} --out {name} --force");
        assert_eq!(place.run(&words).code, Some(0));
        place.result(name)
    };
    let plain = alone("", "plain");
    for method in methods().filter(|method| !method.contains("static") && !method.contains("uncertainty")) {
        assert!(plain == alone(&method, "balanced"), "{method}");
    }
}

#[test]
fn the_order_of_declaring_tasks_changes_no_bit() {
    let place = place();
    for method in methods() {
        let plain = result(&place, &method, "plain");
        let swapped = format!("--task task_b=task_b.tsv --task task_a=task_a.tsv {method}");
        assert!(plain == result(&place, &swapped, "swapped"), "{method}");
    }
}

/// What a method has learnt goes on where it was.
#[test]
fn a_stopped_training_goes_on_to_the_same_bits() {
    let place = place();
    for method in ["uncertainty", "gradnorm", "dynamic-weight-average", "random", "pcgrad"] {
        let options = format!("--balance {method} --epochs 40 --batch 16");
        let undisturbed = result(&place, &options, "alone");
        std::fs::remove_dir_all(place.path("run")).ok();
        let child = place.started(&format!("train study.toml {options} --out run"));
        assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
        let stopped = output(child);
        assert_eq!(stopped.code, Some(130), "{stopped:?}");
        let resumed = place.run("train --resume run");
        assert_eq!(resumed.code, Some(0), "{resumed:?}");
        assert!(undisturbed == place.result("run"), "{method}");
        let learnt = |name: &str| place.manifest(name)["balance"].clone();
        assert_eq!(learnt("run"), learnt("alone"));
        assert!(place.files("run").keys().eq(place.files("alone").keys()));
        assert_eq!(learnt("run").is_null(), !["uncertainty", "gradnorm"].contains(&method));
    }
}
