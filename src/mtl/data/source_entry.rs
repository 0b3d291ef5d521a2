//! A file of rows, as a run or a study notes what it was made of.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Attrition, corpus::Source};

/// One file of rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourceEntry {
    /// Where it was.
    pub path: PathBuf,
    /// Its SHA-256.
    pub sha256: String,
    /// Its rows.
    pub rows: usize,
    /// How many of its posts are gone, if they were fetched by their ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attrition: Option<Attrition>,
}

impl From<&Source> for SourceEntry {
    fn from(source: &Source) -> Self {
        Self {
            path: source.path.clone(),
            sha256: source.sha256.clone(),
            rows: source.rows,
            attrition: source.attrition.clone(),
        }
    }
}
