//! The charts of the page.

use mtlcore::mtl::{
    evaluation::interval::Verdict,
    settings::Shared,
    study::{
        TaskCurve,
        results::{ArmResult, Cell, Difference, Results, Spread, TaskResult},
    },
};
use mtlcore::printable::printable;
use serde::Serialize;
use serde_json::{Value, json};

use crate::page::{
    charts::{Drawing, chart, chart_of_rows},
    words::{self, said},
};

/// The charts of one task with one layer.
#[derive(Serialize)]
pub struct TaskCharts {
    /// Loss by epoch.
    training: Option<Drawing>,
    /// The expected best score by the number of trials, where hyper-parameters were tuned.
    tuning: Option<Drawing>,
}

impl TaskCharts {
    pub fn new(result: &TaskResult, shared: Shared) -> Self {
        let label = label(&result.task, shared.word());
        let drawing = |chart: String| Drawing { label: label.clone(), chart };
        Self { training: training(result).map(drawing), tuning: tuning(result).map(drawing) }
    }
}

/// Estimate and interval of every comparison: the numbers of the verdicts. Where nothing was learnt there is nothing to draw.
pub fn verdicts(results: &Results) -> String {
    forest(results, |task| {
        let Cell { verdict, difference, low, high, .. } = task.cell;
        let drawn = (verdict != Verdict::NotLearnt).then_some(Difference { difference, low, high });
        (Some(verdict), drawn)
    })
}

/// Together − the best control; none without controls.
pub fn real_gains(results: &Results) -> Option<String> {
    let gain = |task: &TaskResult| task.real_gain.as_ref().and_then(|gain| gain.difference);
    let has_any =
        results.pairs.iter().flat_map(|pair| &pair.layers).flat_map(|layer| &layer.tasks).any(|t| gain(t).is_some());
    has_any.then(|| forest(results, |task| (None, gain(task))))
}

/// A forest plot: differences with their intervals, beside the region of equivalence. A task stands as a heading above its layers.
fn forest(results: &Results, of: impl Fn(&TaskResult) -> (Option<Verdict>, Option<Difference>)) -> String {
    let (mut rows, mut effects) = (Vec::new(), Vec::new());
    // A number before each label keeps the order and tells equal labels apart; `#` makes a heading.
    let mut row = |kind: char, label: &str| {
        let key = format!("{:03}{kind}{}", rows.len(), printable(label));
        rows.push(json!({ "key": key }));
        key
    };
    for (facts, layers) in
        results.pairs.iter().flat_map(|pair| pair.tasks.iter().map(move |facts| (facts, &pair.layers)))
    {
        row('#', &facts.name);
        for layer in layers {
            for task in layer.tasks.iter().filter(|task| task.task == facts.name) {
                let ((verdict, effect), shared) = (of(task), layer.shared.word());
                let mark = verdict.map_or(String::new(), |verdict| format!("{} ", said(words::MARKS, verdict.word())));
                let key = row('|', &format!("{mark}{}", said(words::LAYERS, shared)));
                let Some(Difference { difference, low, high }) = effect else { continue };
                effects.push(json!({
                    "key": key, "label": label(&facts.name, shared), "verdict": verdict.map(Verdict::word),
                    "difference": difference, "low": low, "high": high,
                }));
            }
        }
    }
    let rope = json!([{ "low": -results.rope, "high": results.rope }]);
    let height = (rows.len(), 20);
    chart_of_rows(
        include_str!("charts/forest.vl.json"),
        height,
        json!({ "rows": rows, "effects": effects, "rope": rope }),
    )
}

/// Metrics by the share of the other tasks' data, with their bands.
pub fn curve(curve: &TaskCurve) -> Drawing {
    let mut points = Vec::new();
    for point in &curve.points {
        for (metric, band) in &point.metrics {
            let [mean, low, high] = [band.mean, band.low, band.high].map(|share| 100.0 * share);
            let metric = said(words::METRICS, metric);
            points.push(json!({ "percent": point.percent, "metric": metric, "mean": mean, "low": low, "high": high }));
        }
    }
    let chart = chart(include_str!("charts/curves.vl.json"), json!({ "points": points }));
    Drawing { label: label(&curve.task, curve.shared.word()), chart }
}

/// Both parts of each difference in F1, where thresholds were tuned; none elsewhere.
pub fn split(results: &Results) -> Option<String> {
    let mut parts = Vec::new();
    let mut rows = 0;
    for (facts, layers) in
        results.pairs.iter().flat_map(|pair| pair.tasks.iter().map(move |facts| (facts, &pair.layers)))
    {
        for layer in layers {
            for task in layer.tasks.iter().filter(|task| task.task == facts.name) {
                let Some(split) = task.split else { continue };
                let label = label(&facts.name, layer.shared.word());
                let part = |part: &str, spread: Spread| json!({ "row": rows, "label": label, "part": part, "points": spread.mean });
                parts.extend([part("ranking", split.ranking), part("operating point", split.operating_point)]);
                rows += 1;
            }
        }
    }
    (rows > 0).then(|| chart_of_rows(include_str!("charts/split.vl.json"), (rows, 54), json!({ "parts": parts })))
}

/// Loss by epoch of both arms, on the training rows and on the inner rows.
fn training(result: &TaskResult) -> Option<String> {
    let mut losses = Vec::new();
    let mut curve = |name: &str, arm: &ArmResult| {
        for epoch in &arm.training {
            let point = |rows: &str, loss: Spread| json!({ "arm": name, "rows": rows, "epoch": epoch.epoch, "loss": loss.mean });
            losses.push(point("training rows", epoch.loss));
            losses.extend(epoch.inner_loss.map(|loss| point("inner rows", loss)));
        }
    };
    curve("alone", &result.stl);
    curve("together", &result.mtl);
    (!losses.is_empty()).then(|| chart(include_str!("charts/training.vl.json"), json!({ "losses": losses })))
}

/// The expected best score on inner rows by the number of trials, of every arm that was tuned.
fn tuning(result: &TaskResult) -> Option<String> {
    let mut points: Vec<Value> = Vec::new();
    let mut curve = |name: &str, arm: &ArmResult| {
        for (trials, best) in (1..).zip(&arm.expected_best) {
            points.push(json!({ "arm": name, "trials": trials, "best": 100.0 * best }));
        }
    };
    curve("alone", &result.stl);
    curve("together", &result.mtl);
    for control in &result.controls {
        curve(said(words::CONTROLS, control.control.word()), &control.arm);
    }
    (!points.is_empty()).then(|| chart(include_str!("charts/tuning.vl.json"), json!({ "points": points })))
}

/// "influenza · BiLSTM"
fn label(task: &str, shared: &str) -> String {
    format!("{} · {}", printable(task), said(words::LAYERS, shared))
}
