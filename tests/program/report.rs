//! `mtlcore report`: the page, the Markdown and the LaTeX tables say what results.json says, and nothing else.

use std::{fs, path::Path, sync::LazyLock};

use indexmap::IndexMap;
use mtlcore::mtl::{
    evaluation::{
        metrics::{Counts, Metrics},
        statistics::{Verdict, corrected_resampled_t, correlated_t, f_over_folds, paired_t, smallest_effect, wilcoxon},
    },
    settings::{Balance, Preset, Shared},
    study::{
        Band, Control, CurvePoint, Curves, PairCurves, TaskCurve,
        error_analysis::{Feature, McNemar, SliceResult},
        results::*,
    },
};
use regex::Regex;
use tempfile::TempDir;

const FOLDS: usize = 5;
const ROPE: f64 = 1.0;
/// Names from outside may hold anything.
const NASTY: &str = "flu <b>&\"|_100%</script>";

/// Fold `fold` of an arm whose quality lies in 0 to 100.
fn fold_result(quality: usize, fold: usize) -> FoldResult {
    let truths: Vec<bool> = (0..200).map(|i| i % 3 == 0).collect();
    let right = |i: usize| (i * 37 + fold * 11) % 100 < quality;
    let score = |(i, &truth): (usize, &bool)| {
        let sure = (i * 13 % 40) as f64 / 100.0;
        if truth == right(i) { 0.55 + sure } else { 0.45 - sure }
    };
    let probabilities: Vec<f64> = truths.iter().enumerate().map(score).collect();
    FoldResult {
        repeat: 0,
        fold,
        metrics: Metrics::new(&probabilities, &truths, 0.5),
        tuned: Some(Metrics::new(&probabilities, &truths, 0.4)),
        epochs: 3,
        chosen_epoch: 3,
        steps: 75,
    }
}

fn spread(values: &[f64]) -> Spread {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    Spread { mean, sd: (squares / (values.len() as f64 - 1.0)).sqrt() }
}

type Metric = fn(&Metrics) -> f64;

fn summary(folds: &[&Metrics]) -> Summary {
    let metrics: [(&str, Metric); 11] = [
        ("accuracy", |m| m.accuracy),
        ("precision", |m| m.precision),
        ("recall", |m| m.recall),
        ("f1", |m| m.f1),
        ("macro_f1", |m| m.macro_f1),
        ("mcc", |m| m.mcc),
        ("share_predicted_true", |m| m.share_predicted_true),
        ("average_precision", |m| m.average_precision),
        ("auroc", |m| m.auroc.unwrap()),
        ("brier_score", |m| m.brier_score),
        ("log_loss", |m| m.log_loss),
    ];
    let of = |metric: Metric| spread(&folds.iter().map(|m| metric(m)).collect::<Vec<_>>());
    let counts: Vec<Counts> = folds.iter().map(|m| m.counts).collect();
    Summary {
        metrics: metrics.into_iter().map(|(name, metric)| (name.to_owned(), of(metric))).collect(),
        f_over_folds: f_over_folds(&counts),
    }
}

fn arm(quality: usize) -> ArmResult {
    let folds: Vec<FoldResult> = (0..FOLDS).map(|fold| fold_result(quality + fold * quality % 7, fold)).collect();
    let epoch = |epoch: usize| {
        let loss = |loss: f64| Spread { mean: loss, sd: 0.01 };
        let falling = 0.7 - 0.002 * (quality * epoch) as f64;
        EpochSummary {
            epoch,
            folds: FOLDS,
            loss: loss(falling),
            inner_loss: Some(loss(falling + 0.05 * epoch as f64)),
            inner_f1: Some(loss(0.5)),
        }
    };
    ArmResult {
        summary: summary(&folds.iter().map(|fold| &fold.metrics).collect::<Vec<_>>()),
        tuned: Some(summary(&folds.iter().filter_map(|fold| fold.tuned.as_ref()).collect::<Vec<_>>())),
        folds,
        training: (1..=3).map(epoch).collect(),
    }
}

/// `better` − `worse` in points.
fn comparison(better: &ArmResult, worse: &ArmResult, metric: Metric, holm_p: Option<f64>) -> Comparison {
    let differences: Vec<f64> = (better.folds.iter().zip(&worse.folds))
        .map(|(a, b)| 100.0 * (metric(&a.metrics) - metric(&b.metrics)))
        .collect();
    let posterior = correlated_t(&differences, 1.0 / FOLDS as f64, ROPE);
    Comparison {
        spread: spread(&differences),
        paired_t: paired_t(&differences).map(Into::into),
        corrected_t: corrected_resampled_t(&differences, 1.0 / (FOLDS as f64 - 1.0)).map(Into::into),
        holm_p,
        posterior,
        wilcoxon: wilcoxon(&differences),
        smallest_effect: smallest_effect(FOLDS, 1, spread(&differences).sd),
        verdict: posterior.unwrap().verdict(),
        differences,
    }
}

fn slice(texts: &str, stl_error: f64, mtl_error: f64, adjusted_p: f64) -> SliceResult {
    let mcnemar = McNemar { both_right: 280, only_stl: 20, only_mtl: 70, both_wrong: 30, p: adjusted_p / 2.0 };
    SliceResult {
        feature: Feature::Negation,
        texts: texts.into(),
        rows: 400,
        stl_error,
        mtl_error,
        mcnemar,
        adjusted_p,
    }
}

fn task_result(task: &str, stl: usize, mtl: usize) -> TaskResult {
    let (stl, mtl, control) = (arm(stl), arm(mtl), arm(stl + 1));
    let f1 = comparison(&mtl, &stl, |m| m.f1, Some(0.0123));
    TaskResult {
        task: task.to_owned(),
        accuracy: comparison(&mtl, &stl, |m| m.accuracy, Some(0.0321)),
        mcnemar: McNemar { both_right: 700, only_stl: 101, only_mtl: 102, both_wrong: 97, p: 0.9876 },
        slices: vec![slice("with negation", 0.25, 0.125, 0.0123), slice("without negation", 0.1, 0.1375, 0.4321)],
        split: Some(Split {
            ranking: Spread { mean: f1.spread.mean + 0.75, sd: 0.5 },
            operating_point: Spread { mean: -0.75, sd: 0.25 },
        }),
        controls: vec![ControlResult {
            control: Control::Shuffled,
            gain: comparison(&control, &stl, |m| m.f1, None),
            arm: control.clone(),
        }],
        balanced: vec![BalancedResult {
            balance: Balance::PcGrad,
            from_mtl: comparison(&control, &mtl, |m| m.f1, None),
            from_stl: comparison(&control, &stl, |m| m.f1, None),
            arm: control.clone(),
        }],
        real_gain: Some(RealGain { best_control: Control::Shuffled, f1: comparison(&mtl, &control, |m| m.f1, None) }),
        stl,
        mtl,
        f1,
    }
}

fn pair(name: &str, tasks: [&str; 2], layers: &[Shared]) -> PairResult {
    let always_true = Metrics::always_true(&[true, false, true]);
    let baseline = summary(&[&always_true; FOLDS]);
    let baselines = [Baseline::Majority, Baseline::AlwaysTrue, Baseline::NGram].map(|baseline_kind| BaselineResult {
        baseline: baseline_kind,
        tasks: tasks.iter().map(|task| ((*task).to_owned(), baseline.clone())).collect::<IndexMap<_, _>>(),
    });
    let layer = |(i, &shared): (usize, &Shared)| LayerResult {
        shared,
        tasks: vec![task_result(tasks[0], 70 + i, 79 + 2 * i), task_result(tasks[1], 80 + i, 81 - 4 * i)],
    };
    PairResult {
        name: name.to_owned(),
        relatedness: Some(0.5),
        doubly_labelled: false,
        answer: format!("MTL helps {} with a BiLSTM; the rest is undecided.", tasks[0]),
        tasks: tasks.map(|name| TaskFacts { name: name.to_owned(), rows: 1000, positives: 333 }).to_vec(),
        baselines: baselines.to_vec(),
        layers: layers.iter().enumerate().map(layer).collect(),
    }
}

/// A study of two pairs, one of them with names that every format has to escape.
static RESULTS_OF_A_STUDY: LazyLock<Results> = LazyLock::new(|| Results {
    version: "1.2.3-fixture".to_owned(),
    preset: Preset::Default,
    seed: 4711,
    folds: FOLDS,
    repeats: 1,
    epochs: 3,
    rope: ROPE,
    inner: 0.1,
    pairs: vec![
        pair("influenza", ["influenza", "multiple symptoms"], &[Shared::Bilstm, Shared::Conv, Shared::BilstmConv]),
        pair("vaccine use", [NASTY, "symptoms"], &[Shared::Bilstm]),
    ],
});

/// A study's directory that holds these results.
fn study(results: &Results) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join(RESULTS), serde_json::to_string(results).unwrap()).unwrap();
    directory
}

/// Runs `mtlcore report`; (success, output, errors).
fn report(directory: &Path) -> (bool, String, String) {
    let output = assert_cmd::Command::cargo_bin("mtlcore").unwrap().arg("report").arg(directory).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.success(), text(output.stdout), text(output.stderr))
}

struct Report {
    html: String,
    markdown: String,
    latex: String,
}

impl Report {
    fn read(directory: &Path) -> Self {
        let read = |name| fs::read_to_string(directory.join(name)).unwrap();
        Self { html: read("report.html"), markdown: read("report.md"), latex: read("tables.tex") }
    }

    fn of(results: &Results) -> Self {
        let directory = study(results);
        let (success, _, errors) = report(directory.path());
        assert!(success, "{errors}");
        Self::read(directory.path())
    }

    /// The page without code and charts.
    fn page(&self) -> String {
        Regex::new("(?s)<script.*?</script>").unwrap().replace_all(&self.html, "").into_owned()
    }
}

/// All numbers of a text, whatever the format's minus.
fn numbers(text: &str) -> Vec<f64> {
    let text = text.replace("$-$", "-").replace('−', "-");
    Regex::new(r"[-+]?\d+\.\d+").unwrap().find_iter(&text).map(|number| number.as_str().parse().unwrap()).collect()
}

#[track_caller]
fn assert_numbers(row: &str, expected: &[f64]) {
    let found = numbers(row);
    assert_eq!(found.len(), expected.len(), "{row}\n{expected:?}");
    for (found, expected) in found.iter().zip(expected) {
        let half_a_digit = if row.contains(&format!("{found:.4}")) { 0.000051 } else { 0.0051 };
        // Written as <0.0001.
        let tiny = *found == 0.0001 && *expected < 0.00005;
        assert!((found - expected).abs() <= half_a_digit || tiny, "{found} for {expected} in {row}");
    }
}

/// The rows of the results as the tables have them: pair by pair, task by task, layer by layer.
fn rows(results: &Results) -> impl Iterator<Item = &TaskResult> {
    results.pairs.iter().flat_map(|pair| {
        pair.tasks.iter().flat_map(|task| {
            let tasks = pair.layers.iter().flat_map(|layer| &layer.tasks);
            tasks.filter(|result| result.task == task.name).collect::<Vec<_>>()
        })
    })
}

/// Accuracy, then F: STL, MTL and their difference, each with its standard deviation.
fn main_row(task: &TaskResult) -> Vec<f64> {
    let of = |name: &str, comparison: &Comparison| {
        let arms = [&task.stl, &task.mtl].map(|arm| arm.summary.metrics[name]);
        let arms = arms.into_iter().flat_map(|spread| [100.0 * spread.mean, 100.0 * spread.sd]);
        arms.chain([comparison.spread.mean, comparison.spread.sd]).collect::<Vec<_>>()
    };
    [of("accuracy", &task.accuracy), of("f1", &task.f1)].concat()
}

/// Mean, interval, probabilities, p-values and the smallest effect.
fn evidence_row(comparison: &Comparison) -> Vec<f64> {
    let posterior = comparison.posterior.unwrap();
    let p = [comparison.corrected_t.unwrap().p, comparison.holm_p.unwrap(), comparison.paired_t.unwrap().p];
    let mut row = vec![comparison.spread.mean, posterior.low, posterior.high];
    row.extend([posterior.below, posterior.inside, posterior.above].iter().chain(&p));
    row.extend([comparison.wilcoxon.p, comparison.smallest_effect.unwrap()]);
    row
}

/// The rows of those HTML tables whose caption contains `caption`, without their headings.
fn html_rows(html: &str, caption: &str) -> Vec<String> {
    let table = Regex::new("(?s)<table>.*?</table>").unwrap();
    let row = Regex::new("(?s)<tr>.*?</tr>").unwrap();
    let tables = table.find_iter(html).map(|table| table.as_str());
    let bodies = tables.filter_map(|table| {
        let (head, body) = table.split_once("</thead>")?;
        head.contains(caption).then_some(body)
    });
    bodies.flat_map(|body| row.find_iter(body).map(|row| row.as_str().to_owned()).collect::<Vec<_>>()).collect()
}

/// The rows of those Markdown tables whose heading starts with `heading`.
fn markdown_rows<'t>(markdown: &'t str, heading: &str) -> Vec<&'t str> {
    let tables = markdown.split("\n\n").filter(|block| block.trim_start().starts_with(heading));
    tables.flat_map(|table| table.trim_start().lines().skip(2)).collect()
}

#[test]
fn the_tables_of_all_formats_hold_the_numbers_of_the_results() {
    let results = &*RESULTS_OF_A_STUDY;
    let report = Report::of(results);
    let html = html_rows(&report.html, "labelled texts");
    let markdown = markdown_rows(&report.markdown, "| Task | Shared layer | Accuracy STL");
    let latex: Vec<&str> = report.latex.lines().filter(|line| line.contains(" & ") && line.contains('.')).collect();
    let latex: Vec<&str> = latex.into_iter().filter(|line| !line.contains("Acc.")).collect();
    assert_eq!([html.len(), markdown.len(), latex.len()], [8, 8, 8]);
    for (i, task) in rows(results).enumerate() {
        let expected = main_row(task);
        assert_numbers(&html[i], &expected);
        assert_numbers(markdown[i], &expected);
        // STL accuracy and F, MTL accuracy and F, difference in F.
        assert_numbers(latex[i], &[0, 6, 2, 8, 10].map(|column| expected[column]));
        let mark = match task.f1.verdict {
            Verdict::Helps => r"$\uparrow$",
            Verdict::Equivalent => r"$\approx$",
            Verdict::Hurts => r"$\downarrow$",
            Verdict::Undecided => "?",
        };
        assert!(latex[i].ends_with(&format!("& {mark} \\\\")), "{}", latex[i]);
        let verdict = task.f1.verdict.to_string();
        assert!(html[i].contains(&verdict) && markdown[i].contains(&verdict), "{verdict}: {}", html[i]);
    }
}

#[test]
fn the_evidence_is_that_of_the_results() {
    let results = &*RESULTS_OF_A_STUDY;
    let report = Report::of(results);
    let f1 = html_rows(&report.html, "MTL − STL in F, in points");
    let accuracy = html_rows(&report.html, "MTL − STL in accuracy, in points");
    let markdown = markdown_rows(&report.markdown, "| Task | Shared layer | Mean |");
    for (i, task) in rows(results).enumerate() {
        let expected = evidence_row(&task.f1);
        assert_numbers(&f1[i], &expected);
        assert_numbers(&accuracy[i], &evidence_row(&task.accuracy));
        let (last, all) = expected.split_last().unwrap();
        assert_numbers(markdown[i], &[all, &[task.mcnemar.p, *last]].concat());
    }
}

#[test]
fn split_controls_folds_and_curves_are_those_of_the_results() {
    let results = &*RESULTS_OF_A_STUDY;
    let report = Report::of(results);
    let split = html_rows(&report.html, "and its two parts");
    let split_markdown = markdown_rows(&report.markdown, "| Task | Shared layer | Difference in F");
    let controls = html_rows(&report.html, "with each control");
    let gains = html_rows(&report.html, "MTL − the best control");
    let controls_markdown = markdown_rows(&report.markdown, "| Task | Shared layer | Against");
    let balancing = html_rows(&report.html, "F with each method");
    let balancing_markdown = markdown_rows(&report.markdown, "| Task | Shared layer | Method");
    let folds = html_rows(&report.html, "in each fold");
    let curves = html_rows(&report.html, "mean loss by epoch");
    for (i, task) in rows(results).enumerate() {
        let parts = task.split.unwrap();
        let mut expected: Vec<f64> = [task.f1.spread, parts.ranking, parts.operating_point]
            .into_iter()
            .flat_map(|spread| [spread.mean, spread.sd])
            .collect();
        let predicted_true = [&task.stl, &task.mtl].map(|arm| arm.summary.metrics["share_predicted_true"]);
        let means = predicted_true.map(|spread| 100.0 * spread.mean);
        assert_numbers(split_markdown[i], &[&expected[..], &means].concat());
        let tuned = [&task.stl, &task.mtl].map(|arm| arm.tuned.as_ref().unwrap().metrics["f1"]);
        expected
            .extend(predicted_true.iter().chain(&tuned).flat_map(|spread| [100.0 * spread.mean, 100.0 * spread.sd]));
        assert_numbers(&split[i], &expected);

        let (control, real) = (&task.controls[0], task.real_gain.as_ref().unwrap());
        let f1 = control.arm.summary.metrics["f1"];
        let gain = |gain: &Comparison| {
            let posterior = gain.posterior.unwrap();
            [gain.spread.mean, posterior.low, posterior.high]
        };
        assert_numbers(&controls[i], &[&[100.0 * f1.mean, 100.0 * f1.sd], &gain(&control.gain)[..]].concat());
        assert_numbers(&gains[i], &gain(&real.f1));
        assert_numbers(controls_markdown[2 * i], &[&[100.0 * f1.mean], &gain(&control.gain)[..]].concat());
        let mtl = 100.0 * task.mtl.summary.metrics["f1"].mean;
        assert_numbers(controls_markdown[2 * i + 1], &[&[mtl], &gain(&real.f1)[..]].concat());

        let balanced = &task.balanced[0];
        let f1 = balanced.arm.summary.metrics["f1"];
        let gains = [gain(&balanced.from_mtl), gain(&balanced.from_stl)].concat();
        assert_numbers(&balancing[i], &[&[100.0 * f1.mean, 100.0 * f1.sd], &gains[..]].concat());
        assert_numbers(balancing_markdown[i], &[&[100.0 * f1.mean], &gains[..]].concat());

        for fold in 0..FOLDS {
            let [stl, mtl] = [&task.stl, &task.mtl].map(|arm| 100.0 * arm.folds[fold].metrics.f1);
            assert_numbers(&folds[FOLDS * i + fold], &[stl, mtl, task.f1.differences[fold]]);
        }
        for (j, epoch) in task.stl.training.iter().chain(&task.mtl.training).enumerate() {
            let expected = [epoch.loss.mean, epoch.inner_loss.unwrap().mean, 100.0 * epoch.inner_f1.unwrap().mean];
            assert_numbers(&curves[6 * i + j], &expected);
        }
    }
}

#[test]
fn slices_are_those_of_the_results_and_marked_when_they_stand_out() {
    let report = Report::of(&RESULTS_OF_A_STUDY);
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
fn markdown_has_every_fold_and_every_epoch() {
    let results = &*RESULTS_OF_A_STUDY;
    let markdown = Report::of(results).markdown;
    let folds = markdown_rows(&markdown, "| Task | Shared layer | Repeat | Fold");
    for (i, task) in rows(results).enumerate() {
        for fold in 0..FOLDS {
            let [stl, mtl] = [&task.stl, &task.mtl].map(|arm| 100.0 * arm.folds[fold].metrics.f1);
            assert_numbers(folds[FOLDS * i + fold], &[stl, mtl, task.f1.differences[fold]]);
        }
    }
    let epochs = markdown_rows(&markdown, "| Task | Arm | Epoch");
    let tasks = results.pairs.iter().flat_map(|pair| &pair.layers).flat_map(|layer| &layer.tasks);
    let expected: Vec<&EpochSummary> =
        tasks.flat_map(|task| task.stl.training.iter().chain(&task.mtl.training)).collect();
    assert_eq!((folds.len(), epochs.len()), (8 * FOLDS, expected.len()));
    for (row, epoch) in epochs.iter().zip(expected) {
        assert_numbers(row, &[epoch.loss.mean, epoch.inner_loss.unwrap().mean, 100.0 * epoch.inner_f1.unwrap().mean]);
    }
}

#[test]
fn curves_are_shown_where_there_are_any() {
    let without = Report::of(&RESULTS_OF_A_STUDY);
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
        pairs: vec![PairCurves { name: "vaccine use".to_owned(), curves: [NASTY, "symptoms"].map(curve).to_vec() }],
    };
    let directory = study(&RESULTS_OF_A_STUDY);
    fs::write(directory.path().join("curve.json"), serde_json::to_string(&curves).unwrap()).unwrap();
    let (success, _, errors) = report(directory.path());
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
    let (success, _, errors) = report(directory.path());
    assert!(!success && errors.contains("curve.json:1: not the curves of a study"), "{errors}");
}

#[test]
fn all_figures_of_all_arms_and_baselines_are_there() {
    let results = &*RESULTS_OF_A_STUDY;
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
            pair.baselines.iter().for_each(|baseline| expect(&baseline.tasks[&task.name]));
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
fn charts_draw_the_results() {
    let report = Report::of(&RESULTS_OF_A_STUDY);
    let chart = Regex::new(r#"(?s)<script type="application/json" class="chart">(.*?)</script>"#).unwrap();
    let charts: Vec<serde_json::Value> =
        chart.captures_iter(&report.html).map(|chart| serde_json::from_str(&chart[1]).unwrap()).collect();
    let effects = charts.iter().filter(|chart| !chart["datasets"]["folds"].is_null());
    // Each pair has one of effects, and later one of real gains.
    let effects: Vec<_> = effects.take(2).flat_map(|chart| chart["datasets"]["means"].as_array().unwrap()).collect();
    let expected: Vec<_> = rows(&RESULTS_OF_A_STUDY).collect();
    assert_eq!(effects.len(), expected.len());
    for (drawn, task) in effects.iter().zip(expected) {
        let posterior = task.f1.posterior.unwrap();
        let expected = [task.f1.spread.mean, posterior.low, posterior.high].map(Some);
        assert_eq!(["mean", "low", "high"].map(|field| drawn[field].as_f64()), expected);
        assert!(drawn["label"].as_str().unwrap().starts_with(&task.task));
    }
    assert_eq!(charts.len(), 3 * 2 + 8, "effects, split and real gain of two pairs; curves of eight rows");
}

#[test]
fn the_page_loads_nothing_and_no_name_can_break_out() {
    let report = Report::of(&RESULTS_OF_A_STUDY);
    let page = report.page();
    assert!(!Regex::new("(?i)https?:|//[a-z]|@import|url\\(").unwrap().is_match(&page), "an external address");
    for (_, [value]) in Regex::new(r#"(?:src|href)="([^"]*)""#).unwrap().captures_iter(&page).map(|c| c.extract()) {
        assert!(value.starts_with('#') || value.starts_with("data:"), "{value}");
    }
    // Three of code, and one for each chart: a name that closed one would show here.
    let count = |pattern: &str| Regex::new(pattern).unwrap().find_iter(&report.html).count();
    assert_eq!((count("(?i)<script[ >]"), count("(?i)</script")), (3 + 14, 3 + 14));
    assert!(!page.contains(NASTY) && !page.contains("<b>"));
    assert!(page.contains("flu &lt;b&gt;&amp;&quot;|_100%&lt;&#x2f;script&gt;"));
    assert!(report.markdown.contains(r#"flu &lt;b>&amp;"\|\_100%&lt;/script>"#));
    assert!(report.latex.contains(r#"flu $<$b$>$\&"|\_100\%$<$/script$>$"#));
    assert!(report.html.len() < 1_500_000, "{}", report.html.len());
}

#[test]
fn every_table_has_a_caption_and_every_figure_words() {
    let page = Report::of(&RESULTS_OF_A_STUDY).page();
    let count = |text: &str| page.matches(text).count();
    assert_eq!(count("<table>"), count("<caption>"));
    assert_eq!(count("<table>"), count(r#"<div class="scroll" tabindex="0" role="region" aria-label=""#));
    assert_eq!(count(r#"class="drawing""#), count(r#"role="img" aria-label=""#));
    assert_eq!(count("<th>") + count("<th class"), 0, "a heading without scope");
    assert_eq!(count("<h1>"), 1);
}

#[test]
fn what_a_study_does_not_have_is_left_out() {
    let mut results = RESULTS_OF_A_STUDY.clone();
    for pair in &mut results.pairs {
        (pair.relatedness, pair.baselines) = (None, Vec::new());
        for task in pair.layers.iter_mut().flat_map(|layer| &mut layer.tasks) {
            (task.split, task.real_gain, task.controls) = (None, None, Vec::new());
            task.slices = Vec::new();
            task.balanced.clear();
            for arm in [&mut task.stl, &mut task.mtl] {
                (arm.tuned, arm.training) = (None, Vec::new());
            }
        }
    }
    let (with, without) = (Report::of(&RESULTS_OF_A_STUDY), Report::of(&results));
    for id in ["training", "split", "controls", "balancing", "slices"] {
        for text in [format!("id=\"{id}\""), format!("href=\"#{id}\"")] {
            assert!(with.page().contains(&text) && !without.page().contains(&text), "{text}");
        }
    }
    for heading in ["## Ranking and threshold", "## Controls", "## Balancing", "## Error slices", "| Baseline |"] {
        assert!(with.markdown.contains(heading) && !without.markdown.contains(heading), "{heading}");
    }
    assert!(!without.page().contains("Baselines,") && !without.page().contains(", tuned"));
    assert!(!without.page().contains("study.toml") && !without.page().contains("manifest.json"));
}

#[test]
fn the_origin_is_shown_as_far_as_the_directory_tells_it() {
    let directory = study(&RESULTS_OF_A_STUDY);
    fs::write(directory.path().join("study.toml"), "# <mine>\nseed = 4711\n").unwrap();
    let manifest = r#"{"finished": true, "seconds": 61.5, "pairs": {"flu": {"sha256": "c0ffee", "files": ["a<b"]}}}"#;
    fs::write(directory.path().join("manifest.json"), manifest).unwrap();
    assert!(report(directory.path()).0);
    let Report { html, markdown, latex } = Report::read(directory.path());
    for text in ["# &lt;mine&gt;\nseed = 4711", "61.5", "c0ffee", "a&lt;b", "4711", "1.2.3-fixture"] {
        assert!(html.contains(text), "{text}");
    }
    for text in [
        "    # <mine>\n    seed = 4711\n",
        "| seconds | 61.5 |",
        "| pairs.flu.sha256 | c0ffee |",
        "a<b",
        "| mtlcore | 1.2.3-fixture |",
    ] {
        assert!(markdown.contains(text), "{text}");
    }
    assert!(latex.contains("1.2.3-fixture"));

    fs::write(directory.path().join("manifest.json"), "{").unwrap();
    let (success, _, errors) = report(directory.path());
    assert!(!success && errors.contains("manifest.json"), "{errors}");
}

#[test]
fn drawing_twice_gives_the_same_bytes() {
    let directory = study(&RESULTS_OF_A_STUDY);
    let draw = || {
        let (success, output, errors) = report(directory.path());
        assert!(success, "{errors}");
        let files: Vec<_> = output.lines().map(|path| fs::read(path).unwrap()).collect();
        assert_eq!(files.len(), 3);
        files
    };
    assert!(draw() == draw());
}

#[test]
fn without_results_there_is_no_report() {
    let directory = tempfile::tempdir().unwrap();
    let (success, _, errors) = report(directory.path());
    assert!(!success && errors.contains("nothing to report") && errors.contains(RESULTS), "{errors}");

    let damaged = directory.path().join(RESULTS);
    fs::write(&damaged, "{\n  \"version\": 3\n}").unwrap();
    let (success, _, errors) = report(directory.path());
    assert!(!success && errors.contains("results.json:2: not the results of a study"), "{errors}");
    assert!(!directory.path().join("report.html").exists());
}
