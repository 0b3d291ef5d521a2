//! What a study's directory says about how its results came about.

use std::{fs, io::ErrorKind, path::Path};

use anyhow::{Context, Result};
use indexmap::IndexMap;
use serde::Serialize;
use serde_json::Value;

/// The configuration and the manifest, as far as they are there.
#[derive(Serialize)]
pub struct Origin {
    /// The text of `study.toml`.
    settings: Option<String>,
    /// The values of `manifest.json` that stand in no list, by their path: `pairs.influenza.sha256`.
    facts: IndexMap<String, String>,
    /// Its lists by their path, an element a line.
    lists: IndexMap<String, String>,
}

impl Origin {
    pub fn read(directory: &Path) -> Result<Self> {
        let settings = read(&directory.join("study.toml"))?;
        let mut origin = Self { settings, facts: IndexMap::new(), lists: IndexMap::new() };
        let path = directory.join("manifest.json");
        if let Some(manifest) = read(&path)? {
            let manifest = serde_json::from_str(&manifest).with_context(|| format!("{}: no JSON", path.display()))?;
            origin.collect(String::new(), manifest);
        }
        Ok(origin)
    }

    fn collect(&mut self, path: String, value: Value) {
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    self.collect(if path.is_empty() { key } else { format!("{path}.{key}") }, value);
                }
            }
            Value::Array(list) => {
                let lines: Vec<String> = list.iter().map(Value::to_string).collect();
                self.lists.insert(path, lines.join("\n"));
            }
            Value::Null => {}
            Value::String(text) => drop(self.facts.insert(path, text)),
            number => drop(self.facts.insert(path, number.to_string())),
        }
    }
}

/// The text of a file, or nothing if there is no such file.
fn read(path: &Path) -> Result<Option<String>> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        text => text.map(Some).with_context(|| path.display().to_string()),
    }
}
