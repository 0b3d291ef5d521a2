//! `mtlcore gains`, and `mtlcore relate --against` what it found.

use std::fs;

use approx::assert_abs_diff_eq;
use serde_json::Value;

use crate::{
    common::{Place, accuracies, assert_keeps_to_itself},
    relate::table,
};

const SMALL: &str = "--epochs 2 --filters 2 --embedding-dim 4 --folds 4 --seeds 1 --threads 2";

fn place(tasks: usize) -> (Place, String) {
    let topics = ["sun", "rain", "sea", "wind", "snow", "fog"];
    let files: Vec<(String, String)> =
        (0..tasks).map(|i| (format!("{}.tsv", topics[i]), table(topics[i], i % 2 == 0, i))).collect();
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, text)| (name.as_str(), text.as_bytes())).collect();
    let words = topics[..tasks].iter().map(|topic| format!(" --task {topic}={topic}.tsv")).collect();
    (Place::new(&files), words)
}

fn json(place: &Place, words: &str) -> Value {
    let output = place.run(&format!("{words} --format json"));
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    serde_json::from_str(&output.stdout).unwrap()
}

#[test]
fn every_ordered_pair_at_every_size_and_again_from_its_units() {
    let (place, tasks) = place(3);
    let words = format!("gains {tasks} {SMALL} --sizes 20,40,1000 --out g");
    let found = json(&place, &words);
    let gains = found["gains"].as_array().unwrap();
    assert_eq!(gains.len(), 3 * 2 * 2);
    for gain in gains {
        let number = |name: &str| gain[name].as_f64().unwrap_or_else(|| panic!("{name}: {gain}"));
        assert!(number("low") <= number("difference") && number("difference") <= number("high"));
        assert_eq!(gain["shared"], "conv");
    }
    // Learning alone is done once for all partners.
    let alone = |partner: &str| {
        let of = gains.iter().find(|g| g["main"] == "sun" && g["partner"] == partner && g["size"] == 20).unwrap();
        of["alone"].as_f64().unwrap()
    };
    assert_eq!(alone("rain"), alone("sea"));
    let left_out = found["left_out"].as_array().unwrap();
    assert_eq!(left_out.len(), 3, "none has 1,000 rows");
    // 3 tasks alone and 6 ordered pairs, 2 sizes, 4 folds.
    assert_eq!(fs::read_dir(place.path("g/units")).unwrap().count(), (3 + 6) * 2 * 4);
    assert_keeps_to_itself(&fs::read_to_string(place.path("g/gains.html")).unwrap(), 1);
    fs::remove_file(place.path("g/gains.json")).unwrap();
    assert_eq!(json(&place, &words), found);
}

/// Fault: alone minus together, or the partner in the place of the main task.
#[test]
fn a_gain_is_together_less_alone() {
    let (place, tasks) = place(3);
    let found = json(&place, &format!("gains {tasks} {SMALL} --sizes 20,40 --measure accuracy --out g"));
    let mut differing = 0;
    for gain in found["gains"].as_array().unwrap() {
        let [main, partner] = ["main", "partner"].map(|side| gain[side].as_str().unwrap());
        let mean = |pair: String| {
            let accuracies = accuracies(&place, "g", main, |unit| unit["spec"]["pair"] == pair.as_str());
            assert_eq!(accuracies.len(), 4, "{pair}: four folds");
            accuracies.iter().sum::<f64>() / 4.0
        };
        let size = &gain["size"];
        let difference = 100.0 * (mean(format!("{main}.{partner}.{size}")) - mean(format!("{main}.{size}")));
        assert_abs_diff_eq!(gain["difference"].as_f64().unwrap(), difference, epsilon = 1e-3);
        differing += usize::from(difference.abs() > 0.1);
    }
    assert!(differing > 0, "a sign can be told");
}

#[test]
fn pairs_that_share_texts_are_left_out() {
    let (place, _) = place(2);
    let words = format!("gains --task a=sun.tsv --task b=sun.tsv:label --task c=rain.tsv {SMALL} --sizes 20");
    let found = json(&place, &words);
    let pairs: Vec<(&str, &str)> = (found["gains"].as_array().unwrap().iter())
        .map(|gain| (gain["main"].as_str().unwrap(), gain["partner"].as_str().unwrap()))
        .collect();
    assert_eq!(pairs, [("a", "c"), ("b", "c"), ("c", "a"), ("c", "b")]);
    assert_eq!(found["left_out"][0]["reason"], "they share 80 texts");
}

#[test]
fn relatedness_against_gains() {
    let (place, tasks) = place(6);
    assert_eq!(place.run(&format!("gains {tasks} {SMALL} --sizes 20 --out g")).code, Some(0));
    let words = format!("relate {tasks} --measures cheap --against g");
    let found = json(&place, &words);
    let cell = &found["against"]["cells"][0];
    assert_eq!((cell["tasks"].as_array().unwrap().len(), cell["pairs"].as_u64()), (6, Some(30)));
    for report in cell["measures"].as_array().unwrap() {
        if let Some(p) = report["p"].as_f64() {
            assert!((0.001..=1.0).contains(&p), "{report}");
        }
    }
    let models: Vec<&str> =
        cell["predictions"].as_array().unwrap().iter().map(|model| model["model"].as_str().unwrap()).collect();
    assert_eq!(models, ["mean", "size", "ridge", "map"]);
    assert_eq!(cell["predictions"][0]["q2"], 0.0, "the mean against itself");
    let output = place.run(&format!("{words} --out page.html"));
    assert!(
        output.stdout.starts_with("convolution, 20 rows, F at the tuned threshold, 6 tasks, 30 ordered pairs: "),
        "{}",
        output.stdout
    );
    assert_keeps_to_itself(&fs::read_to_string(place.path("page.html")).unwrap(), 1);

    let three = "--task sun=sun.tsv --task rain=rain.tsv --task sea=sea.tsv";
    let output = place.run(&format!("relate {three} --measures cheap --against g"));
    assert_eq!(output.code, Some(1));
    assert!(output.stderr.contains("3 of these tasks have gains, expected 4 or more"), "{}", output.stderr);
}

#[test]
fn bad_input_is_refused_before_anything_is_trained() {
    let (place, tasks) = place(2);
    fs::create_dir(place.path("full")).unwrap();
    fs::write(place.path("full/notes"), "mine").unwrap();
    fs::write(place.path("no.json"), "{}").unwrap();
    for (words, message) in [
        ("gains --task sun=sun.tsv".to_owned(), "`sun` has one task"),
        (format!("gains {tasks} --out full"), "full: it exists and holds no gains of mtlcore; choose another --out"),
        (format!("relate {tasks} --against no.json"), "no.json:1: these are no gains"),
        (format!("relate {tasks} --against none"), "none: No such file or directory"),
    ] {
        let output = place.run(&words);
        assert_eq!(output.code, Some(1), "{words}");
        assert!(output.stderr.contains(message), "{}", output.stderr);
    }
    let output = place.run(&format!("gains {tasks} --sizes 5"));
    assert_eq!(output.code, Some(2));
    assert!(output.stderr.contains("expected a number of rows from 20 on, or `all`"), "{}", output.stderr);
}
