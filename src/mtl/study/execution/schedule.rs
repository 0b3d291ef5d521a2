//! All units that are missing, one thread a unit.

use std::{
    num::NonZero,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use super::{UnitOutcome, UnitStore};
use crate::mtl::study::planning::{PairData, StudySettings, UnitSpec};
use crate::{Error, Result};

/// Units with their outcomes.
pub type Outcomes = Vec<(UnitSpec, UnitOutcome)>;

/// What has just happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// So many units of all are finished, counting those of earlier times.
    Progress {
        /// Finished units.
        done: usize,
        /// All units.
        all: usize,
    },
    /// The file of a unit is damaged, for this reason; the unit is run again.
    Damaged(String),
}

/// Runs those of the units `specs` that are not in the store, the longest first, and returns the outcomes of all in the order
/// of `specs`. `None` if `interrupted` was set on the way; what is finished then stays in the store.
///
/// Each thread works on one unit at a time, with nothing inside it in parallel: folds are independent, steps are not. Units
/// that another process works on are left to it.
///
/// # Errors
/// The first error of a unit; what cannot be read or written.
pub fn run_units(
    specs: Vec<UnitSpec>,
    settings: &StudySettings,
    pairs: &[PairData],
    store: &UnitStore,
    interrupted: &AtomicBool,
    observe: &(dyn Fn(Event) + Sync),
) -> Result<Option<Outcomes>> {
    let work = specs.into_iter().enumerate().map(|(place, spec)| {
        let pair = pairs.iter().find(|pair| pair.name == spec.pair).expect("units are of these pairs");
        Work { place, key: spec.key(settings, pair), cost: spec.cost(pair), spec, pair }
    });
    let mut missing: Vec<Work> = Vec::new();
    let mut outcomes: Vec<Option<(UnitSpec, UnitOutcome)>> = Vec::new();
    for work in work {
        match store.read(&work.spec, &work.key) {
            Ok(Some(outcome)) => outcomes.push(Some((work.spec, outcome))),
            Ok(None) => {
                outcomes.push(None);
                missing.push(work);
            }
            Err(error @ Error::File { .. }) => {
                observe(Event::Damaged(error.to_string()));
                outcomes.push(None);
                missing.push(work);
            }
            Err(error) => return Err(error),
        }
    }
    missing.sort_by_key(|work| std::cmp::Reverse(work.cost));
    let all = outcomes.len();
    let done = AtomicUsize::new(all - missing.len());
    observe(Event::Progress { done: done.load(Ordering::Relaxed), all });

    let next = AtomicUsize::new(0);
    let outcomes = Mutex::new(outcomes);
    let failure: Mutex<Option<Error>> = Mutex::new(None);
    let stopped = AtomicBool::new(false);
    let stop = || interrupted.load(Ordering::Relaxed) || stopped.load(Ordering::Relaxed);
    let worker = || -> Result<()> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build();
        let _one_thread = pool.map_err(|error| Error::config("threads", error.to_string()))?;
        let mut claimed_elsewhere = Vec::new();
        let finish = |work: &Work, wait: bool| -> Result<bool> {
            let Some(outcome) = work.run(settings, store, wait, &stop, interrupted)? else { return Ok(false) };
            outcomes.lock().expect("no thread panicked")[work.place] = Some((work.spec.clone(), outcome));
            observe(Event::Progress { done: done.fetch_add(1, Ordering::Relaxed) + 1, all });
            Ok(true)
        };
        while let Some(work) = missing.get(next.fetch_add(1, Ordering::Relaxed)).filter(|_| !stop()) {
            if !finish(work, false)? && !stop() {
                claimed_elsewhere.push(work);
            }
        }
        for work in claimed_elsewhere {
            finish(work, true)?;
        }
        Ok(())
    };
    thread::scope(|scope| {
        for _ in 0..threads(settings).min(missing.len()) {
            scope.spawn(|| {
                if let Err(error) = worker() {
                    stopped.store(true, Ordering::Relaxed);
                    failure.lock().expect("no thread panicked").get_or_insert(error);
                }
            });
        }
    });
    if let Some(error) = failure.into_inner().expect("no thread panicked") {
        return Err(error);
    }
    Ok(outcomes.into_inner().expect("no thread panicked").into_iter().collect())
}

/// How many units are worked on at a time.
pub(in crate::mtl::study) fn threads(settings: &StudySettings) -> usize {
    match settings.base.threads {
        0 => thread::available_parallelism().map_or(1, NonZero::get),
        threads => threads,
    }
}

/// A unit that is missing.
struct Work<'p> {
    place: usize,
    spec: UnitSpec,
    key: String,
    cost: usize,
    pair: &'p PairData,
}

impl Work<'_> {
    /// Runs the unit, or reads it if another process was faster; `None` if that one is at it still (unless told to `wait`), or
    /// if the work was to stop.
    fn run(
        &self,
        settings: &StudySettings,
        store: &UnitStore,
        wait: bool,
        stop: &dyn Fn() -> bool,
        interrupted: &AtomicBool,
    ) -> Result<Option<UnitOutcome>> {
        loop {
            if let Some(_claim) = store.claim(&self.spec, &self.key)? {
                // A damaged file has been told of, and is replaced.
                if let Ok(Some(outcome)) = store.read(&self.spec, &self.key) {
                    return Ok(Some(outcome));
                }
                let Some(outcome) = self.spec.run(settings, self.pair, interrupted)? else { return Ok(None) };
                store.write(&self.spec, &self.key, &outcome)?;
                return Ok(Some(outcome));
            }
            if !wait || stop() {
                return Ok(None);
            }
            thread::sleep(Duration::from_millis(200));
        }
    }
}
