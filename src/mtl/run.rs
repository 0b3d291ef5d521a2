//! A run directory: everything about one training, and all that prediction needs.
//!
//! | file | what it holds |
//! |---|---|
//! | `config.toml` | the effective settings |
//! | `vocab.txt` | a word a line; the first line is row 0 of `embedding.weight` |
//! | `model.safetensors` | the parameters, names and layouts as in Keras |
//! | `metrics.jsonl` | a line an epoch |
//! | `manifest.json` | version, seed, hashes of what was read, counts, whether the run is finished |
//! | `checkpoint.safetensors` | while it is not: where to go on |

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::{
    data::{Corpus, Dataset, Encoder, Source, Split, Vectors, Vocabulary},
    files,
    model::{Model, Table},
    settings::Settings,
    training::{EpochReport, Predictor},
};
use crate::autograd::ParamStore;
use crate::tensor::Tensor;
use crate::{Error, Result};

const CONFIG: &str = "config.toml";
const VOCABULARY: &str = "vocab.txt";
const MODEL: &str = "model.safetensors";
const METRICS: &str = "metrics.jsonl";
const MANIFEST: &str = "manifest.json";
const CHECKPOINT: &str = "checkpoint.safetensors";

/// The directory of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunDirectory {
    path: PathBuf,
}

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
}

/// One file of rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourceEntry {
    /// Where it was.
    pub path: PathBuf,
    /// Its SHA-256.
    pub sha256: String,
    /// Its rows.
    pub rows: usize,
}

impl From<&Source> for SourceEntry {
    fn from(source: &Source) -> Self {
        Self { path: source.path.clone(), sha256: source.sha256.clone(), rows: source.rows }
    }
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
        }
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

impl RunDirectory {
    /// Makes a directory for a new run and writes what is known before training: settings, vocabulary, manifest and the
    /// parameters that training starts from.
    ///
    /// # Errors
    /// [`Error::File`] if there is something at `path` already, unless it is a run and `force` is given: then the old run
    /// goes, and nothing else in the directory. [`Error::Io`] if it cannot be written.
    pub fn create(
        path: &Path,
        force: bool,
        settings: &Settings,
        vocabulary: &Vocabulary,
        manifest: &Manifest,
        params: &ParamStore<f32>,
    ) -> Result<Self> {
        let run = Self { path: path.into() };
        // What was killed before it had a manifest left at most what it was writing.
        if path.exists() && fs::read_dir(path).map_err(Error::io(path))?.flatten().any(|e| !files::is_aside(&e.path()))
        {
            if !force {
                return Err(Error::file(path, "it exists already; choose another --out, or replace it with --force"));
            }
            if !run.file(MANIFEST).exists() {
                return Err(Error::file(path, "it exists and is no run of mtlcore, so --force does not replace it"));
            }
        }
        fs::create_dir_all(path).map_err(Error::io(path))?;
        // A run without a checkpoint cannot be resumed, and one with a manifest can be replaced: so these two change first.
        run.remove(CHECKPOINT)?;
        run.write_manifest(manifest)?;
        for name in [METRICS, MODEL, VOCABULARY, CONFIG] {
            run.remove(name)?;
        }
        files::write_whole(&run.file(CONFIG), |output| output.write_all(settings.to_toml().as_bytes()))?;
        files::write_whole(&run.file(VOCABULARY), |mut output| vocabulary.write(&mut output))?;
        run.save_params(params)?;
        run.write_metrics(&[])?;
        Ok(run)
    }

    /// An existing run.
    ///
    /// # Errors
    /// [`Error::File`] if the directory is not one.
    pub fn open(path: &Path) -> Result<Self> {
        let run = Self { path: path.into() };
        if run.file(MANIFEST).exists() {
            return Ok(run);
        }
        let found = if path.exists() { "it is no run" } else { "there is no such run" };
        Err(Error::file(path, format!("{found}: it has no {MANIFEST}")))
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the state of an unfinished training is.
    pub fn checkpoint(&self) -> PathBuf {
        self.file(CHECKPOINT)
    }

    /// The effective settings of the run.
    ///
    /// # Errors
    /// What [`Settings::load`] returns.
    pub fn settings(&self) -> Result<Settings> {
        Settings::load(Some(&self.file(CONFIG)), toml::Table::new())
    }

    /// The manifest of the run.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be read, [`Error::File`] if it is damaged or of a version that wrote others.
    pub fn manifest(&self) -> Result<Manifest> {
        let path = self.file(MANIFEST);
        let text = fs::read_to_string(&path).map_err(Error::io(&path))?;
        serde_json::from_str(&text)
            .map_err(|error| Error::line(&path, error.line() as u64, format!("not a manifest: {error}")))
    }

    /// Replaces the manifest.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be written.
    pub fn write_manifest(&self, manifest: &Manifest) -> Result<()> {
        let text = serde_json::to_string_pretty(manifest).expect("a manifest is plain data") + "\n";
        files::write_whole(&self.file(MANIFEST), |output| output.write_all(text.as_bytes()))
    }

    /// Writes the reports of all epochs so far, a line each.
    ///
    /// # Errors
    /// [`Error::Io`] if they cannot be written.
    pub fn write_metrics(&self, reports: &[EpochReport]) -> Result<()> {
        files::write_whole(&self.file(METRICS), |output| {
            for report in reports {
                serde_json::to_writer(&mut *output, report)?;
                output.write_all(b"\n")?;
            }
            Ok(())
        })
    }

    /// Writes all parameters.
    ///
    /// # Errors
    /// [`Error::Io`] if they cannot be written.
    pub fn save_params(&self, params: &ParamStore<f32>) -> Result<()> {
        let tensors = params.ids().map(|id| (params.name(id).to_owned(), params.value(id))).collect();
        files::write_tensors(&self.file(MODEL), &tensors, None)
    }

    /// The embedding as training began, for a run to be resumed without the vectors' file.
    ///
    /// # Errors
    /// As [`trained`](Self::trained).
    pub fn table(&self) -> Result<Tensor<f32>> {
        let path = self.file(MODEL);
        let bytes = fs::read(&path).map_err(Error::io(&path))?;
        let missing = || Error::file(&path, "it has no `embedding.weight`");
        files::read_tensors(&path, &bytes)?.remove("embedding.weight").ok_or_else(missing)
    }

    /// The words of the run, and how texts become ids.
    ///
    /// # Errors
    /// What reading its files returns.
    pub fn encoder(&self) -> Result<Encoder> {
        let (settings, manifest) = (self.settings()?, self.manifest()?);
        Ok(Encoder {
            tokenizer: settings.tokenizer,
            vocabulary: Vocabulary::read(&self.file(VOCABULARY))?,
            max_length: settings.max_length,
            padding: settings.padding,
            padded_length: manifest.padded_length,
        })
    }

    /// Ends the run: the final parameters, then the manifest, and no checkpoint any more.
    ///
    /// # Errors
    /// [`Error::Io`] if something cannot be written or removed.
    pub fn finish(&self, params: &ParamStore<f32>, epochs: Epochs) -> Result<()> {
        self.save_params(params)?;
        self.write_manifest(&Manifest { finished: true, epochs: Some(epochs), ..self.manifest()? })?;
        self.remove(CHECKPOINT)?;
        files::clear_asides(&self.path)
    }

    /// The trained network, to predict with.
    ///
    /// # Errors
    /// [`Error::File`] if training has not come to its end, or a file is damaged or does not fit the settings.
    pub fn trained(&self) -> Result<Trained> {
        let (settings, manifest, encoder) = (self.settings()?, self.manifest()?, self.encoder()?);
        if !manifest.finished {
            let how = format!("finish it with `mtlcore train --resume {}`", self.path.display());
            return Err(Error::file(&self.path, format!("its training is not finished; {how}")));
        }
        let tasks: Vec<String> = manifest.tasks.keys().cloned().collect();
        let path = self.file(MODEL);
        let bytes = fs::read(&path).map_err(Error::io(&path))?;
        let mut tensors = files::read_tensors(&path, &bytes)?;
        let misfit = |name: &str, found: String| Error::file(&path, format!("`{name}` {found}"));
        let weight = tensors.get("embedding.weight").cloned();
        let weight = weight.ok_or_else(|| misfit("embedding.weight", "is missing".into()))?;
        if weight.shape().dims().len() != 2 {
            return Err(misfit("embedding.weight", format!("has shape {}, expected two axes", weight.shape())));
        }
        if weight.rows() != encoder.vocabulary.len() {
            let found = format!("has {} rows, but {VOCABULARY} has {} words", weight.rows(), encoder.vocabulary.len());
            return Err(misfit("embedding.weight", found));
        }
        let mut params = ParamStore::new();
        let model = Model::new(&settings, &tasks, &Table { weight, trainable: false }, &mut params);
        for id in params.ids() {
            let (name, expected) = (params.name(id).to_owned(), params.value(id).shape());
            let tensor = tensors.remove(&name).ok_or_else(|| misfit(&name, "is missing".into()))?;
            if tensor.shape() != expected {
                return Err(misfit(&name, format!("has shape {}, expected {expected}", tensor.shape())));
            }
            if let Some(x) = tensor.data().iter().find(|x| !x.is_finite()) {
                return Err(misfit(&name, format!("holds {x}")));
            }
            *params.value_mut(id) = tensor;
        }
        if let Some(name) = tensors.keys().next() {
            return Err(misfit(name, "is no part of the network that the settings describe".into()));
        }
        Ok(Trained { settings, tasks, encoder, model, params })
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Removes a file, if it is there.
    fn remove(&self, name: &str) -> Result<()> {
        match fs::remove_file(self.file(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io(self.file(name))(error)),
            _ => Ok(()),
        }
    }
}

/// A trained network with all that it needs to read texts.
#[derive(Clone, Debug)]
pub struct Trained {
    /// The settings that it was trained with.
    pub settings: Settings,
    /// The tasks' names, in the model's order.
    pub tasks: Vec<String>,
    /// From text to ids.
    pub encoder: Encoder,
    /// The network.
    pub model: Model,
    /// Its parameters.
    pub params: ParamStore<f32>,
}

impl Trained {
    /// For each text the probability that each task is true, in the tasks' order. A text's probabilities depend on that text
    /// alone, to the bit. An empty text is a text.
    ///
    /// For many calls in a row, keep a [`predictor`](Self::predictor).
    ///
    /// ```
    /// use mtlcore::mtl::run::RunDirectory;
    /// # use mtlcore::mtl::{prepare::Prepared, run::{Epochs, Manifest}, settings::{Preset, Settings}, training::Trainer};
    /// # let directory = tempfile::tempdir().unwrap();
    /// # let path = &directory.path().join("run");
    /// # let settings = Settings { epochs: 1, ..Settings::preset(Preset::Default) };
    /// # let prepared = Prepared::new(&settings)?;
    /// # let Prepared { corpus, dataset, split, vectors } = &prepared;
    /// # let table = prepared.table(&settings);
    /// # let mut trainer = Trainer::new(&settings, dataset, split, &table);
    /// # let manifest = Manifest::new(&settings, corpus, dataset, split, vectors.as_ref(), 0);
    /// # let vocabulary = &dataset.encoder.vocabulary;
    /// # let run = RunDirectory::create(path, false, &settings, vocabulary, &manifest, trainer.params())?;
    /// # trainer.checkpoint(&run.checkpoint())?;
    /// # trainer.run(|_, _| Ok(mtlcore::mtl::training::Flow::Continue))?;
    /// # run.finish(trainer.params(), Epochs { run: 1, chosen: 1 })?;
    ///
    /// let trained = RunDirectory::open(path)?.trained()?;
    /// let texts = ["flu shot done, arm is sore", "what a day"];
    /// for (text, probabilities) in texts.iter().zip(trained.probabilities(texts)) {
    ///     for (task, probability) in trained.tasks.iter().zip(probabilities) {
    ///         println!("{text}: {task} {probability:.3}");
    ///     }
    /// }
    /// # Ok::<(), mtlcore::Error>(())
    /// ```
    pub fn probabilities<'t>(&self, texts: impl IntoIterator<Item = &'t str>) -> Vec<Vec<f64>> {
        let texts: Vec<&str> = texts.into_iter().collect();
        self.predictor().probabilities_of_texts(&self.encoder, &texts)
    }

    /// What predicts again and again without preparing anew.
    pub fn predictor(&self) -> Predictor<'_> {
        Predictor::new(&self.model, &self.params, self.encoder.vocabulary.len())
    }
}
