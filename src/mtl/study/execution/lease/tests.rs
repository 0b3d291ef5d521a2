//! Planted deaths, stops and clocks.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process, thread,
    time::{Duration, SystemTime},
};

use super::{Claiming, Worker, identity::Identity, worker::LEASE};
use crate::{Result, mtl::files::system};

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
    let Claiming::Ours(claim) = one.claim(&path).unwrap() else { panic!("it is free") };
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
    let Claiming::Ours(claim) = one.claim(&path).unwrap() else { panic!("it is free") };
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

/// A claim that went while it was looked at, or whose worker ended in between, is not stale: who renames it would take a fresh one.
#[test]
fn what_has_gone_in_the_meantime_is_not_stale() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.claim");
    let [me, other] = [0, 1].map(|_| Worker::join_for(folder.path(), LEASE).unwrap());
    for content in ["", "worker.ended", &other.name] {
        let expected = (*content == other.name).then_some(false);
        assert_eq!(me.is_stale(&path, content).unwrap(), expected, "{content:?}, and the claim has gone");
    }
    // By now another has claimed it.
    let _claim = other.claim(&path).unwrap();
    assert_eq!(me.is_stale(&path, "worker.ended").unwrap(), Some(false));
}

/// The owner leaves a claim while another worker, who took it for a stale one, holds it aside: it must not come back.
#[test]
fn a_claim_that_is_left_while_it_is_held_aside_does_not_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.claim");
    let [one, two] = [0, 1].map(|_| Worker::join_for(folder.path(), LEASE).unwrap());
    let Claiming::Ours(claim) = one.claim(&path).unwrap() else { panic!("it is free") };
    fs::rename(&path, two.aside(&path)).unwrap();
    drop(claim);
    assert!(!path.exists() && !two.aside(&path).exists());
}

/// A worker that is killed as it claims leaves nothing that stands for a claim; what it was writing is swept a lease later.
#[test]
fn what_was_being_written_is_swept() {
    let folder = tempfile::tempdir().unwrap();
    let [old, new] = ["a.claim.writing-x", "b.json.writing-y"].map(|name| folder.path().join(name));
    for (path, age) in [(&old, 200), (&new, 100)] {
        fs::write(path, "worker.d").unwrap();
        set_age(path, age);
    }
    let _me = Worker::join_for(folder.path(), LEASE).unwrap();
    assert!(!old.exists() && new.exists());
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
