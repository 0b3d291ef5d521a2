//! `mtlcore gains`: what every task gains of every other.

mod page;
mod tables;

use std::{path::Path, process::ExitCode};

use anyhow::Result;
use clap::Args;
use mtlcore::mtl::{
    relatedness::gains::{GainSettings, Size, measure_gains},
    settings::{Field, Preset, Settings},
    study::{StudySettings, fields},
};
use toml::Table;

use crate::{
    output::{self, Format},
    relate::arguments::{TaskArguments, TaskSettings},
    study::{INTERRUPTED, watched},
};

/// Measure what each task gains of each other: all ordered pairs, several sizes, in one table
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    study: TaskArguments<StudySettings>,
    /// Rows of the main task that a fold learns from, between commas; `all` is as many as there are
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "200,500,1000,all", value_parser = size)]
    sizes: Vec<Size>,
    /// Rows of a partner that a fold learns from at most
    #[arg(long, value_name = "N", default_value = "all", value_parser = size)]
    partner_size: Size,
    /// Tables for people, or JSON with every number (as in gains.json)
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

fn size(text: &str) -> Result<Size, String> {
    text.parse()
}

const EXAMPLES: &str = "\
Examples:
  mtlcore gains folder                                       every table of a folder is a task; takes its time
  mtlcore gains tasks.toml --sizes 200,1000 --shared conv    two sizes, one layer
  mtlcore gains --task a=a.tsv --task b=b.tsv --task c=c.tsv --sizes 200 --partner-size 1000 --seeds 1   a first look
  mtlcore relate tasks.toml --against gains                  does relatedness predict these gains?

Pairs that share texts are left out. The same command goes on where it was stopped and runs only what is missing.";

/// Fields of a study without an effect here: pairs are made of all tasks, and each is learnt alone and together only.
const WITHOUT_EFFECT: [&str; 5] = ["controls", "scale", "fractions", "group", "balance"];

impl TaskSettings for StudySettings {
    /// Few trainings of each comparison, for there are many pairs.
    const DEFAULTS: &[(&str, &str)] =
        &[("folds", "5"), ("seeds", "2"), ("shared", "[\"conv\"]"), ("embedding-dim", "50"), ("out", "\"gains\"")];

    fn fields() -> impl Iterator<Item = &'static Field> {
        fields().filter(|field| !WITHOUT_EFFECT.contains(&field.name.as_str()))
    }

    fn preset_table(preset: Preset) -> Table {
        Self::preset(preset).to_table()
    }

    fn from_file_and_flags(file: Option<&Path>, flags: Table) -> mtlcore::Result<Self> {
        Self::load(file, flags)
    }

    fn of_training(&self) -> &Settings {
        &self.base
    }
}

pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let study = arguments.study.load()?;
    let mut sizes = arguments.sizes.clone();
    sizes.sort_unstable();
    sizes.dedup();
    let directory = study.base.out.clone();
    let settings = GainSettings { study, sizes, partner_size: arguments.partner_size };
    let found = watched(|interrupted, observe| measure_gains(&settings, interrupted, observe))?;
    let Some(found) = found else { return Ok(ExitCode::from(INTERRUPTED)) };
    let page = directory.join("gains.html");
    page::write(&page, &found)?;
    if arguments.format == Format::Json {
        output::print(&output::json(&found)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    output::print(&tables::all(&found))?;
    output::print(&format!("The gains are in {}; see {}.\n", directory.display(), page.display()))?;
    Ok(ExitCode::SUCCESS)
}
