//! The settings of a map's trainings: a file, and a flag for each field that matters to one.

use std::path::PathBuf;

use anyhow::Result;
use clap::{ArgMatches, Args, Command, FromArgMatches};
use mtlcore::mtl::{
    settings::{Field, Preset},
    study::{StudySettings, fields},
};
use toml::{Table, Value};

use crate::settings;

/// The fields that have flags.
const WITH_FLAG: [&str; 19] = [
    "heads",
    "seed",
    "threads",
    "out",
    "shared",
    "measure",
    "rope",
    "inner",
    "embedding-dim",
    "units",
    "filters",
    "dropout",
    "epochs",
    "patience",
    "batch",
    "batches",
    "loss-normaliser",
    "learning-rate",
    "adam",
];

/// `[CONFIG.toml] [--<field> VALUE]...`
pub struct MapArguments {
    file: Option<PathBuf>,
    flags: Table,
}

/// Trainings that converge: small steps of few epochs would be a fixed budget in disguise.
fn defaults() -> [(&'static str, Value); 6] {
    [
        ("out", "phase-map".into()),
        ("shared", Value::Array(vec!["conv".into()])),
        ("epochs", 200.into()),
        ("patience", 10.into()),
        ("learning-rate", 0.003.into()),
        ("inner", 0.2.into()),
    ]
}

fn map_fields() -> impl Iterator<Item = &'static Field> {
    fields().filter(|field| WITH_FLAG.contains(&field.name.as_str()))
}

impl MapArguments {
    /// The effective settings: the flags over the file, the file over the defaults.
    pub fn load(&self) -> Result<StudySettings> {
        let mut flags = self.flags.clone();
        // Loading reports what is wrong with the file, with its line.
        let text = self.file.as_ref().and_then(|path| std::fs::read_to_string(path).ok());
        let set: Table = text.and_then(|text| text.parse().ok()).unwrap_or_default();
        for (name, value) in defaults().into_iter().filter(|(name, _)| !set.contains_key(*name)) {
            flags.entry(name).or_insert(value);
        }
        let study = StudySettings::load(self.file.as_deref(), flags)?;
        if !study.pairs.is_empty() {
            return Err(mtlcore::Error::config("pair", "a phase map simulates its pairs; leave yours out").into());
        }
        if study.base.patience == 0 || study.inner == 0.0 {
            let message =
                "a training to convergence stops early, by rows that it does not learn from: neither may be 0";
            return Err(mtlcore::Error::config("patience and inner", message).into());
        }
        Ok(study)
    }
}

impl FromArgMatches for MapArguments {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self { file: settings::file(matches), flags: settings::flags(matches, map_fields())? })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for MapArguments {
    fn augment_args(command: Command) -> Command {
        let presets = [Preset::Default, Preset::Paper].map(|preset| {
            let mut table = StudySettings::preset(preset).to_table();
            table.extend(defaults().map(|(name, value)| (name.to_owned(), value)));
            table.insert("embedding-dim".into(), 25.into());
            table
        });
        settings::augment_without_tasks(command, "CONFIG.toml", map_fields(), &presets)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}
