//! `mtlcore data check`: what was understood of the data.

use std::path::Path;

use anyhow::Result;
use clap::Args;
use mtlcore::mtl::{
    data::{self, Check, Dataset, FirstRow, Padding, Simulation, Vectors},
    settings::Settings,
};

use crate::{
    output::{self, Column, Format, count, share},
    settings::DataArguments,
};

/// Print what was understood of the data: rows, labels, lengths, duplicates, vocabulary, first rows
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    settings: DataArguments,
    /// Tables to read, or JSON
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

const EXAMPLES: &str = "\
Examples:
  mtlcore data check                                a simulated pair, to see what is shown
  mtlcore data check --task flu=posts.tsv:is_flu    one file, with its column of labels
  mtlcore data check --task a=a.csv --task b=b.jsonl --vectors glove.twitter.27B.200d.txt
  mtlcore data check config.toml --format json      the tasks of a configuration, for a program";

/// How many tokens of a first row the tables show.
const SHOWN_TOKENS: usize = 24;

pub fn run(arguments: &Arguments) -> Result<()> {
    let settings = arguments.settings.load()?;
    let simulation = settings.tasks.is_empty().then(|| Simulation { seed: settings.seed, ..Simulation::default() });
    let corpus = match &simulation {
        Some(simulation) => simulation.generate()?,
        None => data::read(&settings.tasks)?,
    };
    // Lengths are those of the texts themselves, neither cut nor padded.
    let dataset = Dataset::new(&corpus, settings.tokenizer, None, Padding::None);
    let vocabulary = &dataset.encoder.vocabulary;
    let vectors = match (&settings.vectors, &simulation) {
        (Some(path), _) => Some(Vectors::read(path, vocabulary)?),
        (None, Some(simulation)) => {
            Some(Vectors::from_reader(simulation.vectors().as_bytes(), Path::new("<simulated>"), vocabulary)?)
        }
        (None, None) => None,
    };
    let check = Check::new(&corpus, &dataset, vectors.as_ref());
    output::print(&match arguments.format {
        Format::Json => output::json(&check)?,
        Format::Table => describe(&check, &settings) + &attrition(&check),
    })?;
    // Last, since what is shown tells why a class is missing.
    Ok(data::require_both_classes(&corpus)?)
}

fn describe(check: &Check, settings: &Settings) -> String {
    let mut text = String::new();
    if settings.tasks.is_empty() {
        text += "No task is named, so this is a simulated pair (`mtlcore data simulate` writes it as files).\n\n";
    }
    text += &format!("Tasks\n{}\n", tasks(check));
    text += &format!("Files, lengths in tokens\n{}\n", files(check));
    text += &texts(check);
    text += &words(check, settings);
    for source in &check.sources {
        text += &format!("\nFirst rows of {}, as tokens\n", source.source.path.display());
        text += &first_rows(&source.source.tasks, &source.first_rows);
    }
    text
}

/// What is gone of files whose posts were fetched by their ids.
fn attrition(check: &Check) -> String {
    let mut text = String::new();
    for source in &check.sources {
        if let Some(attrition) = &source.source.attrition {
            text += &format!("\nPosts of {}\n{}", source.source.path.display(), super::attrition::text(attrition));
        }
    }
    text
}

fn tasks(check: &Check) -> String {
    let columns = [
        Column::Text("task"),
        Column::Number("rows"),
        Column::Number("labelled"),
        Column::Number("missing"),
        Column::Number("true"),
        Column::Number("share true"),
        Column::Number("duplicates"),
        Column::Number("conflicting texts"),
    ];
    let rows = check.tasks.iter().map(|task| {
        let counts = [task.rows, task.labelled, task.missing, task.positive].map(count);
        let rest = [share(task.positive_share), count(task.duplicates), count(task.conflicting_texts)];
        [vec![task.task.clone()], counts.to_vec(), rest.to_vec()].concat()
    });
    output::table(&columns, rows)
}

fn files(check: &Check) -> String {
    let columns = [
        Column::Text("file"),
        Column::Text("tasks"),
        Column::Text("used to"),
        Column::Number("rows"),
        Column::Number("empty"),
        Column::Number("duplicates"),
        Column::Number("mean"),
        Column::Number("median"),
        Column::Number("95 %"),
        Column::Number("longest"),
    ];
    let rows = check.sources.iter().map(|file| {
        let source = &file.source;
        let purpose = if source.validation { "validate" } else { "learn" };
        vec![
            source.path.display().to_string(),
            source.tasks.join(", "),
            purpose.to_owned(),
            count(source.rows),
            count(file.empty_texts),
            count(file.duplicates),
            format!("{:.1}", file.mean_length),
            count(file.median_length),
            count(file.length_95),
            count(file.max_length),
        ]
    });
    output::table(&columns, rows)
}

/// What a duplicate is, and how many texts the files share.
fn texts(check: &Check) -> String {
    let shared = match check.shared_texts {
        0 => "none of them in more than one file".to_owned(),
        shared => format!("{} of them in more than one file", count(shared)),
    };
    format!(
        "{} rows hold {} different texts, {shared}. Texts of equal tokens count as one:\n\
         a duplicate repeats an earlier row of its task or file, a conflicting text is labelled both true and false.\n\n",
        count(check.rows),
        count(check.distinct_texts)
    )
}

fn words(check: &Check, settings: &Settings) -> String {
    let words = &check.vocabulary;
    let (types, tokens) = (words.types as u64, words.tokens);
    let mut text = format!("Words\n{} different words in {} tokens.\n", count(types), count(tokens));
    let Some(coverage) = &words.coverage else {
        return text + "No file of word vectors is named (--vectors).\n";
    };
    let of = |part: u64, whole: u64| share(part as f64 / whole.max(1) as f64);
    let file = settings.vectors.as_deref().map_or("<simulated>".into(), |path| path.display().to_string());
    text += &format!(
        "{file} has {} vectors of {} numbers: for {} of the different words and {} of the tokens.\n",
        count(coverage.vectors),
        count(coverage.dim),
        of(coverage.types as u64, types),
        of(coverage.tokens, tokens)
    );
    if coverage.not_utf8 > 0 {
        text += &format!(
            "{} of its words are not UTF-8, which no text holds; they are passed over.\n",
            count(coverage.not_utf8)
        );
    }
    if !coverage.missing.is_empty() {
        let missing = coverage.missing.iter().map(|(word, times)| format!("{word} ({})", count(*times)));
        text += &format!("Most frequent without a vector: {}\n", missing.collect::<Vec<_>>().join(", "));
    }
    text
}

fn first_rows(tasks: &[String], rows: &[FirstRow]) -> String {
    let mut columns = vec![Column::Number("line")];
    columns.extend(tasks.iter().map(|task| Column::Text(task)));
    columns.push(Column::Text("tokens"));
    let rows = rows.iter().map(|row| {
        let labels = row.labels.iter().map(|label| label.map_or("-".into(), |label| label.to_string()));
        let mut tokens = row.tokens.iter().take(SHOWN_TOKENS).map(String::as_str).collect::<Vec<_>>().join(" ");
        match row.tokens.len() {
            0 => tokens += "(empty)",
            length if length > SHOWN_TOKENS => tokens += &format!(" … {} more", count(length - SHOWN_TOKENS)),
            _ => {}
        }
        std::iter::once(row.line.to_string()).chain(labels).chain([tokens]).collect()
    });
    output::table(&columns, rows)
}
