//! The arguments of every sub-command that needs settings: a file, tasks, and one flag for each field.

use std::path::PathBuf;

use anyhow::Result;
use clap::{
    Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches,
    builder::{PossibleValuesParser, TypedValueParser, ValueParser},
    value_parser,
};
use mtlcore::mtl::{
    data::TaskSource,
    settings::{FIELDS, Field, Kind, Preset, Settings, literal},
};
use toml::{Table, Value};

/// `[CONFIG.toml] [--task NAME=FILE[:LABEL_COLUMN]]... [--<field> VALUE]...`
pub struct SettingsArguments {
    file: Option<PathBuf>,
    flags: Table,
}

impl SettingsArguments {
    /// The effective settings: the flags over the file, the file over the preset.
    pub fn load(&self) -> Result<Settings> {
        Ok(Settings::load(self.file.as_deref(), self.flags.clone())?)
    }
}

impl FromArgMatches for SettingsArguments {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let value = |field: &Field| Some((field.name.clone(), matches.get_one::<Value>(&field.name)?.clone()));
        let mut flags: Table = FIELDS.iter().filter_map(value).collect();
        if let Some(tasks) = matches.get_many::<TaskSource>("task") {
            let tasks: Result<_, _> = tasks.map(Value::try_from).collect();
            let unfit = |error| clap::Error::raw(clap::error::ErrorKind::InvalidValue, format!("--task: {error}\n"));
            flags.insert("task".into(), Value::Array(tasks.map_err(unfit)?));
        }
        Ok(Self { file: matches.get_one("config").cloned(), flags })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for SettingsArguments {
    fn augment_args(command: Command) -> Command {
        let file = Arg::new("config")
            .value_name("CONFIG.toml")
            .value_parser(value_parser!(PathBuf))
            .help("Configuration file; flags replace what it says");
        let task = Arg::new("task")
            .long("task")
            .value_name("NAME=FILE[:LABEL_COLUMN]")
            .value_parser(|text: &str| text.parse::<TaskSource>())
            .action(ArgAction::Append)
            .help_heading("Data")
            .help("A task, its file, and its column there (else one with the task's name, or `label`); repeatable");
        command.arg(file).arg(task).args(FIELDS.iter().map(flag))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

fn flag(field: &'static Field) -> Arg {
    let (value_name, parser) = match field.kind {
        Kind::Choice(words) => ("CHOICE", PossibleValuesParser::new(words).map(Value::String).into()),
        Kind::Whole { .. } => ("N", parser(field)),
        Kind::Number | Kind::Positive => ("NUMBER", parser(field)),
        Kind::Share => ("SHARE", parser(field)),
        Kind::Path => ("PATH", parser(field)),
    };
    let arg = Arg::new(field.name.as_str()).long(field.name.as_str()).help(help(field)).help_heading(field.group);
    arg.value_name(value_name).value_parser(parser).allow_negative_numbers(true)
}

fn parser(field: &'static Field) -> ValueParser {
    ValueParser::new(|text: &str| field.parse(text))
}

/// The explanation, and what holds where the flag is not given.
fn help(field: &Field) -> String {
    let word = |preset| field.preset(preset).map(|value| value.as_str().map_or(literal(&value), str::to_owned));
    match (word(Preset::Default), word(Preset::Paper)) {
        (Some(default), Some(paper)) if default != paper && field.name != "preset" => {
            format!("{} [default: {default}, in preset paper: {paper}]", field.doc)
        }
        (Some(default), _) => format!("{} [default: {default}]", field.doc),
        (None, _) => field.doc.to_owned(),
    }
}
