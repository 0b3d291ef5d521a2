//! What `trace` and `explain` look at: a run, a text and its labels.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::{Args, error::ErrorKind};
use mtlcore::mtl::{
    explain::GivenLabel,
    run::{Manifest, RunDirectory, Trained},
};

use crate::output;

#[derive(Args)]
pub struct SubjectArguments {
    /// A finished run
    run: Option<PathBuf>,
    /// The text
    text: Option<String>,
    /// A label of the text, 1 for true; gradients are then those of the loss, else of the logit
    #[arg(long = "label", value_name = "TASK=0|1", value_parser = label)]
    pub labels: Vec<GivenLabel>,
}

pub struct Subject {
    pub run: PathBuf,
    pub text: String,
    pub trained: Trained,
    /// The version of mtlcore that trained the run.
    pub version: String,
}

impl SubjectArguments {
    /// Reads the run. Without one or without a text the program ends here, with what to do first.
    pub fn read(&self) -> Result<Subject> {
        let (Some(path), Some(text)) = (&self.run, &self.text) else { missing() };
        if !path.exists() {
            let path = path.display();
            bail!("{path}: there is no such run; to train a small simulated pair: mtlcore train --out {path}");
        }
        let (trained, Manifest { version, .. }) = open(path)?;
        note_other_version(&version);
        Ok(Subject { run: path.clone(), text: text.clone(), trained, version })
    }
}

/// A finished run, to predict with.
pub fn open(path: &Path) -> Result<(Trained, Manifest)> {
    let run = RunDirectory::open(path)?;
    let (trained, manifest) = (run.trained()?, run.manifest()?);
    note_without_checksums(&manifest);
    Ok((trained, manifest))
}

/// Says so if nothing tells whether a run's files are as they were written.
pub fn note_without_checksums(manifest: &Manifest) {
    if manifest.checksums.is_empty() {
        let version = &manifest.version;
        output::say(format!(
            "Note: mtlcore {version} noted no checksums of this run, so damage to its files may go unseen"
        ));
    }
}

/// Computes on one thread: a single text is too little for two, and a time is then that of the operation.
pub fn alone<T: Send>(compute: impl FnOnce() -> T + Send) -> Result<T> {
    let thread = rayon::ThreadPoolBuilder::new().num_threads(1).build().context("threads")?;
    Ok(thread.install(compute))
}

/// Says so if another version has trained a run.
pub fn note_other_version(version: &str) {
    if version != env!("CARGO_PKG_VERSION") {
        output::say(format!("Note: {}", other_version(version)));
    }
}

/// What to say of a run that another version has trained.
pub fn other_version(version: &str) -> String {
    let ours = env!("CARGO_PKG_VERSION");
    format!("the run was trained by mtlcore {version}, this is {ours}; its numbers may have been others then")
}

fn missing() -> ! {
    let message = "a finished run and a text are needed: RUN \"text\"\n\n\
                   First train a run, here a small simulated pair, in seconds:\n  mtlcore train --out run\n\n\
                   For more information, try '--help'.\n";
    clap::Error::raw(ErrorKind::MissingRequiredArgument, message).exit()
}

fn label(text: &str) -> Result<GivenLabel, String> {
    let malformed = || format!("expected TASK=0 or TASK=1, as in flu=1, found {text:?}");
    let (task, value) = text.rsplit_once('=').filter(|(task, _)| !task.is_empty()).ok_or_else(malformed)?;
    match value {
        "0" => Ok((task.into(), false)),
        "1" => Ok((task.into(), true)),
        _ => Err(malformed()),
    }
}
