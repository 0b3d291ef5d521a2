//! Claims: who has the right to work on a unit, how it is taken, and taken away from the dead.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::worker::{WORKER, Worker};
use crate::mtl::files;
use crate::{Error, Result};

/// The beginning of a claim's name while it is taken away.
const ASIDE: &str = "stale.";

/// The right to work on a unit.
#[derive(Debug)]
pub(in crate::mtl::study::execution) struct Claim<'w> {
    path: PathBuf,
    worker: &'w Worker,
}

/// What came of claiming.
pub(in crate::mtl::study::execution) enum Claiming<'w> {
    Ours(Claim<'w>),
    /// Somebody who is at it, as `host.pid`.
    Theirs(String),
}

/// What a claim says, and how old it is.
struct Holder {
    content: String,
    is_stale: bool,
}

impl Worker {
    /// Claims what the file `path` stands for, which is in the worker's folder.
    ///
    /// # Errors
    /// [`Error::File`] if there is a link, or a file that is no claim; [`Error::Io`] if it cannot be made.
    pub(in crate::mtl::study::execution) fn claim(&self, path: &Path) -> Result<Claiming<'_>> {
        loop {
            // It appears whole, so that no kill leaves one without a name.
            if files::write_new(path, self.name.as_bytes())? {
                return Ok(Claiming::Ours(Claim { path: path.into(), worker: self }));
            }
            match self.holder(path)? {
                // It has gone in the meantime.
                None => {}
                Some(Holder { content, is_stale: false }) => return Ok(Claiming::Theirs(self.called(&content))),
                Some(Holder { content, is_stale: true }) => self.take_away(path, &content)?,
            }
        }
    }

    /// Removes the claim at `path` if it is stale: that of a unit which is finished, whose worker was killed before it let go.
    ///
    /// # Errors
    /// As [`claim`](Self::claim).
    pub(in crate::mtl::study::execution) fn clear(&self, path: &Path) -> Result<()> {
        match self.holder(path)? {
            Some(Holder { content, is_stale: true }) => self.take_away(path, &content),
            _ => Ok(()),
        }
    }

    /// Who holds a claim; `None` if it is free.
    fn holder(&self, path: &Path) -> Result<Option<Holder>> {
        let gone = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
        match fs::symlink_metadata(path) {
            Err(error) if gone(&error) => return Ok(None),
            Err(error) => return Err(Error::io(path)(error)),
            Ok(found) if !found.is_file() => {
                return Err(Error::file(
                    path,
                    "it is a link or no file, so it cannot be a claim of mtlcore; remove it",
                ));
            }
            Ok(_) => {}
        }
        let content = match fs::read_to_string(path) {
            Ok(content) => content,
            Err(error) if gone(&error) => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => "?".into(),
            Err(error) => return Err(Error::io(path)(error)),
        };
        // An empty one is of a process that was killed before it wrote its name, or of an earlier version.
        if !content.is_empty() && !content.starts_with(WORKER) {
            return Err(Error::file(
                path,
                "it does not name a worker, so it is no claim of mtlcore; move it elsewhere",
            ));
        }
        Ok(self.is_stale(path, &content)?.map(|is_stale| Holder { content, is_stale }))
    }

    /// Whether a claim of this content may be taken away; `None` if it has gone since it was read. Where its worker has no file any
    /// more, the claim's own age counts: that worker ended in order and left no claim, or was swept long after its death.
    pub(super) fn is_stale(&self, path: &Path, content: &str) -> Result<Option<bool>> {
        let is_of_dead = if content.is_empty() { None } else { self.is_dead(content)? };
        if is_of_dead.is_some() { Ok(is_of_dead) } else { self.is_old(path) }
    }

    /// Where a claim is put while it is taken away.
    pub(super) fn aside(&self, path: &Path) -> PathBuf {
        self.folder.join(aside_of(path) + &self.name)
    }

    /// Takes away a stale claim of this content. Of several who try, one succeeds; the others find that it has gone.
    pub(super) fn take_away(&self, path: &Path, content: &str) -> Result<()> {
        let aside = self.aside(path);
        match fs::rename(path, &aside) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            other => other.map_err(Error::io(path))?,
        }
        // Since it was read, another may have taken it away and claimed the unit afresh: that claim is put back.
        if fs::read_to_string(&aside).is_ok_and(|found| found != content) {
            let _ = fs::hard_link(&aside, path);
        }
        match fs::remove_file(&aside) {
            // Its owner left it in the meantime.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other.map_err(Error::io(&aside)),
        }
    }
}

/// How the names begin of claims that stood at `path` and are taken away.
fn aside_of(path: &Path) -> String {
    format!("{ASIDE}{}.", path.file_name().unwrap_or_default().to_string_lossy())
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        // It is another's by now if this process was stopped for longer than a lease.
        self.remove_if_ours(&self.path);
        // A worker that took ours for a stale one holds it aside for a moment, and would put it back.
        let aside = aside_of(&self.path);
        let entries = fs::read_dir(&self.worker.folder).into_iter().flatten().flatten();
        let asides = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(&aside));
        asides.for_each(|entry| self.remove_if_ours(&entry.path()));
        // It may have been put back between the two looks.
        self.remove_if_ours(&self.path);
    }
}

impl Claim<'_> {
    fn remove_if_ours(&self, path: &Path) {
        if fs::read_to_string(path).is_ok_and(|content| content == self.worker.name) {
            let _ = fs::remove_file(path);
        }
    }
}
