//! The arguments of every sub-command that needs settings: a file, tasks, and one flag for each field.

use std::path::PathBuf;

use anyhow::Result;
use clap::{
    Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches,
    builder::{PossibleValuesParser, TypedValueParser, ValueParser},
    value_parser,
};
use mtlcore::Error;
use mtlcore::mtl::{
    data::{TaskSource, Vectors},
    settings::{EmbeddingSource, FIELDS, Field, Kind, Preset, Settings, literal},
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
        let settings = Settings::load(self.file.as_deref(), self.flags.clone())?;
        if !settings.tasks.is_empty() {
            refuse_contradictions(&self.flags, &settings)?;
        }
        Ok(settings)
    }
}

/// Refuses flags that would have no effect. (A file may hold every field, and so has to be allowed what does not matter.)
pub fn refuse_contradictions(flags: &Table, settings: &Settings) -> mtlcore::Result<()> {
    let refuse = |field: &str, message: String| Err(Error::config(field, message));
    let Some(path) = &settings.vectors else {
        let without_vectors = ["embedding", "unknown"].into_iter().find(|field| flags.contains_key(*field));
        return match without_vectors {
            Some(field) if settings.embedding != EmbeddingSource::Random => {
                let message = "it is about word vectors, and there are none: name their file with --vectors";
                refuse(field, format!("{message}, or leave --{field} out"))
            }
            _ => Ok(()),
        };
    };
    if settings.embedding == EmbeddingSource::Random {
        let both = flags.contains_key("vectors") && flags.contains_key("embedding");
        return if both { refuse("vectors", "--embedding random makes no use of them".into()) } else { Ok(()) };
    }
    match flags.get("embedding-dim").and_then(Value::as_integer) {
        Some(said)
            if let dim = Vectors::dim_of(path)?
                && said != dim as i64 =>
        {
            let message = format!("found {said}, but the vectors of {} have {dim} numbers", path.display());
            refuse("embedding-dim", format!("{message}; leave it out, or say --embedding random"))
        }
        _ => Ok(()),
    }
}

impl FromArgMatches for SettingsArguments {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self { file: file(matches), flags: flags(matches, FIELDS.iter())? })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for SettingsArguments {
    fn augment_args(command: Command) -> Command {
        let presets = [Preset::Default, Preset::Paper].map(|preset| Settings::preset(preset).to_table());
        augment(command, "CONFIG.toml", FIELDS.iter(), &presets)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

/// As [`SettingsArguments`], but with flags only for what matters to somebody who looks at data.
pub struct DataArguments(SettingsArguments);

impl DataArguments {
    const FIELDS: [&str; 8] =
        ["seed", "tokenizer", "vectors", "text-column", "positive", "negative", "delimiter", "input-format"];

    fn fields() -> impl Iterator<Item = &'static Field> {
        FIELDS.iter().filter(|field| Self::FIELDS.contains(&field.name.as_str()))
    }

    /// As [`SettingsArguments::load`].
    pub fn load(&self) -> Result<Settings> {
        self.0.load()
    }
}

impl FromArgMatches for DataArguments {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self(SettingsArguments { file: file(matches), flags: flags(matches, Self::fields())? }))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for DataArguments {
    fn augment_args(command: Command) -> Command {
        let presets = [Preset::Default, Preset::Paper].map(|preset| Settings::preset(preset).to_table());
        augment(command, "CONFIG.toml", Self::fields(), &presets)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

/// `--threads` of what has no settings of its own, within the same bounds.
pub fn threads(text: &str) -> Result<usize, String> {
    let field = Field::named("threads").expect("it is a field");
    let number = field.parse(text)?.as_integer().and_then(|number| usize::try_from(number).ok());
    Ok(number.expect("its bounds are those of a few threads"))
}

/// The file that was named.
pub fn file(matches: &ArgMatches) -> Option<PathBuf> {
    matches.get_one("config").cloned()
}

/// What was said by flags, as a file would say it.
pub fn flags(matches: &ArgMatches, fields: impl Iterator<Item = &'static Field>) -> Result<Table, clap::Error> {
    let value = |field: &Field| Some((field.name.clone(), matches.get_one::<Value>(&field.name)?.clone()));
    let mut flags: Table = fields.filter_map(value).collect();
    if let Ok(Some(tasks)) = matches.try_get_many::<TaskSource>("task") {
        let tasks: Result<_, _> = tasks.map(Value::try_from).collect();
        let unfit = |error| clap::Error::raw(clap::error::ErrorKind::InvalidValue, format!("--task: {error}\n"));
        flags.insert("task".into(), Value::Array(tasks.map_err(unfit)?));
    }
    Ok(flags)
}

/// Adds the file, `--task` and a flag for each field. `presets` are the values in the presets default and paper.
pub fn augment(
    command: Command,
    file: &'static str,
    fields: impl Iterator<Item = &'static Field>,
    presets: &[Table; 2],
) -> Command {
    let task = Arg::new("task")
        .long("task")
        .value_name("NAME=FILE[:LABEL_COLUMN]")
        .value_parser(|text: &str| text.parse::<TaskSource>())
        .action(ArgAction::Append)
        .help_heading("Data")
        .help("A task, its file, and its column there (else one with the task's name, or `label`); repeatable");
    augment_without_tasks(command.arg(task), file, fields, presets)
}

/// As [`augment`], for a command that simulates its tasks.
pub fn augment_without_tasks(
    command: Command,
    file: &'static str,
    fields: impl Iterator<Item = &'static Field>,
    presets: &[Table; 2],
) -> Command {
    let file = Arg::new("config")
        .value_name(file)
        .value_parser(value_parser!(PathBuf))
        .help("Configuration file; flags replace what it says");
    command.arg(file).args(fields.map(|field| flag(field, presets)))
}

/// The fields that most users need: `-h` shows these, `--help` shows all.
const EVERYDAY: [&str; 20] = [
    "seeds",
    "preset",
    "seed",
    "out",
    "validation",
    "vectors",
    "embedding",
    "embedding-dim",
    "shared",
    "epochs",
    "patience",
    "keep",
    "balance",
    "probe",
    "folds",
    "repeats",
    "controls",
    "group",
    "scale",
    "fractions",
];

fn flag(field: &'static Field, presets: &[Table; 2]) -> Arg {
    let (value_name, parser) = match field.kind {
        Kind::Choice(words) => ("CHOICE", PossibleValuesParser::new(words).map(Value::String).into()),
        Kind::List(_) | Kind::Percentages => ("LIST", parser(field)),
        Kind::Name => ("NAME", parser(field)),
        Kind::Word => ("WORD", parser(field)),
        Kind::Delimiter => ("CHAR", parser(field)),
        Kind::Whole { .. } | Kind::PowerOfTwo { .. } => ("N", parser(field)),
        Kind::Number | Kind::Positive => ("NUMBER", parser(field)),
        Kind::Share => ("SHARE", parser(field)),
        Kind::Path => ("PATH", parser(field)),
        Kind::Probe => ("gradients[=N]", parser(field)),
        Kind::TaskWeights => ("TASK=WEIGHT,...", parser(field)),
    };
    let arg = Arg::new(field.name.as_str()).long(field.name.as_str()).help(help(field, presets));
    let arg = if field.name == "out" { arg.short('o') } else { arg };
    let arg = arg.hide_short_help(!EVERYDAY.contains(&field.name.as_str()));
    arg.help_heading(field.group).value_name(value_name).value_parser(parser).allow_negative_numbers(true)
}

fn parser(field: &'static Field) -> ValueParser {
    ValueParser::new(|text: &str| field.parse(text))
}

/// The explanation, and what holds where the flag is not given.
fn help(field: &Field, presets: &[Table; 2]) -> String {
    let word = |value: &Value| match value {
        Value::String(word) => word.clone(),
        Value::Array(items) => {
            let word = |item: &Value| item.as_str().map_or_else(|| item.to_string(), str::to_owned);
            items.iter().map(word).collect::<Vec<_>>().join(",")
        }
        number => literal(number),
    };
    let doc = match field.kind {
        Kind::List(words) => format!("{} ({})", field.doc, words.join(", ")),
        _ => field.doc.to_owned(),
    };
    let [default, paper] = presets.each_ref().map(|preset| preset.get(&field.name).map(word));
    match (default, paper) {
        (Some(default), Some(paper)) if default != paper && field.name != "preset" => {
            format!("{doc} [default: {default}, in preset paper: {paper}]")
        }
        (Some(default), _) if !default.is_empty() => format!("{doc} [default: {default}]"),
        _ => doc,
    }
}
