//! Where one task's texts and labels are.

use std::{path::PathBuf, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::Error;

/// One `[[task]]` table; on the command line `NAME=FILE[:LABEL_COLUMN]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TaskSource {
    /// What the task is called.
    pub name: String,
    /// The file of its rows.
    pub file: PathBuf,
    /// The column of the text; `text` where not set.
    pub text: Option<String>,
    /// The column of the label; where not set, the task's name or else `label`.
    pub label: Option<String>,
    /// The label that means true, where it is not one of the usual words.
    pub positive: Option<String>,
    /// The label that means false, where it is not one of the usual words.
    pub negative: Option<String>,
    /// The file of its validation rows, where they are not held out from `file`.
    pub validation: Option<PathBuf>,
}

impl FromStr for TaskSource {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let malformed = || Error::config("task", format!("found `{text}`, expected NAME=FILE[:LABEL_COLUMN]"));
        let (name, rest) = text.split_once('=').ok_or_else(malformed)?;
        let (file, label) = rest.rsplit_once(':').map_or((rest, None), |(file, label)| (file, Some(label)));
        if name.is_empty() || file.is_empty() || label == Some("") {
            return Err(malformed());
        }
        Ok(Self {
            name: name.into(),
            file: file.into(),
            text: None,
            label: label.map(Into::into),
            positive: None,
            negative: None,
            validation: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_label_column_follows_the_last_colon() {
        let task: TaskSource = "flu=a=b.tsv:c".parse().unwrap();
        assert_eq!((task.name.as_str(), task.file, task.label.as_deref()), ("flu", "a=b.tsv".into(), Some("c")));
        assert_eq!("flu=a.tsv".parse::<TaskSource>().unwrap().label, None);
    }

    #[test]
    fn every_part_is_needed() {
        for text in ["", "flu", "=a.tsv", "flu=", "flu=:c", "flu=a.tsv:"] {
            assert!(text.parse::<TaskSource>().is_err(), "{text}");
        }
    }
}
