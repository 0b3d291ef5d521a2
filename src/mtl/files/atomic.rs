//! Atomic writes: a file is replaced as a whole or not at all.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::Path,
};

use tempfile::NamedTempFile;

use super::system;
use crate::{Error, Result};

/// Atomic write: writes a temporary file beside `path`, syncs it and renames it, so that a reader finds the old content or the new,
/// even after a power cut. Where a link stands, the file that it leads to is replaced. What is no file, such as a terminal or a pipe, is
/// written as it is.
///
/// # Errors
/// [`Error::Io`] with `path`; the old content is then still there.
pub fn write_atomically(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    match fs::metadata(path) {
        Ok(found) if !found.is_file() => write_through(path, write).map_err(Error::io(path)),
        Ok(_) => {
            let target = fs::canonicalize(path).map_err(Error::io(path))?;
            replace(&target, write).map_err(Error::io(path))
        }
        Err(_) => replace(path, write).map_err(Error::io(path)),
    }
}

/// Makes the file with this content, unless there is one already: of several who try at once, one succeeds. `false` if it was there.
///
/// # Errors
/// [`Error::Io`] with `path`.
pub(in crate::mtl) fn write_new(path: &Path, content: &[u8]) -> Result<bool> {
    if path.exists() {
        return Ok(false);
    }
    let written = (|| {
        let mut aside = aside(path)?;
        aside.write_all(content)?;
        aside.as_file().sync_all()?;
        match aside.persist_noclobber(path) {
            Ok(_) => Ok(true),
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error.error),
        }
    })();
    written.map_err(Error::io(path))
}

fn write_through(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut output = io::BufWriter::new(OpenOptions::new().write(true).open(path)?);
    write(&mut output)?;
    output.flush()
}

fn replace(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut aside = aside(path)?;
    let mut buffered = io::BufWriter::new(aside.as_file_mut());
    write(&mut buffered)?;
    buffered.flush()?;
    drop(buffered);
    aside.as_file().sync_all()?;
    aside.persist(path)?;
    // The new name is safe once the directory is.
    system::sync_directory(directory_of(path))
}

/// A temporary file beside `path` that becomes it.
fn aside(path: &Path) -> io::Result<NamedTempFile> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(ASIDE);
    let mut aside = tempfile::Builder::new();
    system::open_to_all(&mut aside);
    aside.prefix(&name).tempfile_in(directory_of(path))
}

fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// What follows the name of a file that is being written; then come random letters, so that two processes that write the same
/// file do not meet.
const ASIDE: &str = ".writing-";

/// Whether a path is that of a file which is being written, or was when its process was killed.
pub(in crate::mtl) fn is_aside(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().contains(ASIDE))
}

/// Removes a file, if there is one.
///
/// # Errors
/// [`Error::Io`] if it cannot be removed.
pub(in crate::mtl) fn remove_if_there(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io(path)(error)),
        _ => Ok(()),
    }
}

/// Removes what killed processes were writing in a directory that is ours alone.
///
/// # Errors
/// [`Error::Io`] if the directory cannot be read or a file cannot be removed.
pub(in crate::mtl) fn clear_asides(directory: &Path) -> Result<()> {
    for entry in fs::read_dir(directory).map_err(Error::io(directory))? {
        let path = entry.map_err(Error::io(directory))?.path();
        if is_aside(&path) {
            fs::remove_file(&path).map_err(Error::io(&path))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn what_fails_on_the_way_changes_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let [old, new] = ["old", "new"].map(|name| directory.path().join(name));
        fs::write(&old, "before").unwrap();
        for path in [&old, &new] {
            let failed = write_atomically(path, |output| {
                output.write_all(&[b'x'; 100_000])?;
                Err(io::Error::other("the disk is full"))
            });
            assert_eq!(failed.unwrap_err().to_string(), format!("{}: the disk is full", path.display()));
        }
        assert_eq!(
            (fs::read_to_string(&old).unwrap().as_str(), names(directory.path())),
            ("before", vec!["old".into()])
        );
    }

    #[cfg(unix)]
    #[test]
    fn links_stay_links_and_devices_stay_devices() {
        let directory = tempfile::tempdir().unwrap();
        let [file, link] = ["file", "link"].map(|name| directory.path().join(name));
        fs::write(&file, "before").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        write_atomically(&link, |output| output.write_all(b"after")).unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read(&file).unwrap(), b"after");
        // For a user who may write to /dev, the device must not become a file.
        let null = directory.path().join("null");
        std::os::unix::fs::symlink("/dev/null", &null).unwrap();
        write_atomically(&null, |output| output.write_all(b"after")).unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }
}
