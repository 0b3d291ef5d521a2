//! What a study's directory says about how its results came about.

use std::{fs, io::ErrorKind, path::Path};

use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::{Map, Value};

/// The configuration and the manifest, as far as they are there.
#[derive(Serialize)]
pub struct Origin {
    /// The text of `study.toml`.
    settings: Option<String>,
    /// The single values of `manifest.json`, as text.
    facts: Map<String, Value>,
    /// Its lists and maps, as indented JSON.
    records: Map<String, Value>,
}

impl Origin {
    pub fn read(directory: &Path) -> Result<Self> {
        let (mut facts, mut records) = (Map::new(), Map::new());
        let path = directory.join("manifest.json");
        if let Some(manifest) = read(&path)? {
            let manifest: Map<String, Value> =
                serde_json::from_str(&manifest).with_context(|| format!("{}: no JSON object", path.display()))?;
            for (key, value) in manifest {
                match value {
                    Value::Object(_) | Value::Array(_) => records.insert(key, format!("{value:#}").into()),
                    Value::String(text) => facts.insert(key, text.into()),
                    other => facts.insert(key, other.to_string().into()),
                };
            }
        }
        Ok(Self { settings: read(&directory.join("study.toml"))?, facts, records })
    }
}

/// The text of a file, or nothing if there is no such file.
fn read(path: &Path) -> Result<Option<String>> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        text => text.map(Some).with_context(|| path.display().to_string()),
    }
}
