//! The rows that runs are measured on.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use mtlcore::{
    Error,
    mtl::{
        data::{Corpus, Dataset, Record, Source, TaskSource, read},
        prepare,
        run::{LearntTexts, Manifest, RunDirectory, Trained},
    },
};
use serde::Serialize;

use crate::{subject, tables::TableArguments};

const READ_DIFFERENTLY: &str =
    "the runs read it from different columns, or with different words for true and false; evaluate each alone";

/// A finished run, and what it has seen.
pub struct Run {
    pub path: PathBuf,
    pub trained: Trained,
    pub manifest: Manifest,
    learnt: Option<LearntTexts>,
}

impl Run {
    pub fn open(path: &Path) -> Result<Self> {
        let (trained, manifest) = subject::open(path)?;
        let learnt = RunDirectory::open(path)?.learnt_texts()?;
        Ok(Self { path: path.into(), trained, manifest, learnt })
    }

    /// Of each record whether its text was learnt from; `None` for a run that does not say.
    pub fn learnt_from(&self, records: &[&Record]) -> Option<Vec<bool>> {
        let learnt = self.learnt.as_ref()?;
        let encoder = &self.trained.encoder;
        Some(records.iter().map(|record| learnt.contains(&encoder.encode(&record.text))).collect())
    }

    /// The user's task, with the columns and the words for true and false of the run's task of that name.
    fn as_in_run(&self, given: &TaskSource) -> mtlcore::Result<TaskSource> {
        let tasks = &self.trained.tasks;
        if !tasks.contains(&given.name) {
            let similarity = |task: &&String| strsim::jaro_winkler(task, &given.name);
            let nearest = tasks.iter().max_by(|a, b| similarity(a).total_cmp(&similarity(b)));
            let hint = nearest.filter(|task| similarity(task) > 0.75).map(|task| format!("; did you mean `{task}`?"));
            let known = tasks.join(", ");
            let message = format!("the run has no such task; its tasks are: {known}{}", hint.unwrap_or_default());
            return Err(Error::task(&given.name, message));
        }
        let Some(of_run) = self.trained.settings.tasks.iter().find(|task| task.name == given.name) else {
            return Ok(given.clone()); // a simulated run has no declarations
        };
        let label = given.label.clone().or_else(|| of_run.label.clone());
        Ok(TaskSource { file: given.file.clone(), label, validation: None, ..of_run.clone() })
    }
}

/// The rows to measure on.
pub struct Rows {
    pub kind: Kind,
    pub corpus: Corpus,
    /// Those of the corpus that count.
    chosen: Vec<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    HeldOut,
    Files,
}

impl Rows {
    /// The rows of the files that the user names, or else those that all runs held out.
    pub fn new(runs: &[Run], tasks: &[TaskSource], tables: &TableArguments) -> Result<Self> {
        if !tasks.is_empty() {
            return Self::of_files(runs, tasks, tables);
        }
        let mut all = runs.iter().map(Self::held_out).collect::<Result<Vec<_>>>()?.into_iter();
        let first = all.next().expect("there is a run");
        all.try_fold(first, |rows, others| rows.also_in(&others))
    }

    /// The rows that the run itself held out: its files are read and split again.
    fn held_out(run: &Run) -> Result<Self> {
        if run.manifest.tasks.values().all(|task| task.held_out == 0) {
            let message = "it held no rows out; name files to measure it on with --task NAME=FILE";
            return Err(Error::file(&run.path, message).into());
        }
        let again = || "the rows that the run held out cannot be read again; name files with --task NAME=FILE";
        let corpus = prepare::corpus(&run.trained.settings).with_context(again)?;
        run.manifest.check_sources(&corpus).with_context(again)?;
        let dataset = Dataset::with_encoder(&corpus, run.trained.encoder.clone());
        let chosen = prepare::split(&run.trained.settings, &dataset)?.held_out;
        Ok(Self { kind: Kind::HeldOut, corpus, chosen })
    }

    /// All rows of files that the user names.
    fn of_files(runs: &[Run], tasks: &[TaskSource], tables: &TableArguments) -> Result<Self> {
        let of_run = |run: &Run| {
            let declared = tasks.iter().map(|task| Ok(tables.apply(run.as_in_run(task)?)));
            declared.collect::<mtlcore::Result<Vec<_>>>()
        };
        let mut declared = runs.iter().map(of_run);
        let tasks = declared.next().expect("there is a run")?;
        for others in declared {
            for (task, other) in tasks.iter().zip(others?) {
                if *task != other {
                    return Err(Error::task(&task.name, READ_DIFFERENTLY).into());
                }
            }
        }
        let corpus = read(&tasks)?;
        Ok(Self { kind: Kind::Files, chosen: (0..corpus.records.len()).collect(), corpus })
    }

    /// Those of the rows that are also among others, by file, line and text.
    fn also_in(self, others: &Self) -> Result<Self> {
        let theirs: HashMap<_, &Record> =
            others.records().into_iter().map(|record| (others.identity(record), record)).collect();
        let mut chosen = Vec::new();
        for &row in &self.chosen {
            let ours = &self.corpus.records[row];
            let Some(theirs) = theirs.get(&self.identity(ours)) else { continue };
            for (slot, task) in self.corpus.tasks.iter().enumerate() {
                if others.slot(task).is_some_and(|other| ours.labels[slot] != theirs.labels[other]) {
                    return Err(Error::task(task, READ_DIFFERENTLY).into());
                }
            }
            chosen.push(row);
        }
        anyhow::ensure!(
            !chosen.is_empty(),
            "no row was held out by both runs; name files to compare them on with --task NAME=FILE"
        );
        Ok(Self { chosen, ..self })
    }

    fn identity<'r>(&'r self, record: &'r Record) -> (&'r Path, u64, &'r str) {
        (&self.corpus.sources[record.source as usize].path, record.line, &record.text)
    }

    /// What a run says of each record.
    ///
    /// # Errors
    /// The first record for which the network gives no number, with its file and line.
    pub fn predicted_by(&self, run: &Run) -> mtlcore::Result<Vec<Vec<f64>>> {
        let records = self.records();
        let probabilities = run.trained.probabilities(records.iter().map(|record| record.text.as_str()));
        let place = |row: usize| (&*self.corpus.sources[records[row].source as usize].path, records[row].line);
        run.trained.predictor().require_numbers(&probabilities, place)?;
        Ok(probabilities)
    }

    pub fn records(&self) -> Vec<&Record> {
        self.chosen.iter().map(|&row| &self.corpus.records[row]).collect()
    }

    /// The place of a task's labels in the records.
    pub fn slot(&self, task: &str) -> Option<usize> {
        self.corpus.tasks.iter().position(|name| name == task)
    }

    pub fn report(&self) -> RowsReport {
        let records = self.records();
        let file = |(source, file): (usize, &Source)| FileReport {
            path: file.path.clone(),
            sha256: file.sha256.clone(),
            tasks: file.tasks.clone(),
            rows: file.rows,
            used: records.iter().filter(|record| record.source as usize == source).count(),
        };
        let files = self.corpus.sources.iter().enumerate().map(file).collect();
        RowsReport { kind: self.kind, count: records.len(), files }
    }
}

#[derive(Serialize)]
pub struct RowsReport {
    pub kind: Kind,
    /// Rows that were measured on.
    pub count: usize,
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

impl RowsReport {
    /// A line a file.
    pub fn files(&self) -> String {
        let line = |FileReport { path, tasks, rows, used, .. }: &FileReport| {
            format!("  {used} of {rows} in {} ({})\n", path.display(), tasks.join(", "))
        };
        self.files.iter().map(line).collect()
    }
}
