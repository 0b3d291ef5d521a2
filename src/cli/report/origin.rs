//! What a study's directory says about how its results came about. Templates leave out what determines no result (times, threads, the
//! directory's own name), so that the same results give the same page.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use indexmap::IndexMap;
use mtlcore::mtl::study::Manifest;
use serde::Serialize;
use toml::Table;

use crate::data::attrition::sentences;

/// The configuration and the manifest, as far as they are there.
#[derive(Serialize)]
pub struct Origin {
    /// `study.toml` without comments.
    settings: Option<String>,
    manifest: Option<Manifest>,
    /// The files whose posts were fetched by their ids, with what is left of them in sentences.
    attrition: IndexMap<PathBuf, Vec<String>>,
}

/// Settings that determine no result.
const WITHOUT_EFFECT: [&str; 2] = ["threads", "out"];

impl Origin {
    /// `called` says what people call a pair of this name.
    pub fn read(directory: &Path, called: impl Fn(&str) -> String) -> Result<Self> {
        let settings = settings(directory)?.map(|mut table| {
            WITHOUT_EFFECT.iter().for_each(|name| drop(table.remove(*name)));
            table.to_string()
        });
        let manifest = Manifest::read(directory)?;
        if let (Some(manifest), true) = (&manifest, settings.is_some()) {
            manifest.check_settings(directory)?;
        }
        let manifest = manifest.map(|mut manifest| {
            manifest.pairs = manifest.pairs.into_iter().map(|(name, pair)| (called(&name), pair)).collect();
            manifest
        });
        let sources = manifest.iter().flat_map(|manifest| manifest.pairs.values()).flat_map(|pair| &pair.sources);
        let attrition = sources.filter_map(|source| {
            let attrition = source.attrition.as_ref()?;
            Some((source.path.clone(), sentences(attrition)))
        });
        Ok(Self { attrition: attrition.collect(), settings, manifest })
    }
}

/// `study.toml`, if there is one.
fn settings(directory: &Path) -> Result<Option<Table>> {
    let path = directory.join("study.toml");
    let text = read(&path)?;
    text.map(|text| text.parse().with_context(|| path.display().to_string())).transpose()
}

/// The text of a file, or nothing if there is no such file.
fn read(path: &Path) -> Result<Option<String>> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        text => text.map(Some).with_context(|| path.display().to_string()),
    }
}
