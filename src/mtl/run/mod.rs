//! A run directory: everything about one training, and all that prediction needs.
//!
//! | file | what it holds |
//! |---|---|
//! | `config.toml` | the effective settings |
//! | `vocab.txt` | a word a line; the first line is row 0 of `embedding.weight` |
//! | `model.safetensors` | the parameters, names and layouts as in Keras |
//! | `learnt.bin` | which texts were learnt from: [hashes](LearntTexts) of eight bytes, rising |
//! | `metrics.jsonl` | a line an epoch |
//! | `manifest.json` | version, seed, hashes of what was read, checksums of what was written, counts, whether the run is finished |
//! | `probe.jsonl`, `probe.html` | with `--probe`: the measurements, a line each, and their curves |
//! | `checkpoint.safetensors` | while it is not: where to go on |
//! | `training.claim` | while a process trains: no other one does |

mod create;
mod learnt;
mod manifest;
mod probe_log;
mod trained;

pub use learnt::LearntTexts;
pub use manifest::{Epochs, Manifest, TaskEntry, VectorsEntry};
pub use probe_log::ProbeLog;
pub use trained::Trained;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    claim::Claim,
    data::{TextEncoder, Vocabulary},
    directories, files,
    model::{EmbeddingInit, Model},
    settings::Settings,
    training::{EpochReport, Measurement},
};
use crate::autograd::ParamStore;
use crate::tensor::Tensor;
use crate::{Error, Result};

const CONFIG: &str = "config.toml";
const VOCABULARY: &str = "vocab.txt";
const MODEL: &str = "model.safetensors";
const LEARNT: &str = "learnt.bin";
const METRICS: &str = "metrics.jsonl";
const MANIFEST: &str = "manifest.json";
const CHECKPOINT: &str = "checkpoint.safetensors";
const PROBE: &str = "probe.jsonl";
const PROBE_PAGE: &str = "probe.html";
const CLAIM: &str = "training.claim";

/// Tokens to which a text is padded at most; every text takes memory for all of them.
const LONGEST: usize = 1_000_000;

/// The directory of a run.
#[derive(Clone, Debug)]
pub struct RunDirectory {
    path: PathBuf,
    /// Held by whoever trains.
    _claim: Option<Arc<Claim>>,
}

impl RunDirectory {
    /// An existing run.
    ///
    /// # Errors
    /// [`Error::File`] if the directory is not one.
    pub fn open(path: &Path) -> Result<Self> {
        let run = Self { path: path.into(), _claim: None };
        if run.is_study() {
            let path = path.display();
            let message =
                format!("it is a study, not a run: `mtlcore report {path}` and `mtlcore errors {path}` read it");
            return Err(Error::file(&run.path, message));
        }
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
    /// What [`Settings::load`] returns; [`Error::File`] if the file is not what the run wrote.
    pub fn settings(&self) -> Result<Settings> {
        self.read(CONFIG)?;
        Settings::load(Some(&self.file(CONFIG)), toml::Table::new())
    }

    /// The manifest of the run.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be read, [`Error::File`] if it is damaged or of a version that wrote others.
    pub fn manifest(&self) -> Result<Manifest> {
        let path = self.file(MANIFEST);
        let manifest: Manifest = files::read_json(&path, "a manifest")?;
        manifest.check().map_err(|what| Error::file(&path, format!("it is damaged: {what}")))?;
        Ok(manifest)
    }

    /// The content of a file, as the run wrote it.
    ///
    /// # Errors
    /// [`Error::File`] if its SHA-256 is not that in the manifest, [`Error::Io`] if it cannot be read.
    fn read(&self, name: &str) -> Result<Vec<u8>> {
        let path = self.file(name);
        let content = fs::read(&path).map_err(Error::io(&path))?;
        match self.manifest()?.checksums.get(name) {
            Some(checksum) if *checksum != files::sha256_of(&content) => Err(Error::file(
                path,
                format!(
                    "it is damaged or was changed: its SHA-256 is not that in {MANIFEST}; train again, or restore it"
                ),
            )),
            _ => Ok(content),
        }
    }

    /// Replaces the manifest.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be written.
    pub fn write_manifest(&self, manifest: &Manifest) -> Result<()> {
        files::write_json(&self.file(MANIFEST), manifest)
    }

    /// Writes the reports of all epochs so far, a line each.
    ///
    /// # Errors
    /// [`Error::Io`] if they cannot be written.
    pub fn write_metrics(&self, reports: &[EpochReport]) -> Result<()> {
        files::write_atomically(&self.file(METRICS), |output| {
            for report in reports {
                serde_json::to_writer(&mut *output, report)?;
                output.write_all(b"\n")?;
            }
            Ok(())
        })
    }

    /// The measurements of a training that is after `steps` steps; none if the settings ask for none.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be read or written, [`Error::File`] if measurements that were made are missing.
    pub fn probe_log(&self, settings: &Settings, steps: u64) -> Result<Option<ProbeLog>> {
        settings.probe.map(|probe| ProbeLog::open(&self.file(PROBE), steps, probe.every.get())).transpose()
    }

    /// All measurements.
    ///
    /// # Errors
    /// [`Error::Io`] if they cannot be read, [`Error::Line`] if a line is damaged.
    pub fn measurements(&self) -> Result<Vec<Measurement>> {
        let path = self.file(PROBE);
        let text = fs::read_to_string(&path).map_err(Error::io(&path))?;
        let read = |(line, text): (u64, &str)| {
            serde_json::from_str(text).map_err(|error| Error::line(&path, line, format!("not a measurement: {error}")))
        };
        (1..).zip(text.lines()).map(read).collect()
    }

    /// Writes the page of the measurements, and says where it is.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be written.
    pub fn write_probe_page(&self, page: &str) -> Result<PathBuf> {
        let path = self.file(PROBE_PAGE);
        files::write_atomically(&path, |output| output.write_all(page.as_bytes()))?;
        Ok(path)
    }

    /// Writes all parameters, and returns the file's SHA-256.
    fn save_params(&self, params: &ParamStore<f32>) -> Result<String> {
        let tensors = params.ids().map(|id| (params.name(id).to_owned(), params.value(id))).collect();
        files::write_tensors(&self.file(MODEL), &tensors, None)
    }

    /// The embedding as training began, for a run to be resumed without the vectors' file.
    ///
    /// # Errors
    /// As [`trained`](Self::trained).
    pub fn table(&self) -> Result<Tensor<f32>> {
        let path = self.file(MODEL);
        let bytes = self.read(MODEL)?;
        let missing = || Error::file(&path, "it has no `embedding.weight`");
        files::read_tensors(&path, &bytes)?.remove("embedding.weight").ok_or_else(missing)
    }

    /// The words of the run, and how texts become ids.
    ///
    /// # Errors
    /// What reading its files returns.
    pub fn encoder(&self) -> Result<TextEncoder> {
        let (settings, manifest) = (self.settings()?, self.manifest()?);
        if manifest.padded_length > LONGEST {
            let found = format!("`padded_length`: found {}, expected at most {LONGEST} tokens", manifest.padded_length);
            return Err(Error::file(self.file(MANIFEST), found));
        }
        Ok(TextEncoder {
            tokenizer: settings.tokenizer,
            vocabulary: self.vocabulary()?,
            max_length: settings.max_length,
            padding: settings.padding,
            padded_length: manifest.padded_length,
        })
    }

    /// The words of the run.
    ///
    /// # Errors
    /// What reading the file returns; [`Error::File`] if it is not what the run wrote.
    pub fn vocabulary(&self) -> Result<Vocabulary> {
        self.read(VOCABULARY)?;
        Vocabulary::read(&self.file(VOCABULARY))
    }

    /// The texts that the run learnt from; `None` for a run of a version that did not note them.
    ///
    /// # Errors
    /// [`Error::File`] if the file is damaged, [`Error::Io`] if it cannot be read.
    pub fn learnt_texts(&self) -> Result<Option<LearntTexts>> {
        if !self.manifest()?.checksums.contains_key(LEARNT) {
            return Ok(None);
        }
        LearntTexts::from_bytes(&self.read(LEARNT)?, &self.file(LEARNT)).map(Some)
    }

    /// Ends the run: the final parameters, then the manifest, and no checkpoint any more.
    ///
    /// # Errors
    /// [`Error::Io`] if something cannot be written or removed.
    pub fn finish(&self, params: &ParamStore<f32>, epochs: Epochs) -> Result<()> {
        let mut manifest = Manifest { finished: true, epochs: Some(epochs), ..self.manifest()? };
        manifest.checksums.insert(MODEL.into(), self.save_params(params)?);
        self.write_manifest(&manifest)?;
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
        let bytes = self.read(MODEL)?;
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
        // Before there is memory for parameters of sizes that a damaged configuration may name.
        for (name, expected) in Model::shapes(&settings, &tasks, weight.cols()) {
            let tensor = tensors.get(&name).ok_or_else(|| misfit(&name, "is missing".into()))?;
            if tensor.shape() != expected {
                return Err(misfit(&name, format!("has shape {}, expected {expected}", tensor.shape())));
            }
        }
        let mut params = ParamStore::new();
        let model = Model::new(
            &settings,
            &tasks,
            &EmbeddingInit::of_weight(&settings, weight, manifest.vectors.is_some()),
            &mut params,
        );
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

    fn is_study(&self) -> bool {
        directories::is_study(&self.path)
    }

    /// Removes a file, if it is there.
    fn remove(&self, name: &str) -> Result<()> {
        files::remove_if_there(&self.file(name))
    }
}
