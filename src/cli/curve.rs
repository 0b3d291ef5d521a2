//! `mtlcore curve`: metrics against the share of the other tasks' training data.

use std::{path::Path, process::ExitCode};

use anyhow::Result;
use clap::Args;
use mtlcore::mtl::study::{Curves, Manifest, PairCurves, Results, Study, StudySettings, TaskCurve, results::RESULTS};
use toml::{Table, Value};

use crate::{
    output::{self, Column, Format},
    study::{INTERRUPTED, StudyArguments, say_coverage, say_if_simulated, watched},
};

/// How much of the other task's data does it take? Metrics from 0 % (alone) to 100 % (together) of it, with a band
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    settings: StudyArguments,
    /// A table of means, or JSON with every number (as in curve.json)
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

const EXAMPLES: &str = "\
Examples:
  mtlcore curve                                       three simulated pairs, the convolution alone, five folds
  mtlcore curve --out study                           the curves of the study that is there
  mtlcore curve study.toml --shared conv              the same study as `mtlcore study study.toml`, curves of one layer
  mtlcore curve --task a=a.tsv --task b=b.tsv --fractions 0,25,50,100 --format json

The units of a study in the same directory are used, and its report then shows the curves. A directory without a finished study
gets one first. The same command goes on where it was stopped.

With p % each task learns from all of its own rows and from p % of the other tasks' rows of the same training folds; the
subsets are nested, and stratified on the labels. Where rows have labels of several tasks, those of the other tasks are hidden
outside the subset.";

pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let settings = settings(&arguments.settings)?;
    say_if_simulated(&settings, "curve");
    let finished = settings.base.out.join(RESULTS).exists();
    let study = if finished { Study::beside(settings)? } else { Study::begin(settings)? };
    say_coverage(&study);
    let curves = watched(|interrupted, observe| {
        if !finished && study.run(interrupted, observe)?.is_none() {
            return Ok(None);
        }
        study.run_curves(interrupted, observe)
    })?;
    let Some(curves) = curves else { return Ok(ExitCode::from(INTERRUPTED)) };
    let directory = study.directory();
    crate::report::write(&Results::read(directory)?, directory)?;
    match arguments.format {
        Format::Json => output::print(&output::json(&curves)?)?,
        Format::Table => {
            output::print(&tables(&curves))?;
            let page = directory.join("report.html");
            output::print(&format!("The curves are in {}; see {}.\n", directory.display(), page.display()))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What was said; else the settings of the study in the directory; else what shows curves in about a minute.
fn settings(arguments: &StudyArguments) -> Result<StudySettings> {
    let (mut file, mut flags) = (arguments.file.clone(), Table::new());
    if file.is_none() && !arguments.flags.contains_key("task") {
        let out = arguments.flags.get("out").and_then(Value::as_str).unwrap_or("curve");
        let known = Path::new(out).join("study.toml");
        if known.exists() {
            if let Some(manifest) = Manifest::read(Path::new(out))? {
                manifest.check_settings(Path::new(out))?;
            }
            file = Some(known);
        } else {
            flags.insert("shared".into(), "conv".into());
            flags.insert("folds".into(), 5.into());
        }
        flags.insert("out".into(), out.into());
    }
    flags.extend(arguments.flags.clone());
    StudyArguments { file, flags }.load()
}

/// A table for each pair.
fn tables(curves: &Curves) -> String {
    let mut text = format!(
        "Means over {} folds{} in % against the share of the other tasks' training data; 0 % is STL, 100 % is MTL. \
         curve.csv has every fold.\n\n",
        curves.folds,
        if curves.repeats == 1 { String::new() } else { format!(" × {}", curves.repeats) }
    );
    for pair in &curves.pairs {
        text += &format!("{}\n{}\n", pair.name, table(curves, pair));
    }
    text
}

fn table(curves: &Curves, pair: &PairCurves) -> String {
    let shares: Vec<String> = curves.fractions.iter().map(|percent| format!("{percent} %")).collect();
    let mut columns = ["task", "shared", "metric"].map(Column::Text).to_vec();
    columns.extend(shares.iter().map(|share| Column::Number(share)));
    output::table(&columns, pair.curves.iter().flat_map(rows))
}

/// A row for each metric.
fn rows(curve: &TaskCurve) -> Vec<Vec<String>> {
    let Some(first) = curve.points.first() else { return Vec::new() };
    let row = |metric: &String| {
        let mut row = vec![curve.task.clone(), curve.shared.word().to_owned(), metric.replace('_', " ")];
        row.extend(curve.points.iter().map(|point| format!("{:.2}", 100.0 * point.metrics[metric].mean)));
        row
    };
    first.metrics.keys().map(row).collect()
}
