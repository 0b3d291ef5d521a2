//! `mtlcore relate` as a user meets it.

use std::fs;

use serde_json::Value;

use crate::common::{Place, assert_keeps_to_itself, likelier_than_not};

const NAMES: [&str; 9] = [
    "excess_jsd",
    "a_distance",
    "word_weight_cosine",
    "zero_shot_ratio",
    "gradient_cosine",
    "lookahead",
    "representation",
    "fisher",
    "cka",
];

/// 80 texts among words of `topic`. One word decides the label: `good` is true and `bad` false with `sign`, the other way round without.
pub fn table(topic: &str, sign: bool, first: usize) -> String {
    // Letters, for all numbers are one word to the tokenizer.
    let letters = |n: usize| [n % 26, n / 26 % 26].map(|i| char::from(b'a' + i as u8)).iter().collect::<String>();
    let row = |i: usize| {
        let word = if i.is_multiple_of(2) == sign { "good" } else { "bad" };
        let filler = |k: usize| format!("{topic}{}", letters((i * k + first) % 17));
        let label = u8::from(i.is_multiple_of(2));
        format!("{} {word} {} my{topic}{}\t{label}\n", filler(3), filler(5), letters(i + first))
    };
    format!("text\tlabel\n{}", (0..80).map(row).collect::<String>())
}

fn place() -> Place {
    let (a, b, c) = (table("sun", true, 0), table("rain", true, 5), table("sea", false, 3));
    Place::new(&[("a.tsv", a.as_bytes()), ("b.tsv", b.as_bytes()), ("c.tsv", c.as_bytes())])
}

const THREE: &str = "relate --task a=a.tsv --task b=b.tsv --task c=c.tsv --measures cheap";

fn json(place: &Place, words: &str) -> Value {
    let output = place.run(&format!("{words} --format json"));
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    serde_json::from_str(&output.stdout).unwrap()
}

fn value(found: &Value, main: &str, partner: &str, measure: &str) -> f64 {
    let pairs = found["pairs"].as_array().unwrap();
    let pair = pairs.iter().find(|pair| pair["main"] == main && pair["partner"] == partner).unwrap();
    pair["measures"][measure]["value"].as_f64().unwrap_or_else(|| panic!("{measure}: {pair:#}"))
}

#[test]
fn all_measures_of_both_directions_with_floor_and_reliability() {
    let found = json(&place(), "relate --task a=a.tsv --task b=b.tsv --epochs 3");
    let pairs = found["pairs"].as_array().unwrap();
    assert_eq!(pairs.len(), 2);
    for pair in pairs {
        assert_eq!(pair["shared_texts"], 0.0);
        let measures = pair["measures"].as_object().unwrap();
        assert_eq!(measures.keys().collect::<Vec<_>>(), NAMES);
        for (name, measured) in measures {
            for field in ["value", "floor", "reliability"] {
                assert!(measured.get(field).is_some(), "{name} has no {field}");
            }
            assert!(measured["value"].is_number() || measured["reason"].is_string(), "{name}: {measured}");
        }
    }
}

/// Of the same two words, which mean the same in `a` and `b` and the opposite in `c`.
#[test]
fn related_tasks_are_told_from_opposite_ones() {
    let found = json(&place(), THREE);
    for measure in ["word_weight_cosine", "zero_shot_ratio"] {
        assert!(value(&found, "a", "b", measure) > 0.5, "{measure}");
        assert!(value(&found, "a", "c", measure) < -0.5, "{measure}");
    }
    assert!(value(&found, "a", "b", "a_distance") > 1.5, "other fillers tell the texts apart");
    assert!(value(&found, "a", "b", "excess_jsd") > 0.3);
}

#[test]
fn the_same_seed_gives_the_same_numbers_for_any_number_of_threads() {
    let place = place();
    let words = "relate --task a=a.tsv --task b=b.tsv --epochs 2 --format json --threads";
    assert_eq!(place.run(&format!("{words} 1")).stdout, place.run(&format!("{words} 2")).stdout);
}

#[test]
fn a_page_a_table_and_csv() {
    let place = place();
    let output = place.run(&format!("{THREE} --out map.html"));
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert!(output.stdout.contains("a with b as a partner (no text in common)"), "{}", output.stdout);
    let page = fs::read_to_string(place.path("map.html")).unwrap();
    assert_keeps_to_itself(&page, 1);
    assert_eq!(page.matches("<section class=\"choice\"").count(), 4);
    let csv = place.run(&format!("{THREE} --format csv")).stdout;
    assert!(csv.starts_with("main,partner,shared_texts,measure,value,floor,reliability\na,b,0,excess_jsd,0."), "{csv}");
    assert_eq!(csv.lines().count(), 1 + 6 * 4);
}

#[test]
fn a_folder_is_a_set_of_tasks() {
    let place = place();
    fs::create_dir(place.path("folder")).unwrap();
    for name in ["a.tsv", "b.tsv"] {
        fs::copy(place.path(name), place.path("folder").join(name)).unwrap();
    }
    let found = json(&place, "relate folder --measures cheap");
    assert_eq!(found["tasks"].as_array().unwrap().len(), 2);
    fs::create_dir(place.path("empty")).unwrap();
    let output = place.run("relate empty");
    assert_eq!(output.code, Some(1));
    assert!(output.stderr.contains("empty: it has no .tsv, .csv or .jsonl file"), "{}", output.stderr);
}

#[test]
fn bad_input_is_refused_or_said_not_to_be_defined() {
    let (a, few) = (table("sun", true, 0), table("sun", true, 0).lines().take(6).collect::<Vec<_>>().join("\n"));
    let (one, other) =
        (a.replace("\t0\n", "\t1\n"), table("rain", true, 2).replace("good", "fine").replace("bad", "poor"));
    let place = Place::new(&[
        ("a.tsv", a.as_bytes()),
        ("few.tsv", few.as_bytes()),
        ("one.tsv", one.as_bytes()),
        ("other.tsv", other.as_bytes()),
    ]);
    for (words, message) in [
        ("--task a=a.tsv", "`task`: found 1, expected two or more: relatedness is of two tasks"),
        ("", "`task`: found 0, expected two or more: relatedness is of two tasks"),
        ("--task a=a.tsv --task b=one.tsv", "task `b`: all 80 labelled rows are true, expected both classes"),
        (
            "--task a=a.tsv --task b=few.tsv",
            "task `b`: 3 true texts are too few to measure relatedness; expected 10 or more of either class",
        ),
    ] {
        let output = place.run(&format!("relate --measures cheap {words}"));
        assert_eq!((output.code, output.stdout.as_str()), (Some(1), ""));
        assert_eq!(output.stderr, format!("error: {message}\n"));
    }
    let reason = |words: &str, measure: &str| {
        let found = json(&place, &format!("relate --measures cheap {words}"));
        let pair = &found["pairs"][0];
        let measured = &pair["measures"][measure];
        assert_eq!(measured["value"], Value::Null, "{measured}");
        (pair["shared_texts"].as_f64().unwrap(), measured["reason"].as_str().unwrap().to_owned())
    };
    let same = reason("--task a=a.tsv --task b=a.tsv:label", "zero_shot_ratio");
    assert_eq!(same, (1.0, "without the texts that both have, too few are left".to_owned()));
    let apart = reason("--task a=a.tsv --task b=other.tsv", "word_weight_cosine");
    assert_eq!(apart.1, "the tasks have no word in common");
}

/// What holds for any model that ships: said is what has a probability of more than a half, no partner without an expected gain beyond it,
/// and every task in one group.
#[test]
fn predictions_say_what_is_likelier_than_not_and_recommend_what_helps() {
    let place = place();
    let found = json(&place, &format!("{THREE} --predict"));
    let predictions = found["predictions"].as_array().unwrap();
    assert_eq!(predictions.len(), 6, "every ordered pair");
    let number = |prediction: &Value, name: &str| prediction[name].as_f64().unwrap();
    for prediction in predictions {
        let [gain, low, high, helps] = ["gain", "low", "high", "helps"].map(|name| number(prediction, name));
        assert!(low < gain && gain < high && (0.0..=1.0).contains(&helps), "{prediction}");
        assert_eq!(prediction["says"], likelier_than_not(prediction), "{prediction}");
        // The middle of the interval exceeds one point exactly if more than half of the probability does.
        assert_eq!(helps > 0.5, gain > 1.0, "{prediction}");
    }
    for best in found["advice"]["partners"].as_array().unwrap() {
        let of_main = predictions.iter().filter(|prediction| prediction["main"] == best["main"]);
        let largest = of_main.map(|prediction| number(prediction, "gain")).fold(f64::MIN, f64::max);
        assert_eq!(best["partner"].is_string(), largest > 1.0, "{best}");
    }
    let groups = found["advice"]["groups"].as_array().unwrap();
    let mut grouped: Vec<&str> =
        groups.iter().flat_map(|g| g.as_array().unwrap()).map(|t| t.as_str().unwrap()).collect();
    grouped.sort_unstable();
    assert_eq!(grouped, ["a", "b", "c"]);

    let text = place.run(&format!("{THREE} --predict")).stdout;
    // The map's own table, which says these words too, comes after the partners.
    let (table, _) = text.split_once("Partner for a: ").unwrap();
    for word in ["helps", "hurts", "no difference", "cannot tell"] {
        let said = predictions.iter().filter(|prediction| prediction["says"] == word.replace(' ', "-")).count();
        assert_eq!(table.lines().filter(|line| line.trim_end().ends_with(word)).count(), said, "{word}: {text}");
    }
    for line in ["Partner for a: ", "Partner for b: ", "Partner for c: ", "Train together: "] {
        assert_eq!(text.matches(line).count(), 1, "{text}");
    }
    let two = json(&place, "relate --task a=a.tsv --task b=b.tsv --measures cheap --predict");
    assert_eq!(two["advice"].get("groups"), None, "two tasks have no groups to choose from");
    assert_eq!(json(&place, THREE).get("predictions"), None, "without --predict there are none");
}

#[test]
fn predictions_that_cannot_be_made_are_refused() {
    let place = place();
    for (words, message) in [
        (
            format!("{THREE} --predict --shared bilstm-conv"),
            "`predict`: no model that ships was fitted for --shared bilstm-conv; there is one for conv",
        ),
        (
            format!("{THREE} --predict --format csv"),
            "--format csv holds measures only; with --predict take --format json, or the table",
        ),
        (
            "relate --task a=a.tsv --predict".into(),
            "`task`: found 1, expected two or more: relatedness is of two tasks",
        ),
    ] {
        let output = place.run(&words);
        assert_eq!((output.code, output.stdout.as_str()), (Some(1), ""), "{words}");
        assert_eq!(output.stderr, format!("error: {message}\n"));
    }
}
