//! Atomic writes.

use std::{fs::File, io::Write, path::Path};

use anyhow::{Context, Result};

/// Writes a file whole or not at all: aside, synced, then renamed.
pub fn write(path: &Path, text: &str) -> Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let replace = || -> std::io::Result<()> {
        let mut aside = tempfile::Builder::new();
        // A temporary file is its owner's alone; a page is for all whom the umask lets read.
        #[cfg(unix)]
        aside.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".writing-");
        let mut aside = aside.prefix(&name).tempfile_in(directory)?;
        aside.write_all(text.as_bytes())?;
        aside.as_file().sync_all()?;
        aside.persist(path)?;
        // The new name is safe once the directory is.
        if cfg!(unix) { File::open(directory)?.sync_all() } else { Ok(()) }
    };
    replace().with_context(|| path.display().to_string())
}
