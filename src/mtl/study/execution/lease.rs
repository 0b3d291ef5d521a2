//! Which process works on which unit: claims by files alone, for file systems whose locks are missing, node-local or stuck.
//!
//! The truth is the unit's own file. A claim saves work, no more: if two processes do one unit after all, they write the same bits.
//!
//! A process has a *worker file*, which it writes again every so often (a heartbeat). A *claim* is a file that is made by exclusive
//! creation and names a worker. It ends when its worker removes it; anybody may take it away when the worker is known to be dead (same
//! machine, no such process) or its heartbeat is older than the *lease*. Ages are differences between times that the file server gave
//! to two files, so no machine's clock has to be right.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    process,
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};

use crate::mtl::files::system;
use crate::{Error, Result};

/// How old a heartbeat may be. It has to exceed the minute for which NFS may show old attributes, and a heartbeat's period.
const LEASE: Duration = Duration::from_secs(180);

/// Heartbeats within a lease.
const BEATS: u32 = 12;

/// The environment variable with another lease, in seconds: for tests. All processes of a study must have the same.
const VARIABLE: &str = "MTLCORE_LEASE";

/// The beginning of a claim's name while it is taken away.
const ASIDE: &str = "stale.";

/// The beginning of a worker file's name, and of a claim's content.
const WORKER: &str = "worker.";

/// Who works, as others see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::mtl) struct Identity {
    /// The machine's name.
    pub host: String,
    /// The process.
    pub pid: u32,
    /// Since which tick of its machine it runs, so that a later process of the same number is another one; none where that is unknown.
    started: Option<u64>,
    /// The boot of the machine and the space of process numbers, within which `pid` means something.
    machine: Option<String>,
    /// The job of a scheduler.
    job: Option<String>,
}

/// A process that works on a folder of units, from its first claim to its end.
#[derive(Debug)]
pub(in crate::mtl::study) struct Worker {
    folder: PathBuf,
    name: String,
    content: String,
    lease: Duration,
    heart: Option<(Arc<Heart>, JoinHandle<()>)>,
}

/// What ends the heartbeat.
#[derive(Debug, Default)]
struct Heart {
    stopped: Mutex<bool>,
    wake: Condvar,
}

/// The right to work on a unit.
#[derive(Debug)]
pub(super) struct Claim<'w> {
    path: PathBuf,
    worker: &'w Worker,
}

/// What came of claiming.
pub(super) enum Claiming<'w> {
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

    fn join_for(folder: &Path, lease: Duration) -> Result<Self> {
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
        for path in worker_files(&self.folder)? {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name != self.name && self.is_dead(&name)? == Some(false) {
                live.push(self.called(&name));
            }
        }
        live.sort();
        Ok(live)
    }

    /// Claims what the file `path` stands for, which is in the worker's folder.
    ///
    /// # Errors
    /// [`Error::File`] if there is a link, or a file that is no claim; [`Error::Io`] if it cannot be made.
    pub(super) fn claim(&self, path: &Path) -> Result<Claiming<'_>> {
        loop {
            match OpenOptions::new().write(true).create_new(true).open(path) {
                Ok(mut file) => {
                    // A claim that cannot be written down is given up, not left empty.
                    let claim = Claim { path: path.into(), worker: self };
                    file.write_all(self.name.as_bytes()).map_err(|error| {
                        let _ = fs::remove_file(path);
                        Error::io(path)(error)
                    })?;
                    return Ok(Claiming::Ours(claim));
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(Error::io(path)(error)),
            }
            match self.holder(path)? {
                // It has gone in the meantime.
                None => {}
                Some(Holder { content, is_stale: false }) => return Ok(Claiming::Theirs(self.called(&content))),
                Some(Holder { content, is_stale: true }) => self.take_away(path, &content)?,
            }
        }
    }

    /// Who holds a claim; `None` if nobody does.
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
        // A worker that has ended in order left no claim: what was read is gone by now, or its own age counts.
        let of_worker = if content.is_empty() { None } else { self.is_dead(&content)? };
        let is_stale = match of_worker {
            Some(is_dead) => Some(is_dead),
            None => self.is_old(path)?,
        };
        Ok(is_stale.map(|is_stale| Holder { content, is_stale }))
    }

    /// Takes away a stale claim of this content. Of several who try, one succeeds; the others find that it has gone.
    fn take_away(&self, path: &Path, content: &str) -> Result<()> {
        let unit = path.file_name().unwrap_or_default().to_string_lossy();
        let aside = self.folder.join(format!("{ASIDE}{unit}.{}", self.name));
        match fs::rename(path, &aside) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            other => other.map_err(Error::io(path))?,
        }
        // Between our look and our renaming, somebody else may have taken it away and claimed the unit afresh: that claim is put back.
        if fs::read_to_string(&aside).is_ok_and(|found| found != content) {
            let _ = fs::hard_link(&aside, path);
        }
        match fs::remove_file(&aside) {
            // Its owner let go of it in the meantime.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other.map_err(Error::io(&aside)),
        }
    }

    /// Whether the worker of this file cannot be alive, or has not been heard of for a lease; `None` if there is no such file.
    fn is_dead(&self, name: &str) -> Result<Option<bool>> {
        let path = self.folder.join(name);
        let identity = fs::read(&path).ok().and_then(|content| serde_json::from_slice::<Identity>(&content).ok());
        if identity.is_some_and(|identity| identity.has_ended()) { Ok(Some(true)) } else { self.is_old(&path) }
    }

    /// Whether a file was last written more than a lease ago, by the file server's clock; `None` if there is no such file.
    fn is_old(&self, path: &Path) -> Result<Option<bool>> {
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

    /// Removes the files of workers that are dead; the claims that they may have left then count by their own age.
    fn sweep(&self) -> Result<()> {
        let now = self.now()?;
        for path in worker_files(&self.folder)? {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name != self.name && self.is_old_at(&path, now)? == Some(true) {
                let _ = fs::remove_file(path);
            }
        }
        Ok(())
    }

    /// `host.pid` of a worker by its file's name.
    fn called(&self, name: &str) -> String {
        let content = fs::read(self.folder.join(name)).ok();
        let identity = content.and_then(|content| serde_json::from_slice::<Identity>(&content).ok());
        identity
            .map_or_else(|| "an unknown process".to_owned(), |identity| format!("{}.{}", identity.host, identity.pid))
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

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        // Somebody else's by now, if this process was stopped for longer than a lease. One who took away another's stale claim may
        // hold ours aside for a moment, and would put it back.
        self.remove_if_ours(&self.path);
        let unit = self.path.file_name().unwrap_or_default().to_string_lossy();
        let entries = fs::read_dir(&self.worker.folder).into_iter().flatten().flatten();
        let is_aside = |name: &str| name.starts_with(&format!("{ASIDE}{unit}."));
        let asides = entries.filter(|entry| entry.file_name().to_str().is_some_and(is_aside));
        asides.for_each(|entry| self.remove_if_ours(&entry.path()));
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

fn worker_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).map_err(Error::io(folder))?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>();
    let is_worker = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(WORKER));
    Ok(paths.map_err(Error::io(folder))?.into_iter().filter(is_worker).collect())
}

/// A machine's name as part of a file's.
fn plain(host: &str) -> String {
    host.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect()
}

impl Identity {
    /// This process.
    pub fn own() -> Self {
        let (host, pid) = (system::host(), process::id());
        let job = std::env::var("SLURM_JOB_ID").ok();
        Self { host, pid, started: system::started(pid), machine: system::machine(), job }
    }

    /// Whether it is a process of this machine that is there no more. Of other machines nothing is known.
    fn has_ended(&self) -> bool {
        self.machine.is_some()
            && self.machine == system::machine()
            && self.started.is_some()
            && system::started(self.pid) != self.started
    }
}

/// This process as others see it: `host.pid`.
pub fn process_name() -> String {
    format!("{}.{}", system::host(), process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_millis(600);

    fn is_ours(claiming: Result<Claiming<'_>>) -> bool {
        matches!(claiming.unwrap(), Claiming::Ours(_))
    }

    /// A worker of another machine, of which nothing but its files is known; its heart does not beat.
    fn stranger(folder: &Path, name: &str) -> PathBuf {
        let identity = Identity { host: "far".into(), machine: Some("another boot".into()), ..Identity::own() };
        let path = folder.join(name);
        fs::write(&path, serde_json::to_string(&identity).unwrap()).unwrap();
        path
    }

    fn set_age(path: &Path, seconds: i64) {
        let now = SystemTime::now();
        let shift = Duration::from_secs(seconds.unsigned_abs());
        let time = if seconds < 0 { now + shift } else { now - shift };
        File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
    }

    #[test]
    fn one_has_it_at_a_time_and_it_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.claim");
        let [one, two] = [0, 1].map(|_| Worker::join_for(folder.path(), LEASE).unwrap());
        let Claiming::Ours(claim) = one.claim(&path).unwrap() else { panic!("nobody has it") };
        let Claiming::Theirs(holder) = two.claim(&path).unwrap() else { panic!("one has it") };
        assert_eq!(holder, format!("{}.{}", system::host(), process::id()));
        assert_eq!(two.others().unwrap(), [holder]);
        drop(claim);
        assert!(!path.exists() && is_ours(two.claim(&path)));
        drop((one, two));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_heartbeat_keeps_a_claim_beyond_its_lease_and_a_stopped_one_loses_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.claim");
        let [one, two] = [0, 1].map(|_| Worker::join_for(folder.path(), SHORT).unwrap());
        let Claiming::Ours(claim) = one.claim(&path).unwrap() else { panic!("nobody has it") };
        thread::sleep(2 * SHORT);
        assert!(!is_ours(two.claim(&path)));
        // As if the process were stopped: its heart stands still.
        *one.heart.as_ref().unwrap().0.stopped.lock().unwrap() = true;
        thread::sleep(2 * SHORT);
        let Claiming::Ours(stolen) = two.claim(&path).unwrap() else { panic!("the lease is over") };
        // Continued, it must not remove what is another's now.
        drop(claim);
        assert!(path.exists());
        drop(stolen);
        assert!(!path.exists());
    }

    #[test]
    fn a_process_of_this_machine_that_has_ended_holds_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.claim");
        let me = Worker::join_for(folder.path(), LEASE).unwrap();
        let ended = Identity { started: Some(1), ..Identity::own() };
        fs::write(folder.path().join("worker.x"), serde_json::to_string(&ended).unwrap()).unwrap();
        fs::write(&path, "worker.x").unwrap();
        assert_eq!(is_ours(me.claim(&path)), cfg!(target_os = "linux"));
    }

    /// Ages are told by the times that the file server gave, whatever the clocks of this machine and of the other say.
    #[test]
    fn the_age_of_a_strangers_heartbeat_decides() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.claim");
        let me = Worker::join_for(folder.path(), LEASE).unwrap();
        let far = stranger(folder.path(), "worker.far");
        // Hours in the server's future: its clock was set back, and nobody has written since.
        for (age, is_free) in [(0, false), (170, false), (190, true), (-170, false), (-3600, true)] {
            fs::write(&path, "worker.far").unwrap();
            set_age(&path, 10_000);
            set_age(&far, age);
            assert_eq!(is_ours(me.claim(&path)), is_free, "{age}");
            let _ = fs::remove_file(&path);
        }
    }

    #[test]
    fn a_claim_without_a_worker_and_an_empty_one_count_by_their_own_age() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.claim");
        let me = Worker::join_for(folder.path(), LEASE).unwrap();
        for content in ["", "worker.gone"] {
            for (age, is_free) in [(0, false), (170, false), (190, true)] {
                fs::write(&path, content).unwrap();
                set_age(&path, age);
                assert_eq!(is_ours(me.claim(&path)), is_free, "{content:?} {age}");
                let _ = fs::remove_file(&path);
            }
        }
    }

    #[test]
    fn dead_workers_are_swept_and_live_ones_stay() {
        let folder = tempfile::tempdir().unwrap();
        let [dead, live] = ["worker.dead", "worker.live"].map(|name| stranger(folder.path(), name));
        set_age(&dead, 200);
        let me = Worker::join_for(folder.path(), LEASE).unwrap();
        assert!(!dead.exists() && live.exists());
        assert_eq!(me.others().unwrap(), [format!("far.{}", process::id())]);
    }

    /// Between a look at a stale claim and its removal, another may have taken it away and claimed afresh.
    #[test]
    fn a_fresh_claim_that_was_taken_for_the_stale_one_is_put_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.claim");
        let [one, two] = [0, 1].map(|_| Worker::join_for(folder.path(), LEASE).unwrap());
        let _claim = one.claim(&path).unwrap();
        two.take_away(&path, "worker.dead").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), one.name);
        assert!(!is_ours(two.claim(&path)));
    }

    /// Many threads that claim, count and let go: two never have it at once, and each has its turns.
    #[test]
    fn two_never_have_it_at_once() {
        use std::sync::atomic::{AtomicUsize, Ordering};
        const TURNS: usize = 50;
        let folder = tempfile::tempdir().unwrap();
        let (path, inside) = (folder.path().join("a.claim"), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let worker = Worker::join_for(folder.path(), LEASE).unwrap();
                    let mut turns = 0;
                    while turns < TURNS {
                        let Claiming::Ours(_claim) = worker.claim(&path).unwrap() else {
                            thread::yield_now();
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
    fn a_link_is_not_followed_and_nothing_of_others_is_changed() {
        let folder = tempfile::tempdir().unwrap();
        let me = Worker::join_for(folder.path(), LEASE).unwrap();
        let [precious, link, missing] = ["precious.txt", "a.claim", "missing"].map(|name| folder.path().join(name));
        fs::write(&precious, "mine").unwrap();
        for target in [&precious, &missing] {
            std::os::unix::fs::symlink(target, &link).unwrap();
            let error = me.claim(&link).err().unwrap().to_string();
            assert!(error.contains("a.claim: it is a link or no file"), "{error}");
            assert!(!missing.exists() && link.is_symlink());
            fs::remove_file(&link).unwrap();
        }
        assert!(me.claim(&precious).err().unwrap().to_string().contains("it does not name a worker"));
        assert_eq!(fs::read(&precious).unwrap(), b"mine");
    }
}
