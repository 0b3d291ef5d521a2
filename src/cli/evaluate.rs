//! `mtlcore evaluate`: how well a run predicts rows whose labels are known.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use indexmap::IndexMap;
use mtlcore::{
    Error,
    mtl::{
        data::{Corpus, Dataset, Source, TaskSource, read},
        evaluation::metrics::Metrics,
        prepare,
        run::{Manifest, RunDirectory, Trained},
    },
};
use serde::Serialize;

use crate::{
    output::{self, Column},
    tables::TableArguments,
};

/// Measure a run on its held-out rows, or on other files, beside the majority and always-true baselines
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// A finished run
    run: PathBuf,
    /// A task of the run, and a file with its labels; what is not said is as in the run; repeatable
    #[arg(long = "task", value_name = "NAME=FILE[:LABEL_COLUMN]", value_parser = |text: &str| text.parse::<TaskSource>())]
    tasks: Vec<TaskSource>,
    #[command(flatten)]
    tables: TableArguments,
    /// A table, or JSON with every number
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Predict true where the probability is greater than this [default: the run's]
    #[arg(long, value_name = "P", value_parser = share)]
    threshold: Option<f64>,
    /// Threads to compute with, 0 for one a core; the result is the same for any number
    #[arg(long, value_name = "N", default_value_t = 0)]
    threads: usize,
}

const EXAMPLES: &str = "\
Examples:
  mtlcore evaluate run                       the rows that training held out
  mtlcore evaluate run --task flu=test.tsv   other rows of one of its tasks
  mtlcore evaluate run --format json | jq '.tasks[].model.f1'";

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Table,
    Json,
}

fn share(text: &str) -> std::result::Result<f64, String> {
    let expected = || format!("found {text:?}, expected a number from 0 to 1");
    text.parse().ok().filter(|p| (0.0..=1.0).contains(p)).ok_or_else(expected)
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let run = RunDirectory::open(&arguments.run)?;
    let (trained, manifest) = (run.trained()?, run.manifest()?);
    let threads = rayon::ThreadPoolBuilder::new().num_threads(arguments.threads).build().context("threads")?;
    let rows = match arguments.tasks.as_slice() {
        [] => Rows::held_out(&trained, &manifest, &arguments.run)?,
        tasks => Rows::of_files(&trained, tasks, &arguments.tables)?,
    };
    let threshold = arguments.threshold.unwrap_or(trained.settings.threshold);
    let report = threads.install(|| Report::new(&arguments.run, &trained, &manifest, &rows, threshold));
    output::print(&match arguments.format {
        Format::Table => report.to_table(),
        Format::Json => output::json(&report)?,
    })
}

/// The rows to measure on.
struct Rows {
    kind: Kind,
    corpus: Corpus,
    /// Those of the corpus that count.
    chosen: Vec<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    HeldOut,
    Files,
}

impl Rows {
    /// The rows that the run itself held out: its files are read and split again.
    fn held_out(trained: &Trained, manifest: &Manifest, run: &Path) -> Result<Self> {
        if manifest.tasks.values().all(|task| task.held_out == 0) {
            let message = "it held no rows out; name files to measure it on with --task NAME=FILE";
            return Err(Error::file(run, message).into());
        }
        let again = || "the rows that the run held out cannot be read again; name files with --task NAME=FILE";
        let corpus = prepare::corpus(&trained.settings).with_context(again)?;
        manifest.check_sources(&corpus).with_context(again)?;
        let dataset = Dataset::with_encoder(&corpus, trained.encoder.clone());
        let chosen = prepare::split(&trained.settings, &dataset)?.held_out;
        Ok(Self { kind: Kind::HeldOut, corpus, chosen })
    }

    /// All rows of files that the user names.
    fn of_files(trained: &Trained, tasks: &[TaskSource], tables: &TableArguments) -> Result<Self> {
        let tasks = tasks
            .iter()
            .map(|task| Ok(tables.apply(as_in_run(trained, task)?)))
            .collect::<mtlcore::Result<Vec<_>>>()?;
        let corpus = read(&tasks)?;
        Ok(Self { kind: Kind::Files, chosen: (0..corpus.records.len()).collect(), corpus })
    }
}

/// The user's task, with the columns and the words for true and false of the run's task of that name.
fn as_in_run(trained: &Trained, given: &TaskSource) -> mtlcore::Result<TaskSource> {
    if !trained.tasks.contains(&given.name) {
        let similarity = |task: &&String| strsim::jaro_winkler(task, &given.name);
        let nearest = trained.tasks.iter().max_by(|a, b| similarity(a).total_cmp(&similarity(b)));
        let hint = nearest.filter(|task| similarity(task) > 0.75).map(|task| format!("; did you mean `{task}`?"));
        let known = trained.tasks.join(", ");
        let message = format!("the run has no such task; its tasks are: {known}{}", hint.unwrap_or_default());
        return Err(Error::task(&given.name, message));
    }
    let Some(of_run) = trained.settings.tasks.iter().find(|task| task.name == given.name) else {
        return Ok(given.clone()); // a simulated run has no declarations
    };
    let label = given.label.clone().or_else(|| of_run.label.clone());
    Ok(TaskSource { file: given.file.clone(), label, validation: None, ..of_run.clone() })
}

/// Everything that was measured. The names are those of the JSON output.
#[derive(Serialize)]
struct Report {
    run: PathBuf,
    rows: RowsReport,
    threshold: f64,
    /// By name, in the model's order.
    tasks: IndexMap<String, TaskReport>,
}

#[derive(Serialize)]
struct RowsReport {
    kind: Kind,
    /// Rows that were measured on.
    count: usize,
    files: Vec<FileReport>,
}

#[derive(Serialize)]
struct FileReport {
    path: PathBuf,
    sha256: String,
    tasks: Vec<String>,
    /// Rows of the file, and how many of them were measured on.
    rows: usize,
    used: usize,
}

/// How one task fares on its labelled rows.
#[derive(Serialize)]
struct TaskReport {
    /// The share of true labels that the network learnt from.
    share_true_in_training: f64,
    model: Metrics,
    majority: Metrics,
    always_true: Metrics,
}

impl Report {
    fn new(run: &Path, trained: &Trained, manifest: &Manifest, rows: &Rows, threshold: f64) -> Self {
        let Rows { kind, corpus, chosen } = rows;
        let records: Vec<_> = chosen.iter().map(|&row| &corpus.records[row]).collect();
        let predicted = trained.probabilities(records.iter().map(|record| record.text.as_str()));
        let of_task = |(output, name): (usize, &String)| {
            let slot = corpus.tasks.iter().position(|task| task == name)?;
            let labelled = records.iter().zip(&predicted).filter_map(|(r, p)| Some((p[output], r.labels[slot]?)));
            let (probabilities, truths): (Vec<f64>, Vec<bool>) = labelled.unzip();
            let learnt = &manifest.tasks[name];
            let prior = learnt.train_positive as f64 / learnt.train.max(1) as f64;
            let report = TaskReport {
                share_true_in_training: prior,
                model: Metrics::new(&probabilities, &truths, threshold),
                majority: Metrics::majority(prior, &truths),
                always_true: Metrics::always_true(&truths),
            };
            Some((name.clone(), report))
        };
        let file = |(source, file): (usize, &Source)| FileReport {
            path: file.path.clone(),
            sha256: file.sha256.clone(),
            tasks: file.tasks.clone(),
            rows: file.rows,
            used: records.iter().filter(|record| record.source as usize == source).count(),
        };
        let files = corpus.sources.iter().enumerate().map(file).collect();
        Self {
            run: run.to_owned(),
            rows: RowsReport { kind: *kind, count: records.len(), files },
            threshold,
            tasks: trained.tasks.iter().enumerate().filter_map(of_task).collect(),
        }
    }

    fn to_table(&self) -> String {
        let numbers = [
            "rows",
            "true",
            "accuracy",
            "precision",
            "recall",
            "F1",
            "AP",
            "AUROC",
            "said true",
            "TP",
            "FP",
            "FN",
            "TN",
        ];
        let columns = [Column::Text("task"), Column::Text("")].into_iter().chain(numbers.map(Column::Number));
        let columns: Vec<Column> = columns.collect();
        let rows = self.tasks.iter().flat_map(|(name, task)| {
            let lines = [(name.as_str(), "model", &task.model), ("", "majority", &task.majority)];
            lines.into_iter().chain([("", "always true", &task.always_true)]).map(line)
        });
        format!("{}\n{}", self.heading(), output::table(&columns, rows))
    }

    /// What was measured, in words.
    fn heading(&self) -> String {
        let kind = match self.rows.kind {
            Kind::HeldOut => "rows that the run held out",
            Kind::Files => "rows",
        };
        let mut heading = format!("{} on {} {kind}", self.run.display(), self.rows.count);
        for file in &self.rows.files {
            heading +=
                &format!("\n  {} of {} in {} ({})", file.used, file.rows, file.path.display(), file.tasks.join(", "));
        }
        format!(
            "{heading}\nPredicted true above {}; rates in percent, precision, recall and F1 of the true class.\n",
            self.threshold
        )
    }
}

/// One predictor's line of the table.
fn line((task, predictor, m): (&str, &str, &Metrics)) -> Vec<String> {
    // A rate over no rows is no rate.
    let percent = |rate: f64| if m.n == 0 { "-".to_owned() } else { format!("{:.1}", 100.0 * rate) };
    let rates = [m.accuracy, m.precision, m.recall, m.f1, m.average_precision].map(percent);
    let counts = [m.counts.tp, m.counts.fp, m.counts.fn_, m.counts.tn].map(|count| count.to_string());
    let mut line = vec![task.to_owned(), predictor.to_owned(), m.n.to_string(), m.positives.to_string()];
    line.extend(rates);
    line.push(m.auroc.map_or("-".into(), percent));
    line.push(percent(m.share_predicted_true));
    line.extend(counts);
    line
}
