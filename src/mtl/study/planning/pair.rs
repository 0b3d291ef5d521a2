//! The data of one pair: rows, vectors, folds.

use sha2::{Digest, Sha256};

use super::{Pair, StudySettings, folds, simulated::SimulatedPair};
use crate::mtl::{
    data::{Corpus, Coverage, Dataset, DominantGroup, Example, Vectors, hold_out, read_grouped},
    files,
    model::EmbeddingInit,
    prepare,
    settings::Settings,
    streams::{Streams, split_mix},
};
use crate::{Error, Result};

/// The data of one pair, ready to train on.
#[derive(Clone, Debug)]
pub struct PairData {
    /// The pair's name.
    pub name: String,
    /// The cosine of the tasks' word weights, for a simulated pair.
    pub relatedness: Option<f64>,
    /// The rows as they were read.
    pub corpus: Corpus,
    /// The rows as ids. All arms use this vocabulary.
    pub dataset: Dataset,
    /// The word vectors, if there are any.
    pub vectors: Option<Vectors>,
    /// How far they cover the texts, if the embedding is made of them.
    pub coverage: Option<Coverage>,
    /// SHA-256 of the rows, labels, groups and vectors, in hexadecimal.
    pub sha256: String,
    /// The fold of each row, repeat by repeat.
    pub folds: Vec<Vec<Option<usize>>>,
    inner: f64,
    seed: u64,
    /// See [`PairData::limited`].
    limits: Option<Vec<usize>>,
}

/// The rows of one fold: indices of examples, rising.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoldRows {
    /// To learn from.
    pub train: Vec<usize>,
    /// Of the training folds, but held out: thresholds and the epoch to stop at are chosen on them.
    pub inner: Vec<usize>,
    /// To test on; nothing is ever chosen on them.
    pub test: Vec<usize>,
}

impl PairData {
    /// Reads or simulates the data of every pair, in the order of the settings.
    ///
    /// # Errors
    /// What is wrong with the files; a task with too few rows of a class for the folds.
    pub fn all(settings: &StudySettings) -> Result<Vec<Self>> {
        if settings.pairs.is_empty() {
            let pairs = SimulatedPair::all(settings.scale, settings.base.seed);
            return pairs.iter().map(|pair| Self::simulated(settings, pair)).collect();
        }
        settings.pairs.iter().map(|pair| Self::read(settings, pair)).collect()
    }

    fn read(settings: &StudySettings, pair: &Pair) -> Result<Self> {
        Self::new(settings, &pair.name, read_grouped(&pair.tasks, settings.base.group.as_deref())?)
    }

    fn simulated(settings: &StudySettings, pair: &SimulatedPair) -> Result<Self> {
        let data = Self::new(settings, pair.name, pair.corpus()?)?;
        Ok(Self { relatedness: Some(pair.simulation.relatedness), ..data })
    }

    /// The data of a pair whose rows are given.
    ///
    /// # Errors
    /// A task with too few rows of a class for the folds; what is wrong with the vectors' file.
    pub fn new(settings: &StudySettings, name: &str, corpus: Corpus) -> Result<Self> {
        let Settings { tokenizer, max_length, padding, seed, .. } = settings.base;
        Dataset::require_room(&corpus, tokenizer, max_length, padding)?;
        let dataset = Dataset::new(&corpus, tokenizer, max_length, padding);
        let vocabulary = &dataset.encoder.vocabulary;
        let vectors = settings.base.vectors.as_ref().map(|path| Vectors::read(path, vocabulary)).transpose()?;
        let coverage = prepare::coverage(&settings.base, &dataset, vectors.as_ref())?;
        let folds = (0..settings.repeats)
            .map(|repeat| folds::assign(&dataset.tasks, &dataset.examples, settings.folds, repeat, seed));
        let folds = folds
            .collect::<Result<_>>()
            .map_err(|error| DominantGroup::explain(error, &corpus.records, &dataset.examples))?;
        let sha256 = sha256(&dataset, vectors.as_ref(), settings.base.group.is_some());
        let (name, inner) = (name.to_owned(), settings.inner);
        Ok(Self {
            name,
            relatedness: None,
            corpus,
            dataset,
            vectors,
            coverage,
            sha256,
            folds,
            inner,
            seed,
            limits: None,
        })
    }

    /// The same data, of which a fold learns from so many rows of each task at most (by slot), inner rows included. It tests on all
    /// rows of its own.
    ///
    /// What is drawn of a task, and which of it are inner rows, depends on the task's rows alone: it is the same beside any partner.
    /// So a row must have a label of one task only.
    pub fn limited(self, limits: Vec<usize>) -> Self {
        let sha256 = files::hexadecimal(&Sha256::digest(format!("{} learnt from: {limits:?}", self.sha256)));
        Self { sha256, limits: Some(limits), ..self }
    }

    /// The position of a task among the pair's.
    ///
    /// # Panics
    /// If the pair has no such task.
    pub fn slot(&self, task: &str) -> usize {
        self.dataset.tasks.iter().position(|name| name == task).expect("a task of the pair")
    }

    /// The rows of a fold. The inner rows are the same for every arm; they are stratified and keep groups together.
    ///
    /// # Errors
    /// A task that would lack a class among the rows to learn from or the inner rows.
    pub fn rows(&self, repeat: usize, fold: usize) -> Result<FoldRows> {
        let of_fold = |test: bool| {
            let place = self.folds[repeat].iter().enumerate();
            place.filter_map(|(row, &of_row)| of_row.map(|f| (row, f == fold))).filter(move |(_, is)| *is == test)
        };
        let test = of_fold(true).map(|(row, _)| row).collect();
        let rest: Vec<usize> = of_fold(false).map(|(row, _)| row).collect();
        if let Some(limits) = &self.limits {
            return Ok(FoldRows { test, ..self.drawn(&rest, limits, self.seed_of(repeat, fold, 0))? });
        }
        if self.inner == 0.0 {
            return Ok(FoldRows { train: rest, inner: Vec::new(), test });
        }
        let examples: Vec<_> = rest.iter().map(|&row| self.dataset.examples[row].clone()).collect();
        let seed = self.seed_of(repeat, fold, 0);
        let split = hold_out(&self.dataset.tasks, &examples, self.inner, seed);
        let split = split.map_err(|error| self.explained(error.advised("--inner 0 holds no rows out")))?;
        let back = |side: Vec<usize>| side.into_iter().map(|place| rest[place]).collect();
        Ok(FoldRows { train: back(split.train), inner: back(split.held_out), test })
    }

    /// A group that holds more than half of the rows together, if there is one.
    pub fn dominant_group(&self) -> Option<DominantGroup> {
        DominantGroup::find(&self.corpus.records, &self.dataset.examples)
    }

    fn explained(&self, error: Error) -> Error {
        DominantGroup::explain(error, &self.corpus.records, &self.dataset.examples)
    }

    /// Rows to learn from and inner rows, drawn task by task, with as many of either class as the task has in proportion.
    fn drawn(&self, rest: &[usize], limits: &[usize], seed: u64) -> Result<FoldRows> {
        let key = Streams::new(seed).key("rows to learn from", 0);
        let (mut train, mut inner) = (Vec::new(), Vec::new());
        for (slot, (task, &limit)) in self.dataset.tasks.iter().zip(limits).enumerate() {
            let label = |row: usize| self.dataset.examples[row].labels[slot];
            let mut of_task: Vec<usize> = rest.iter().copied().filter(|&row| label(row).is_some()).collect();
            let all = of_task.len();
            if all > limit {
                of_task.sort_by_cached_key(|&row| (split_mix(key, self.dataset.examples[row].key), row));
                let positives = of_task.iter().filter(|&&row| label(row) == Some(true)).count();
                let kept = (positives * limit + all / 2) / all;
                let mut left = [limit - kept, kept];
                of_task.retain(|&row| {
                    let left = &mut left[usize::from(label(row) == Some(true))];
                    let is_kept = *left > 0;
                    *left -= usize::from(is_kept);
                    is_kept
                });
                of_task.sort_unstable();
            }
            if self.inner == 0.0 {
                train.extend(of_task);
                continue;
            }
            let example = |&row: &usize| Example { labels: vec![label(row)], ..self.dataset.examples[row].clone() };
            let examples: Vec<Example> = of_task.iter().map(example).collect();
            let split = hold_out(std::slice::from_ref(task), &examples, self.inner, seed)?;
            train.extend(split.train.into_iter().map(|place| of_task[place]));
            inner.extend(split.held_out.into_iter().map(|place| of_task[place]));
        }
        train.sort_unstable();
        inner.sort_unstable();
        Ok(FoldRows { train, inner, test: Vec::new() })
    }

    /// The root of the random numbers of a fold's training number `seed` (from 0): all arms share it, so they start and go on
    /// from the same random numbers.
    pub fn seed_of(&self, repeat: usize, fold: usize, seed: usize) -> u64 {
        let streams = Streams::new(Streams::new(self.seed).key("unit of repeat", repeat as u64));
        let of_fold = streams.key("unit of fold", fold as u64) >> 1; // as a file of settings holds it
        match seed {
            0 => of_fold,
            seed => Streams::new(of_fold).key("training of fold", seed as u64) >> 1,
        }
    }

    /// What the embedding of a unit starts from.
    pub fn table(&self, settings: &Settings) -> EmbeddingInit {
        EmbeddingInit::new(settings, &self.dataset.encoder.vocabulary, self.vectors.as_ref())
    }
}

fn sha256(dataset: &Dataset, vectors: Option<&Vectors>, grouped: bool) -> String {
    let mut hash = Sha256::new();
    for task in &dataset.tasks {
        hash.update(task.as_bytes());
        hash.update(b"\n");
    }
    for example in &dataset.examples {
        // The key is a hash of line and text.
        hash.update(example.key.to_le_bytes());
        let label = |label: &Option<bool>| label.map_or(b'-', |label| if label { b'1' } else { b'0' });
        hash.update(example.labels.iter().map(label).collect::<Vec<u8>>());
        // Without a column of groups it follows from the text.
        if grouped {
            hash.update(example.group.to_le_bytes());
        }
    }
    hash.update(vectors.map_or("none", |vectors| &vectors.sha256).as_bytes());
    files::hexadecimal(&hash.finalize())
}
