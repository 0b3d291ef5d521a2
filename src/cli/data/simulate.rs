//! `mtlcore data simulate`: a pair of tasks whose relatedness is known, as files.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, builder::ValueParser, error::ErrorKind};
use mtlcore::mtl::{
    data::{SIMULATION_FIELDS, Simulation, SimulationField, TaskSource},
    settings::{Preset, Settings},
};
use serde::Deserialize;
use toml::{Table, Value};

use crate::output;

/// Write a simulated pair of tasks: rows, word vectors, and a configuration that learns from them
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    simulation: SimulationArguments,
    /// Directory for the files
    #[arg(short, long, value_name = "DIR", default_value = "simulated", help_heading = "Files")]
    out: PathBuf,
    /// Replace files of the same names
    #[arg(long, help_heading = "Files")]
    force: bool,
}

const EXAMPLES: &str = "\
Examples:
  mtlcore data simulate                                       two related tasks
  mtlcore data simulate --relatedness 0 --out unrelated       two that cannot help each other
  mtlcore data simulate --rows 200,5000 --prevalence 0.1,0.3  a small task with few true labels
  mtlcore data simulate --doubly-labelled                     one set of rows with both labels";

/// One flag for each field of [`Simulation`].
struct SimulationArguments(Simulation);

impl FromArgMatches for SimulationArguments {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut table = defaults();
        for SimulationField { name, .. } in SIMULATION_FIELDS.iter() {
            let value = match table[name] {
                Value::Boolean(_) => Some(Value::Boolean(matches.get_flag(name))),
                _ => matches.get_one(name).cloned(),
            };
            table.extend(value.map(|value| (name.clone(), value)));
        }
        let simulation = Simulation::deserialize(Value::Table(table));
        simulation.map(Self).map_err(|error| clap::Error::raw(ErrorKind::InvalidValue, format!("{error}\n")))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for SimulationArguments {
    fn augment_args(command: Command) -> Command {
        let defaults = defaults();
        command.args(SIMULATION_FIELDS.iter().map(|field| flag(field, &defaults[&field.name])))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

fn defaults() -> Table {
    Table::try_from(Simulation::default()).expect("numbers fit into 63 bits")
}

/// The flag of a field, whose type its default tells.
fn flag(field: &'static SimulationField, default: &Value) -> Arg {
    let arg = Arg::new(field.name.as_str()).long(field.name.as_str());
    let (value_name, shown) = match default {
        Value::Boolean(_) => return arg.help(field.doc).action(ArgAction::SetTrue),
        Value::Array(pair) => ("A,B", pair.iter().map(Value::to_string).collect::<Vec<_>>().join(",")),
        Value::Integer(_) => ("N", default.to_string()),
        _ => ("NUMBER", default.to_string()),
    };
    let like = default.clone();
    let parser = ValueParser::new(move |text: &str| parse(text, &like));
    let help = format!("{} [default: {shown}]", field.doc);
    arg.help(help).value_name(value_name).value_parser(parser).allow_negative_numbers(true)
}

fn parse(text: &str, like: &Value) -> Result<Value, String> {
    match like {
        Value::Integer(_) => {
            let number = text.parse().ok().filter(|number| *number >= 0);
            number.map(Value::Integer).ok_or_else(|| "expected a whole number".into())
        }
        Value::Array(pair) => {
            let (a, b) = text.split_once(',').ok_or("expected two numbers, A,B")?;
            Ok(Value::Array(vec![parse(a.trim(), &pair[0])?, parse(b.trim(), &pair[1])?]))
        }
        _ => text.parse().map(Value::Float).map_err(|_| "expected a number".into()),
    }
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let (SimulationArguments(simulation), directory) = (&arguments.simulation, &arguments.out);
    let tables = simulation.files()?;
    let path = |name: &str| directory.join(name);
    let tasks = tables.iter().flat_map(|table| table.tasks.iter().map(|task| TaskSource::new(task, path(&table.name))));
    let settings = Settings {
        seed: simulation.seed,
        vectors: Some(path("vectors.txt")),
        tasks: tasks.collect(),
        ..Settings::preset(Preset::Default)
    };
    if directory.to_str().is_none() {
        bail!("{}: expected a name in UTF-8, since a configuration is to hold it", directory.display());
    }
    let mut files: Vec<(&str, String)> =
        vec![("vectors.txt", simulation.vectors()), ("config.toml", settings.to_toml())];
    files.splice(0..0, tables.iter().map(|table| (table.name.as_str(), table.content.clone())));
    write(directory, &files, arguments.force)?;

    let config = path("config.toml");
    let names = files.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    output::print(&format!(
        "Wrote {names} to {}.\n\nNext:\n  mtlcore data check {config}\n  mtlcore train {config}\n",
        directory.display(),
        config = config.display()
    ))
}

/// Writes all files, or (but for a fault between two renamings) none.
fn write(directory: &Path, files: &[(&str, String)], force: bool) -> Result<()> {
    if let Some((name, _)) = files.iter().find(|(name, _)| !force && directory.join(name).exists()) {
        bail!("{}: exists already; --force replaces it", directory.join(name).display());
    }
    let failed = || directory.display().to_string();
    fs::create_dir_all(directory).with_context(failed)?;
    let aside = tempfile::Builder::new().prefix(".simulate-").tempdir_in(directory).with_context(failed)?;
    for (name, content) in files {
        fs::write(aside.path().join(name), content).with_context(|| directory.join(name).display().to_string())?;
    }
    for (name, _) in files {
        fs::rename(aside.path().join(name), directory.join(name)).with_context(failed)?;
    }
    Ok(())
}
