//! Which process of this machine works on something: a lock that ends with its process, however that ends. (Processes of several
//! machines share a study by leases: see `study::execution`.)

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    path::{Path, PathBuf},
};

use super::files::system::is_at;
use crate::{Error, Result};

/// The right to work on something: no other process has it while this exists.
#[derive(Debug)]
pub(super) struct Claim {
    path: PathBuf,
    _lock: File,
}

impl Claim {
    /// Claims what the file `path` stands for; `None` if somebody else works on it. The file is made, and is gone when the claim
    /// ends; one that a killed process left behind stands for nothing.
    ///
    /// # Errors
    /// [`Error::File`] if there is a link or something else that is not a claim: it is neither followed nor changed. [`Error::Io`] if
    /// the file cannot be made.
    pub fn take(path: &Path) -> Result<Option<Self>> {
        loop {
            let lock = open(path)?;
            match lock.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                // A file system without locks, such as NFS without its lock daemon: there, two processes in one directory are not
                // told of each other.
                Err(TryLockError::Error(_)) => {}
            }
            // Its last owner may have removed the file between our opening and our locking it: then the lock is on nothing.
            if is_at(path, &lock) {
                return Ok(Some(Self { path: path.into(), _lock: lock }));
            }
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // While it is still locked: afterwards the file may be another process's.
        let _ = fs::remove_file(&self.path);
    }
}

/// Opens a claim, never through a link and without emptying anything.
fn open(path: &Path) -> Result<File> {
    match fs::symlink_metadata(path) {
        Ok(found) if !found.is_file() => {
            return Err(Error::file(path, "it is a link or no file, so it cannot be a claim of mtlcore; remove it"));
        }
        // A claim is empty: anything else is somebody's file.
        Ok(found) if found.len() > 0 => {
            return Err(Error::file(path, "it is not empty, so it is no claim of mtlcore; move it elsewhere"));
        }
        _ => {}
    }
    OpenOptions::new().write(true).create(true).truncate(false).open(path).map_err(Error::io(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_has_it_at_a_time_and_it_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.claim");
        fs::write(&path, "").unwrap(); // of a process that was killed
        let claim = Claim::take(&path).unwrap().unwrap();
        assert!(Claim::take(&path).unwrap().is_none());
        drop(claim);
        assert!(!path.exists());
        assert!(Claim::take(&path).unwrap().is_some());
    }

    /// Many threads that claim, count and let go: two never have it at once, and each has its turns.
    #[test]
    fn two_never_have_it_at_once() {
        use std::sync::atomic::{AtomicUsize, Ordering};
        const TURNS: usize = 100;
        let directory = tempfile::tempdir().unwrap();
        let (path, inside) = (directory.path().join("a.claim"), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let mut turns = 0;
                    while turns < TURNS {
                        let Some(_claim) = Claim::take(&path).unwrap() else {
                            std::thread::yield_now();
                            continue;
                        };
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                        inside.fetch_sub(1, Ordering::SeqCst);
                        turns += 1;
                    }
                });
            }
        });
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_not_followed_and_nothing_is_emptied() {
        let directory = tempfile::tempdir().unwrap();
        let [precious, link, missing] = ["precious.txt", "a.claim", "missing"].map(|name| directory.path().join(name));
        fs::write(&precious, "mine").unwrap();
        for target in [&precious, &missing] {
            std::os::unix::fs::symlink(target, &link).unwrap();
            let error = Claim::take(&link).unwrap_err().to_string();
            assert!(error.contains("a.claim: it is a link or no file"), "{error}");
            assert!(!missing.exists() && link.is_symlink());
            fs::remove_file(&link).unwrap();
        }
        assert!(Claim::take(&precious).unwrap_err().to_string().contains("it is not empty"));
        assert_eq!(fs::read(&precious).unwrap(), b"mine");
    }
}
