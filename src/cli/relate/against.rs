//! Relatedness against gains, on the terminal.

use mtlcore::mtl::relatedness::{
    MEASURES,
    against::{Against, CellReport, MeasureReport, ModelReport},
};

use super::tables::wrapped;
use crate::{
    output::{self, Column, share},
    page::{
        numbers::{decimals, probability},
        words::{self, said},
    },
};

/// Each layer and size: the conclusion, correlations, predictions.
pub fn table(found: &Against) -> String {
    let mut text = String::new();
    for cell in &found.cells {
        text += &wrapped(&format!("{}: {}", heading(cell), cell.sentence));
        text += &format!("\n{}\n", measures(cell));
        if !cell.predictions.is_empty() {
            text += &format!("{}\n", predictions(cell));
        }
    }
    text + &wrapped(&format!(
        "ρ: Spearman's, with its 95 % interval by drawing tasks; p: by permuting the tasks of one matrix ({} times), then after Holm's \
         correction over the measures. Predictions are of pairs of which neither task was learnt from; Q²: 1 − SSE/SSE of the mean gain \
         of the others; cannot tell: a prediction within ±{} points; right sign: of the rest; regret: points that the partner ranked \
         first, and the best of the first three, gain less than the best partner; τ: Kendall's, among the partners of one task.",
        found.draws, found.rope
    ))
}

fn heading(cell: &CellReport) -> String {
    let layer = said(words::LAYERS, cell.shared.word());
    let (size, measure) = (&cell.requested_size, cell.measure.name());
    format!("{layer}, {size} rows, {measure}, {} tasks, {} ordered pairs", cell.tasks.len(), cell.pairs)
}

fn measures(cell: &CellReport) -> String {
    let numbers = ["pairs", "ρ", "95 %", "τ", "p", "Holm"].map(Column::Number);
    let columns: Vec<Column> = [Column::Text("measure")].into_iter().chain(numbers).collect();
    let number = |value: Option<f64>| value.map_or("–".into(), |value| decimals(value, 2));
    let row = |report: &MeasureReport| {
        let p = |value: Option<f64>| value.map_or("–".into(), probability);
        vec![
            name(&report.measure).to_owned(),
            report.pairs.to_string(),
            number(report.spearman),
            format!("{} to {}", number(report.low), number(report.high)),
            number(report.kendall),
            p(report.p),
            p(report.holm_p),
        ]
    };
    output::table(&columns, cell.measures.iter().map(row))
}

/// The name of a measure for people; other columns are called by their names.
pub fn name(word: &str) -> &str {
    MEASURES.iter().find(|measure| measure.word == word).map_or(word, |measure| measure.name)
}

fn predictions(cell: &CellReport) -> String {
    let numbers = ["error", "Q²", "cannot tell", "right sign", "Brier", "regret", "of three", "τ"].map(Column::Number);
    let columns: Vec<Column> = [Column::Text("predicted by")].into_iter().chain(numbers).collect();
    let row = |model: &ModelReport| {
        vec![
            model.model.clone(),
            decimals(model.mean_absolute_error, 2),
            decimals(model.q2, 2),
            share(model.abstains),
            model.sign_accuracy.map_or("–".into(), share),
            decimals(model.brier_score, 3),
            decimals(model.regret_of_first, 2),
            decimals(model.regret_of_three, 2),
            model.kendall_within.map_or("–".into(), |tau| decimals(tau, 2)),
        ]
    };
    output::table(&columns, cell.predictions.iter().map(row))
}
