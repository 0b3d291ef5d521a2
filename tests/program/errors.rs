//! `mtlcore errors` as a user meets it: the 2×2, the sample, the page, and the categories that come back.

use std::{collections::BTreeMap, fs};

use crate::common::{Output, Place, assert_keeps_to_itself};
use serde_json::Value;

/// Every text holds it: it must not get out of the page, nor break the table.
const HOSTILE: &str = "</script><b onload=x>, \"quoted\" & 'more'\u{1b}[2J";

/// Two small tasks whose labels no network can learn fully, and a study of them.
fn study(more: &str) -> Place {
    let words = ["not", "my", "sooooo", "fever", "flu", "dog", "sun", "cat", "rain", "tea"];
    let text = |i: usize| {
        format!("{} {} {} {}{HOSTILE}", words[i % 10], words[i * 7 % 9], words[i * 3 % 7], "x ".repeat(i % 6))
    };
    let rows = |task: usize| -> String {
        let letter = |i: usize| char::from(b'a' + (i % 26) as u8);
        // A word that no other text has: its fold does not learn it.
        let own = |i: usize| format!("q{}{}{}", letter(task), letter(i), letter(i / 26));
        let is_true = |i: usize| usize::from((i * 37 + task * 5) % 11 < 5);
        let row = |i: usize| format!("{} {}\t{}\n", text(i + task), own(i), is_true(i));
        "text\tlabel\n".to_owned() + &(0..60).map(row).collect::<String>()
    };
    let place = Place::new(&[("a.tsv", rows(0).as_bytes()), ("b.tsv", rows(1).as_bytes())]);
    let command = "study --task a=a.tsv --task b=b.tsv --folds 3 --seeds 1 --epochs 2 --units 4 --embedding-dim 4 --shared conv --out s";
    succeeded(place.run(&format!("{command} {more}")));
    place
}

#[track_caller]
fn succeeded(output: Output) -> String {
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    output.stdout
}

#[track_caller]
fn failed(output: Output) -> String {
    assert_eq!(output.code, Some(1), "{}", output.stdout);
    let line = output.stderr.trim_end().to_owned();
    assert_eq!(line.lines().count(), 1, "{line}");
    line
}

fn json(place: &Place, words: &str) -> Value {
    serde_json::from_str(&succeeded(place.run(&format!("errors s --format json {words}")))).unwrap()
}

/// The rows of a CSV file, by column.
fn table(place: &Place, name: &str) -> Vec<BTreeMap<String, String>> {
    csv::Reader::from_path(place.path(name)).unwrap().deserialize().map(|row| row.unwrap()).collect()
}

/// Writes errors.csv of the study anew as `name`, with the categories that `fill` gives its rows.
fn fill(place: &Place, name: &str, fill: impl Fn(usize, &BTreeMap<String, String>) -> String) {
    let text = fs::read_to_string(place.path("s/errors.csv")).unwrap();
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().unwrap().clone();
    let mut writer = csv::Writer::from_path(place.path(name)).unwrap();
    writer.write_record(&header).unwrap();
    for (i, row) in reader.records().map(|row| row.unwrap()).enumerate() {
        let by_name = header.iter().map(str::to_owned).zip(row.iter().map(str::to_owned)).collect();
        let fields = row.iter().take(row.len() - 1).map(str::to_owned).chain([fill(i, &by_name)]);
        writer.write_record(fields.collect::<Vec<_>>()).unwrap();
    }
    writer.flush().unwrap();
}

/// What the unit files of an arm say of a task in the first repeat: row → (truth, probability).
fn predictions(place: &Place, arm: &str, task: &str) -> BTreeMap<u64, (bool, f64)> {
    let mut found = BTreeMap::new();
    for unit in place.files("s/units").values() {
        let unit: Value = serde_json::from_slice(unit).unwrap();
        let tested = &unit["outcome"]["tasks"][task];
        if unit["spec"]["arm"] == arm && unit["spec"]["repeat"] == 0 && !tested.is_null() {
            for (i, row) in tested["rows"].as_array().unwrap().iter().enumerate() {
                let said = (tested["truths"][i].as_bool().unwrap(), tested["probabilities"][i].as_f64().unwrap());
                assert_eq!(found.insert(row.as_u64().unwrap(), said), None);
            }
        }
    }
    found
}

#[test]
fn the_2x2_and_the_sample_are_those_of_the_unit_files() {
    let place = study("--repeats 2");
    let found = json(&place, "--sample 1000");
    assert_eq!(found["tasks"].as_array().unwrap().len(), 2);
    let sampled = table(&place, "s/errors.csv");
    for (slot, of) in found["tasks"].as_array().unwrap().iter().enumerate() {
        let task = of["task"].as_str().unwrap();
        let (stl, mtl) = (predictions(&place, "stl", task), predictions(&place, "mtl", task));
        let mut counts =
            BTreeMap::from([((true, true), 0), ((true, false), 0), ((false, true), 0), ((false, false), 0)]);
        let mut expected = Vec::new(); // (kind, line)
        for (row, (truth, p_stl)) in &stl {
            let right = ((p_stl > &0.5) == *truth, (mtl[row].1 > 0.5) == *truth);
            *counts.get_mut(&right).unwrap() += 1;
            // One header line; the rows of b follow those of a.
            let line = row - 60 * slot as u64 + 2;
            let kinds = [("stl-wrong", !right.0), ("mtl-wrong", !right.1)];
            let alone = [("only-mtl-right", right == (false, true)), ("only-stl-right", right == (true, false))];
            let kinds = kinds.into_iter().chain(alone).filter(|(_, holds)| *holds);
            expected.extend(kinds.map(|(kind, _)| (kind.to_owned(), line.to_string())));
        }
        let cells =
            ["both_right", "only_stl", "only_mtl", "both_wrong"].map(|cell| of["mcnemar"][cell].as_u64().unwrap());
        assert_eq!(
            cells.to_vec(),
            [(true, true), (true, false), (false, true), (false, false)].map(|cell| counts[&cell])
        );
        assert_eq!((cells.iter().sum::<u64>(), &of["rows"]), (60, &Value::from(60)));
        assert!(cells[3] > 0, "some texts cannot be learnt");

        let mut drawn = Vec::new();
        let file = fs::read_to_string(place.path(&format!("{task}.tsv"))).unwrap();
        for row in sampled.iter().filter(|row| row["task"] == task) {
            drawn.push((row["kind"].clone(), row["line"].clone()));
            let line = file.lines().nth(row["line"].parse::<usize>().unwrap() - 1).unwrap();
            assert_eq!(line, format!("{}\t{}", row["text"], row["truth"]));
            assert_eq!((&*row["file"], &*row["category"]), (&*format!("{task}.tsv"), ""));
        }
        drawn.sort();
        expected.sort();
        assert_eq!(drawn, expected);
        // Every feature sorts all texts.
        let mut rows: BTreeMap<&str, u64> = BTreeMap::new();
        for slice in of["slices"].as_array().unwrap() {
            *rows.entry(slice["feature"].as_str().unwrap()).or_default() += slice["rows"].as_u64().unwrap();
            assert!(slice["adjusted_p"].as_f64() >= slice["mcnemar"]["p"].as_f64());
        }
        assert_eq!(rows.len(), 5);
        assert!(rows.values().all(|&rows| rows == 60), "{rows:?}");
    }
    let shown = succeeded(place.run("errors s"));
    for word in ["a-b", "both wrong", "with negation", "short (up to", "with lengthened words", "errors.html"] {
        assert!(shown.contains(word), "{word}\n{shown}");
    }
}

#[test]
fn a_sample_is_seeded_and_a_smaller_one_begins_a_larger_one() {
    let place = study("");
    let before = (place.files("s/units"), fs::read(place.path("s/results.json")).unwrap());
    for (words, out) in [("", "first"), ("", "again"), ("--seed 7", "other"), ("--sample 3", "few")] {
        succeeded(place.run(&format!("errors s --out {out} {words}")));
    }
    assert!(place.files("first") == place.files("again"));
    assert!(place.files("first")["errors.csv"] != place.files("other")["errors.csv"]);
    assert!(before == (place.files("s/units"), fs::read(place.path("s/results.json")).unwrap()), "nothing is trained");
    let by_kind = |out: &str| {
        let mut kinds: BTreeMap<_, Vec<String>> = BTreeMap::new();
        for row in table(&place, &format!("{out}/errors.csv")) {
            kinds.entry((row["task"].clone(), row["kind"].clone())).or_default().push(row["line"].clone());
        }
        kinds
    };
    let (all, few) = (by_kind("first"), by_kind("few"));
    for (kind, lines) in &all {
        assert_eq!(few[kind][..], lines[..lines.len().min(3)], "{kind:?}");
    }
    assert_eq!(all[&("a".into(), "stl-wrong".into())].len().min(3), 3);
}

#[test]
fn filled_in_categories_are_counted_for_both_arms() {
    let place = study("");
    succeeded(place.run("errors s"));
    let category = |i: usize| [" Negation", "sarcasm ", "negation", "", "other"][i % 5];
    fill(&place, "mine.csv", |i, _| category(i).into());
    let rows = table(&place, "mine.csv");
    let tally = json(&place, "--categories mine.csv");
    let file = &tally["files"][0];
    let empty = (0..rows.len()).filter(|i| i % 5 == 3).count();
    assert_eq!((&file["filled"], &file["empty"]), (&Value::from(rows.len() - empty), &Value::from(empty)));
    assert!(tally["agreement"].is_null());
    for of in file["tasks"].as_array().unwrap() {
        for (name, counts) in of["categories"].as_object().unwrap() {
            for (kind, count) in
                ["stl-wrong", "mtl-wrong", "only-mtl-right", "only-stl-right"].iter().zip(counts.as_array().unwrap())
            {
                let is_it = |row: &&BTreeMap<String, String>| {
                    of["task"] == row["task"] && row["kind"] == *kind && row["category"].trim().to_lowercase() == *name
                };
                assert_eq!(*count, rows.iter().filter(is_it).count(), "{name} {kind}");
            }
        }
    }
    let shown = succeeded(place.run("errors s --categories mine.csv"));
    for word in ["a-b: a, conv", "negation", "sarcasm", "STL wrong", "STL wrong, MTL right", "have none"] {
        assert!(shown.contains(word), "{word}\n{shown}");
    }
    // Nobody has begun yet: that is said, not an error.
    let shown = succeeded(place.run("errors s --categories s/errors.csv"));
    assert!(
        shown.contains(&format!("0 of {} errors have a category, {} have none", rows.len(), rows.len())),
        "{shown}"
    );
}

/// κ: scikit-learn 1.9.1, `cohen_kappa_score`.
#[test]
fn two_peoples_categories_are_compared() {
    let place = study("");
    succeeded(place.run("errors s"));
    let mine = "negation sarcasm sarcasm length other negation negation other length other";
    let yours = "negation sarcasm other length other negation sarcasm other other other";
    for (name, words) in [("mine.csv", mine), ("yours.csv", yours)] {
        let words: Vec<&str> = words.split(' ').collect();
        fill(&place, name, |i, _| words.get(i).map_or(String::new(), |word| (*word).to_owned()));
    }
    let agreement = &json(&place, "--categories mine.csv --categories yours.csv")["agreement"];
    assert!((agreement["kappa"].as_f64().unwrap() - 0.5890410958904109).abs() < 1e-12, "{agreement}");
    assert_eq!([&agreement["both"], &agreement["same"], &agreement["only_one"]], [10, 7, 0]);
    let shown = succeeded(place.run("errors s --categories mine.csv --categories yours.csv"));
    assert!(shown.ends_with("Cohen's κ: 0.589\n"), "{shown}");
    let three = place.run("errors s --categories mine.csv --categories yours.csv --categories mine.csv");
    assert_eq!(failed(three), "error: --categories: found 3 files, expected one or two");
}

#[test]
fn a_filled_in_file_is_not_lost() {
    let place = study("");
    succeeded(place.run("errors s"));
    succeeded(place.run("errors s --sample 4"));
    let path = place.path("s/errors.csv");
    fill(&place, "mine.csv", |i, _| if i < 2 { "irony".into() } else { String::new() });
    let mine = fs::read(place.path("mine.csv")).unwrap();
    let page = fs::read(place.path("s/errors.html")).unwrap();
    fs::copy(place.path("mine.csv"), &path).unwrap();
    assert_eq!(
        failed(place.run("errors s --seed 9")),
        "error: s/errors.csv: 2 categories are filled in, and nothing was written; choose another --out, or replace it with --force"
    );
    assert!(fs::read(&path).unwrap() == mine && fs::read(place.path("s/errors.html")).unwrap() == page);
    fs::write(&path, "somebody's notes\n").unwrap();
    assert!(failed(place.run("errors s")).contains("s/errors.csv: it is not as this command writes it, and nothing"));
    succeeded(place.run("errors s --force"));
    assert!(fs::read_to_string(&path).unwrap().starts_with("pair,task,shared,kind,"));
}

#[test]
fn what_is_wrong_with_a_file_is_named() {
    let place = study("");
    succeeded(place.run("errors s"));
    let text = fs::read_to_string(place.path("s/errors.csv")).unwrap();
    let (header, rest) = text.split_once('\n').unwrap();
    let first = rest.lines().next().unwrap();
    let with = |from: &str, to: &str| format!("{header}\n{}\n", first.replacen(from, to, 1));
    for (content, message) in [
        (text.replacen("category", "sort", 1), ":1: no column \"category\"; the columns are: pair, task,"),
        (
            with("a-b,a,", "a-b,c,"),
            ":2: not of this study: pair, task and shared are \"a-b\", \"c\", \"conv\"; expected one of: a-b, a, conv; ",
        ),
        (
            with("stl-wrong", "wrong"),
            ":2: kind \"wrong\": expected stl-wrong, mtl-wrong, only-mtl-right, only-stl-right",
        ),
        (with("a.tsv,", "a.tsv,9"), ":2: not of this study: it tested no text of line 9"),
        (with("stl-wrong", "only-stl-right"), ":2: not of this study: here STL is wrong and MTL "),
        (format!("{header}\n{first}\n{first}\n"), ":3: the same error as in line 2; expected it once"),
        (format!("{header}\na,b\n"), ":2: found 2 fields, expected 12"),
        (String::new(), "the file is empty"),
    ] {
        fs::write(place.path("bad.csv"), content).unwrap();
        let found = failed(place.run("errors s --categories bad.csv"));
        assert!(found.starts_with("error: bad.csv:") && found.contains(message), "{message}\n{found}");
    }
    assert!(failed(place.run("errors s --categories none.csv")).contains("none.csv"));
}

#[test]
fn a_study_that_is_not_finished_or_damaged_is_named() {
    let place = study("");
    assert_eq!(failed(place.run("errors .")), "error: .: it is no study: it has no study.toml");
    let units = place.files("s/units");
    let (name, content) = units.iter().find(|(name, _)| name.contains(".mtl.")).unwrap();
    let path = place.path("s/units").join(name);
    fs::write(&path, &content[..content.len() / 2]).unwrap();
    assert!(failed(place.run("errors s")).contains(&format!("{name}: the unit is damaged")));
    fs::remove_file(path).unwrap();
    let message = failed(place.run("errors s"));
    assert!(message.ends_with("s: 1 of 15 units are missing; `mtlcore study s/study.toml` runs them"), "{message}");
}

#[test]
fn no_text_gets_out_of_the_page() {
    let place = study("");
    succeeded(place.run("errors s --sample 1000"));
    let page = fs::read_to_string(place.path("s/errors.html")).unwrap();
    assert_eq!((page.matches("<script").count(), page.matches("</script").count()), (1, 1));
    assert_keeps_to_itself(&page, 1);
    assert!(!page.contains("<b ") && !page.contains("http:") && !page.contains("https:"));
    let escaped = "&lt;&#x2f;script&gt;&lt;b onload=x&gt;, &quot;quoted&quot; &amp; &#x27;more&#x27;␛[2J";
    assert_eq!(page.matches(escaped).count(), table(&place, "s/errors.csv").len());
    assert_eq!(page.matches("<section").count(), 2);
}

#[test]
fn the_report_shows_the_slices() {
    let place = study("");
    let [html, markdown] =
        ["report.html", "report.md"].map(|name| fs::read_to_string(place.path("s").join(name)).unwrap());
    assert!(html.contains("<section id=\"slices\"") && html.contains("href=\"#slices\""));
    let found = json(&place, "");
    for slice in found["tasks"].as_array().unwrap().iter().flat_map(|of| of["slices"].as_array().unwrap()) {
        let texts = slice["texts"].as_str().unwrap();
        let share = |name: &str| format!("{:.2}", 100.0 * slice[name].as_f64().unwrap());
        assert!(html.contains(texts));
        let row = format!("| {texts} | {} | {} | {} |", slice["rows"], share("stl_error"), share("mtl_error"));
        assert!(markdown.contains(&row), "{row}");
    }
}
