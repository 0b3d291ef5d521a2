//! `mtlcore gains`: what every task gains of every other.

mod page;
mod tables;

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::{ArgMatches, Args, Command, FromArgMatches, ValueEnum};
use mtlcore::mtl::{
    relatedness::gains::{GainSettings, Size, measure_gains},
    settings::{Field, Preset},
    study::{StudySettings, fields},
};
use toml::Table;

use crate::{
    output,
    relate::arguments::with_defaults,
    settings,
    study::{INTERRUPTED, watched},
};

/// Measure what each task gains of each other: all ordered pairs, several sizes, in one table
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    study: StudyOfAll,
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

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Json,
}

const EXAMPLES: &str = "\
Examples:
  mtlcore gains folder                                       every table of a folder is a task; takes its time
  mtlcore gains tasks.toml --sizes 200,1000 --shared conv    two sizes, one layer
  mtlcore gains --task a=a.tsv --task b=b.tsv --task c=c.tsv --sizes 200 --partner-size 1000 --seeds 1   a first look
  mtlcore relate tasks.toml --against gains                  does relatedness predict these gains?

Pairs that share texts are left out. The same command goes on where it was stopped and runs only what is missing.";

/// What holds where nobody says anything else: many pairs are told apart by few trainings of each.
const DEFAULTS: [(&str, &str); 5] =
    [("folds", "5"), ("seeds", "2"), ("shared", "[\"conv\"]"), ("embedding-dim", "50"), ("out", "\"gains\"")];

/// Fields of a study that mean nothing where pairs are made of all tasks, or no units of this command have.
const NOT_HERE: [&str; 5] = ["controls", "scale", "fractions", "group", "balance"];

/// `[TASKS.toml or FOLDER] [--task NAME=FILE[:LABEL_COLUMN]]... [--<field> VALUE]...`
struct StudyOfAll {
    file: Option<PathBuf>,
    flags: Table,
}

impl StudyOfAll {
    fn fields() -> impl Iterator<Item = &'static Field> {
        fields().filter(|field| !NOT_HERE.contains(&field.name.as_str()))
    }

    fn load(&self) -> Result<StudySettings> {
        let (file, flags) = with_defaults(self.file.as_deref(), &self.flags, &DEFAULTS)?;
        let loaded = StudySettings::load(file, flags)?;
        settings::refuse_contradictions(&self.flags, &loaded.base)?;
        Ok(loaded)
    }
}

impl FromArgMatches for StudyOfAll {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self { file: settings::file(matches), flags: settings::flags(matches, Self::fields())? })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for StudyOfAll {
    fn augment_args(command: Command) -> Command {
        let presets = [Preset::Default, Preset::Paper].map(|preset| {
            let mut table = StudySettings::preset(preset).to_table();
            for (name, value) in DEFAULTS {
                let value: Table = format!("value = {value}").parse().expect("our own defaults are TOML");
                table.insert(name.into(), value["value"].clone());
            }
            table
        });
        settings::augment(command, "TASKS.toml", Self::fields(), &presets)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
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
