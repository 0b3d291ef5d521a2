//! In which settings a study may be extended, and in which the processes that work on it may differ.

use std::path::Path;

use toml::Value;

use super::planning::StudySettings;
use crate::mtl::settings::literal;
use crate::{Error, Result};

/// Settings that may change between two runs of one study: they add units, or are about the presentation.
const EXTENSIBLE: [&str; 11] = [
    "repeats",
    "seeds",
    "measure",
    "shared",
    "controls",
    "balance",
    "fractions",
    "rope",
    "threshold",
    "threads",
    "out",
];

/// Of these, those that say nothing about results: processes that work on a study together may differ in them.
const OWN_OF_A_PROCESS: [&str; 2] = ["threads", "out"];

/// The settings in which `now` differs from `then` as processes that work on one study must not, in words.
pub(super) fn differences_of_processes(then: &StudySettings, now: &StudySettings) -> Vec<String> {
    differences(then, now, |name| !OWN_OF_A_PROCESS.contains(&name))
}

/// Checks that `now` extends `then`, the study at `path`: pairs may be added and [`EXTENSIBLE`] settings changed, no others.
///
/// # Errors
/// [`Error::File`] with every difference.
pub(super) fn check_extends(path: &Path, then: &StudySettings, now: &StudySettings) -> Result<()> {
    let mut differences = differences(then, now, |name| !EXTENSIBLE.contains(&name));
    if let Some(pair) = then.pairs.iter().find(|pair| !now.pairs.contains(pair)) {
        differences.push(format!("its pair `{}` is another one here or none", pair.name));
    } else if then.pairs.is_empty() && !now.pairs.is_empty() {
        differences.push("its pairs are simulated".into());
    }
    if differences.is_empty() {
        return Ok(());
    }
    let differences = differences.join(", ");
    let message = format!("a study of other settings: {differences}; choose another --out, or replace it with --force");
    Err(Error::file(path, message))
}

/// The settings that count and in which two studies differ, in words.
fn differences(then: &StudySettings, now: &StudySettings, counts: impl Fn(&str) -> bool) -> Vec<String> {
    let (table_then, table_now) = (then.to_table(), now.to_table());
    let word = |value: Option<&Value>| value.map_or("nothing".to_owned(), literal);
    let names = table_then.keys().chain(table_now.keys()).filter(|name| counts(name));
    let differing = names.filter(|name| table_then.get(*name) != table_now.get(*name));
    let mut differences: Vec<String> = differing
        .map(|name| format!("`{name}` is {} there and {} here", word(table_then.get(name)), word(table_now.get(name))))
        .collect();
    differences.sort();
    differences.dedup();
    differences
}
