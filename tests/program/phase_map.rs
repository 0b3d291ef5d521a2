//! `mtlcore phase-map`, and where `mtlcore relate --predict` sees a pair on the map that ships.

use std::fs;

use approx::assert_abs_diff_eq;
use serde_json::Value;

use crate::{
    common::{Place, accuracies, assert_keeps_to_itself, likelier_than_not},
    relate::table,
};

const SMALL: &str = "phase-map --relatedness=-1,1 --sizes 40,60 --ratios 1 --replicates 2 --test-texts 100 --epochs 2 --patience 1 \
                     --fixed-epochs 1 --filters 2 --embedding-dim 4";

fn json(place: &Place, words: &str) -> Value {
    let output = place.run(&format!("{words} --format json"));
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    serde_json::from_str(&output.stdout).unwrap()
}

#[test]
fn a_map_and_again_from_its_units() {
    let place = Place::new(&[]);
    let words = format!("{SMALL} --out m");
    let found = json(&place, &words);
    let cells = found["cells"].as_array().unwrap();
    assert_eq!(cells.len(), 2 * 2 * 2, "two ends of training, two relations, two sizes");
    for cell in cells {
        assert_eq!(cell["gains"].as_array().unwrap().len(), 2);
        let number = |name: &str| cell["gain"][name].as_f64().unwrap_or_else(|| panic!("{name}: {cell}"));
        assert!(number("low") <= number("mean") && number("mean") <= number("high"), "{cell}");
        assert!(number("helps") + number("hurts") <= 1.0, "{cell}");
    }
    // In each of two worlds and at each of two ends: alone at two sizes, and two arms in four places.
    assert_eq!(fs::read_dir(place.path("m/units")).unwrap().count(), 2 * 2 * (2 + 2 * 4));
    assert_keeps_to_itself(&fs::read_to_string(place.path("m/phase-map.html")).unwrap(), 4);
    fs::remove_file(place.path("m/phase-map.json")).unwrap();
    assert_eq!(json(&place, &words), found, "nothing is trained again");
    assert_eq!(json(&place, &format!("{SMALL} --out other --threads 1"))["cells"], found["cells"]);
    let file: Value = serde_json::from_slice(&fs::read(place.path("m/phase-map.json")).unwrap()).unwrap();
    assert_eq!(file, found);
}

/// Fault: alone minus together, or another arm in the place of either.
#[test]
fn a_gain_is_together_less_alone() {
    let place = Place::new(&[]);
    let found = json(&place, &format!("{SMALL} --measure accuracy --out m"));
    let mut differing = 0;
    for cell in found["cells"].as_array().unwrap() {
        // At a fixed number of epochs there is one; with patience, more.
        let is_fixed = cell["regime"] == "fixed";
        let accuracies = |pair: &str, arm: &str| {
            let of_cell = |unit: &Value| {
                let is_fixed_too = unit["outcome"]["epochs"].as_array().unwrap().len() == 1;
                unit["spec"]["pair"] == pair && unit["spec"]["arm"] == arm && is_fixed_too == is_fixed
            };
            accuracies(&place, "m", "task_a", of_cell)
        };
        for world in 0..2 {
            let alone = format!("world-{world}.{}", cell["size"]);
            let both = format!("{alone}.1.{}", cell["relatedness"].as_f64().unwrap());
            let [alone, together, pooled] =
                [(&alone, "stl"), (&both, "mtl"), (&both, "pooled")].map(|(pair, arm)| accuracies(pair, arm)[0]);
            for (name, with) in [("gains", together), ("pooled_gains", pooled)] {
                assert_abs_diff_eq!(cell[name][world].as_f64().unwrap(), 100.0 * (with - alone), epsilon = 1e-3);
            }
            differing += usize::from((together - alone).abs() > 0.01);
        }
    }
    assert!(differing > 0, "a sign can be told");
}

#[test]
fn the_map_that_ships_is_shown_at_once() {
    let place = Place::new(&[]);
    let output = place.run("phase-map --shipped --heads own");
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert!(output.stdout.contains("convolution, at convergence") && output.stdout.contains("fixed budget"));
    assert_keeps_to_itself(&fs::read_to_string(place.path("phase-map.html")).unwrap(), 4);
}

#[test]
fn bad_input_is_refused_before_anything_is_trained() {
    let place = Place::new(&[("full", b"".as_slice())]);
    fs::create_dir(place.path("taken")).unwrap();
    fs::write(place.path("taken/notes"), "mine").unwrap();
    for (words, message) in [
        ("--relatedness 1.5", "`relatedness`: found 1.5, expected cosines from -1 to 1"),
        ("--ratios 0", "`ratios`: found 0, expected numbers above 0"),
        (
            "--sizes 100 --ratios 0.1",
            "`sizes`: 100 rows with a ratio of 0.1 leave a task with 10 rows, expected 20 or more",
        ),
        ("--replicates 1", "`replicates`: found 1, expected 2 to 1000: one alone has no spread"),
        ("--patience 0", "`patience and inner`: a training to convergence stops early"),
        ("--out taken", "taken: it exists and holds no phase map of mtlcore; choose another --out"),
    ] {
        let output = place.run(&format!("phase-map {words}"));
        assert_eq!((output.code, output.stdout.as_str()), (Some(1), ""), "{words}");
        assert!(output.stderr.contains(message), "{words}: {}", output.stderr);
    }
}

/// 80 rows are fewer than the map has, so that it cannot tell; 160 are on it.
#[test]
fn a_pair_stands_on_the_map() {
    let rows = |topic: &str, first: usize| {
        let (a, b) = (table(topic, true, first), table(&format!("{topic}x"), true, first + 1));
        a + b.split_once('\n').unwrap().1
    };
    let (few, a, b) = (table("sun", true, 0), rows("rain", 5), rows("sea", 3));
    let place = Place::new(&[("few.tsv", few.as_bytes()), ("a.tsv", a.as_bytes()), ("b.tsv", b.as_bytes())]);
    let words = "relate --task few=few.tsv --task a=a.tsv --task b=b.tsv --measures cheap --predict";
    let found = json(&place, words);
    let pairs = found["on_map"].as_array().unwrap();
    assert_eq!(pairs.len(), 6);
    for pair in pairs {
        if pair["main"] == "few" {
            assert!(pair["reason"].as_str().unwrap().starts_with("the map reaches from 100 to "), "{pair}");
            assert_eq!(pair.get("gain"), None);
        } else if pair["partner"] != "few" {
            let number = |name: &str| pair[name].as_f64().unwrap_or_else(|| panic!("{name}: {pair}"));
            assert!(number("low") < number("gain") && number("gain") < number("high"), "{pair}");
            assert_eq!(pair["says"], likelier_than_not(pair), "{pair}");
        }
    }
    let text = place.run(&format!("{words} --out page.html")).stdout;
    assert!(text.contains("cannot tell: the map reaches from 100 to "), "{text}");
    assert_keeps_to_itself(&fs::read_to_string(place.path("page.html")).unwrap(), 5);
}
