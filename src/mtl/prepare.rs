//! From settings to everything that a training needs.

use super::{
    data::{Corpus, Dataset, Simulation, Split, Vectors, hold_out, read, require_both_classes},
    model::Table,
    settings::Settings,
};
use crate::Result;

/// The data of a training.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// The rows as they were read.
    pub corpus: Corpus,
    /// The rows as ids.
    pub dataset: Dataset,
    /// Which rows are learnt from, and which are held out.
    pub split: Split,
    /// The word vectors that were asked for.
    pub vectors: Option<Vectors>,
}

impl Prepared {
    /// Reads what the settings name. Without a task it simulates a small pair, and its word vectors unless others are named.
    ///
    /// # Errors
    /// What is wrong with the files, and tasks that cannot be split.
    pub fn new(settings: &Settings) -> Result<Self> {
        let mut prepared = Self::without_vectors(settings)?;
        let vocabulary = &prepared.dataset.encoder.vocabulary;
        prepared.vectors = match &settings.vectors {
            Some(path) => Some(Vectors::read(path, vocabulary)?),
            None if settings.tasks.is_empty() => {
                let text = simulation(settings).vectors();
                Some(Vectors::from_reader(text.as_bytes(), "<simulated>".as_ref(), vocabulary)?)
            }
            None => None,
        };
        Ok(prepared)
    }

    /// As [`new`](Self::new) for who has the embedding already.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn without_vectors(settings: &Settings) -> Result<Self> {
        let corpus = corpus(settings)?;
        require_both_classes(&corpus)?;
        let dataset = Dataset::new(&corpus, settings.tokenizer, settings.max_length, settings.padding);
        let split = split(settings, &dataset)?;
        Ok(Self { corpus, dataset, split, vectors: None })
    }

    /// What the embedding starts from.
    pub fn table(&self, settings: &Settings) -> Table {
        Table::new(settings, &self.dataset.encoder.vocabulary, self.vectors.as_ref())
    }
}

/// The rows of the settings' tasks, or of the simulated pair if there is none.
///
/// # Errors
/// What is wrong with the files.
pub fn corpus(settings: &Settings) -> Result<Corpus> {
    if settings.tasks.is_empty() { simulation(settings).generate() } else { read(&settings.tasks) }
}

/// Which rows are learnt from and which are held out: the rows of validation files, and the settings' share of the others.
///
/// # Errors
/// A task that lacks a class on one side.
pub fn split(settings: &Settings, dataset: &Dataset) -> Result<Split> {
    if settings.validation > 0.0 {
        return hold_out(&dataset.tasks, &dataset.examples, settings.validation, settings.seed);
    }
    let (held_out, train) = (0..dataset.examples.len()).partition(|&row| dataset.examples[row].validation);
    Ok(Split { train, held_out })
}

fn simulation(settings: &Settings) -> Simulation {
    Simulation { seed: settings.seed, ..Simulation::default() }
}
