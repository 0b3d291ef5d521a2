//! Filled-in files: how often each category occurs, and whether two people agree.

use std::path::PathBuf;

use anyhow::Result;
use mtlcore::mtl::study::error_analysis::{Agreement, ErrorKind, Tally, TaskDecisions, TaskTally, read_categories};
use serde::Serialize;

use super::Format;
use crate::{
    output::{self, Column},
    page::words::{self, said},
};

pub fn run(paths: &[PathBuf], tasks: &[TaskDecisions<'_>], format: Format) -> Result<()> {
    let categories = paths.iter().map(|path| read_categories(path, tasks)).collect::<Result<Vec<_>, _>>()?;
    let files: Vec<File> = paths
        .iter()
        .zip(&categories)
        .map(|(path, categories)| File { file: path.display().to_string(), tally: Tally::of(categories, tasks) })
        .collect();
    let agreement = match &categories[..] {
        [first, second] => Some(Agreement::of(first, second)),
        _ => None,
    };
    output::print(&match format {
        Format::Json => output::json(&Tallies { files, agreement })?,
        Format::Table => {
            let agreement = agreement.map_or(String::new(), |agreement| describe_agreement(&agreement));
            files.iter().map(describe).collect::<String>() + &agreement
        }
    })
}

#[derive(Serialize)]
struct Tallies {
    files: Vec<File>,
    agreement: Option<Agreement>,
}

/// What one person found.
#[derive(Serialize)]
struct File {
    file: String,
    #[serde(flatten)]
    tally: Tally,
}

fn describe(File { file, tally }: &File) -> String {
    let rows = tally.filled + tally.empty;
    let mut text = format!("{file}: {} of {rows} errors have a category, {} have none.\n\n", tally.filled, tally.empty);
    for task in &tally.tasks {
        let TaskTally { pair, shared, task: name, .. } = task;
        text += &format!("{pair}: {name}, {}\n{}\n", said(words::LAYERS, shared.word()), table(task));
    }
    text
}

/// Both arms side by side: counts, and their share of the errors of this kind that have a category.
fn table(task: &TaskTally) -> String {
    let mut columns = vec![Column::Text("category")];
    let kinds = ErrorKind::WORDS;
    for kind in kinds {
        columns.extend([Column::Number(said(words::ERROR_KINDS, kind)), Column::Number("%")]);
    }
    let row = |category: &str, counts: &[usize; 4]| {
        let mut row = vec![category.to_owned()];
        for (&count, &filled) in counts.iter().zip(&task.filled) {
            let share = if filled == 0 { "-".into() } else { format!("{:.1}", 100.0 * count as f64 / filled as f64) };
            row.extend([count.to_string(), share]);
        }
        row
    };
    let all = row("(all)", &task.filled);
    output::table(&columns, task.categories.iter().map(|(category, counts)| row(category, counts)).chain([all]))
}

fn describe_agreement(agreement: &Agreement) -> String {
    let Agreement { both, same, kappa, only_one } = agreement;
    let kappa =
        kappa.map_or("undefined: it takes errors that both sorted, and two categories".into(), |k| format!("{k:.3}"));
    format!(
        "Both gave a category to {both} errors, the same one to {same}; {only_one} have one from one of them only.\n\
         Cohen's κ: {kappa}\n"
    )
}
