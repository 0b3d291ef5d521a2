//! What differs between operating systems. Nothing else in the library asks which one it runs on; Ctrl-C is the crate `ctrlc`'s, and
//! locks are the standard library's.

use std::{
    fs::{self, File},
    io,
    path::Path,
};

/// Lets everyone whom the umask admits read a file that is made from a temporary one, which would be its owner's alone.
pub fn open_to_all(temporary: &mut tempfile::Builder<'_, '_>) {
    #[cfg(unix)]
    temporary.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    #[cfg(not(unix))]
    let _ = temporary;
}

/// Makes new names in a directory durable, where that takes a step of its own.
pub fn sync_directory(directory: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(directory)?.sync_all() } else { Ok(()) }
}

/// Whether `path` still names the open `file`. Outside Unix a file that is open keeps its name.
pub fn is_at(path: &Path, file: &File) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let identity = |found: io::Result<fs::Metadata>| found.map(|found| (found.dev(), found.ino())).ok();
        let ours = identity(file.metadata());
        ours.is_some() && ours == identity(fs::symlink_metadata(path))
    }
    #[cfg(not(unix))]
    {
        let _ = file;
        path.exists()
    }
}
