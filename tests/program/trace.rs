//! `mtlcore trace`: the tape of one text, in every format, and what is wrong with what was asked.

use crate::common::{Output, Place, finished};
use mtlcore::mtl::{
    explain::{TraceOptions, trace},
    run::RunDirectory,
};
use serde_json::Value;

/// A place with a small finished run, of the shared layer that is named.
fn place(shared: &str) -> Place {
    let place = Place::new(&[]);
    let output = place.run(&format!("train --epochs 1 --out run --shared {shared} --units 3 --filters 4"));
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    place
}

/// `trace run TEXT` with further words.
fn traced(place: &Place, text: &str, words: &str) -> Output {
    let mut command = place.command("trace run");
    command.arg(text).args(words.split_whitespace());
    finished(command)
}

fn json(place: &Place, text: &str, words: &str) -> Value {
    let output = traced(place, text, &format!("{words} --format json"));
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    serde_json::from_str(&output.stdout).unwrap()
}

/// Three words that the simulated run knows.
fn words(place: &Place) -> String {
    let vocabulary = std::fs::read_to_string(place.path("run/vocab.txt")).unwrap();
    vocabulary.lines().skip(2).take(3).collect::<Vec<_>>().join(" ")
}

fn ops(trace: &Value) -> Vec<&str> {
    trace["nodes"].as_array().unwrap().iter().map(|node| node["op"].as_str().unwrap()).collect()
}

#[test]
fn every_value_has_its_numbers_gradients_cost_and_time() {
    let place = place("bilstm");
    let text = words(&place);
    let trace = json(&place, &text, "--label task_a=1 --full");
    assert_eq!(trace["sweeps"], serde_json::json!(["loss of task_a"]));
    let nodes = trace["nodes"].as_array().unwrap();
    for (i, node) in nodes.iter().enumerate() {
        assert_eq!(node["index"], i);
        assert!(node["inputs"].as_array().unwrap().iter().all(|input| input.as_u64().unwrap() < i as u64));
        let size: u64 = node["shape"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).product();
        let all: Vec<f64> = node["value"]["all"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect();
        assert_eq!(all.len() as u64, size);
        let norm = all.iter().map(|x| x * x).sum::<f64>().sqrt();
        assert!((node["value"]["norm"].as_f64().unwrap() - norm).abs() <= 1e-12 * norm);
        assert!(node["forward_ns"].is_u64() && node["forward_flops"].is_u64(), "{node}");
    }
    let lstm = nodes.iter().find(|node| node["op"] == "lstm").unwrap();
    assert_eq!(lstm["shape"], serde_json::json!([3, 6]));
    // Both directions: the projection of three rows of E numbers to 4·3, two recurrent products, nine operations a unit.
    let vectors = nodes[lstm["inputs"][0].as_u64().unwrap() as usize]["shape"][1].as_u64().unwrap();
    assert_eq!(lstm["forward_flops"], 2 * (2 * 3 * vectors * 12 + 2 * 2 * 3 * 12 + 9 * 3 * 3));
    // Value and, a direction, four gates, cell, tanh of the cell and state, in single precision.
    assert_eq!(lstm["bytes"], 4 * (3 * 6 + 2 * 3 * 3 * 7));
    assert!(lstm["gradients"][0]["norm"].as_f64().unwrap() > 0.0 && lstm["backward_ns"][0].is_u64());
    // The word vectors of the run are frozen.
    assert_eq!(nodes[0]["name"], "embedding.weight");
    assert!(nodes[0]["gradients"][0].is_null() && nodes[0]["wants_gradient"] == false);
}

#[test]
fn the_numbers_are_those_of_the_library_and_of_prediction() {
    let place = place("bilstm-conv");
    let text = words(&place);
    let trained = RunDirectory::open(&place.path("run")).unwrap().trained().unwrap();
    let labels = [("task_b".to_owned(), false)];
    let options = TraceOptions { full: true, ..TraceOptions::default() };
    let mut expected = serde_json::to_value(trace(&trained, &text, &labels, options).unwrap()).unwrap();
    let mut found = json(&place, &text, "--label task_b=0 --full");
    for trace in [&mut expected, &mut found] {
        for node in trace["nodes"].as_array_mut().unwrap() {
            node["forward_ns"].take();
            node["backward_ns"].take();
        }
    }
    assert_eq!(found, expected);
    // The loss of a false label is −ln(1 − p).
    let loss = found["nodes"].as_array().unwrap().last().unwrap()["value"]["all"][0].as_f64().unwrap();
    let p = trained.probabilities([text.as_str()])[0][1];
    assert!((loss + (1.0 - p).ln()).abs() < 1e-6);
}

#[test]
fn the_reference_shows_every_small_step_and_the_same_answer() {
    let place = place("bilstm-conv");
    let text = words(&place);
    let [fused, composed] = ["", "--reference"].map(|flag| json(&place, &text, &format!("--label task_a=1 {flag}")));
    assert!(ops(&fused).contains(&"lstm") && ops(&fused).contains(&"conv"));
    let small = ops(&composed);
    assert!(!small.contains(&"lstm") && !small.contains(&"conv"));
    // Three gates a step and direction, and g and tanh(c).
    assert_eq!(small.iter().filter(|op| **op == "sigmoid").count(), 2 * 3 * 3);
    assert_eq!(small.iter().filter(|op| **op == "tanh").count(), 2 * 3 * 2);
    let last = |trace: &Value| trace["nodes"].as_array().unwrap().last().unwrap()["value"]["mean"].as_f64().unwrap();
    assert!((last(&fused) - last(&composed)).abs() < 1e-5);
}

#[test]
fn two_tasks_stand_side_by_side_and_add_up() {
    let place = place("conv --conv-activation tanh");
    let text = words(&place);
    let labels = "--label task_a=1 --label task_b=0 --full";
    let each = json(&place, &text, &format!("{labels} --task task_b --task task_a"));
    assert_eq!(each["sweeps"], serde_json::json!(["loss of task_b", "loss of task_a"]));
    let sum = json(&place, &text, labels);
    assert_eq!(sum["sweeps"], serde_json::json!(["sum of the losses"]));
    let kernel = |trace: &Value| {
        let nodes = trace["nodes"].as_array().unwrap();
        nodes.iter().find(|node| node["name"] == "shared.conv.kernel").unwrap()["gradients"].clone()
    };
    let all = |gradient: &Value| -> Vec<f64> {
        gradient["all"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
    };
    let (each, sum) = (kernel(&each), all(&kernel(&sum)[0]));
    assert!(sum.iter().any(|x| *x != 0.0));
    for ((b, a), sum) in all(&each[0]).iter().zip(all(&each[1])).zip(sum) {
        assert!((a + b - sum).abs() < 1e-6);
    }
    let output = traced(&place, &text, "--task task_a --task task_b");
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert!(output.stdout.contains("∂ logit of task_a") && output.stdout.contains("∂ logit of task_b"));
}

#[test]
fn the_table_fits_a_terminal_and_begins_with_the_cost() {
    let place = place("bilstm");
    let text = words(&place);
    let few = traced(&place, &text, "").stdout;
    let longest = few.lines().skip(3).map(|line| line.chars().count()).max();
    assert!(longest <= Some(100), "{longest:?} columns\n{few}");
    assert!(
        few.lines().nth(1).unwrap().contains("flops") && few.contains("∂ is the gradient of the sum of the logits."),
        "{few}"
    );
    let all = traced(&place, &text, "--full").stdout;
    for heading in ["min", "mean", "max", "zeros", "µs", "bytes"] {
        assert!(
            all.contains(heading) && !few.lines().take(5).any(|line| line.contains(&format!(" {heading} "))),
            "{heading}"
        );
    }
}

#[test]
fn graphs_have_every_value_and_every_edge() {
    let place = place("bilstm");
    let text = words(&place);
    for flags in ["", "--reference", "--task task_a --task task_b"] {
        let trace = json(&place, &text, flags);
        let nodes = trace["nodes"].as_array().unwrap();
        let edges: usize = nodes.iter().map(|node| node["inputs"].as_array().unwrap().len()).sum();
        let dot = traced(&place, &text, &format!("{flags} --format dot")).stdout;
        assert!(dot.starts_with("digraph tape {") && dot.ends_with("}\n"));
        assert_eq!(dot.matches(" -> ").count(), edges);
        assert_eq!(dot.matches("[label=").count(), nodes.len());
        let svg = traced(&place, &text, &format!("{flags} --format svg")).stdout;
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
        assert_eq!(svg.matches("<path ").count(), edges);
        assert_eq!(svg.matches("<g").count(), nodes.len());
        assert!(flags.contains("--task") || svg.contains(">∂ sum of the logits "), "{flags}: a sweep's name is cut");
    }
    let table = traced(&place, &text, "").stdout;
    assert!(table.contains("shared.bilstm.forward.kernel") && table.contains("back from the sum of the logits"));
}

#[test]
fn what_cannot_be_traced_is_said() {
    let place = place("conv");
    for (text, words, code, expected) in [
        ("", "", 1, "`text`: it has no tokens"),
        ("  ", "", 1, "`text`: it has no tokens"),
        ("a", "--label flu=1", 1, "task `flu`: the run has no such task; it has task_a, task_b"),
        ("a", "--task flu", 1, "task `flu`: the run has no such task"),
        ("a", "--label task_a=1 --task task_b", 1, "task `task_b`: it has no label"),
        ("a", "--task task_a --task task_a", 1, "task `task_a`: it is named twice"),
        ("a", "--label task_a=1 --label task_a=0", 1, "task `task_a`: two labels are given for it"),
        ("a", "--label task_a=yes", 2, "expected TASK=0 or TASK=1"),
        ("a", "--label task_a", 2, "expected TASK=0 or TASK=1"),
        ("a", "--label =1", 2, "expected TASK=0 or TASK=1"),
    ] {
        let output = traced(&place, text, words);
        assert_eq!((output.code, output.stdout.as_str()), (Some(code), ""), "{text:?} {words}");
        assert!(output.stderr.contains(expected), "{}", output.stderr);
    }
    // Its recording in small operations would take memory in proportion to the square.
    let output = traced(&place, &"word ".repeat(501), "--reference");
    let expected = "error: `text`: it has 501 tokens; at most 500 can be traced with `reference`\n";
    assert_eq!((output.code, output.stderr.as_str()), (Some(1), expected));
    let output = place.run("trace nowhere text");
    assert_eq!(output.code, Some(1));
    assert!(
        output.stderr.contains("there is no such run") && output.stderr.contains("mtlcore train"),
        "{}",
        output.stderr
    );
    for words in ["trace", "trace run"] {
        let output = place.run(words);
        assert_eq!(output.code, Some(2));
        assert!(output.stderr.contains("mtlcore train --out run"), "{}", output.stderr);
    }
    // Unknown words are no mistake, but are told.
    let output = traced(&place, "zzzzq", "");
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert!(output.stdout.contains("zzzzq (unknown)"));
}
