//! `mtlcore relate`: how related are the tasks?

mod against;
pub mod arguments;
mod page;
mod predictions;
mod tables;

use std::path::PathBuf;

use anyhow::Result;
use arguments::TaskArguments;
use clap::{
    Args, ValueEnum,
    builder::{PossibleValuesParser, TypedValueParser},
};
use mtlcore::mtl::{
    data::read,
    relatedness::{
        Extent, Relatedness,
        against::{Against, against},
        gains::Gains,
        prediction::{Advice, ReadyModel},
        relate,
    },
};
use serde::Serialize;

use crate::{output, progress::StudyProgress};

/// Measure how related tasks are: words, texts, what a model of one knows of the other, gradients, layers
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    tasks: TaskArguments,
    /// Those that need no network, or all: layers are trained for some
    #[arg(long, value_name = "EXTENT", default_value = "all", value_parser = extent())]
    measures: Extent,
    /// Say what each task may expect to gain of each other, by a model that was fitted on open tasks
    #[arg(long)]
    predict: bool,
    /// Does it tell the gain? A directory of `mtlcore gains` with the same tasks, four or more
    #[arg(long, value_name = "GAINS")]
    against: Option<PathBuf>,
    /// Tables for people, JSON with every number, or a row for each measure of each pair
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Write a page too: heat maps of all tasks, clustered
    #[arg(short, long, value_name = "PAGE.html")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Json,
    Csv,
}

const EXAMPLES: &str = "\
Examples:
  mtlcore relate --task flu=flu.tsv --task vaccine=vaccine.tsv      two tasks, every measure, in both directions
  mtlcore relate --task joy=posts.tsv:joy --task anger=posts.tsv:anger --measures cheap   without networks, in a second
  mtlcore relate tasks.toml --out map.html                          many tasks, as heat maps to look at
  mtlcore relate tasks.toml --predict                               which partner to take, before anything is trained
  mtlcore relate tasks.toml --against gains --out report.html       does relatedness predict what was gained?
  mtlcore relate folder --format csv > measures.csv                 every table of a folder is a task

Every value stands beside its noise floor (what it was at most where labels or texts were permuted) and its reliability (how far
two halves of the texts agree, from 0 to 1). A value below its floor says nothing. A high value is no promise of a gain.";

fn extent() -> impl TypedValueParser<Value = Extent> {
    PossibleValuesParser::new(Extent::WORDS).map(|word| {
        let is_meant = |extent: &&Extent| extent.word() == word;
        *Extent::ALL.iter().find(is_meant).expect("one of the possible words")
    })
}

/// Everything that was found.
#[derive(Serialize)]
struct Found {
    #[serde(flatten)]
    relatedness: Relatedness,
    #[serde(skip_serializing_if = "Option::is_none")]
    against: Option<Against>,
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<Advice>,
    /// What the predictions were fitted on.
    #[serde(skip_serializing_if = "Option::is_none")]
    fitted_on: Option<String>,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let settings = arguments.tasks.load()?;
    // Before anything takes time.
    let gains = arguments.against.as_deref().map(Gains::read).transpose()?;
    let corpus = read(&settings.tasks)?;
    let threads = rayon::ThreadPoolBuilder::new().num_threads(settings.threads).build()?;
    let progress = StudyProgress::new();
    let relatedness =
        threads.install(|| relate(&settings, &corpus, arguments.measures, &|done, all| progress.update(done, all)));
    progress.finish();
    let mut relatedness = relatedness?;
    let against = gains.map(|gains| against(&relatedness, &gains)).transpose()?;
    let model = arguments.predict.then(ReadyModel::shipped);
    let is_predicted = model.as_ref().is_some_and(|model| model.predict(&mut relatedness, settings.shared));
    let advice = model.as_ref().filter(|_| is_predicted).map(|model| Advice::of(&relatedness, model.rope));
    if arguments.predict && !is_predicted {
        output::say("Cannot tell: the model that ships was not fitted for this shared layer.");
    }
    let found = Found { relatedness, against, advice, fitted_on: model.map(|model| model.fitted_on) };
    if let Some(path) = &arguments.out {
        page::write(path, &found)?;
        output::say(format!("The page is {}.", path.display()));
    }
    output::print(&match (arguments.format, &found.against) {
        (Format::Json, _) => output::json(&found)?,
        (Format::Csv, _) => tables::csv(&found.relatedness)?,
        (Format::Table, Some(against)) => against::table(against),
        (Format::Table, None) => tables::all(&found.relatedness) + &predictions::table(&found),
    })
}
