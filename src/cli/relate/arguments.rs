//! Tasks from a configuration file, from a folder of files, or from flags.

use std::{
    marker::PhantomData,
    path::{Path, PathBuf},
};

use anyhow::Result;
use clap::{ArgMatches, Args, Command, FromArgMatches};
use mtlcore::{
    Error,
    mtl::{
        data::TaskSource,
        settings::{Field, Preset, Settings},
    },
};
use toml::{Table, Value};

use crate::settings;

/// `[TASKS.toml or FOLDER] [--task NAME=FILE[:LABEL_COLUMN]]... [--<field> VALUE]...`, the arguments of a command about many tasks
/// with settings `S`.
pub struct TaskArguments<S> {
    file: Option<PathBuf>,
    flags: Table,
    settings: PhantomData<S>,
}

/// The settings of a command about many tasks.
pub trait TaskSettings: Sized {
    /// Fields with other defaults than those of the preset, and their values in TOML.
    const DEFAULTS: &[(&str, &str)];

    /// The fields that have flags.
    fn fields() -> impl Iterator<Item = &'static Field>;

    /// All fields with their values in a preset.
    fn preset_table(preset: Preset) -> Table;

    /// The effective settings: the flags over the file, the file over the preset.
    fn from_file_and_flags(file: Option<&Path>, flags: Table) -> mtlcore::Result<Self>;

    /// The settings of one training.
    fn of_training(&self) -> &Settings;
}

impl<S: TaskSettings> TaskArguments<S> {
    /// The effective settings; a folder's files are its tasks.
    pub fn load(&self) -> Result<S> {
        let (file, flags) = with_defaults(self.file.as_deref(), &self.flags, S::DEFAULTS)?;
        let loaded = S::from_file_and_flags(file, flags)?;
        settings::refuse_contradictions(&self.flags, loaded.of_training())?;
        Ok(loaded)
    }
}

/// The file to load and the flags: a folder's files are tasks, and defaults stand where neither the file nor a flag sets a field.
fn with_defaults<'f>(
    file: Option<&'f Path>,
    flags: &Table,
    defaults: &[(&str, &str)],
) -> Result<(Option<&'f Path>, Table)> {
    let mut flags = flags.clone();
    let folder = file.filter(|path| path.is_dir());
    if let Some(folder) = folder {
        let tasks = tasks_of_folder(folder)?.iter().map(Value::try_from).collect::<Result<Vec<_>, _>>()?;
        flags.entry("task").or_insert(Value::Array(tasks));
    }
    let file = file.filter(|_| folder.is_none());
    // Loading reports what is wrong with the file, with its line.
    let set: Table = file.and_then(|path| std::fs::read_to_string(path).ok()?.parse().ok()).unwrap_or_default();
    // Word vectors bring their own number of columns.
    let has_vectors = set.contains_key("vectors") || flags.contains_key("vectors");
    for (name, value) in defaults {
        if !(set.contains_key(*name) || has_vectors && *name == "embedding-dim") {
            flags.entry(*name).or_insert_with(|| toml_value(value));
        }
    }
    Ok((file, flags))
}

fn toml_value(text: &str) -> Value {
    let table: Table = format!("value = {text}").parse().expect("our own defaults are TOML");
    table["value"].clone()
}

/// The tables of a folder as tasks that are called like their files.
fn tasks_of_folder(folder: &Path) -> mtlcore::Result<Vec<TaskSource>> {
    let entries = std::fs::read_dir(folder).and_then(|entries| entries.collect::<std::io::Result<Vec<_>>>());
    let entries = entries.map_err(Error::io(folder))?;
    let is_table = |path: &PathBuf| {
        let extension = path.extension().and_then(|extension| extension.to_str());
        extension.is_some_and(|extension| ["tsv", "csv", "jsonl", "ndjson"].contains(&extension))
    };
    let mut paths: Vec<PathBuf> = entries.iter().map(|entry| entry.path()).filter(is_table).collect();
    paths.sort();
    if paths.is_empty() {
        return Err(Error::file(folder, "it has no .tsv, .csv or .jsonl file; each one there would be a task"));
    }
    let fits = |c: char| if c.is_alphanumeric() || c == '_' || c == '-' { c } else { '_' };
    let name =
        |path: &Path| path.file_stem().map_or(String::new(), |stem| stem.to_string_lossy().chars().map(fits).collect());
    Ok(paths.into_iter().map(|path| TaskSource::new(name(&path), path)).collect())
}

impl<S: TaskSettings> FromArgMatches for TaskArguments<S> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self { file: settings::file(matches), flags: settings::flags(matches, S::fields())?, settings: PhantomData })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl<S: TaskSettings> Args for TaskArguments<S> {
    fn augment_args(command: Command) -> Command {
        let presets = [Preset::Default, Preset::Paper].map(|preset| {
            let mut table = S::preset_table(preset);
            table.extend(S::DEFAULTS.iter().map(|(name, value)| ((*name).to_owned(), toml_value(value))));
            table
        });
        settings::augment(command, "TASKS.toml", S::fields(), &presets)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}
