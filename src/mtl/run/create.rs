//! The beginning of a run: a directory that one process may train in, and that replaces nothing but another run.

use std::{fs, path::Path, sync::Arc};

use super::{
    CHECKPOINT, CLAIM, CONFIG, LEARNT, LearntTexts, MANIFEST, METRICS, MODEL, Manifest, PROBE, PROBE_PAGE,
    RunDirectory, VOCABULARY,
};
use crate::autograd::ParamStore;
use crate::mtl::{
    claim::Claim,
    data::{Dataset, Split},
    files,
    settings::Settings,
};
use crate::{Error, Result};

impl RunDirectory {
    /// Makes a directory for a new run and writes what is known before training: settings, vocabulary, manifest and the
    /// parameters that training starts from. As long as the value (or a clone) exists, no other process trains there.
    ///
    /// # Errors
    /// [`Error::File`] if there is something at `path` already, unless it is a run and `force` is given: then the old run
    /// goes, and nothing else in the directory; if another process trains there. [`Error::Io`] if it cannot be written.
    pub fn create(
        path: &Path,
        force: bool,
        settings: &Settings,
        dataset: &Dataset,
        split: &Split,
        manifest: &Manifest,
        params: &ParamStore<f32>,
    ) -> Result<Self> {
        let run = Self { path: path.into(), _claim: None };
        run.check_replaceable(force)?;
        fs::create_dir_all(path).map_err(Error::io(path))?;
        let run = run.claimed()?;
        // Before the claim another process may have begun and ended.
        run.check_replaceable(force)?;
        let config = settings.to_toml().into_bytes();
        let mut words = Vec::new();
        dataset.encoder.vocabulary.write(&mut words).map_err(Error::io(run.file(VOCABULARY)))?;
        let written = [(CONFIG, config), (VOCABULARY, words), (LEARNT, LearntTexts::new(dataset, split).to_bytes())];
        let checksums = written.iter().map(|(name, content)| ((*name).to_owned(), files::sha256_of(content)));
        // A run without a checkpoint cannot be resumed, and one with a manifest can be replaced: so these two change first.
        run.remove(CHECKPOINT)?;
        run.write_manifest(&Manifest { checksums: checksums.collect(), ..manifest.clone() })?;
        for name in [METRICS, MODEL, LEARNT, VOCABULARY, CONFIG, PROBE, PROBE_PAGE] {
            run.remove(name)?;
        }
        for (name, content) in written {
            files::write_atomically(&run.file(name), |output| output.write_all(&content))?;
        }
        run.save_params(params)?;
        run.write_metrics(&[])?;
        Ok(run)
    }

    /// Whether a new run may be written here: where nothing is, or in the place of another run.
    fn check_replaceable(&self, force: bool) -> Result<()> {
        // What was killed before it had a manifest left at most its claim and what it was writing.
        let is_something = |entry: &fs::DirEntry| entry.file_name() != CLAIM && !files::is_aside(&entry.path());
        if !self.path.exists()
            || !fs::read_dir(&self.path).map_err(Error::io(&self.path))?.flatten().any(|e| is_something(&e))
        {
            return Ok(());
        }
        let refused = |message: &str| Err(Error::file(&self.path, message));
        match (force, Self::is_at(&self.path)) {
            (true, true) => Ok(()),
            (true, false) => refused("it exists and is no run of mtlcore, so --force does not replace it"),
            (false, true) => refused("it exists already; choose another --out, or replace it with --force"),
            (false, false) => refused("it exists already and is no run of mtlcore; choose another --out"),
        }
    }

    /// Whether a run is here, damaged or not, and not what belongs to another program or to a study.
    pub(in crate::mtl) fn is_at(path: &Path) -> bool {
        let run = Self { path: path.into(), _claim: None };
        let is_manifest = |text: String| serde_json::from_str::<Manifest>(&text).is_ok();
        !run.is_study() && fs::read_to_string(run.file(MANIFEST)).is_ok_and(is_manifest)
    }

    /// The run, to be trained by this process alone as long as the value (or a clone) exists.
    ///
    /// # Errors
    /// [`Error::File`] if another process trains there, or something stands where the claim would be; [`Error::Io`] if the claim
    /// cannot be made.
    pub fn claimed(self) -> Result<Self> {
        match Claim::take(&self.file(CLAIM))? {
            Some(claim) => Ok(Self { _claim: Some(Arc::new(claim)), ..self }),
            None => {
                Err(Error::file(&self.path, "another process trains there; wait for its end, or choose another --out"))
            }
        }
    }
}
