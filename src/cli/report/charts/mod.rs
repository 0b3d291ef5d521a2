//! The charts of the page: Vega-Lite specifications (`*.vl.json`) and the data that goes into them.
//!
//! A specification names its data sets, which are added here; its colours are variables of the page's style sheet, so that
//! charts follow the reader's light or dark setting and the printer's paper.

use mtlcore::mtl::{
    evaluation::interval::Verdict,
    settings::Shared,
    study::{
        PairCurves, TaskCurve,
        results::{ArmResult, Cell, Difference, PairResult, Spread, TaskResult},
    },
};
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    escape,
    words::{self, said},
};

/// The charts of one pair: each a specification with its data, ready to stand in a `<script>`.
#[derive(Serialize)]
pub struct PairCharts {
    /// MTL − STL in F1, each task and layer.
    effects: String,
    /// Its two parts, where thresholds were tuned.
    split: Option<String>,
    /// MTL − the best control, where there are controls.
    real_gain: Option<String>,
    /// Loss by epoch, each task and layer.
    training: Vec<Drawing>,
}

/// A chart about one task with one layer.
#[derive(Serialize)]
pub struct Drawing {
    label: String,
    chart: String,
}

impl PairCharts {
    /// The region of equivalence is ±`rope` points.
    pub fn new<'r>(pair: &'r PairResult, rope: f64) -> Self {
        let rows = rows(pair);
        let of_cell = |row: &'_ Row<'r>| {
            let Cell { difference, low, high, verdict, .. } = row.result.cell;
            Effect {
                difference: Difference { difference, low, high },
                verdict: Some(verdict),
                folds: &row.result.f1.differences,
            }
        };
        let cells: Vec<_> = rows.iter().map(|row| (row, of_cell(row))).collect();
        let of_gain = |row: &'_ Row<'r>| {
            let gain = row.result.real_gain.as_ref()?;
            Some(Effect { difference: gain.difference?, verdict: None, folds: &gain.f1.differences })
        };
        let gains: Vec<_> = rows.iter().filter_map(|row| Some((row, of_gain(row)?))).collect();
        let split: Vec<_> = rows.iter().enumerate().filter_map(split).flatten().collect();
        Self {
            effects: effects(&cells, rope),
            split: (!split.is_empty()).then(|| chart(include_str!("split.vl.json"), json!({ "parts": split }))),
            real_gain: (!gains.is_empty()).then(|| effects(&gains, rope)),
            training: rows.iter().filter_map(training).collect(),
        }
    }
}

/// A task with a layer.
struct Row<'r> {
    /// "influenza · BiLSTM".
    label: String,
    result: &'r TaskResult,
}

/// Task by task, as in the tables.
fn rows(pair: &PairResult) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    for task in &pair.tasks {
        for layer in &pair.layers {
            let label = label(&task.name, layer.shared);
            rows.extend(layer.tasks.iter().find(|result| result.task == task.name).map(|result| Row { label, result }));
        }
    }
    rows
}

fn label(task: &str, shared: Shared) -> String {
    format!("{task} · {}", said(words::LAYERS, shared.word()))
}

/// Metrics by the share of the other tasks' data, with their bands; a chart for each task and layer.
pub fn curves(pair: &PairCurves) -> Vec<Drawing> {
    let drawing = |curve: &TaskCurve| {
        let mut points = Vec::new();
        for point in &curve.points {
            for (metric, band) in &point.metrics {
                let [mean, low, high] = [band.mean, band.low, band.high].map(|share| 100.0 * share);
                let metric = said(words::METRICS, metric);
                points.push(
                    json!({ "percent": point.percent, "metric": metric, "mean": mean, "low": low, "high": high }),
                );
            }
        }
        let chart = chart(include_str!("curves.vl.json"), json!({ "points": points }));
        Drawing { label: label(&curve.task, curve.shared), chart }
    };
    pair.curves.iter().map(drawing).collect()
}

/// Folds, estimates and intervals of differences, one row each.
fn effects(rows: &[(&Row<'_>, Effect<'_>)], rope: f64) -> String {
    let (mut folds, mut means) = (Vec::new(), Vec::new());
    for (row, (Row { label, .. }, effect)) in rows.iter().enumerate() {
        for (fold, difference) in (1..).zip(effect.folds) {
            folds.push(json!({ "row": row, "fold": fold, "difference": difference }));
        }
        let Difference { difference, low, high } = effect.difference;
        let label = effect.verdict.map_or(label.clone(), |verdict| format!("{label}: {verdict}"));
        means.push(json!({ "row": row, "label": label, "verdict": effect.verdict, "mean": difference, "low": low, "high": high }));
    }
    let rope = json!([{ "low": -rope, "high": rope }]);
    chart(include_str!("effects.vl.json"), json!({ "folds": folds, "means": means, "rope": rope }))
}

/// A difference to draw.
struct Effect<'r> {
    difference: Difference,
    verdict: Option<Verdict>,
    /// One a fold.
    folds: &'r [f64],
}

/// The two parts of a row's difference in F1.
fn split((row, Row { label, result }): (usize, &Row<'_>)) -> Option<[Value; 2]> {
    let part = |part: &str, spread: Spread| json!({ "row": row, "label": label, "part": part, "points": spread.mean });
    let split = result.split?;
    Some([part("ranking", split.ranking), part("operating point", split.operating_point)])
}

/// Loss by epoch of both arms, on the training rows and on the inner rows.
fn training(Row { label, result }: &Row<'_>) -> Option<Drawing> {
    let mut losses = Vec::new();
    let mut curve = |name: &str, arm: &ArmResult| {
        for epoch in &arm.training {
            let point = |rows: &str, loss: Spread| json!({ "arm": name, "rows": rows, "epoch": epoch.epoch, "loss": loss.mean });
            losses.push(point("training rows", epoch.loss));
            losses.extend(epoch.inner_loss.map(|loss| point("inner rows", loss)));
        }
    };
    curve("STL", &result.stl);
    curve("MTL", &result.mtl);
    if losses.is_empty() {
        return None;
    }
    let chart = chart(include_str!("training.vl.json"), json!({ "losses": losses }));
    Some(Drawing { label: label.clone(), chart })
}

/// The specification with its data.
fn chart(specification: &str, datasets: Value) -> String {
    let mut chart: Value = serde_json::from_str(specification).expect("our own specification is valid");
    chart["datasets"] = datasets;
    escape::script(&chart.to_string())
}
