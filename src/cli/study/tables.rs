//! What a study found, on the terminal: for each pair what to do, then the verdicts, within 80 columns.

use mtlcore::mtl::{
    evaluation::interval::Measure,
    study::results::{Baseline, PairResult, Results, TaskFacts, TaskResult},
};

use crate::{
    answer,
    output::{self, Column},
    page::{
        numbers::{decimals, signed},
        words::{self, said},
    },
};

const WIDTH: usize = 80;

/// Answers and tables of all pairs, and what can be claimed of all of them.
pub fn all(results: &Results) -> String {
    let mut text = String::new();
    for pair in &results.pairs {
        text += &format!("{}\n\n", wrapped(&heading(pair), ""));
        for task in &pair.answer.tasks {
            let said = answer::sentences(results, pair, task).join(" ");
            text += &format!("{}\n", wrapped(&format!("{}: {said}", task.task), "  "));
        }
        text += &format!("\n{}\n", table(results, pair));
    }
    let legend = format!(
        "{} in %, alone and together, and the difference in points (Δ) with its 95 % interval; the verdict takes ±{} for no \
         difference. * not converged; (n-grams), (always true): baselines in the same folds.",
        results.measure.name(),
        results.rope,
    );
    text + &format!("{}\n\n{}\n", wrapped(&answer::claims(&results.claims), ""), wrapped(&legend, ""))
}

fn heading(pair: &PairResult) -> String {
    let tasks = pair.tasks.iter().map(|task| format!("{} {} of {} true", task.name, task.positives, task.rows));
    let tasks = tasks.collect::<Vec<_>>().join(", ");
    let relatedness = pair.relatedness.map_or(String::new(), |cosine| format!("; simulated, relatedness {cosine}"));
    format!("{} ({tasks}{relatedness})", words::pair(pair))
}

/// Task by task: the shared layers, and the baselines.
fn table(results: &Results, pair: &PairResult) -> String {
    let columns = [
        Column::Text("task, shared layer"),
        Column::Text("verdict"),
        Column::Number("Δ"),
        Column::Number("95 %"),
        Column::Number("alone"),
        Column::Number("together"),
    ];
    let mut rows = Vec::new();
    for facts in &pair.tasks {
        let mut heading = vec![facts.name.clone()];
        heading.resize(columns.len(), String::new());
        rows.push(heading);
        for layer in &pair.layers {
            let task = layer.tasks.iter().find(|task| task.task == facts.name).expect("every layer has every task");
            rows.push(layer_row(said(words::LAYERS, layer.shared.word()), task));
        }
        rows.extend(pair.baselines.iter().filter_map(|baseline| baseline_row(results.measure, baseline, facts)));
    }
    output::table(&columns, rows)
}

fn layer_row(layer: &str, task: &TaskResult) -> Vec<String> {
    let cell = &task.cell;
    let mark = if cell.still_improving.is_some_and(|improving| improving.is_notable()) { " *" } else { "" };
    vec![
        format!("  {layer}"),
        format!("{}{mark}", cell.verdict),
        signed(cell.difference, 1),
        format!("{} to {}", signed(cell.low, 1), signed(cell.high, 1)),
        decimals(100.0 * cell.alone, 1),
        decimals(100.0 * cell.together, 1),
    ]
}

/// A baseline by the study's measure; none for one that the measure says nothing about.
fn baseline_row(
    measure: Measure,
    baseline: &mtlcore::mtl::study::results::BaselineResult,
    facts: &TaskFacts,
) -> Option<Vec<String>> {
    let name = match baseline.baseline {
        Baseline::Majority => return None,
        Baseline::AlwaysTrue => "(always true)",
        Baseline::NGram => "(n-grams)",
    };
    let score = words::baseline_score(measure, baseline, &facts.name)?;
    let mut row = vec![format!("  {name}"), String::new(), String::new(), String::new(), decimals(100.0 * score, 1)];
    row.push(String::new());
    Some(row)
}

/// Lines of up to 80 columns, all but the first indented.
fn wrapped(text: &str, indent: &str) -> String {
    textwrap::fill(text, textwrap::Options::new(WIDTH).subsequent_indent(indent))
}
