//! `mtlcore report --format checklist`.

use anyhow::Result;
use mtlcore::mtl::study::results::Results;
use std::path::Path;

pub fn draw(_results: &Results, _directory: &Path) -> Result<String> {
    todo!()
}
