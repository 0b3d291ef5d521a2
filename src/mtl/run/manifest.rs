//! What a run was made of.

use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::mtl::{
    balancing::BalancerState,
    data::{Corpus, Dataset, SourceEntry, Split, TaskSource, Vectors},
    settings::Settings,
};
use crate::{Error, Result};

/// What a run was made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of mtlcore that wrote the run.
    pub version: String,
    /// Whether training has come to its end.
    pub finished: bool,
    /// The root of all random numbers.
    pub seed: u64,
    /// The files that were read.
    pub sources: Vec<SourceEntry>,
    /// The word vectors that were read, if any.
    pub vectors: Option<VectorsEntry>,
    /// The tasks by name, in the model's order.
    pub tasks: IndexMap<String, TaskEntry>,
    /// Words, padding and the unknown word included.
    pub vocabulary: usize,
    /// The length to which shorter texts are padded, if they are.
    pub padded_length: usize,
    /// Numbers that are trained.
    pub trained_parameters: usize,
    /// Epochs that were run, and the one that the parameters are of; when finished.
    pub epochs: Option<Epochs>,
    /// SHA-256 of the run's own files by name: all that stay as they are from the beginning, the model when finished. Empty
    /// for runs of versions that did not note them.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub checksums: IndexMap<String, String>,
    /// What the balancing has learnt in the end, if it is of a method that learns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balance: Option<BalancerState>,
}

/// The word vectors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VectorsEntry {
    /// Where they were; none for those of a simulation.
    pub path: Option<PathBuf>,
    /// The SHA-256 of the vectors in use.
    pub sha256: String,
    /// Vectors in the file.
    pub lines: u64,
    /// Words of the vocabulary that have one.
    pub found: usize,
    /// Numbers a vector.
    pub dim: usize,
}

/// The rows of one task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskEntry {
    /// Rows with a label to learn from.
    pub train: usize,
    /// How many of them are true.
    pub train_positive: usize,
    /// Held-out rows with a label.
    pub held_out: usize,
    /// How many of them are true.
    pub held_out_positive: usize,
    /// The threshold with the best F1 on the held-out rows, if there are any; when finished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tuned_threshold: Option<f64>,
}

/// How long training went on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epochs {
    /// Epochs that were run.
    pub run: usize,
    /// The epoch (from 1) whose parameters the model has.
    pub chosen: usize,
}

impl Manifest {
    /// The manifest of a run that begins.
    pub fn new(
        settings: &Settings,
        corpus: &Corpus,
        dataset: &Dataset,
        split: &Split,
        vectors: Option<&Vectors>,
        trained_parameters: usize,
    ) -> Self {
        let vectors = vectors.map(|vectors| VectorsEntry {
            path: settings.vectors.clone(),
            sha256: vectors.sha256.clone(),
            lines: vectors.lines,
            found: vectors.found.iter().filter(|&&found| found).count(),
            dim: vectors.dim,
        });
        let task = |(slot, name): (usize, &String)| {
            let count = |rows: &[usize], positive: bool| {
                let label = |&&row: &&usize| dataset.examples[row].labels[slot];
                rows.iter().filter(|row| label(row).is_some_and(|label| label || !positive)).count()
            };
            let entry = TaskEntry {
                train: count(&split.train, false),
                train_positive: count(&split.train, true),
                held_out: count(&split.held_out, false),
                held_out_positive: count(&split.held_out, true),
                tuned_threshold: None,
            };
            (name.clone(), entry)
        };
        Self {
            version: env!("CARGO_PKG_VERSION").into(),
            finished: false,
            seed: settings.seed,
            sources: corpus.sources.iter().map(SourceEntry::from).collect(),
            vectors,
            tasks: dataset.tasks.iter().enumerate().map(task).collect(),
            vocabulary: dataset.encoder.vocabulary.len(),
            padded_length: dataset.encoder.padded_length,
            trained_parameters,
            epochs: None,
            checksums: IndexMap::new(),
            balance: None,
        }
    }

    /// What cannot be, in a manifest that was read from a file.
    ///
    /// # Errors
    /// What was found and what was expected.
    pub(super) fn check(&self) -> std::result::Result<(), String> {
        if self.tasks.is_empty() {
            return Err("it has no task".into());
        }
        for (name, task) in &self.tasks {
            TaskSource::new(name, "").validate().map_err(|error| error.to_string())?;
            for (side, rows, positive) in
                [("train", task.train, task.train_positive), ("held_out", task.held_out, task.held_out_positive)]
            {
                if positive > rows {
                    return Err(format!("task `{name}` has {positive} true rows of {rows} in `{side}`"));
                }
            }
            if task.tuned_threshold.is_some_and(|threshold| !(-1.0..=1.0).contains(&threshold)) {
                return Err(format!("the tuned threshold of task `{name}` is no probability"));
            }
        }
        match self.epochs {
            Some(Epochs { run, chosen }) if chosen > run => Err(format!("epoch {chosen} of {run} was chosen")),
            _ => Ok(()),
        }
    }

    /// The tuned threshold of every task, in the model's order; else the name of the first task that has none.
    ///
    /// # Errors
    /// That name.
    pub fn tuned_thresholds(&self) -> std::result::Result<Vec<f64>, &str> {
        self.tasks.iter().map(|(name, task)| task.tuned_threshold.ok_or(name.as_str())).collect()
    }

    /// Compares the files that were read now with those of the run.
    ///
    /// # Errors
    /// [`Error::File`] naming the first file that has changed.
    pub fn check_sources(&self, corpus: &Corpus) -> Result<()> {
        let now: Vec<(&Path, &str)> = corpus.sources.iter().map(|s| (s.path.as_path(), s.sha256.as_str())).collect();
        for then in &self.sources {
            if !now.contains(&(then.path.as_path(), then.sha256.as_str())) {
                return Err(Error::file(&then.path, "it is not what it was when the run began (its SHA-256 differs)"));
            }
        }
        Ok(())
    }
}
