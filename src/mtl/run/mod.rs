//! A run directory: everything about one training, and all that prediction needs.
//!
//! | file | what it holds |
//! |---|---|
//! | `config.toml` | the effective settings |
//! | `vocab.txt` | a word a line; the first line is row 0 of `embedding.weight` |
//! | `model.safetensors` | the parameters, names and layouts as in Keras |
//! | `metrics.jsonl` | a line an epoch |
//! | `manifest.json` | version, seed, hashes of what was read, counts, whether the run is finished |
//! | `probe.jsonl`, `probe.html` | with `--probe`: the measurements, a line each, and their curves |
//! | `checkpoint.safetensors` | while it is not: where to go on |

mod manifest;
mod probe_log;
mod trained;

pub use manifest::{Epochs, Manifest, SourceEntry, TaskEntry, VectorsEntry};
pub use probe_log::ProbeLog;
pub use trained::Trained;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{
    data::{Encoder, Vocabulary},
    files,
    model::{Model, Table},
    settings::Settings,
    training::{EpochReport, Measurement},
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
const PROBE: &str = "probe.jsonl";
const PROBE_PAGE: &str = "probe.html";

/// Tokens to which a text is padded at most; every text takes memory for all of them.
const LONGEST: usize = 1_000_000;

/// The directory of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunDirectory {
    path: PathBuf,
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
        for name in [METRICS, MODEL, VOCABULARY, CONFIG, PROBE, PROBE_PAGE] {
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
        files::write_whole(&path, |output| output.write_all(page.as_bytes()))?;
        Ok(path)
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
        if manifest.padded_length > LONGEST {
            let found = format!("`padded_length`: found {}, expected at most {LONGEST} tokens", manifest.padded_length);
            return Err(Error::file(self.file(MANIFEST), found));
        }
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
            &Table::of_weight(&settings, weight, manifest.vectors.is_some()),
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

    /// Removes a file, if it is there.
    fn remove(&self, name: &str) -> Result<()> {
        match fs::remove_file(self.file(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io(self.file(name))(error)),
            _ => Ok(()),
        }
    }
}
