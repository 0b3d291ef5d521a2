//! A task as its user declares it: a name, a file, a column of texts and a column of labels.

use super::{Delimiter, Dialect, Format};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::{
    path::{Path, PathBuf},
    str::FromStr,
};

/// What the column of texts is called where nothing else is said.
pub(crate) const DEFAULT_TEXT_COLUMN: &str = "text";

/// Where the texts and labels of one boolean task come from.
///
/// On the command line it is `NAME=FILE[:LABEL_COLUMN]` ([`FromStr`]); in a configuration it is a table of these fields.
/// Tasks that name the same file and text column are one set of doubly labelled rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TaskSource {
    /// The task's name: letters, digits, `_` and `-`, since it becomes part of parameter and column names.
    pub name: String,
    /// A `.tsv`, `.csv`, `.jsonl` or `.ndjson` file, plain or gzip; another one if `input-format` says what it is.
    pub file: PathBuf,
    /// The column of texts, if it is not `text`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The column of labels; if absent, the column named like the task, or else `label`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The value that means true, if it is not one of the usual ones; needs `negative` as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub positive: Option<String>,
    /// The value that means false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub negative: Option<String>,
    /// A file with the same columns whose rows are held out, in place of a share of `file`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<PathBuf>,
    /// The format of the files, if their extension does not name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_format: Option<Format>,
    /// What stands between two columns of the files, if it is not what their format and header tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<Delimiter>,
}

impl TaskSource {
    /// A task with the default columns.
    pub fn new(name: impl Into<String>, file: impl Into<PathBuf>) -> Self {
        Self {
            name: name.into(),
            file: file.into(),
            text: None,
            label: None,
            positive: None,
            negative: None,
            validation: None,
            input_format: None,
            delimiter: None,
        }
    }

    /// The column of texts.
    pub fn text_column(&self) -> &str {
        self.text.as_deref().unwrap_or(DEFAULT_TEXT_COLUMN)
    }

    /// What is known of the files beside their names.
    pub fn dialect(&self) -> Dialect {
        Dialect { format: self.input_format, delimiter: self.delimiter }
    }

    /// Checks what can be checked without opening a file.
    ///
    /// # Errors
    /// [`Error::Task`] if the name is not a name, or only one of `positive` and `negative` is given, or both are equal.
    pub fn validate(&self) -> Result<()> {
        let fits = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
        if self.name.is_empty() || !self.name.chars().all(fits) {
            return Err(Error::task(&self.name, "a task's name consists of letters, digits, `_` and `-`"));
        }
        match (&self.positive, &self.negative) {
            (Some(positive), Some(negative)) if positive == negative => {
                Err(Error::task(&self.name, format!("`positive` and `negative` are both {positive:?}")))
            }
            (Some(_), None) => Err(Error::task(&self.name, "`positive` is given but `negative` is not")),
            (None, Some(_)) => Err(Error::task(&self.name, "`negative` is given but `positive` is not")),
            _ => Ok(()),
        }
    }

    /// The label columns to look for, in this order.
    pub(super) fn label_candidates(&self) -> Vec<&str> {
        match &self.label {
            Some(label) => vec![label],
            None => vec![&self.name, "label"],
        }
    }
}

impl FromStr for TaskSource {
    type Err = Error;

    /// `NAME=FILE[:LABEL_COLUMN]`. What follows the last colon is the label column, unless a file of the whole name
    /// exists or what follows looks like a path (`C:\posts.tsv`).
    fn from_str(argument: &str) -> Result<Self> {
        let malformed = || Error::config("task", format!("found {argument:?}, expected NAME=FILE[:LABEL_COLUMN]"));
        let (name, rest) = argument.split_once('=').ok_or_else(malformed)?;
        if rest.is_empty() {
            return Err(malformed());
        }
        let (file, label) = match rest.rsplit_once(':') {
            Some((file, label)) if !file.is_empty() && !label.contains(['/', '\\']) && !Path::new(rest).exists() => {
                if label.is_empty() {
                    return Err(malformed());
                }
                (file, Some(label.to_owned()))
            }
            _ => (rest, None),
        };
        let task = Self { label, ..Self::new(name, file) };
        task.validate()?;
        Ok(task)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(argument: &str) -> (String, String, Option<String>) {
        let task: TaskSource = argument.parse().unwrap();
        (task.name, task.file.display().to_string(), task.label)
    }

    #[test]
    fn command_line_form() {
        assert_eq!(parsed("flu=a.tsv"), ("flu".into(), "a.tsv".into(), None));
        assert_eq!(parsed("flu=a.tsv:y"), ("flu".into(), "a.tsv".into(), Some("y".into())));
        assert_eq!(parsed("flu=dir=1/a:b.tsv:y"), ("flu".into(), "dir=1/a:b.tsv".into(), Some("y".into())));
        assert_eq!(parsed(r"flu=C:\x.tsv"), ("flu".into(), r"C:\x.tsv".into(), None));
        assert_eq!(parsed(r"flu=C:\x.tsv:y"), ("flu".into(), r"C:\x.tsv".into(), Some("y".into())));
    }

    #[test]
    fn an_existing_file_wins_over_a_label_column() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a:y");
        std::fs::write(&path, "").unwrap();
        assert_eq!(parsed(&format!("flu={}", path.display())), ("flu".into(), path.display().to_string(), None));
    }

    #[test]
    fn malformed_arguments_say_what_was_expected() {
        for argument in ["flu", "flu=", "flu=a.tsv:"] {
            let message = argument.parse::<TaskSource>().unwrap_err().to_string();
            assert!(message.contains("expected NAME=FILE[:LABEL_COLUMN]"), "{message}");
        }
        let message = "my task=a.tsv".parse::<TaskSource>().unwrap_err().to_string();
        assert_eq!(message, "task `my task`: a task's name consists of letters, digits, `_` and `-`");
    }

    #[test]
    fn configuration_form() {
        let task: TaskSource = toml::from_str("name = 'flu'\nfile = 'a.tsv'\npositive = 'Y'\nnegative = 'N'").unwrap();
        assert_eq!((task.text_column(), task.positive.as_deref()), ("text", Some("Y")));
        assert!(toml::from_str::<TaskSource>("name = 'flu'\nfile = 'a.tsv'\ncolumn = 'x'").is_err());
        let half = TaskSource { negative: None, ..task };
        assert_eq!(half.validate().unwrap_err().to_string(), "task `flu`: `positive` is given but `negative` is not");
    }
}
