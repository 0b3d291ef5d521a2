//! `mtlcore report`: draws a study's results as a page, as Markdown, as LaTeX tables and as reproducibility checklists, without training
//! anything.
//!
//! Templates speak about [`Results`] itself and about what `view` makes of it for people: sentences, names, the rows of tables, charts.
//! No figure of a verdict is computed here.

mod arms;
mod charts;
mod notes;
mod origin;
mod templates;
mod view;

use std::{
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
};

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use mtlcore::mtl::study::{
    Study, require_study,
    results::{RESULTS, Results},
};

use crate::{output, page};
use templates::Template;
use view::Report;

/// Draw a study's results again, without training: a page, Markdown, LaTeX tables, checklists
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The study's directory, with its results.json
    #[arg(value_name = "STUDY")]
    study: PathBuf,
    /// Print one of them instead of writing report.html, report.md and tables.tex into the study's directory
    #[arg(long, value_enum)]
    format: Option<Format>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A page: one file without network
    Page,
    /// The same in Markdown
    Markdown,
    /// Tables for a paper, with booktabs
    Latex,
    /// The reproducibility items of the ARR and NeurIPS checklists, as far as the study knows them
    Checklist,
    /// Every number, as in results.json
    Json,
}

const EXAMPLES: &str = "\
Examples:
  mtlcore report study                       writes study/report.html, study/report.md and study/tables.tex
  xdg-open study/report.html                 one file without network: it can be sent, printed and archived as it is
  mtlcore report study --format checklist    what ARR and NeurIPS ask of a submission, filled in, as Markdown
  mtlcore report study --format latex | pbcopy";

pub fn run(arguments: &Arguments) -> Result<()> {
    let directory = &arguments.study;
    let results = results(directory)?;
    let template = match arguments.format {
        None => {
            let files = write(&results, directory)?;
            return output::print(&files.iter().map(|file| format!("{}\n", file.display())).collect::<String>());
        }
        Some(Format::Json) => return output::print(&output::json(&results)?),
        Some(Format::Page) => Template::Page,
        Some(Format::Markdown) => Template::Markdown,
        Some(Format::Latex) => Template::Latex,
        Some(Format::Checklist) => Template::Checklist,
    };
    output::print(&template.draw(&Report::read(&results, directory)?)?)
}

/// The results of a study. Where all units are finished and there are none yet, they are written now: of several processes that finish
/// at once, each may have seen the others' units as missing.
fn results(directory: &Path) -> Result<Results> {
    if !directory.join(RESULTS).exists() {
        require_study(directory)?;
        let study = Study::open(directory)?;
        if study.planned_units().iter().any(|unit| !unit.finished) {
            let settings = directory.join("study.toml");
            bail!("{}: it is not finished; `mtlcore study {}` goes on", directory.display(), settings.display());
        }
        study.run(&AtomicBool::new(false), &|_| {})?;
    }
    Ok(Results::read(directory)?)
}

/// Writes `report.html`, `report.md` and `tables.tex` into the study's directory; returns their paths.
///
/// The same results, settings and data give the same bytes.
pub fn write(results: &Results, directory: &Path) -> Result<Vec<PathBuf>> {
    let report = Report::read(results, directory)?;
    // All are drawn before the first is written.
    let drawn = Template::WRITTEN.map(|template| Ok((directory.join(template.file()), template.draw(&report)?)));
    let drawn: Vec<(PathBuf, String)> = drawn.into_iter().collect::<Result<_>>()?;
    drawn.into_iter().map(|(path, text)| page::write(&path, &text).map(|()| path)).collect()
}
