//! A process that works on a folder of units: its worker file, its heartbeat, and the ages of files by the file server's clock.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, SystemTime},
};

use super::identity::Identity;
use crate::mtl::files::{self, system};
use crate::{Error, Result};

/// How old a heartbeat may be. It has to exceed the minute for which NFS may show old attributes, and a heartbeat's period.
pub(super) const LEASE: Duration = Duration::from_secs(180);

/// Heartbeats within a lease.
const BEATS: u32 = 12;

/// The environment variable with another lease, in seconds: for tests. All processes of a study must have the same.
const VARIABLE: &str = "MTLCORE_LEASE";

/// The beginning of a worker file's name, and of a claim's content.
pub(super) const WORKER: &str = "worker.";

/// A process that works on a folder of units, from its first claim to its end.
#[derive(Debug)]
pub(in crate::mtl::study) struct Worker {
    pub(super) folder: PathBuf,
    pub(super) name: String,
    content: String,
    lease: Duration,
    pub(super) heart: Option<(Arc<Heart>, JoinHandle<()>)>,
}

/// What ends the heartbeat.
#[derive(Debug, Default)]
pub(super) struct Heart {
    pub(super) stopped: Mutex<bool>,
    wake: Condvar,
}

impl Worker {
    /// Begins to work on the folder, which is made if it is not there; removes what the dead have left in it.
    ///
    /// # Errors
    /// [`Error::Io`] if the folder cannot be written; [`Error::Config`] for a lease that is none.
    pub fn join(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder).map_err(Error::io(folder))?;
        let lease = match std::env::var(VARIABLE) {
            Ok(text) => {
                let seconds = text.parse().ok().filter(|seconds: &f64| (0.1..1e6).contains(seconds));
                let seconds = seconds.ok_or_else(|| Error::config(VARIABLE, "expected seconds, at least 0.1"))?;
                Duration::from_secs_f64(seconds)
            }
            Err(_) => LEASE,
        };
        Self::join_for(folder, lease)
    }

    pub(super) fn join_for(folder: &Path, lease: Duration) -> Result<Self> {
        let identity = Identity::own();
        let content = serde_json::to_string(&identity).expect("plain data") + "\n";
        let prefix = format!("{WORKER}{}-{}-", plain(&identity.host), identity.pid);
        let mut builder = tempfile::Builder::new();
        // Others who work here may be other users.
        system::open_to_all(&mut builder);
        let file = builder.prefix(&prefix).rand_bytes(8).tempfile_in(folder).map_err(Error::io(folder))?;
        let (_, path) = file.keep().map_err(|error| Error::io(folder)(error.error))?;
        let name = path.file_name().expect("a file").to_string_lossy().into_owned();
        let mut worker = Self { folder: folder.into(), name, content, lease, heart: None };
        worker.beat().map_err(Error::io(&path))?;
        let heart = Arc::new(Heart::default());
        let (theirs, content) = (heart.clone(), worker.content.clone());
        let beating =
            thread::Builder::new().name("heartbeat".into()).spawn(move || theirs.beat(&path, &content, lease / BEATS));
        worker.heart = Some((heart, beating.map_err(Error::io(folder))?));
        worker.sweep()?;
        Ok(worker)
    }

    /// The live workers of a folder without this one, as `host.pid`; none if there is no such folder.
    pub fn others(&self) -> Result<Vec<String>> {
        let mut live = Vec::new();
        for path in files_of(&self.folder)?.into_iter().filter(|path| is_worker_file(path)) {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name != self.name && self.is_dead(&name)? == Some(false) {
                live.push(self.called(&name));
            }
        }
        live.sort();
        Ok(live)
    }

    /// Whether the worker of this file cannot be alive, or has not been heard of for a lease; `None` if there is no such file.
    pub(super) fn is_dead(&self, name: &str) -> Result<Option<bool>> {
        let path = self.folder.join(name);
        let identity = fs::read(&path).ok().and_then(|content| serde_json::from_slice::<Identity>(&content).ok());
        if identity.is_some_and(|identity| identity.has_ended()) { Ok(Some(true)) } else { self.is_old(&path) }
    }

    /// Whether a file was last written more than a lease ago, by the file server's clock; `None` if there is no such file.
    pub(super) fn is_old(&self, path: &Path) -> Result<Option<bool>> {
        self.is_old_at(path, self.now()?)
    }

    /// The file server's time: that of a file which we have just written.
    fn now(&self) -> Result<SystemTime> {
        let own = self.path();
        self.beat().and_then(|()| modified(&own)).map_err(Error::io(&own))
    }

    fn is_old_at(&self, path: &Path, now: SystemTime) -> Result<Option<bool>> {
        let then = match modified(path) {
            Ok(then) => then,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io(path)(error)),
        };
        // If the server's clock was set back, the living have written since; what lies in its future is of the dead.
        let apart = now.duration_since(then).unwrap_or_else(|error| error.duration());
        Ok(Some(apart > self.lease))
    }

    /// Removes what dead workers have left: their own files, after which their claims count by their own age, and what they were
    /// writing.
    fn sweep(&self) -> Result<()> {
        let now = self.now()?;
        for path in files_of(&self.folder)? {
            let is_swept = is_worker_file(&path) || files::is_aside(&path);
            if is_swept && path != self.path() && self.is_old_at(&path, now)? == Some(true) {
                let _ = fs::remove_file(path);
            }
        }
        Ok(())
    }

    /// `host.pid` of a worker by its file's name.
    pub(super) fn called(&self, name: &str) -> String {
        let content = fs::read(self.folder.join(name)).ok();
        let identity = content.and_then(|content| serde_json::from_slice::<Identity>(&content).ok());
        identity.map_or_else(|| "an unknown process".to_owned(), |identity| identity.to_string())
    }

    fn path(&self) -> PathBuf {
        self.folder.join(&self.name)
    }

    fn beat(&self) -> io::Result<()> {
        beat(&self.path(), &self.content)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if let Some((heart, beating)) = self.heart.take() {
            *heart.stopped.lock().unwrap_or_else(PoisonError::into_inner) = true;
            heart.wake.notify_all();
            let _ = beating.join();
        }
        let _ = fs::remove_file(self.path());
    }
}

impl Heart {
    fn beat(&self, path: &Path, content: &str, period: Duration) {
        let mut stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        while !*stopped {
            (stopped, _) = self.wake.wait_timeout(stopped, period).unwrap_or_else(PoisonError::into_inner);
            if !*stopped {
                // A file server that is away for a while costs a lease at worst.
                let _ = beat(path, content);
            }
        }
    }
}

/// Writes a worker file again, so that the file server gives it the time of its own clock. (To set a time would be to send ours.)
fn beat(path: &Path, content: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
    file.write_all(content.as_bytes())?;
    file.sync_data()
}

fn modified(path: &Path) -> io::Result<SystemTime> {
    // Opened, since NFS asks its server for the attributes of a file that is opened.
    File::open(path)?.metadata()?.modified()
}

fn files_of(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).map_err(Error::io(folder))?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>();
    paths.map_err(Error::io(folder))
}

fn is_worker_file(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(WORKER))
}

/// A machine's name as part of a file's.
fn plain(host: &str) -> String {
    host.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect()
}
