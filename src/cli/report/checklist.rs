//! `mtlcore report --format checklist`.

use std::path::Path;
use anyhow::Result;
use mtlcore::mtl::study::results::Results;

pub fn draw(_results: &Results, _directory: &Path) -> Result<String> {
    todo!()
}
