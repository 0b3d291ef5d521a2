//! `mtlcore errors`: where the two ways of learning err, a sample to sort by hand, and what the sorting says.

mod page;
mod tally;

use std::{fs, path::PathBuf};

use anyhow::{Context, Result, ensure};
use clap::Args;
use mtlcore::mtl::{
    settings::Shared,
    study::{
        Study, analyse,
        error_analysis::{ERRORS, McNemar, SampledError, SliceResult, TaskDecisions, write_errors},
        results::{PairResult, Results, TaskResult},
    },
};
use serde::Serialize;

use crate::{
    output::{self, Column, Format},
    page::{
        numbers::{difference, percent, probability},
        words::{self, said},
    },
};

/// Show where STL and MTL err in a study, and draw errors to sort by hand; count what was sorted
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The study's directory; nothing is trained
    #[arg(value_name = "DIR")]
    study: PathBuf,
    /// Random errors of each kind, for each task and shared layer
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..))]
    sample: u64,
    /// Seed of the sample [default: that of the study]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Where errors.csv and errors.html go [default: the study's directory]
    #[arg(short, long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Replace an errors.csv in which categories are filled in
    #[arg(long)]
    force: bool,
    /// An errors.csv whose column `category` is filled in: count the categories. A second one, of another person: κ too
    #[arg(long, value_name = "FILLED.csv", conflicts_with_all = ["sample", "seed", "out", "force"])]
    categories: Vec<PathBuf>,
    /// Tables to read, or JSON
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

const EXAMPLES: &str = "\
Examples:
  mtlcore errors study                            tables here; study/errors.csv to fill in, study/errors.html to read
  mtlcore errors study --sample 100 --out sorted  more errors, elsewhere; the first 50 of each kind are the same
  mtlcore errors study --categories mine.csv      how often each category occurs, for STL and MTL side by side
  mtlcore errors study --categories mine.csv --categories yours.csv   and whether two people agree (Cohen's κ)

The kinds: stl-wrong and mtl-wrong are the errors of each arm; only-mtl-right and only-stl-right those of one arm alone.
All is about the first repeat of the folds and the study's fixed threshold. Categories are free words; case does not matter.";

pub fn run(arguments: &Arguments) -> Result<()> {
    ensure!(
        arguments.categories.len() <= 2,
        "--categories: found {} files, expected one or two",
        arguments.categories.len()
    );
    let study = Study::open(&arguments.study)?;
    let outcomes = study.outcomes()?;
    let tasks = TaskDecisions::all(&study.settings, &study.pairs, &outcomes);
    if !arguments.categories.is_empty() {
        return tally::run(&arguments.categories, &tasks, arguments.format);
    }

    let sample = usize::try_from(arguments.sample).context("--sample")?;
    let seed = arguments.seed.unwrap_or(study.settings.base.seed);
    let errors: Vec<Vec<SampledError>> = tasks.iter().map(|task| task.sample(sample, seed)).collect();
    let results = analyse(&study.settings, &study.pairs, &outcomes);
    let analysis = Analysis {
        seed,
        sample,
        threshold: study.settings.base.threshold,
        repeats: study.settings.repeats,
        tasks: task_errors(&results, &errors),
    };

    let directory = arguments.out.as_deref().unwrap_or(study.directory());
    fs::create_dir_all(directory).with_context(|| directory.display().to_string())?;
    let (csv, html) = (directory.join(ERRORS), directory.join("errors.html"));
    write_errors(&csv, &errors.concat(), arguments.force)?;
    page::write(&html, &analysis, &results)?;
    output::print(&match arguments.format {
        Format::Json => output::json(&analysis)?,
        Format::Table => format!(
            "{}{} errors are in {} (fill in the column `category`) and in {} (to read).\n",
            describe(&results),
            output::count(errors.iter().map(Vec::len).sum::<usize>()),
            csv.display(),
            html.display()
        ),
    })
}

/// Everything that was found and drawn.
#[derive(Serialize)]
struct Analysis<'r> {
    seed: u64,
    sample: usize,
    threshold: f64,
    repeats: usize,
    tasks: Vec<TaskErrors<'r>>,
}

/// The errors of one task with one shared layer.
#[derive(Serialize)]
struct TaskErrors<'r> {
    pair: &'r str,
    task: &'r str,
    shared: String,
    rows: u64,
    mcnemar: &'r McNemar,
    slices: &'r [SliceResult],
    errors: &'r [SampledError],
}

/// Results and samples are both pair by pair, layer by layer, task by task.
fn task_errors<'r>(results: &'r Results, errors: &'r [Vec<SampledError>]) -> Vec<TaskErrors<'r>> {
    let layers = results.pairs.iter().flat_map(|pair| pair.layers.iter().map(move |layer| (pair, layer)));
    let tasks = layers.flat_map(|(pair, layer)| layer.tasks.iter().map(move |task| (pair, layer.shared, task)));
    let of_task =
        |((pair, shared, task), errors): ((&'r PairResult, Shared, &'r TaskResult), &'r Vec<SampledError>)| {
            TaskErrors {
                pair: &pair.name,
                task: &task.task,
                shared: shared.word().to_owned(),
                rows: task.mcnemar.rows(),
                mcnemar: &task.mcnemar,
                slices: &task.slices,
                errors,
            }
        };
    tasks.zip(errors).map(of_task).collect()
}

/// Both tables of every pair.
fn describe(results: &Results) -> String {
    let mut text = "Test texts of the first repeat, by who is right; p is McNemar's, exact.\n\n".to_owned();
    for pair in &results.pairs {
        text += &format!("{}\n{}\n", words::pair(pair), who_is_right(pair));
    }
    text += "Where MTL helps or hurts: the share of errors among the texts of each kind, in %, and the difference in points\n\
             (negative: MTL errs less). p is McNemar's inside the kind; the last column is p after the correction of Benjamini\n\
             and Hochberg for all these tests, with a * below 0.05.\n\n";
    for pair in &results.pairs {
        text += &format!("{}\n{}\n", words::pair(pair), slice_table(pair));
    }
    text
}

/// Tasks with layers, in the order of tables: task by task.
fn rows(pair: &PairResult) -> impl Iterator<Item = (String, &TaskResult)> {
    pair.tasks.iter().flat_map(|facts| {
        pair.layers.iter().flat_map(move |layer| {
            let tasks = layer.tasks.iter().filter(|task| task.task == facts.name);
            tasks.map(|task| (said(words::LAYERS, layer.shared.word()).to_owned(), task))
        })
    })
}

fn who_is_right(pair: &PairResult) -> String {
    let numbers = ["texts", "both right", "only STL right", "only MTL right", "both wrong", "p"].map(Column::Number);
    let columns: Vec<Column> = [Column::Text("task"), Column::Text("shared")].into_iter().chain(numbers).collect();
    let row = |(shared, task): (String, &TaskResult)| {
        let McNemar { both_right, only_stl, only_mtl, both_wrong, p } = task.mcnemar;
        let counts = [task.mcnemar.rows(), both_right, only_stl, only_mtl, both_wrong].map(|count| count.to_string());
        [task.task.clone(), shared].into_iter().chain(counts).chain([probability(p)]).collect()
    };
    output::table(&columns, rows(pair).map(row))
}

fn slice_table(pair: &PairResult) -> String {
    let words = ["task", "shared", "by", "kind"].map(Column::Text);
    let numbers = ["texts", "STL %", "MTL %", "Δ", "p", "corrected"].map(Column::Number);
    let columns: Vec<Column> = words.into_iter().chain(numbers).chain([Column::Text("")]).collect();
    let row = |shared: &str, task: &str, slice: &SliceResult| {
        vec![
            task.to_owned(),
            shared.to_owned(),
            said(words::FEATURES, slice.feature.word()).to_owned(),
            slice.texts.clone(),
            slice.rows.to_string(),
            percent(slice.stl_error),
            percent(slice.mtl_error),
            difference(100.0 * (slice.mtl_error - slice.stl_error)),
            probability(slice.mcnemar.p),
            probability(slice.adjusted_p),
            if slice.adjusted_p < 0.05 { "*".into() } else { String::new() },
        ]
    };
    let of_task = |(shared, task): (String, &TaskResult)| {
        task.slices.iter().map(|slice| row(&shared, &task.task, slice)).collect::<Vec<_>>()
    };
    output::table(&columns, rows(pair).flat_map(of_task))
}
