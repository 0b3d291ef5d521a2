//! `mtlcore multiverse` as a user meets it.

use std::fs;

use approx::assert_abs_diff_eq;
use serde_json::Value;

use crate::{
    common::{Place, accuracies, assert_keeps_to_itself},
    relate::table,
};

/// Choices that are not on the command line stay as small as the flags make them.
const SMALL: &str = "--universes 4 --folds 2 --threads 2";

fn place() -> Place {
    let (a, b) = (table("sun", true, 0), table("rain", true, 5));
    Place::new(&[("a.tsv", a.as_bytes()), ("b.tsv", b.as_bytes())])
}

/// Fault: alone minus together; another study than the starting point.
#[test]
fn it_starts_from_the_study_with_the_same_flags() {
    let place = place();
    let flags = "--task a=a.tsv --task b=b.tsv --folds 2 --seeds 2 --shared conv --embedding-dim 6 --measure accuracy --format json";
    let output = place.run(&format!("multiverse {flags} --universes 4 --out m"));
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let multiverse: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(place.run(&format!("study {flags} --preset paper --out s")).code, Some(0));
    for unit in fs::read_dir(place.path("s/units")).unwrap().map(|entry| entry.unwrap().file_name()) {
        let is_of_both = [".stl.", ".mtl."].iter().any(|arm| unit.to_str().unwrap().contains(arm));
        assert!(!is_of_both || place.path("m/units").join(&unit).exists(), "{unit:?}");
    }
    let mut differing = 0;
    for found in multiverse["tasks"].as_array().unwrap() {
        let task = found["task"].as_str().unwrap();
        let mean = |arm: &str| {
            let is_meant = |unit: &Value| {
                unit["spec"]["arm"] == arm && [&Value::Null, &found["task"]].contains(&&unit["spec"]["task"])
            };
            let accuracies = accuracies(&place, "s", task, is_meant);
            assert_eq!(accuracies.len(), 4, "two folds, two trainings");
            accuracies.iter().sum::<f64>() / 4.0
        };
        let difference = 100.0 * (mean("mtl") - mean("stl"));
        assert_abs_diff_eq!(found["start"]["difference"].as_f64().unwrap(), difference, epsilon = 1e-9);
        differing += usize::from(difference.abs() > 0.1);
    }
    assert!(differing > 0, "a sign can be told");
}

#[test]
fn a_multiverse_and_again_from_its_units() {
    let place = place();
    let words = format!("multiverse --task a=a.tsv --task b=b.tsv {SMALL} --out m --format json");
    let run = || -> Value {
        let output = place.run(&words);
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        serde_json::from_str(&output.stdout).unwrap()
    };
    let found = run();
    let choices = found["choices"].as_array().unwrap();
    let swaps: usize = choices.iter().map(|choice| choice["levels"].as_array().unwrap().len() - 1).sum();
    assert!(choices.len() > 10);
    for task in found["tasks"].as_array().unwrap() {
        let universes = task["universes"].as_array().unwrap();
        assert_eq!(universes.len(), 4);
        let gains: Vec<f64> =
            universes.iter().map(|universe| universe["gain"]["difference"].as_f64().unwrap()).collect();
        assert!(gains.is_sorted(), "the specification curve: {gains:?}");
        let counts = task["counts"].as_object().unwrap();
        assert_eq!(counts.values().map(|count| count.as_u64().unwrap()).sum::<u64>(), 4);
        let shares = task["shares"].as_array().unwrap();
        assert_eq!(shares.len(), choices.len());
        for share in shares {
            assert!((0.0..=1.0 + 1e-9).contains(&share["share"].as_f64().unwrap()), "{share}");
        }
        assert_eq!(task["tried"][0], swaps);
        let sign = |gain: &Value| gain["difference"].as_f64().unwrap().signum();
        for flip in task["flips"].as_array().unwrap() {
            assert_eq!(sign(&flip["gain"]), -sign(&task["start"]));
            assert!((1..=2).contains(&flip["swaps"].as_array().unwrap().len()));
        }
    }
    assert_keeps_to_itself(&fs::read_to_string(place.path("m/multiverse.html")).unwrap(), 4);
    let units = fs::read_dir(place.path("m/units")).unwrap().count();
    assert!(units >= (1 + 4 + swaps) * 3 * 2 - 3 * 2 * 4, "{units} units");
    assert_eq!(run(), found, "nothing is trained again");
    assert_eq!(fs::read_dir(place.path("m/units")).unwrap().count(), units);
}

#[test]
fn bad_input_is_refused_before_anything_is_trained() {
    let place = place();
    fs::create_dir(place.path("taken")).unwrap();
    fs::write(place.path("taken/notes"), "mine").unwrap();
    for (words, message) in [
        ("--task a=a.tsv", "`a` has one task"),
        (
            "--task a=a.tsv --task b=b.tsv --universes 3",
            "`universes`: found 3, expected 4 or more, the levels of the choice that has most of them",
        ),
        (
            "--task a=a.tsv --task b=b.tsv --out taken",
            "taken: it exists and holds no multiverse of mtlcore; choose another --out",
        ),
        ("--task a=a.tsv --task b=none.tsv", "none.tsv"),
    ] {
        let output = place.run(&format!("multiverse {words}"));
        assert_eq!((output.code, output.stdout.as_str()), (Some(1), ""), "{words}");
        assert!(output.stderr.contains(message), "{words}: {}", output.stderr);
    }
}
