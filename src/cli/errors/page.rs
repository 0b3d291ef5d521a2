//! `errors.html`: the sampled errors to read, in the look of the report.

use std::path::Path;

use anyhow::Result;
use indexmap::IndexMap;
use minijinja::value::{Serde, Value};
use mtlcore::mtl::study::{error_analysis::ErrorKind, results::Results};
use serde::Serialize;

use super::Analysis;
use crate::page::{self, words};

/// Writes the page: one file that needs no network.
pub fn write(path: &Path, analysis: &Analysis<'_>, results: &Results) -> Result<()> {
    let mut environment = page::environment();
    environment.add_template("errors.html", include_str!("errors.html")).expect("the template is valid");
    environment.add_global("errors_style", Value::from_safe_string(include_str!("errors.css").into()));
    let pairs = results.pairs.iter().map(|pair| (pair.name.as_str(), words::pair(pair))).collect();
    let values = Value::from(Serde(Page { analysis, pairs, kinds: ErrorKind::ALL }));
    page::write(path, &page::render(&mut environment, "errors.html", &[include_str!("errors.js")], values)?)
}

/// What the template sees.
#[derive(Serialize)]
struct Page<'r> {
    #[serde(flatten)]
    analysis: &'r Analysis<'r>,
    /// What each pair is called, by its name.
    pairs: IndexMap<&'r str, String>,
    kinds: &'static [ErrorKind],
}
