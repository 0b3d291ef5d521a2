//! All that was tried for a task, in one table: baselines, alone, together, controls; each with its score in the study's measure and, where
//! there is one, the interval of its difference from what it is to be held against.

use mtlcore::mtl::{
    evaluation::interval::Verdict,
    settings::Shared,
    study::{
        Control,
        results::{ArmResult, Baseline, BaselineResult, Difference, PairResult, Results, Side, TaskAnswer, TaskResult},
    },
};
use serde::Serialize;

use super::notes::notes;
use crate::page::words::{self, said};

/// A row of the table.
#[derive(Serialize)]
pub struct ArmRow {
    /// Which way to learn it.
    name: String,
    /// The word of the shared layer; none for a baseline.
    shared: Option<&'static str>,
    /// The study's measure, a share; none where the measure does not exist.
    score: Option<f64>,
    /// This arm − `against`.
    difference: Option<Difference>,
    against: Option<String>,
    verdict: Option<Verdict>,
    notes: Vec<String>,
}

/// The rows of one task.
pub fn rows(results: &Results, pair: &PairResult, answer: &TaskAnswer) -> Vec<ArmRow> {
    let mut rows = baselines(results, pair, answer);
    for layer in &pair.layers {
        for task in layer.tasks.iter().filter(|task| task.task == answer.task) {
            rows.extend(layer_rows(results, layer.shared, task));
        }
    }
    rows
}

fn baselines(results: &Results, pair: &PairResult, answer: &TaskAnswer) -> Vec<ArmRow> {
    let row = |baseline: &BaselineResult| {
        let word = match baseline.baseline {
            Baseline::Majority => "majority",
            Baseline::AlwaysTrue => "always-true",
            Baseline::NGram => "n-gram",
        };
        let mut row = ArmRow {
            name: said(words::BASELINES, word).into(),
            shared: None,
            score: words::baseline_score(results.measure, baseline, &answer.task),
            difference: None,
            against: None,
            verdict: None,
            notes: Vec::new(),
        };
        if baseline.baseline == Baseline::NGram {
            row.score = Some(answer.ngrams);
            // The results hold the difference the other way round.
            row.difference = answer.over_ngrams.map(|Difference { difference, low, high }| Difference {
                difference: -difference,
                low: -high,
                high: -low,
            });
            row.against = answer.take.filter(|_| row.difference.is_some()).map(|side| {
                let layer = said(words::LAYERS, answer.shared.word());
                match side {
                    Side::Together => format!("together, {layer}"),
                    Side::Alone => format!("alone, {layer}"),
                }
            });
        }
        row
    };
    pair.baselines.iter().map(row).collect()
}

fn layer_rows(results: &Results, shared: Shared, task: &TaskResult) -> Vec<ArmRow> {
    let cell = &task.cell;
    let level = |arm: &ArmResult| words::level(results.measure, &arm.summary, arm.tuned.as_ref());
    let row = |name: &str, score| ArmRow {
        name: name.into(),
        shared: Some(shared.word()),
        score,
        difference: None,
        against: None,
        verdict: None,
        notes: Vec::new(),
    };
    let matched = said(words::CONTROLS, Control::MatchedSteps.word());
    let yardstick = if cell.alone_is_matched { matched } else { "alone (STL)" };
    let alone = row("alone (STL)", if cell.alone_is_matched { level(&task.stl) } else { Some(cell.alone) });
    let together = ArmRow {
        difference: Some(Difference { difference: cell.difference, low: cell.low, high: cell.high }),
        against: Some(yardstick.into()),
        verdict: Some(cell.verdict),
        notes: notes(cell),
        ..row("together (MTL)", Some(cell.together))
    };
    let mut rows = vec![alone, together];
    if let Some(gain) = &task.real_gain {
        rows.push(ArmRow {
            difference: gain.difference,
            against: Some(format!("the best control: {}", said(words::CONTROLS, gain.best_control.word()))),
            ..row("together (MTL)", Some(cell.together))
        });
    }
    for control in &task.controls {
        let is_yardstick = cell.alone_is_matched && control.control == Control::MatchedSteps;
        rows.push(ArmRow {
            difference: control.difference,
            against: Some("alone (STL)".into()),
            notes: if is_yardstick { vec!["the yardstick".into()] } else { Vec::new() },
            ..row(said(words::CONTROLS, control.control.word()), level(&control.arm))
        });
    }
    rows
}
