//! `errors.html`: the sampled errors to read, in the look of the report.

use std::path::Path;

use anyhow::Result;
use minijinja::value::{Serde, Value};
use mtlcore::mtl::{files::write_whole, study::error_analysis::ErrorKind};
use serde::Serialize;

use super::Analysis;
use crate::report;

/// Writes the page: one file that needs no network.
pub fn write(path: &Path, analysis: &Analysis<'_>) -> Result<()> {
    let mut environment = report::environment();
    environment.add_template("errors.html", include_str!("errors.html")).expect("the template is valid");
    let page = Value::from(Serde(Page { analysis, kinds: ErrorKind::ALL }));
    let text = environment.get_template("errors.html")?.render(page)?;
    Ok(write_whole(path, |output| output.write_all(text.as_bytes()))?)
}

/// What the template sees.
#[derive(Serialize)]
struct Page<'r> {
    #[serde(flatten)]
    analysis: &'r Analysis<'r>,
    kinds: &'static [ErrorKind],
}
