//! What differs between operating systems. Nothing else in the library asks which one it runs on; locks are the standard library's.

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

/// The mode of a file if others than its owner may read or write it, where there are modes.
#[cfg(feature = "hydrate")]
pub fn mode_for_others(path: &Path) -> io::Result<Option<u32>> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(path)?.permissions().mode() & 0o777;
        Ok(Some(mode).filter(|mode| mode & 0o077 != 0))
    }
    #[cfg(not(unix))]
    fs::metadata(path).map(|_| None)
}

/// The machine's name, `unknown` if the system does not tell.
pub fn host() -> String {
    let names = ["/proc/sys/kernel/hostname", "/etc/hostname"].map(|path| fs::read_to_string(path).ok());
    let name = names.into_iter().flatten().chain(std::env::var("HOSTNAME")).find(|name| !name.trim().is_empty());
    name.map_or_else(|| "unknown".into(), |name| name.trim().split('.').next().unwrap_or_default().to_owned())
}

/// The tick at which a process began, on Linux only: the 22nd field of Linux's `/proc/PID/stat`, behind a name that may hold anything. A process that
/// has ended and was not waited for (a zombie) is none.
pub fn started(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    let state = fields.next()?;
    if matches!(state, "Z" | "X") { None } else { fields.nth(18)?.parse().ok() }
}

/// The boot of this machine and the space of its process numbers, which a container has of its own. Linux only.
pub fn machine() -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let space = fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{} {}", boot.trim(), space.display()))
}
