//! The gains on the terminal: a row for each ordered pair, and the noise ceiling.

use mtlcore::mtl::relatedness::gains::{Ceiling, Gain, Gains};

use crate::{
    output::{self, Column},
    page::{
        numbers::{decimals, signed},
        words::{self, said},
    },
};

const WIDTH: usize = 100;

/// Everything for people.
pub fn all(found: &Gains) -> String {
    let mut text = String::new();
    for cell in found.cells() {
        let gains = found.of(cell);
        text += &format!("{}\n\n{}\n", heading(&gains), table(&gains));
        let ceiling = found.ceiling(cell, false);
        text += &wrapped(&sentence(ceiling));
        text.push('\n');
    }
    for left in &found.left_out {
        let size = left.size.as_ref().map_or(String::new(), |size| format!(" at {size}"));
        let partner = if left.partner.is_empty() { String::new() } else { format!(" and {}", left.partner) };
        text += &format!("Left out: {}{partner}{size}: {}.\n", left.main, left.reason);
    }
    text + &wrapped(&format!(
        "Δ is {} together less alone, in points, with its 95 % interval; ±{} counts as no difference.",
        found.measure.name(),
        found.rope
    ))
}

fn heading(gains: &[&Gain]) -> String {
    let first = gains[0];
    let rows = match first.requested_size.as_str() {
        "all" => "all rows of the main task".to_owned(),
        rows => format!("{rows} rows of the main task"),
    };
    format!("{}, {rows}: {} ordered pairs", said(words::LAYERS, first.shared.word()), gains.len())
}

/// The noise ceiling, in a sentence.
pub fn sentence(ceiling: Option<&Ceiling>) -> String {
    match ceiling {
        None => "Too few pairs or folds to tell how reliable these gains are.".into(),
        Some(ceiling) if ceiling.best_correlation < Ceiling::LEAST => format!(
            "Two halves of the trainings agree by r = {} over {} pairs: nothing can correlate with these gains by more than {}, so \
             there is nothing to predict here. More seeds or repeats would help.",
            decimals(ceiling.halves, 2),
            ceiling.pairs,
            decimals(ceiling.best_correlation, 2)
        ),
        Some(ceiling) => format!(
            "Two halves of the trainings agree by r = {} over {} pairs: the best correlation that anything can have with these gains \
             is {}.",
            decimals(ceiling.halves, 2),
            ceiling.pairs,
            decimals(ceiling.best_correlation, 2)
        ),
    }
}

fn table(gains: &[&Gain]) -> String {
    let columns = [
        Column::Text("main"),
        Column::Text("partner"),
        Column::Number("rows"),
        Column::Number("partner's"),
        Column::Text("verdict"),
        Column::Number("Δ"),
        Column::Number("95 %"),
        Column::Number("alone"),
        Column::Number("together"),
    ];
    let row = |gain: &&Gain| {
        vec![
            gain.main.clone(),
            gain.partner.clone(),
            output::count(gain.size),
            output::count(gain.partner_size),
            gain.verdict.to_string(),
            signed(gain.difference, 1),
            format!("{} to {}", signed(gain.low, 1), signed(gain.high, 1)),
            decimals(100.0 * gain.alone, 1),
            decimals(100.0 * gain.together, 1),
        ]
    };
    output::table(&columns, gains.iter().map(row))
}

fn wrapped(text: &str) -> String {
    textwrap::fill(text, WIDTH) + "\n"
}
