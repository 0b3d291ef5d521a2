//! From settings to everything that a training needs.

use super::{
    data::{
        Corpus, Coverage, Dataset, DominantGroup, Simulation, Split, Vectors, hold_out, read_grouped,
        require_both_classes,
    },
    model::EmbeddingInit,
    settings::{EmbeddingSource, Settings},
};
use crate::{Error, Result};

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
    /// How far they cover the texts, if the embedding is made of them.
    pub coverage: Option<Coverage>,
}

impl Prepared {
    /// Reads what the settings name. Without a task it simulates a small pair, and its word vectors unless others are named.
    ///
    /// # Errors
    /// What is wrong with the files, tasks that cannot be split, and vectors of other texts.
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
        prepared.coverage = coverage(settings, &prepared.dataset, prepared.vectors.as_ref())?;
        Ok(prepared)
    }

    /// As [`new`](Self::new) for who has the embedding already.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn without_vectors(settings: &Settings) -> Result<Self> {
        let corpus = corpus(settings)?;
        require_both_classes(&corpus)?;
        Dataset::require_room(&corpus, settings.tokenizer, settings.max_length, settings.padding)?;
        let dataset = Dataset::new(&corpus, settings.tokenizer, settings.max_length, settings.padding);
        let split = split(settings, &dataset)
            .map_err(|error| DominantGroup::explain(error, &corpus.records, &dataset.examples))?;
        Ok(Self { corpus, dataset, split, vectors: None, coverage: None })
    }

    /// A group that holds more than half of the rows together, if there is one.
    pub fn dominant_group(&self) -> Option<DominantGroup> {
        DominantGroup::find(&self.corpus.records, &self.dataset.examples)
    }

    /// What the embedding starts from.
    pub fn table(&self, settings: &Settings) -> EmbeddingInit {
        EmbeddingInit::new(settings, &self.dataset.encoder.vocabulary, self.vectors.as_ref())
    }
}

/// How far the vectors cover the texts, if the embedding is made of them.
///
/// # Errors
/// Vectors of other texts.
pub(super) fn coverage(settings: &Settings, dataset: &Dataset, vectors: Option<&Vectors>) -> Result<Option<Coverage>> {
    let used = vectors.filter(|_| settings.embedding != EmbeddingSource::Random);
    let Some(coverage) = used.map(|vectors| Coverage::new(dataset, vectors)) else { return Ok(None) };
    coverage.require(settings.vectors.as_deref().unwrap_or("<simulated>".as_ref()))?;
    Ok(Some(coverage))
}

/// The rows of the settings' tasks, or of the simulated pair if there is none.
///
/// # Errors
/// What is wrong with the files.
pub fn corpus(settings: &Settings) -> Result<Corpus> {
    if settings.tasks.is_empty() {
        if settings.group.is_some() {
            return Err(Error::config(
                "group",
                "the simulated pair has no such column; name files of your own with --task",
            ));
        }
        return simulation(settings).generate();
    }
    let tasks: Vec<_> = settings.tasks.iter().map(|task| settings.completed(task.clone())).collect();
    read_grouped(&tasks, settings.group.as_deref())
}

/// Which rows are learnt from and which are held out: the rows of validation files, and the settings' share of the others.
///
/// # Errors
/// A task that lacks a class on one side.
pub fn split(settings: &Settings, dataset: &Dataset) -> Result<Split> {
    if settings.validation > 0.0 {
        return hold_out(&dataset.tasks, &dataset.examples, settings.validation, settings.seed)
            .map_err(|error| error.advised("--validation 0 holds no rows out"));
    }
    let (held_out, train) = (0..dataset.examples.len()).partition(|&row| dataset.examples[row].validation);
    Ok(Split { train, held_out })
}

fn simulation(settings: &Settings) -> Simulation {
    Simulation { seed: settings.seed, ..Simulation::default() }
}
