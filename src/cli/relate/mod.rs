//! `mtlcore relate`: how related are the tasks?

mod against;
pub mod arguments;
mod map_charts;
mod page;
mod predictions;
mod tables;

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use arguments::{TaskArguments, TaskSettings};
use clap::{
    Args, ValueEnum,
    builder::{PossibleValuesParser, TypedValueParser},
};
use mtlcore::{
    Error,
    mtl::{
        data::read,
        relatedness::{
            Extent, Relatedness,
            against::{Against, against},
            gains::Gains,
            phase_map::PhaseMap,
            prediction::{Advice, OnMap, Prediction, on_map, open_tasks, predict},
            relate,
        },
        settings::{FIELDS, Field, Preset, Settings, Shared},
    },
};
use serde::Serialize;
use toml::Table;

use crate::{output, progress::StudyProgress};

/// Measure how related tasks are: words, texts, what a model of one knows of the other, gradients, layers
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    tasks: TaskArguments<Settings>,
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

Every value stands beside its noise floor (the largest size of the value where labels or texts are permuted) and its reliability (how
far two halves of the texts agree, from 0 to 1). A value below its floor says nothing. A high value is no promise of a gain.";

/// The fields that have flags: those that change a measure.
const WITH_FLAG: [&str; 14] = [
    "seed",
    "threads",
    "tokenizer",
    "vectors",
    "text-column",
    "positive",
    "negative",
    "delimiter",
    "input-format",
    "shared",
    "heads",
    "embedding-dim",
    "epochs",
    "max-length",
];

impl TaskSettings for Settings {
    /// A small layer is enough to compare tasks by.
    const DEFAULTS: &[(&str, &str)] = &[("shared", "\"conv\""), ("embedding-dim", "50"), ("max-length", "200")];

    fn fields() -> impl Iterator<Item = &'static Field> {
        FIELDS.iter().filter(|field| WITH_FLAG.contains(&field.name.as_str()))
    }

    fn preset_table(preset: Preset) -> Table {
        Self::preset(preset).to_table()
    }

    fn from_file_and_flags(file: Option<&Path>, flags: Table) -> mtlcore::Result<Self> {
        Self::load(file, flags)
    }

    fn of_training(&self) -> &Settings {
        self
    }
}

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
    #[serde(flatten)]
    expected: Option<Expected>,
}

/// The expected gains, with `--predict`.
#[derive(Serialize)]
struct Expected {
    predictions: Vec<Prediction>,
    advice: Advice,
    /// The data that the models were fitted on, and how well they predict.
    fitted_on: String,
    /// What the phase map that ships says of each pair.
    on_map: Vec<OnMap>,
    #[serde(skip)]
    map: PhaseMap,
}

impl Expected {
    fn of(models: &Against, relatedness: &Relatedness, settings: &Settings) -> Self {
        let (shared, map) = (settings.shared, PhaseMap::shipped(settings.heads));
        let predictions = predict(models, relatedness, shared);
        let names: Vec<&str> = relatedness.tasks.iter().map(|task| task.name.as_str()).collect();
        let cells = models.fitted(shared).map(|(cell, _)| {
            format!(
                "{} ordered pairs of {} open tasks at {} rows of the main task: {}",
                cell.pairs,
                cell.tasks.len(),
                cell.requested_size,
                cell.sentence
            )
        });
        let fitted_on = cells.collect::<Vec<_>>().join(" ");
        let on_map = on_map(&map, relatedness, shared);
        Self { advice: Advice::of(&names, &predictions, models.rope), predictions, fitted_on, on_map, map }
    }
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let settings = arguments.tasks.load()?;
    // Everything that can be refused, before anything takes time.
    let gains = arguments.against.as_deref().map(Gains::read).transpose()?;
    let models = arguments.predict.then(|| models_for(settings.shared)).transpose()?;
    if arguments.predict && arguments.format == Format::Csv {
        bail!("--format csv holds measures only; with --predict take --format json, or the table");
    }
    let corpus = read(&settings.tasks)?;
    let threads = rayon::ThreadPoolBuilder::new().num_threads(settings.threads).build()?;
    let progress = StudyProgress::new();
    let relatedness =
        threads.install(|| relate(&settings, &corpus, arguments.measures, &|done, all| progress.update(done, all)));
    progress.finish();
    let relatedness = relatedness?;
    let against = gains.map(|gains| against(&relatedness, &gains)).transpose()?;
    let expected = models.map(|models| Expected::of(&models, &relatedness, &settings));
    let found = Found { relatedness, against, expected };
    if let Some(path) = &arguments.out {
        page::write(path, &found, settings.shared)?;
        output::say(format!("The page is {}.", path.display()));
    }
    output::print(&match arguments.format {
        Format::Json => output::json(&found)?,
        Format::Csv => tables::csv(&found.relatedness)?,
        Format::Table => {
            let measured = found.against.as_ref().map_or_else(|| tables::all(&found.relatedness), against::table);
            measured + &found.expected.as_ref().map_or_else(String::new, predictions::table)
        }
    })
}

/// The models that ship with the program, if there is one for this shared layer.
fn models_for(shared: Shared) -> mtlcore::Result<Against> {
    let models = open_tasks();
    if models.fitted(shared).next().is_none() {
        let layers: Vec<&str> = models.cells.iter().map(|cell| cell.shared.word()).collect();
        let message =
            format!("no model that ships was fitted for --shared {}; there is one for {}", shared.word(), layers[0]);
        return Err(Error::config("predict", message));
    }
    Ok(models)
}
