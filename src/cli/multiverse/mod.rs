//! `mtlcore multiverse`: what becomes of the answer when open choices are made otherwise.

mod page;
mod tables;

use std::{path::Path, process::ExitCode};

use anyhow::Result;
use clap::Args;
use mtlcore::mtl::{
    multiverse::{MultiverseSettings, measure_multiverse},
    settings::{Field, Preset, Settings},
    study::{StudySettings, fields},
};
use toml::Table;

use crate::{
    output::{self, Format},
    relate::arguments::{TaskArguments, TaskSettings},
    study::{INTERRUPTED, say_if_simulated, watched},
};

/// Ask the question with every open choice made in many ways: how often does learning together help, and which choice decides?
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    start: TaskArguments<StartingPoint>,
    /// Universes of the Latin hypercube; those with one choice of the starting point swapped are added
    #[arg(long, value_name = "N", default_value_t = 48, value_parser = clap::value_parser!(u32).range(2..=100_000))]
    universes: u32,
    /// Tables for people, or JSON with every number (as in multiverse.json)
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

const EXAMPLES: &str = "\
Examples:
  mtlcore multiverse                                         a simulated pair, in a minute or two
  mtlcore multiverse --task a=a.tsv --task b=b.tsv --vectors glove.twitter.27B.50d.txt   your own
  mtlcore multiverse --task a=a.tsv --task b=b.tsv --universes 200 --folds 5             more of them, and surer ones
  mtlcore multiverse --shared conv,bilstm --out layers       the shared layer is a choice too
  mtlcore multiverse --preset default                        start from today's choices, not from the paper's

The starting point is the paper's preset with the flags that are given; a setting that no choice varies is that of all universes.
The same command goes on where it was stopped and runs only what is missing.";

/// The settings of the starting point.
struct StartingPoint(StudySettings);

/// Fields of a study without an effect here.
const WITHOUT_EFFECT: [&str; 4] = ["controls", "fractions", "balance", "tune"];

impl TaskSettings for StartingPoint {
    /// Small studies, for there are many.
    const DEFAULTS: &[(&str, &str)] = &[
        ("preset", "\"paper\""),
        ("folds", "3"),
        ("seeds", "1"),
        ("scale", "0.3"),
        ("shared", "[\"conv\"]"),
        ("embedding-dim", "25"),
        ("out", "\"multiverse\""),
    ];

    fn fields() -> impl Iterator<Item = &'static Field> {
        fields().filter(|field| !WITHOUT_EFFECT.contains(&field.name.as_str()))
    }

    fn preset_table(preset: Preset) -> Table {
        StudySettings::preset(preset).to_table()
    }

    fn from_file_and_flags(file: Option<&Path>, flags: Table) -> mtlcore::Result<Self> {
        StudySettings::load(file, flags).map(Self)
    }

    fn of_training(&self) -> &Settings {
        &self.0.base
    }
}

pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let StartingPoint(study) = arguments.start.load()?;
    say_if_simulated(&study, "multiverse");
    let directory = study.base.out.clone();
    let settings = MultiverseSettings { study, universes: arguments.universes as usize };
    let found = watched(|interrupted, observe| measure_multiverse(&settings, interrupted, observe))?;
    let Some(found) = found else { return Ok(ExitCode::from(INTERRUPTED)) };
    let page = directory.join("multiverse.html");
    page::write(&page, &found)?;
    if arguments.format == Format::Json {
        output::print(&output::json(&found)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    output::print(&tables::all(&found))?;
    output::print(&format!("The multiverse is in {}; see {}.\n", directory.display(), page.display()))?;
    Ok(ExitCode::SUCCESS)
}
