//! What files and users can get wrong. A programmer's mistake (shapes that do not fit) panics instead.

use std::{fmt, io, path::PathBuf};

/// `Result` with the crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// An error that a user can mend: it names the file, line or field, and what was expected there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused something about `path`.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A line of a file is not what it should be.
    #[error("{}:{line}: {message}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Its line, from 1.
        line: u64,
        /// What was found and what was expected.
        message: String,
    },
    /// A file as a whole is not what it should be.
    #[error("{}: {message}", path.display())]
    File {
        /// The file or directory.
        path: PathBuf,
        /// What was found and what was expected.
        message: String,
    },
    /// A field of the configuration is not what it should be.
    #[error("`{field}`: {message}")]
    Config {
        /// The field's name, in the file and (after `--`) on the command line.
        field: String,
        /// What was found and what was expected.
        message: String,
    },
    /// The tasks as a whole cannot be learnt from.
    #[error("task `{task}`: {message}")]
    Task {
        /// The task's name.
        task: String,
        /// What was found and what was expected.
        message: String,
    },
    /// Training produced a loss that is infinite or not a number.
    #[error("the loss of task `{task}` is not finite at epoch {epoch}, step {step}; try a smaller learning-rate")]
    Diverged {
        /// The epoch, from 1.
        epoch: usize,
        /// The step within the epoch, from 1.
        step: usize,
        /// The task whose loss it was.
        task: String,
    },
}

impl Error {
    /// An [`Error::Io`] about `path`, for `map_err`.
    pub fn io(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }

    /// An [`Error::Line`].
    pub fn line(path: impl Into<PathBuf>, line: u64, message: impl Into<String>) -> Self {
        Self::Line { path: path.into(), line, message: message.into() }
    }

    /// An [`Error::File`].
    pub fn file(path: impl Into<PathBuf>, message: impl Into<String>) -> Self {
        Self::File { path: path.into(), message: message.into() }
    }

    /// An [`Error::Config`].
    pub fn config(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Config { field: field.into(), message: message.into() }
    }

    /// An error about a task with advice behind its message; any other one as it is.
    pub(crate) fn advised(self, advice: impl fmt::Display) -> Self {
        match self {
            Self::Task { task, message } => Self::Task { task, message: format!("{message}; {advice}") },
            other => other,
        }
    }

    /// An [`Error::Task`].
    pub fn task(task: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Task { task: task.into(), message: message.into() }
    }
}
