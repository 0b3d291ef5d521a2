//! A study's results with every verdict, every section and names that every format has to escape.

use std::{fs, sync::LazyLock};

use indexmap::IndexMap;
use mtlcore::mtl::{
    evaluation::{
        interval::{Measure, NothingLearnt, Verdict},
        metrics::{Counts, Metrics},
        statistics::{Pooled, corrected_resampled_t, correlated_t, f_over_folds, paired_t, smallest_effect, wilcoxon},
    },
    settings::{Balance, Preset, Shared},
    study::{
        Control,
        error_analysis::{Feature, McNemar, SliceResult},
        results::*,
    },
};
use tempfile::TempDir;

pub const FOLDS: usize = 3;
pub const SEEDS: usize = 2;
pub const ROPE: f64 = 1.0;
/// Names from outside may hold anything.
pub const NASTY: &str = "flu <b>&\"|_100%</script>\u{1b}[31m\u{9b}\u{7f}";

/// Verdict, estimate and interval of each comparison, in the order of tables.
pub const CELLS: [(Verdict, [f64; 3]); 8] = [
    (Verdict::Helps, [3.12, 1.24, 5.0]),
    (Verdict::DoesNotHurt, [1.21, -0.58, 3.04]),
    (Verdict::Equivalent, [-0.13, -0.92, 0.66]),
    (Verdict::Hurts, [-10.71, -17.12, -4.3]),
    (Verdict::DoesNotHelp, [-2.26, -5.4, 0.88]),
    (Verdict::Undecided, [0.37, -8.49, 9.23]),
    (Verdict::NotLearnt, [12.34, 5.55, 19.13]),
    (Verdict::Helps, [2.22, 1.11, 3.33]),
];

/// A training of an arm whose quality lies in 0 to 100.
fn fold_result(quality: usize, fold: usize, seed: usize) -> FoldResult {
    let truths: Vec<bool> = (0..200).map(|i| i % 3 == 0).collect();
    let right = |i: usize| (i * 37 + fold * 11 + seed * 5) % 100 < quality;
    let score = |(i, &truth): (usize, &bool)| {
        let sure = (i * 13 % 40) as f64 / 100.0;
        if truth == right(i) { 0.55 + sure } else { 0.45 - sure }
    };
    let probabilities: Vec<f64> = truths.iter().enumerate().map(score).collect();
    FoldResult {
        repeat: 0,
        fold,
        seed,
        metrics: Metrics::new(&probabilities, &truths, 0.5),
        tuned: Some(Metrics::new(&probabilities, &truths, 0.4)),
        epochs: 3,
        chosen_epoch: 2,
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
    let trainings = (0..FOLDS).flat_map(|fold| (0..SEEDS).map(move |seed| (fold, seed)));
    let folds: Vec<FoldResult> =
        trainings.map(|(fold, seed)| fold_result(quality + fold * quality % 7, fold, seed)).collect();
    let epoch = |epoch: usize| {
        let loss = |loss: f64| Spread { mean: loss, sd: 0.01 };
        let falling = 0.7 - 0.002 * (quality * epoch) as f64;
        EpochSummary {
            epoch,
            trainings: FOLDS * SEEDS,
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
        inner_score: Some(0.7),
        expected_best: (1..=4).map(|trials| quality as f64 / 100.0 + 0.01 * f64::from(trials)).collect(),
    }
}

/// `better` − `worse` in points.
fn comparison(better: &ArmResult, worse: &ArmResult, metric: Metric, holm_p: Option<f64>) -> Comparison {
    let of_folds = |arm: &ArmResult| -> Vec<f64> {
        arm.folds
            .chunks(SEEDS)
            .map(|fold| fold.iter().map(|f| metric(&f.metrics)).sum::<f64>() / SEEDS as f64)
            .collect()
    };
    let differences: Vec<f64> =
        of_folds(better).iter().zip(of_folds(worse)).map(|(better, worse)| 100.0 * (better - worse)).collect();
    Comparison {
        spread: spread(&differences),
        paired_t: paired_t(&differences).map(Into::into),
        corrected_t: corrected_resampled_t(&differences, 1.0 / (FOLDS as f64 - 1.0)).map(Into::into),
        holm_p,
        posterior: correlated_t(&differences, 1.0 / FOLDS as f64, ROPE),
        wilcoxon: wilcoxon(&differences),
        smallest_effect: smallest_effect(FOLDS, 1, spread(&differences).sd),
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

fn difference([difference, low, high]: [f64; 3]) -> Difference {
    Difference { difference, low, high }
}

fn narrowing(half_width: f64) -> Narrowing {
    Narrowing {
        half_width,
        twice_the_seeds: 0.9 * half_width,
        any_seeds: 0.8 * half_width,
        twice_the_texts: 0.7 * half_width,
        seeds_to_decide: Some(7),
        texts_to_decide: None,
        seeds_with_them: None,
    }
}

fn cell(place: usize) -> Cell {
    let (verdict, [difference, low, high]) = CELLS[place];
    let is_learnt = verdict != Verdict::NotLearnt;
    Cell {
        verdict,
        measure: Measure::F1Tuned,
        alone_is_matched: place == 4,
        difference,
        low,
        high,
        alone: 0.6123 + 0.01 * place as f64,
        together: 0.6123 + 0.01 * place as f64 + difference / 100.0,
        variance: VarianceResult {
            texts: 0.51 + place as f64,
            training_rows: 0.42,
            seeds: (place != 2).then_some(0.33),
            widened: place == 3,
        },
        p_gain: if verdict == Verdict::Helps { 0.0 } else { 1.0 },
        p_cost: if verdict == Verdict::Hurts { 0.0123 } else { 1.0 },
        seeds: SEEDS,
        not_learnt: (!is_learnt).then_some(NotLearnt { alone: Some(NothingLearnt::OneClass), together: None }),
        still_improving: Some(StillImproving { alone: if place == 5 { 0.5 } else { 0.0 }, together: 0.0 }),
        narrowing: is_learnt.then(|| narrowing((high - low) / 2.0)),
    }
}

fn task_result(task: &str, place: usize, stl: usize, mtl: usize) -> TaskResult {
    let (stl, mtl, control) = (arm(stl), arm(mtl), arm(stl + 1));
    let f1 = comparison(&mtl, &stl, |m| m.f1, Some(0.0123));
    let measure = |(i, measure): (usize, &Measure)| {
        let shift = i as f64 / 3.0;
        let found = MeasureResult {
            alone: 0.5 + shift / 10.0,
            together: 0.6 + shift / 10.0,
            difference: difference([10.0 - shift, -1.25 - shift, 21.25 + shift]),
            verdict: Verdict::Undecided,
        };
        (measure.word().to_owned(), found)
    };
    TaskResult {
        task: task.to_owned(),
        cell: cell(place),
        measures: Measure::ALL.iter().enumerate().map(measure).collect(),
        accuracy: comparison(&mtl, &stl, |m| m.accuracy, Some(0.0321)),
        mcnemar: McNemar { both_right: 700, only_stl: 101, only_mtl: 102, both_wrong: 97, p: 0.0 },
        slices: vec![slice("with negation", 0.25, 0.125, 0.0123), slice("without negation", 0.1, 0.1375, 0.4321)],
        split: Some(Split {
            ranking: Spread { mean: f1.spread.mean + 0.75, sd: 0.5 },
            operating_point: Spread { mean: -0.75, sd: 0.25 },
        }),
        controls: vec![ControlResult {
            control: Control::MatchedSteps,
            gain: comparison(&control, &stl, |m| m.f1, None),
            difference: Some(difference([0.44, -1.11, 1.99])),
            arm: control.clone(),
        }],
        balanced: vec![BalancedResult {
            balance: Balance::PcGrad,
            from_mtl: comparison(&control, &mtl, |m| m.f1, None),
            from_stl: comparison(&control, &stl, |m| m.f1, None),
            score: 0.6543,
            difference_from_mtl: difference([-1.23, -3.45, 0.99]),
            difference_from_stl: difference([1.87, -0.66, 4.4]),
            arm: control.clone(),
        }],
        real_gain: Some(RealGain {
            best_control: Control::MatchedSteps,
            f1: comparison(&mtl, &control, |m| m.f1, None),
            difference: Some(difference([2.7, -0.3, 5.7])),
        }),
        stl,
        mtl,
        f1,
    }
}

/// The answer is the comparison of the first layer.
fn answer(result: &TaskResult, shared: Shared) -> TaskAnswer {
    let cell = &result.cell;
    let takes = match cell.verdict {
        Verdict::NotLearnt => None,
        Verdict::Hurts | Verdict::DoesNotHelp => Some(Side::Alone),
        _ => Some(Side::Together),
    };
    TaskAnswer {
        task: result.task.clone(),
        verdict: cell.verdict,
        measure: cell.measure,
        take: takes,
        shared,
        shared_together: shared,
        shared_alone: shared,
        alone_is_matched: cell.alone_is_matched,
        difference: cell.difference,
        low: cell.low,
        high: cell.high,
        alone: cell.alone,
        together: cell.together,
        ngrams: 0.5432,
        over_ngrams: takes.map(|_| difference([6.54, 4.32, 8.76])),
        seeds: cell.seeds,
        not_learnt: cell.not_learnt,
        still_improving: cell.still_improving,
        narrowing: cell.narrowing,
    }
}

/// A pair whose first comparison has the verdict of this place among [`CELLS`].
fn pair(name: &str, relatedness: Option<f64>, tasks: [&str; 2], layers: &[Shared], first: usize) -> PairResult {
    let always_true = Metrics::always_true(&[true, false, true]);
    let baseline = summary(&[&always_true; FOLDS]);
    let by_task = || tasks.iter().map(|task| ((*task).to_owned(), baseline.clone())).collect::<IndexMap<_, _>>();
    let baselines = [Baseline::Majority, Baseline::AlwaysTrue, Baseline::NGram].map(|kind| BaselineResult {
        baseline: kind,
        tasks: by_task(),
        tuned: (kind == Baseline::NGram).then(by_task),
    });
    let layer = |(i, &shared): (usize, &Shared)| LayerResult {
        shared,
        tasks: vec![
            task_result(tasks[0], first + i, 70 + i, 79 + 2 * i),
            task_result(tasks[1], first + layers.len() + i, 80 + i, 81 - 4 * i),
        ],
    };
    let layers: Vec<LayerResult> = layers.iter().enumerate().map(layer).collect();
    PairResult {
        name: name.to_owned(),
        relatedness,
        doubly_labelled: false,
        answer: Answer { tasks: layers[0].tasks.iter().map(|result| answer(result, layers[0].shared)).collect() },
        tasks: tasks.map(|name| TaskFacts { name: name.to_owned(), rows: 1000, positives: 333 }).to_vec(),
        baselines: baselines.to_vec(),
        layers,
    }
}

/// A simulated pair, and one with names that every format has to escape.
pub static STUDY: LazyLock<Results> = LazyLock::new(|| Results {
    version: "1.2.3-fixture".to_owned(),
    preset: Preset::Default,
    seed: 4711,
    folds: FOLDS,
    repeats: 1,
    seeds: SEEDS,
    measure: Measure::F1Tuned,
    threshold: 0.5,
    tune: 4,
    epochs: 3,
    rope: ROPE,
    inner: 0.1,
    claims: Claims { comparisons: 7, helps: 2, hurts: 1, pooled: Some(Pooled { mean: -0.26, sd: 1.64 }) },
    pairs: vec![
        pair(
            "simulated-1",
            Some(0.5),
            ["influenza", "multiple symptoms"],
            &[Shared::Bilstm, Shared::Conv, Shared::BilstmConv],
            0,
        ),
        pair("vaccine_use", None, [NASTY, "symptoms"], &[Shared::Bilstm], 6),
    ],
});

/// A study's directory that holds these results.
pub fn directory(results: &Results) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join(RESULTS), serde_json::to_string(results).unwrap()).unwrap();
    directory
}

/// A configuration, and a manifest with times and threads.
pub fn write_origin(directory: &TempDir, threads: usize, seconds: f64) {
    let settings = format!("# <mine>\nseed = 4711\nepochs = 3\nthreads = {threads}\nout = \"/tmp/secret-{threads}\"\n");
    fs::write(directory.path().join("study.toml"), settings).unwrap();
    let fold = serde_json::json!({
        "repeat": 0, "fold": 0, "train": 611, "inner": 68, "test": 321, "test_rows_used_before": 0,
        "test_positives": { "influenza": 107 },
    });
    let pair = serde_json::json!({
        "sha256": "c0ffee", "vectors_sha256": "bead", "vocabulary": 12345, "folds": [fold],
        "sources": [{ "path": "a<b|c.tsv", "sha256": "f00d", "rows": 1000 }],
    });
    let manifest = serde_json::json!({
        "version": "1.2.3-fixture", "schema": 2, "seed": 4711, "chosen_on": "inner rows", "plan_sha256": "abad1dea",
        "pairs": { "simulated-1": pair }, "units": 96, "unit_seconds": seconds, "last_run_seconds": seconds,
        "threads": threads,
    });
    fs::write(directory.path().join("manifest.json"), manifest.to_string()).unwrap();
}
