//! Tasks from a configuration file, from a folder of files, or from flags.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::{ArgMatches, Args, Command, FromArgMatches};
use mtlcore::{
    Error,
    mtl::{
        data::TaskSource,
        settings::{FIELDS, Field, Preset, Settings},
    },
};
use toml::{Table, Value};

use crate::settings;

/// `[TASKS.toml or FOLDER] [--task NAME=FILE[:LABEL_COLUMN]]... [--<field> VALUE]...`
pub struct TaskArguments {
    file: Option<PathBuf>,
    flags: Table,
}

/// What holds where nobody says anything else: a small layer is enough to tell tasks apart.
const DEFAULTS: [(&str, &str); 3] = [("shared", "\"conv\""), ("embedding-dim", "50"), ("max-length", "200")];

impl TaskArguments {
    const FIELDS: [&str; 13] = [
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
        "embedding-dim",
        "epochs",
        "max-length",
    ];

    fn fields() -> impl Iterator<Item = &'static Field> {
        FIELDS.iter().filter(|field| Self::FIELDS.contains(&field.name.as_str()))
    }

    /// The effective settings.
    pub fn load(&self) -> Result<Settings> {
        let (file, flags) = with_defaults(self.file.as_deref(), &self.flags, &DEFAULTS)?;
        let loaded = Settings::load(file, flags)?;
        settings::refuse_contradictions(&self.flags, &loaded)?;
        Ok(loaded)
    }
}

/// The file to load and the flags: a folder's files are tasks, and defaults stand where neither the file nor a flag says anything.
pub fn with_defaults<'f>(
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
    // What is wrong with the file is told, with its line, by who loads it.
    let said: Table = file.and_then(|path| std::fs::read_to_string(path).ok()?.parse().ok()).unwrap_or_default();
    // Word vectors bring their own number of columns.
    let has_vectors = said.contains_key("vectors") || flags.contains_key("vectors");
    for (name, value) in defaults {
        if !(said.contains_key(*name) || has_vectors && *name == "embedding-dim") {
            let value: Table = format!("value = {value}").parse().expect("our own defaults are TOML");
            flags.entry(*name).or_insert_with(|| value["value"].clone());
        }
    }
    Ok((file, flags))
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

impl FromArgMatches for TaskArguments {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self { file: settings::file(matches), flags: settings::flags(matches, Self::fields())? })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for TaskArguments {
    fn augment_args(command: Command) -> Command {
        let presets = [Preset::Default, Preset::Paper].map(|preset| {
            let mut table = Settings::preset(preset).to_table();
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
