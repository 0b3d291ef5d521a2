//! `mtlcore report`: draws a study's results as a page, as Markdown and as LaTeX tables, without training anything.
//!
//! Templates speak about [`Results`] itself, with the number formats of `numbers`, the words of `words`, the escaping that
//! their format needs (`escape`) and the charts of `charts`. Nothing here computes a figure.

mod charts;
pub mod escape;
pub mod numbers;
mod origin;
pub mod templates;
pub mod words;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;
use minijinja::value::{Serde, Value};
use mtlcore::mtl::{
    files::write_whole,
    study::{Curves, results::Results},
};
use serde::Serialize;

use crate::output;
pub use templates::environment;
use {
    charts::{Drawing, PairCharts},
    origin::Origin,
};

/// Draw a study's results again, without training: a page, Markdown and LaTeX tables
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The study's directory, with its results.json
    #[arg(value_name = "STUDY")]
    study: PathBuf,
}

const EXAMPLES: &str = "\
Examples:
  mtlcore report study            writes study/report.html, study/report.md and study/tables.tex
  xdg-open study/report.html      one file without network: it can be sent, printed and archived as it is";

pub fn run(arguments: &Arguments) -> Result<()> {
    let directory = &arguments.study;
    let results =
        Results::read(directory).with_context(|| format!("there is nothing to report from {}", directory.display()))?;
    let files = write(&results, directory)?;
    output::print(&files.iter().map(|file| format!("{}\n", file.display())).collect::<String>())
}

/// Writes `report.html`, `report.md` and `tables.tex` into the study's directory; returns their paths.
///
/// The same results, `study.toml` and `manifest.json` give the same bytes.
pub fn write(results: &Results, directory: &Path) -> Result<Vec<PathBuf>> {
    let charts: Vec<PairCharts> = results.pairs.iter().map(|pair| PairCharts::new(pair, results.rope)).collect();
    let curves = Curves::read(directory)?;
    let curve_charts = curves.iter().flat_map(|curves| &curves.pairs).map(charts::curves).collect();
    let (origin, has) = (Origin::read(directory)?, Sections::of(results));
    let report = Report { results, charts, curves, curve_charts, origin, has };
    let report = Value::from(Serde(report));
    let environment = environment();
    let write = |name: &&str| {
        let text = environment.get_template(name)?.render(report.clone())?;
        let path = directory.join(name);
        write_whole(&path, |output| output.write_all(text.as_bytes()))?;
        Ok(path)
    };
    templates::FILES.iter().map(write).collect()
}

/// What the templates see.
#[derive(Serialize)]
struct Report<'r> {
    results: &'r Results,
    /// One for each pair.
    charts: Vec<PairCharts>,
    /// If they were asked for.
    curves: Option<Curves>,
    /// For each pair of the curves, one for each curve.
    curve_charts: Vec<Vec<Drawing>>,
    origin: Origin,
    has: Sections,
}

/// The sections that not every study has.
#[derive(Serialize)]
struct Sections {
    baselines: bool,
    tuned: bool,
    split: bool,
    controls: bool,
    balancing: bool,
    training: bool,
    slices: bool,
}

impl Sections {
    fn of(results: &Results) -> Self {
        let tasks = || results.pairs.iter().flat_map(|pair| &pair.layers).flat_map(|layer| &layer.tasks);
        Self {
            baselines: results.pairs.iter().any(|pair| !pair.baselines.is_empty()),
            tuned: tasks().any(|task| task.stl.tuned.is_some()),
            split: tasks().any(|task| task.split.is_some()),
            controls: tasks().any(|task| !task.controls.is_empty()),
            balancing: tasks().any(|task| !task.balanced.is_empty()),
            training: tasks().any(|task| !task.stl.training.is_empty()),
            slices: tasks().any(|task| !task.slices.is_empty()),
        }
    }
}
