//! Where a probability becomes a decision.

use std::path::Path;

use anyhow::Result;
use mtlcore::{
    Error,
    mtl::run::{Manifest, Trained},
};

/// Where a decision turns true.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Threshold {
    /// Where it is best on the rows that training held out.
    Tuned,
    At(f64),
}

pub fn parse(text: &str) -> std::result::Result<Threshold, String> {
    if text == "tuned" {
        return Ok(Threshold::Tuned);
    }
    let expected = || format!("found {text:?}, expected a number from 0 to 1, or `tuned`");
    share(text).map(Threshold::At).map_err(|_| expected())
}

/// A number from 0 to 1.
pub fn share(text: &str) -> std::result::Result<f64, String> {
    let expected = || format!("found {text:?}, expected a number from 0 to 1");
    text.parse().ok().filter(|p| (0.0..=1.0).contains(p)).ok_or_else(expected)
}

/// Each task's threshold, in the model's order.
pub fn of_tasks(chosen: Option<Threshold>, run: &Path, manifest: &Manifest, trained: &Trained) -> Result<Vec<f64>> {
    match chosen {
        None => Ok(vec![trained.settings.threshold; trained.tasks.len()]),
        Some(Threshold::At(threshold)) => Ok(vec![threshold; trained.tasks.len()]),
        Some(Threshold::Tuned) => Ok(manifest.tuned_thresholds().map_err(|task| {
            let message = format!(
                "it has no tuned threshold for task `{task}`: no rows of it were held out, or an older version trained the run; \
                 train it again, or give a number, as in --threshold 0.3"
            );
            Error::file(run, message)
        })?),
    }
}
