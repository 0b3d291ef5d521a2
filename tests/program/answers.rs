//! The first sentence of a study: what it may not say, by the commands that once made it say so.

use std::sync::LazyLock;

use serde_json::Value;

use crate::common::Place;

/// Two epochs at a twentieth of the size: hardly anything is learnt, and learning together takes more steps an epoch. Heads that start
/// alike move the probabilities of unrelated tasks together, so that ½ is far from where either task's threshold is best.
const TWO_EPOCHS: &str = "study --scale 0.05 --folds 3 --epochs 2 --patience 0 --heads alike --out s";

static HARDLY_TRAINED: LazyLock<(Value, String)> = LazyLock::new(|| study(TWO_EPOCHS));

/// The results of a study, and its text without line breaks.
fn study(command: &str) -> (Value, String) {
    let place = Place::new(&[]);
    let output = place.run(command);
    assert_eq!(output.code, Some(0), "{command}\n{}", output.stderr);
    let results = std::fs::read_to_string(place.path("s/results.json")).unwrap();
    let text = output.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    (serde_json::from_str(&results).unwrap(), text)
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().unwrap().iter()
}

/// Every task with every shared layer.
fn cells(results: &Value) -> Vec<&Value> {
    items(&results["pairs"]).flat_map(|pair| items(&pair["layers"])).flat_map(|layer| items(&layer["tasks"])).collect()
}

fn answers(results: &Value) -> Vec<&Value> {
    items(&results["pairs"]).flat_map(|pair| items(&pair["answer"]["tasks"])).collect()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

/// "helps (conv +12.2)" where learning alone with as many steps did as well: with fixed epochs the yardstick is the better of both on
/// inner rows.
#[test]
fn more_steps_are_not_a_gain() {
    let (results, _) = &*HARDLY_TRAINED;
    let mut matched = 0;
    for cell in cells(results) {
        let control = items(&cell["controls"]).find(|control| control["control"] == "matched-steps").unwrap();
        let arms = [&cell["stl"], &control["arm"]];
        let [stl, with_steps] = arms.map(|arm| number(&arm["inner_score"]));
        let is_matched = with_steps > stl;
        assert_eq!(cell["alone_is_matched"], is_matched, "{cell}");
        let yardstick = number(&arms[usize::from(is_matched)]["tuned"]["f_over_folds"]["pooled"]);
        assert!((number(&cell["alone"]) - yardstick).abs() < 1e-9);
        let difference = 100.0 * (number(&cell["together"]) - yardstick);
        assert!((number(&cell["difference"]) - difference).abs() < 1e-9, "the verdict is about this difference");
        matched += usize::from(is_matched);
    }
    assert!(matched > 0, "a case of this study takes the control");
}

/// "helps intent (bilstm +45.0)" where one arm called every text false and the other every text true; and two of the first kind are
/// "equivalent".
#[test]
fn networks_that_decide_all_texts_alike_have_no_verdict() {
    let (results, text) = study(&format!("{TWO_EPOCHS} --measure f1"));
    let decides_alike = |training: &&Value| {
        let share = number(&training["metrics"]["share_predicted_true"]);
        share == 0.0 || share == 1.0
    };
    let mut found = 0;
    for cell in cells(&results) {
        let arms = [&cell["stl"], &cell["mtl"]]
            .into_iter()
            .filter(|arm| !(arm == &&cell["stl"] && cell["alone_is_matched"] == true));
        for arm in arms {
            let trainings: Vec<&Value> = items(&arm["folds"]).collect();
            if 2 * trainings.iter().filter(|training| decides_alike(training)).count() > trainings.len() {
                assert_eq!(cell["verdict"], "not-learnt", "{cell}");
                found += 1;
            }
        }
    }
    assert!(found > 0, "an arm of this study decides all texts alike");
    assert!(text.contains("train longer, or with more texts"), "{text}");
}

/// "helps" beside an interval from −0.8 to +19.3, and beside a corrected p of .674.
#[test]
fn the_verdict_is_that_of_the_drawn_interval_and_claims_are_never_more() {
    let (results, _) = study("study --scale 0.1 --folds 3 --shared conv,bilstm --out s");
    let rope = number(&results["rope"]);
    for cell in cells(&results) {
        let [low, high] = [number(&cell["low"]), number(&cell["high"])];
        let expected = match (low > rope, high < -rope, high <= rope, low >= -rope) {
            (true, ..) => "helps",
            (_, true, ..) => "hurts",
            (_, _, true, true) => "equivalent",
            (_, _, false, true) => "does-not-hurt",
            (_, _, true, false) => "does-not-help",
            (_, _, false, false) => "undecided",
        };
        if cell["verdict"] != "not-learnt" {
            assert_eq!(cell["verdict"], expected, "{low} to {high}");
        }
        // p is one-sided, so 2.5 % is where the interval of 95 % ends; Holm's correction only raises it.
        assert!(number(&cell["p_gain"]) > 0.025 || low > rope - 1e-9);
        assert!(number(&cell["p_cost"]) > 0.025 || high < 1e-9 - rope);
    }
    let count = |p: &str| {
        cells(&results).iter().filter(|cell| number(&cell[p]) <= 0.025 && cell["verdict"] != "not-learnt").count()
    };
    assert_eq!(results["claims"]["helps"], count("p_gain"));
    assert_eq!(results["claims"]["hurts"], count("p_cost"));
}

/// The answer was silent about n-grams that beat both arms.
#[test]
fn n_grams_that_do_better_are_named_in_the_answer() {
    let (results, text) = &*HARDLY_TRAINED;
    let better = answers(results).into_iter().filter(|answer| {
        // Together − n-grams, or alone − n-grams, whichever is to be taken.
        answer["over_ngrams"]["high"].as_f64().is_some_and(|high| high < -number(&results["rope"]))
    });
    let better: Vec<&Value> = better.collect();
    assert!(!better.is_empty(), "n-grams beat networks that are hardly trained");
    for answer in better {
        assert!(number(&answer["ngrams"]) > number(&answer["alone"]).max(number(&answer["together"])));
        let score = format!("{:.1}", 100.0 * number(&answer["ngrams"]));
        assert!(text.contains(&format!("But n-grams do better: {score}")), "{text}");
    }
}

/// "+12.2", of which 9.1 were the operating point: said where F at the fixed threshold would give another verdict.
#[test]
fn a_shift_of_the_operating_point_is_said() {
    let (results, text) = &*HARDLY_TRAINED;
    let leans = |verdict: &Value| ["helps", "hurts"].iter().position(|word| verdict == word);
    let mut said = 0;
    for pair in items(&results["pairs"]) {
        for answer in items(&pair["answer"]["tasks"]).filter(|answer| answer["verdict"] != "not-learnt") {
            let layer = items(&pair["layers"]).find(|layer| layer["shared"] == answer["shared_together"]).unwrap();
            let task = items(&layer["tasks"]).find(|task| task["task"] == answer["task"]).unwrap();
            let [fixed, tuned] = ["f1", "f1-tuned"].map(|measure| &task["measures"][measure]);
            let lean = leans(&fixed["verdict"]);
            if lean.is_some() && lean != leans(&tuned["verdict"]) {
                let points = format!("{:+.1}", number(&fixed["difference"])).replace('-', "−");
                let sentence = format!("At the threshold 0.50 F differs by {points}");
                assert!(text.contains(&sentence), "{sentence}\n{text}");
                said += 1;
            }
        }
    }
    assert!(said > 0, "thresholds of networks that are hardly trained are far from ½");
    assert!(text.contains("that is a shift of the operating point"));
}

/// "undecided", where one more training a fold decides: the study says how many, and `--until-decided` runs them.
#[test]
fn what_trainings_can_decide_is_decided() {
    let command = "study --scale 0.1 --folds 3 --seeds 2 --seed 4 --shared conv --out s";
    let find = |results: &Value| {
        let cells: Vec<Value> = cells(results).into_iter().cloned().collect();
        cells.into_iter().map(|cell| (cell["task"].as_str().unwrap().to_owned(), cell)).collect::<Vec<_>>()
    };
    let (before, _) = study(command);
    let (after, _) = study(&format!("{command} --until-decided"));
    let mut decided = 0;
    for ((task, before), (_, after)) in find(&before).iter().zip(&find(&after)) {
        let needed = before["narrowing"]["seeds_to_decide"].as_u64();
        if before["verdict"] == "undecided" && needed.is_some() {
            assert!(after["seeds"].as_u64() > before["seeds"].as_u64(), "{task}");
            decided += usize::from(after["verdict"] != "undecided");
        }
        // What is still undecided is so because of its texts.
        if after["verdict"] == "undecided" {
            assert!(after["narrowing"]["seeds_to_decide"].is_null(), "{task}: {}", after["narrowing"]);
        }
    }
    assert!(decided > 0, "{before}");
}
