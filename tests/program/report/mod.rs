//! `mtlcore report`: the page, the Markdown and the LaTeX tables say what results.json says, and nothing else.

mod fixture;
mod reading;

use std::fs;

use mtlcore::mtl::{
    evaluation::interval::Verdict,
    settings::{Preset, Shared},
    study::{Band, CurvePoint, Curves, PairCurves, TaskCurve, results::*},
};
use regex::Regex;

use crate::common::assert_keeps_to_itself;
use fixture::{CELLS, FOLDS, NASTY, SEEDS, STUDY, directory, write_origin};
use reading::{Report, assert_numbers, html_rows, markdown_rows, numbers, report, rows};

fn points(difference: Difference) -> [f64; 3] {
    [difference.difference, difference.low, difference.high]
}

#[test]
fn every_format_has_each_verdict_with_its_own_numbers() {
    let report = Report::of(&STUDY);
    let cell = Regex::new("(?s)<td>.*?</td>").unwrap();
    let html: Vec<String> = html_rows(&report.html, "Together − alone, F at the tuned threshold")
        .iter()
        .flat_map(|row| cell.find_iter(row).map(|cell| cell.as_str().to_owned()).collect::<Vec<_>>())
        .collect();
    let markdown: Vec<&str> = markdown_rows(&report.markdown, "| Task | BiLSTM")
        .into_iter()
        .flat_map(|row| row.split(" | ").skip(1))
        .collect();
    let latex: Vec<&str> = report.latex.lines().filter(|line| line.contains(" to ") && line.contains(" & ")).collect();
    assert_eq!([html.len(), markdown.len(), latex.len()], [8, 8, 8]);
    for (i, (task, (verdict, expected))) in rows(&STUDY).zip(CELLS).enumerate() {
        let said = format!("{verdict}");
        assert!(html[i].contains(&format!("</span> {said}</span>")), "{said}: {}", html[i]);
        assert!(markdown[i].contains(&format!(" {said}: ")), "{said}: {}", markdown[i]);
        assert_numbers(&html[i], &expected);
        assert_numbers(markdown[i], &expected);
        let cell = &task.cell;
        let levels = [100.0 * cell.alone, 100.0 * cell.together];
        assert_numbers(latex[i], &[&levels[..], &expected].concat());
        let mark = match verdict {
            Verdict::Helps => r"$\uparrow$$^{*}$",
            Verdict::Hurts => r"$\downarrow$$^{*}$",
            Verdict::Equivalent => r"$\approx$",
            Verdict::DoesNotHurt => r"$\geq$",
            Verdict::DoesNotHelp => r"$\leq$",
            Verdict::Undecided => "?",
            Verdict::NotLearnt => r"$\emptyset$",
        };
        assert!(latex[i].ends_with(&format!("& {mark} \\\\")), "{}", latex[i]);
    }
}

#[test]
fn the_first_thing_to_read_is_what_to_do_about_each_task() {
    let report = Report::of(&STUDY);
    let page = report.page();
    let sentence = Regex::new("(?s)<p class=\"act\"><b>(.*?)</b>: (.*?)</p>\n<p class=\"because\">(.*?)</p>").unwrap();
    let sentences: Vec<[&str; 3]> = sentence.captures_iter(&page).map(|found| found.extract().1).collect();
    let answers: Vec<&TaskAnswer> = STUDY.pairs.iter().flat_map(|pair| &pair.answer.tasks).collect();
    assert_eq!(sentences.len(), answers.len());
    for ([_, act, because], answer) in sentences.iter().zip(answers) {
        if answer.verdict != Verdict::NotLearnt {
            let all = numbers(act);
            let has = |expected: f64| all.iter().any(|found| (found - expected).abs() <= 0.051);
            for expected in [answer.difference, answer.low, answer.high, 100.0 * answer.alone, 100.0 * answer.together]
            {
                assert!(has(expected), "{expected} in {act}");
            }
        }
        assert!(because.contains("1,000 texts (333 true)"), "{because}");
    }
    assert!(page.find("class=\"act\"") < page.find("<table"), "it comes before any table");
    let claims =
        "Over all 7 comparisons, allowing for their number (Holm), learning together helps in 2 and hurts in 1.";
    assert!(page.contains(claims) && report.markdown.contains(&claims.replace('#', "\\#")));
}

#[test]
fn a_pair_is_called_by_its_tasks() {
    let report = Report::of(&STUDY);
    for text in [report.page(), report.markdown, report.latex] {
        assert!(text.contains("influenza and multiple symptoms") && !text.contains("simulated-1"));
    }
}

#[test]
fn the_forest_draws_the_numbers_of_the_verdicts() {
    let charts = Report::of(&STUDY).charts();
    let effects = charts[0]["datasets"]["effects"].as_array().unwrap();
    let expected: Vec<_> = rows(&STUDY).zip(CELLS).filter(|(_, (verdict, _))| *verdict != Verdict::NotLearnt).collect();
    assert_eq!(effects.len(), expected.len());
    for (drawn, (task, (verdict, expected))) in effects.iter().zip(expected) {
        assert_eq!(["difference", "low", "high"].map(|field| drawn[field].as_f64().unwrap()), expected);
        assert_eq!(drawn["verdict"], verdict.word());
        assert!(drawn["label"].as_str().unwrap().starts_with(&task.task[..3]));
    }
    let headings_and_rows = STUDY.pairs.iter().map(|pair| pair.tasks.len() * (1 + pair.layers.len())).sum::<usize>();
    assert_eq!(charts[0]["datasets"]["rows"].as_array().unwrap().len(), headings_and_rows);
    // The forest, real gains and split; tuning and training of each comparison.
    assert_eq!(charts.len(), 3 + 2 * 8);
}

#[test]
fn baselines_and_controls_stand_in_the_table_of_the_arms() {
    let report = Report::of(&STUDY);
    let html = html_rows(&report.html, "labelled texts");
    let markdown = markdown_rows(&report.markdown, "| Task | Learnt | Shared layer | Score");
    let mut lines = html.iter().zip(markdown);
    let mut expect = |name: &str, expected: &[f64]| {
        let (html, markdown) = lines.next().unwrap();
        assert!(html.contains(name) && markdown.contains(name), "{name}: {html}");
        assert_numbers(html, expected);
        assert_numbers(markdown, expected);
    };
    for pair in &STUDY.pairs {
        for answer in &pair.answer.tasks {
            let always_true = 100.0 * pair.baselines[1].tasks[&answer.task].f_over_folds.pooled;
            expect("majority class", &[always_true]);
            expect("always true", &[always_true]);
            match answer.over_ngrams {
                Some(_) => expect("n-grams", &[54.32, -6.54, -8.76, -4.32]),
                None => expect("n-grams", &[54.32]),
            }
            for layer in &pair.layers {
                let task = layer.tasks.iter().find(|task| task.task == answer.task).unwrap();
                let level = |arm: &ArmResult| 100.0 * arm.tuned.as_ref().unwrap().f_over_folds.pooled;
                let (cell, control) = (&task.cell, &task.controls[0]);
                expect("alone (STL)", &[if cell.alone_is_matched { level(&task.stl) } else { 100.0 * cell.alone }]);
                expect("together (MTL)", &[100.0 * cell.together, cell.difference, cell.low, cell.high]);
                let gain = points(task.real_gain.as_ref().unwrap().difference.unwrap());
                expect("the best control", &[&[100.0 * cell.together][..], &gain].concat());
                let gain = points(control.difference.unwrap());
                expect("alone, with as many steps", &[&[level(&control.arm)][..], &gain].concat());
            }
        }
    }
    assert!(lines.next().is_none());
}

#[test]
fn measures_variance_and_tests_are_those_of_the_results() {
    let report = Report::of(&STUDY);
    let measures = html_rows(&report.html, "every measure");
    let variance = html_rows(&report.html, "standard deviations of the difference");
    let f1 = html_rows(&report.html, "MTL − STL in F at");
    let accuracy = html_rows(&report.html, "MTL − STL in accuracy at");
    let holm = html_rows(&report.html, "when their number is allowed for");
    let markdown = ["| Task | Shared layer | F at", "| Task | Shared layer | Texts |", "| Task | Shared layer | F STL"];
    let markdown = markdown.map(|heading| markdown_rows(&report.markdown, heading));
    for (i, task) in rows(&STUDY).enumerate() {
        let of = |m: &MeasureResult| [&points(m.difference)[..], &[100.0 * m.alone, 100.0 * m.together]].concat();
        let expected: Vec<f64> = task.measures.values().flat_map(of).collect();
        assert_eq!(task.measures.len(), 5);
        assert_numbers(&measures[i], &expected);
        assert_numbers(markdown[0][i], &expected);

        let VarianceResult { texts, training_rows, seeds, .. } = task.cell.variance;
        let mut expected: Vec<f64> = [texts, training_rows].into_iter().chain(seeds).collect();
        if let Some(n) = task.cell.narrowing {
            expected.extend([n.half_width, n.twice_the_seeds, n.any_seeds, n.twice_the_texts]);
        }
        assert_numbers(&variance[i], &expected);
        assert_numbers(markdown[1][i], &expected);

        for (row, found, name) in [(&f1[i], &task.f1, "f1"), (&accuracy[i], &task.accuracy, "accuracy")] {
            assert_numbers(row, &evidence(task, found, name));
        }
        let mut expected = evidence(task, &task.f1, "f1");
        // Markdown has no deviation of the difference, and McNemar's p after Wilcoxon's.
        expected.remove(5);
        expected.insert(9, task.mcnemar.p);
        let after_holm = [task.cell.p_gain, task.cell.p_cost];
        let after_holm = if task.cell.not_learnt.is_some() { &[][..] } else { &after_holm };
        expected.extend(after_holm);
        assert_numbers(markdown[2][i], &expected);
        assert_numbers(&holm[i], &[after_holm, &[task.mcnemar.p]].concat());
    }
    assert!(report.page().contains("&lt;0.0001") && report.markdown.contains("&lt;0.0001"), "no p is 0");
}

/// Both arms and their difference with deviations, the p-values, the Bayesian test and the smallest effect.
fn evidence(task: &TaskResult, found: &Comparison, name: &str) -> Vec<f64> {
    let arms = [&task.stl, &task.mtl].map(|arm| arm.summary.metrics[name]);
    let mut row: Vec<f64> = arms.iter().flat_map(|spread| [100.0 * spread.mean, 100.0 * spread.sd]).collect();
    let posterior = found.posterior.unwrap();
    row.extend([found.spread.mean, found.spread.sd, found.paired_t.unwrap().p, found.corrected_t.unwrap().p]);
    row.extend([found.holm_p.unwrap(), found.wilcoxon.p, posterior.low, posterior.high]);
    row.extend([posterior.below, posterior.inside, posterior.above, found.smallest_effect.unwrap()]);
    row
}

#[test]
fn split_controls_balancing_trainings_and_tuning_are_those_of_the_results() {
    let report = Report::of(&STUDY);
    let split = html_rows(&report.html, "and its two parts");
    let controls = html_rows(&report.html, "F with each control");
    let balancing = html_rows(&report.html, "with each method");
    let trainings = html_rows(&report.html, "every training’s F");
    let losses = html_rows(&report.html, "mean loss by epoch");
    let tuning = html_rows(&report.html, "expected best score");
    let gain = |gain: &Comparison| {
        let posterior = gain.posterior.unwrap();
        [gain.spread.mean, posterior.low, posterior.high]
    };
    for (i, task) in rows(&STUDY).enumerate() {
        let parts = task.split.unwrap();
        let parts = [task.f1.spread, parts.ranking, parts.operating_point];
        let mut expected: Vec<f64> = parts.iter().flat_map(|spread| [spread.mean, spread.sd]).collect();
        let predicted_true = [&task.stl, &task.mtl].map(|arm| arm.summary.metrics["share_predicted_true"]);
        let tuned = [&task.stl, &task.mtl].map(|arm| arm.tuned.as_ref().unwrap().metrics["f1"]);
        expected.extend(predicted_true.iter().chain(&tuned).flat_map(|s| [100.0 * s.mean, 100.0 * s.sd]));
        assert_numbers(&split[i], &expected);

        let control = &task.controls[0];
        let f1 = control.arm.summary.metrics["f1"];
        assert_numbers(&controls[i], &[&[100.0 * f1.mean, 100.0 * f1.sd], &gain(&control.gain)[..]].concat());
        let balanced = &task.balanced[0];
        let differences = [balanced.difference_from_mtl, balanced.difference_from_stl];
        let gains = differences.map(|of| [of.difference, of.low, of.high]).concat();
        assert_numbers(&balancing[i], &[&[100.0 * balanced.score], &gains[..]].concat());

        for (j, fold) in task.stl.folds.iter().chain(&task.mtl.folds).enumerate() {
            assert_numbers(&trainings[2 * FOLDS * SEEDS * i + j], &[100.0 * fold.metrics.f1]);
        }
        for (j, epoch) in task.stl.training.iter().chain(&task.mtl.training).enumerate() {
            let expected = [epoch.loss.mean, epoch.inner_loss.unwrap().mean, 100.0 * epoch.inner_f1.unwrap().mean];
            assert_numbers(&losses[6 * i + j], &expected);
        }
        for (j, arm) in [&task.stl, &task.mtl, &control.arm].into_iter().enumerate() {
            let expected: Vec<f64> = arm.expected_best.iter().map(|best| 100.0 * best).collect();
            assert_numbers(&tuning[3 * i + j], &expected);
        }
    }
}

#[test]
fn what_weakens_a_verdict_stands_beside_it() {
    let report = Report::of(&STUDY);
    let rows = html_rows(&report.html, "Together − alone, F at the tuned threshold").concat();
    let cell = Regex::new("(?s)<td>.*?</td>").unwrap();
    let cells: Vec<&str> = cell.find_iter(&rows).map(|cell| cell.as_str()).collect();
    for (note, places) in
        [("not converged", [5]), ("alone: as many steps", [4]), ("widened", [3]), ("alone: predicts one class", [6])]
    {
        for (place, cell) in cells.iter().enumerate() {
            assert_eq!(cell.contains(note), places.contains(&place), "{note} at {place}: {cell}");
        }
    }
    assert!(report.latex.contains(r"$^{\dagger}$: alone with as many steps"));
}

#[test]
fn slices_are_those_of_the_results_and_marked_when_they_stand_out() {
    let report = Report::of(&STUDY);
    let html = html_rows(&report.html, "errors of STL and MTL in percent");
    let markdown = markdown_rows(&report.markdown, "| Task | Shared layer | Feature |");
    assert_eq!([html.len(), markdown.len()], [4 * 2, 8 * 2], "a line has all layers; a line has one");
    let [negation, other] = [[25.0, 12.5, -12.5, 0.0123], [10.0, 13.75, 3.75, 0.4321]];
    for lines in html.chunks(2) {
        let layers = lines[0].matches("<small>").count();
        assert_numbers(&lines[0], &negation.repeat(layers));
        assert_numbers(&lines[1], &other.repeat(layers));
        assert!(lines[0].contains("fewer −12.50") && !lines[1].contains("more"), "{lines:?}");
    }
    for lines in markdown.chunks(2) {
        assert_numbers(lines[0], &negation);
        assert_numbers(lines[1], &other);
        assert!(lines[0].contains("−12.50 **fewer** |") && lines[1].contains("+3.75 |"), "{lines:?}");
    }
}

#[test]
fn curves_are_shown_where_there_are_any() {
    let without = Report::of(&STUDY);
    assert!(!without.page().contains("Figure 3") && !without.markdown.contains("Figure 3"));

    let point = |percent: u8| {
        let band = |mean: f64| Band { mean, low: mean - 0.0123, high: mean + 0.0123 };
        let mean = 0.5 + f64::from(percent) / 400.0;
        let metrics = [("accuracy", mean + 0.1), ("f1", mean), ("average_precision", mean + 0.05)];
        let metrics = metrics.map(|(name, mean)| (name.to_owned(), band(mean))).into_iter().collect();
        CurvePoint { percent, metrics, folds: Vec::new() }
    };
    let curve = |task: &str| TaskCurve {
        task: task.to_owned(),
        shared: Shared::Conv,
        points: [0, 30, 100].map(point).to_vec(),
    };
    let curves = Curves {
        version: "1.2.3-fixture".to_owned(),
        preset: Preset::Default,
        seed: 4711,
        folds: FOLDS,
        repeats: 1,
        fractions: vec![0, 30, 100],
        pairs: vec![PairCurves { name: "vaccine_use".to_owned(), curves: [NASTY, "symptoms"].map(curve).to_vec() }],
    };
    let directory = directory(&STUDY);
    fs::write(directory.path().join("curve.json"), serde_json::to_string(&curves).unwrap()).unwrap();
    let (success, _, errors) = report(directory.path(), &[]);
    assert!(success, "{errors}");
    let with = Report::read(directory.path());
    assert!(with.page().contains("id=\"curves\"") && with.page().contains("href=\"#curves\""));
    let html = html_rows(&with.html, "by share of the other tasks");
    let markdown = markdown_rows(&with.markdown, "| Task | Shared layer | Share |");
    let points: Vec<&CurvePoint> = curves.pairs[0].curves.iter().flat_map(|curve| &curve.points).collect();
    assert_eq!((html.len(), markdown.len()), (points.len(), points.len()));
    for ((html, markdown), point) in html.iter().zip(&markdown).zip(points) {
        let bands = point.metrics.values().flat_map(|band| [band.mean, band.low, band.high]);
        let expected: Vec<f64> = bands.map(|share| 100.0 * share).collect();
        assert_numbers(html, &expected);
        assert_numbers(markdown, &expected);
        assert!(html.contains(&format!("<td>{} %</td>", point.percent)), "{html}");
    }
    let drawn = with.html.matches(r#"<script type="application/json" class="chart">"#).count();
    assert_eq!(drawn, without.html.matches(r#"<script type="application/json" class="chart">"#).count() + 2);
    assert!(!with.page().contains(NASTY), "names are escaped here too");

    fs::write(directory.path().join("curve.json"), "[]").unwrap();
    let (success, _, errors) = report(directory.path(), &[]);
    assert!(!success && errors.contains("curve.json:1: not the curves of a study"), "{errors}");
}

#[test]
fn all_figures_of_all_arms_and_baselines_are_there() {
    let results = &*STUDY;
    let report = Report::of(results);
    // Captions stand in front of the heading, so that the rows are in the order of pairs and tasks.
    let mut rows = html_rows(&report.html, "all figures by arm").into_iter();
    let mut expect = |summary: &Summary| {
        let unit = |name: &str| if ["mcc", "brier_score", "log_loss"].contains(&name) { 1.0 } else { 100.0 };
        let metrics = summary.metrics.iter();
        let mut expected: Vec<f64> = metrics.flat_map(|(name, s)| [unit(name) * s.mean, unit(name) * s.sd]).collect();
        expected.extend([100.0 * summary.f_over_folds.pooled, 100.0 * summary.f_over_folds.of_means]);
        assert_numbers(&rows.next().unwrap(), &expected);
    };
    for pair in &results.pairs {
        for (i, task) in pair.tasks.iter().enumerate() {
            for baseline in &pair.baselines {
                expect(&baseline.tasks[&task.name]);
                baseline.tuned.iter().for_each(|tuned| expect(&tuned[&task.name]));
            }
            for layer in &pair.layers {
                let result = &layer.tasks[i];
                for arm in [&result.stl, &result.mtl] {
                    expect(&arm.summary);
                    expect(arm.tuned.as_ref().unwrap());
                }
                expect(&result.controls[0].arm.summary);
                expect(&result.balanced[0].arm.summary);
            }
        }
    }
    assert_eq!(rows.next(), None);
}

#[test]
fn the_page_runs_its_own_scripts_and_loads_nothing() {
    let report = Report::of(&STUDY);
    assert_keeps_to_itself(&report.html, 4);
    let page = report.page();
    assert!(!Regex::new("(?i)https?:|//[a-z]|@import|url\\(").unwrap().is_match(&page), "an external address");
    for (_, [value]) in Regex::new(r#"(?:src|href)="([^"]*)""#).unwrap().captures_iter(&page).map(|c| c.extract()) {
        assert!(value.starts_with('#') || value.starts_with("data:"), "{value}");
    }
    assert!(!Regex::new(r#" on[a-z]+=""#).unwrap().is_match(&page), "code in an attribute");
}

#[test]
fn no_name_breaks_out_of_its_place() {
    let report = Report::of(&STUDY);
    // Four of code, and one for each chart: a name that closed one would show here.
    let count = |pattern: &str| Regex::new(pattern).unwrap().find_iter(&report.html).count();
    let scripts = 4 + report.charts().len();
    assert_eq!((count("(?i)<script[ >]"), count("(?i)</script")), (scripts, scripts));
    let page = report.page();
    assert!(!page.contains("<b>&amp;") && page.contains("flu &lt;b&gt;&amp;&quot;|_100%&lt;&#x2f;script&gt;"));
    assert!(report.markdown.contains(r#"flu &lt;b>&amp;"\|\_100%&lt;/script>"#));
    assert!(report.latex.contains(r#"flu $<$b$>$\&"|\_100\%$<$/script$>$"#));
    for (name, text) in [("page", &report.html), ("Markdown", &report.markdown), ("LaTeX", &report.latex)] {
        let control = text.chars().find(|&c| c.is_control() && c != '\n' && c != '\t');
        assert_eq!(control, None, "a control character in the {name}");
    }
    assert!(report.html.len() < 1_500_000, "{}", report.html.len());
}

#[test]
fn a_minus_is_a_minus() {
    let report = Report::of(&STUDY);
    let hyphen = Regex::new(r"(^|[\s(>±/|\[])-\d").unwrap();
    let page = report.page();
    for text in [&page, &report.markdown, &report.latex] {
        assert!(hyphen.find(text).is_none(), "{:?}", hyphen.find(text));
        assert!(text.contains("17.1"), "there is a negative number");
    }
    assert!(page.contains("−17.1") && report.markdown.contains("−17.1") && report.latex.contains("$-$17.1"));
}

#[test]
fn every_table_has_a_caption_and_every_figure_words() {
    let page = Report::of(&STUDY).page();
    let count = |text: &str| page.matches(text).count();
    assert_eq!(count("<table"), count("<caption>"));
    assert_eq!(count("<table"), count(r#"<div class="scroll" tabindex="0" role="region" aria-label=""#));
    assert_eq!(count(r#"class="drawing""#), count(r#"role="img" aria-label=""#));
    assert_eq!(count("<th>") + count("<th class"), 0, "a heading without scope");
    assert_eq!(count("<h1>"), 1);
    let colours = ["helps", "hurts", "equivalent", "does-not-hurt", "does-not-help", "undecided", "not-learnt"];
    for colour in colours {
        let marked = format!("<span class=\"verdict {colour}\"><span aria-hidden=\"true\">");
        assert!(page.contains(&marked), "{colour} has a mark and a word beside its colour");
    }
}

#[test]
fn what_a_study_does_not_have_is_left_out() {
    let mut results = STUDY.clone();
    for pair in &mut results.pairs {
        (pair.relatedness, pair.baselines) = (None, Vec::new());
        for task in pair.layers.iter_mut().flat_map(|layer| &mut layer.tasks) {
            (task.split, task.real_gain, task.controls) = (None, None, Vec::new());
            (task.cell.still_improving, task.cell.alone_is_matched) = (None, false);
            task.slices = Vec::new();
            task.balanced.clear();
            for arm in [&mut task.stl, &mut task.mtl] {
                (arm.tuned, arm.training, arm.expected_best) = (None, Vec::new(), Vec::new());
            }
        }
    }
    let (with, without) = (Report::of(&STUDY), Report::of(&results));
    for id in ["tuning", "training", "split", "controls", "balancing", "slices"] {
        for text in [format!("id=\"{id}\""), format!("href=\"#{id}\"")] {
            assert!(with.page().contains(&text) && !without.page().contains(&text), "{text}");
        }
    }
    for heading in ["## Tuning", "## Training", "## Ranking and threshold", "## Balancing", "## Error slices"] {
        assert!(with.markdown.contains(heading) && !without.markdown.contains(heading), "{heading}");
    }
    assert!(!without.page().contains("n-grams (") && !without.page().contains(", tuned<"));
    assert!(!without.page().contains("not converged") && !without.page().contains("study.toml"));
}

#[test]
fn the_origin_is_shown_without_what_changes_no_result() {
    let directory = directory(&STUDY);
    write_origin(&directory, 3, 61.5);
    assert!(report(directory.path(), &[]).0);
    let Report { html, markdown, latex } = Report::read(directory.path());
    for text in ["seed = 4711", "c0ffee", "bead", "a&lt;b|c.tsv", "4711", "1.2.3-fixture", "abad1dea", "12345", "611"] {
        assert!(html.contains(text), "{text}");
    }
    for text in
        ["    seed = 4711\n", "| influenza and multiple symptoms, SHA-256 | c0ffee |", "| mtlcore | 1.2.3-fixture |"]
    {
        assert!(markdown.contains(text), "{text}");
    }
    assert!(latex.contains("1.2.3-fixture"));

    fs::write(directory.path().join("manifest.json"), "{").unwrap();
    let (success, _, errors) = report(directory.path(), &[]);
    assert!(!success && errors.contains("manifest.json"), "{errors}");
}

/// However long it took and on however many threads, in whatever directory.
#[test]
fn the_same_results_give_the_same_bytes() {
    let draw = |threads, seconds| {
        let directory = directory(&STUDY);
        write_origin(&directory, threads, seconds);
        let (success, output, errors) = report(directory.path(), &[]);
        assert!(success, "{errors}");
        let files: Vec<_> = output.lines().map(|path| fs::read(path).unwrap()).collect();
        assert_eq!(files.len(), 3);
        // Nothing is left of writing them.
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 3 + 3);
        files
    };
    assert!(draw(1, 10.5) == draw(64, 12345.678));
}

#[test]
fn each_format_can_be_printed() {
    let directory = directory(&STUDY);
    write_origin(&directory, 3, 7200.0);
    assert!(report(directory.path(), &[]).0);
    let written = Report::read(directory.path());
    let printed = |format: &str| {
        let (success, output, errors) = report(directory.path(), &["--format", format]);
        assert!(success, "{errors}");
        output
    };
    assert!(
        printed("page") == written.html && printed("markdown") == written.markdown && printed("latex") == written.latex
    );
    assert_eq!(serde_json::from_str::<Results>(&printed("json")).unwrap(), *STUDY);
}

#[test]
fn the_checklist_is_filled_in_as_far_as_the_study_knows() {
    let directory = directory(&STUDY);
    write_origin(&directory, 3, 7200.0);
    let (success, checklist, errors) = report(directory.path(), &["--format", "checklist"]);
    assert!(success, "{errors}");
    for text in [
        "| influenza and multiple symptoms | influenza | 1000 | 333 | 33.30 % |",
        "| influenza and multiple symptoms | 611 | 68 | 321 | 0 |",
        "96 units",
        "2.00 hours on 3 threads",
        "the same 4 trials",
        "    seed = 4711",
        "3 folds × 2 trainings",
        "helps in 2 and hurts in 1",
        "f00d",
    ] {
        assert!(checklist.contains(text), "{text} in\n{checklist}");
    }
    let figures: Vec<Vec<f64>> = checklist.lines().filter(|line| line.contains(" to ")).map(numbers).collect();
    for (_, expected) in CELLS {
        let is_close =
            |found: &Vec<f64>| found.len() == 5 && (0..3).all(|i| (found[2 + i] - expected[i]).abs() < 0.051);
        assert!(figures.iter().any(is_close), "{expected:?}");
    }
    // What only people know.
    for item in ["B1.", "B2.", "B3.", "B4.", "B5.", "C1.", "C4.", "Open access", "Compute resources"] {
        let line = checklist.lines().find(|line| line.contains(&format!("**{item}"))).unwrap();
        assert!(line.contains("_For you to fill in:_"), "{line}");
    }
    // Without the study's other files it says so.
    let bare = fixture::directory(&STUDY);
    let (success, checklist, errors) = report(bare.path(), &["--format", "checklist"]);
    assert!(success && checklist.contains("the study's manifest is not there"), "{errors}");
}

#[test]
fn without_results_there_is_no_report() {
    let directory = tempfile::tempdir().unwrap();
    let (success, _, errors) = report(directory.path(), &[]);
    assert!(!success && errors.contains("it is no study: it has no study.toml"), "{errors}");

    let damaged = directory.path().join(RESULTS);
    fs::write(&damaged, "{\n  \"version\": 3\n}").unwrap();
    let (success, _, errors) = report(directory.path(), &[]);
    assert!(!success && errors.contains("results.json:2: not the results of a study"), "{errors}");
    assert!(!directory.path().join("report.html").exists());
}
