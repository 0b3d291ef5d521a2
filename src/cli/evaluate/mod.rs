//! `mtlcore evaluate`: how well a run predicts rows whose labels are known, or which of two runs does better.

mod comparison;
mod report;
mod rows;

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use mtlcore::mtl::data::TaskSource;
use serde::Serialize;

use crate::{
    output::{self, Format},
    settings,
    tables::TableArguments,
    threshold::share,
};
use {
    comparison::Comparison,
    report::Report,
    rows::{Rows, Run},
};

/// Measure a run on its held-out rows, or on other files, beside the majority and always-true baselines; or compare two runs
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// A finished run, or two to compare on the same rows
    #[arg(required = true, num_args = 1..=2, value_name = "RUN")]
    runs: Vec<PathBuf>,
    /// A task of the run, and a file with its labels; what is not said is as in the run; repeatable
    #[arg(long = "task", value_name = "NAME=FILE[:LABEL_COLUMN]", value_parser = |text: &str| text.parse::<TaskSource>())]
    tasks: Vec<TaskSource>,
    #[command(flatten)]
    tables: TableArguments,
    /// A table, or JSON with every number
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Predict true where the probability is greater than this [default: the run's]
    #[arg(long, value_name = "P", value_parser = share)]
    threshold: Option<f64>,
    /// Threads to compute with, 0 for one a core; the result is the same for any number
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = settings::threads)]
    threads: usize,
}

const EXAMPLES: &str = "\
Examples:
  mtlcore evaluate run                            the rows that training held out
  mtlcore evaluate run --task flu=test.tsv        other rows of one of its tasks
  mtlcore evaluate flu-alone both                 which one is better, on rows that both held out
  mtlcore evaluate flu-alone both --task flu=test.tsv
  mtlcore evaluate run --format json | jq '.tasks[].model.f1'";

pub fn run(arguments: &Arguments) -> Result<()> {
    let threads = rayon::ThreadPoolBuilder::new().num_threads(arguments.threads).build().context("threads")?;
    let runs = arguments.runs.iter().map(|path| Run::open(path)).collect::<Result<Vec<_>>>()?;
    let rows = Rows::new(&runs, &arguments.tasks, &arguments.tables)?;
    let (format, threshold) = (arguments.format, arguments.threshold);
    output::print(&match <[Run; 2]>::try_from(runs) {
        Ok(runs) => {
            let comparison = threads.install(|| Comparison::new(&runs, &rows, threshold))?;
            shown(&comparison, format, Comparison::to_table)?
        }
        Err(runs) => {
            let run = &runs[0];
            let threshold = threshold.unwrap_or(run.trained.settings.threshold);
            shown(&threads.install(|| Report::new(run, &rows, threshold))?, format, Report::to_table)?
        }
    })
}

fn shown<T: Serialize>(measured: &T, format: Format, to_table: impl FnOnce(&T) -> String) -> Result<String> {
    Ok(match format {
        Format::Table => to_table(measured),
        Format::Json => output::json(measured)?,
    })
}
