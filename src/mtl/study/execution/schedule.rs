//! All units that are missing, one thread a unit.

use std::{
    collections::BTreeMap,
    num::NonZero,
    path::PathBuf,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use super::{
    UnitOutcome, UnitStore,
    lease::{Claiming, Worker},
    part::{Part, Units},
    partial::{self, Partial},
    store::claim_of,
};
use crate::mtl::study::planning::{PairData, StudySettings, UnitSpec};
use crate::printable::quoted;
use crate::{Error, Result};

/// Units with their outcomes.
pub type Outcomes = Vec<(UnitSpec, UnitOutcome)>;

/// What has just happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// How far the units are, with those of earlier runs.
    Progress {
        /// Finished units.
        done: usize,
        /// All units.
        all: usize,
    },
    /// This process has finished a unit; [`Event::Progress`] follows.
    Finished {
        /// Its name.
        unit: String,
        /// What it took.
        seconds: f64,
    },
    /// The file of a unit is damaged, for this reason; the unit is run again.
    Damaged(String),
}

/// How the work on units ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ran {
    /// All are finished: their outcomes in the order of the units.
    All(Outcomes),
    /// This process has done its part, and others are at the rest, or may be.
    Part(Rest),
    /// It was told to stop.
    Interrupted,
}

/// What is left of a study when a process has done its part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rest {
    /// Units that are finished.
    pub finished: usize,
    /// All units.
    pub all: usize,
    /// Who works on others, as `host.pid`, with their number.
    pub with: BTreeMap<String, usize>,
}

/// Runs those of the units `specs` that are not in the store, the longest first, and returns the outcomes of all in the order
/// of `specs`. `None` if `interrupted` was set on the way; what is finished then stays in the store.
///
/// # Errors
/// As [`run_part`].
pub fn run_units(
    specs: Vec<UnitSpec>,
    settings: &StudySettings,
    pairs: &[PairData],
    store: &UnitStore,
    interrupted: &AtomicBool,
    observe: &(dyn Fn(Event) + Sync),
) -> Result<Option<Outcomes>> {
    match run_part(specs, settings, pairs, store, &Part::whole(), interrupted, observe)? {
        Ran::All(outcomes) => Ok(Some(outcomes)),
        Ran::Interrupted | Ran::Part(_) => Ok(None),
    }
}

/// Runs those of the units `specs` that are not in the store and that are this process's part, the longest first. What is finished
/// stays in the store, however this ends.
///
/// Each thread works on one unit at a time, with nothing inside it in parallel: folds are independent, steps are not. Units
/// that another process works on are left to it, or waited for if the part says so.
///
/// # Errors
/// The first error of a unit; what cannot be read or written; [`Error::Config`] for a name of no unit.
pub fn run_part(
    specs: Vec<UnitSpec>,
    settings: &StudySettings,
    pairs: &[PairData],
    store: &UnitStore,
    part: &Part,
    interrupted: &AtomicBool,
    observe: &(dyn Fn(Event) + Sync),
) -> Result<Ran> {
    let work = in_order(specs, settings, pairs);
    let files = work.iter().map(|work| (work.place, store.path(&work.spec, &work.key)));
    let files: Vec<(usize, PathBuf)> = files.collect();
    let mut outcomes: Vec<Option<(UnitSpec, UnitOutcome)>> = vec![None; work.len()];
    let ours = places_of(&part.units, &work)?;
    let mut missing: Vec<Work> = Vec::new();
    for (order, work) in work.into_iter().enumerate() {
        match store.read(&work.spec, &work.key) {
            Ok(Some(outcome)) => outcomes[work.place] = Some((work.spec, outcome)),
            Ok(None) if ours(order) => missing.push(work),
            Ok(None) => {}
            Err(error @ Error::File { .. }) if ours(order) => {
                observe(Event::Damaged(error.to_string()));
                missing.push(work);
            }
            Err(Error::File { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    let all = outcomes.len();
    let done = AtomicUsize::new(outcomes.iter().flatten().count());
    observe(Event::Progress { done: done.load(Ordering::Relaxed), all });

    let process = store.join()?;
    let next = AtomicUsize::new(0);
    let outcomes = Mutex::new(outcomes);
    let with: Mutex<BTreeMap<String, usize>> = Mutex::default();
    let failure: Mutex<Option<Error>> = Mutex::new(None);
    let stopped = AtomicBool::new(false);
    let stop = || interrupted.load(Ordering::Relaxed) || stopped.load(Ordering::Relaxed);
    let worker = || -> Result<()> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build();
        let _one_thread = pool.map_err(|error| Error::config("threads", error.to_string()))?;
        let mut claimed_elsewhere = Vec::new();
        let finish = |work: &Work, outcome: UnitOutcome| {
            outcomes.lock().expect("no thread panicked")[work.place] = Some((work.spec.clone(), outcome));
            observe(Event::Progress { done: done.fetch_add(1, Ordering::Relaxed) + 1, all });
        };
        while let Some(work) = missing.get(next.fetch_add(1, Ordering::Relaxed)).filter(|_| !stop()) {
            match work.run(settings, store, &process, interrupted, observe)? {
                Done::Finished(outcome) => finish(work, *outcome),
                Done::Elsewhere(_) => claimed_elsewhere.push(work),
                Done::Interrupted => {}
            }
        }
        // Those who hold these may have ended since, or been killed.
        for work in claimed_elsewhere {
            loop {
                match work.run(settings, store, &process, interrupted, observe)? {
                    Done::Finished(outcome) => finish(work, *outcome),
                    Done::Elsewhere(_) if part.wait && !stop() => {
                        thread::sleep(POLL);
                        continue;
                    }
                    Done::Elsewhere(holder) => {
                        *with.lock().expect("no thread panicked").entry(holder).or_default() += 1
                    }
                    Done::Interrupted => {}
                }
                break;
            }
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
    let outcomes = outcomes.into_inner().expect("no thread panicked");
    // What processes that were killed have left of finished units.
    let mut of_finished = files.iter().filter(|(place, _)| outcomes[*place].is_some());
    let cleared = of_finished.try_for_each(|(_, file)| {
        process.clear(&claim_of(file))?;
        partial::remove(file, settings.tune)
    });
    drop(process);
    store.leave();
    failure.into_inner().expect("no thread panicked").map_or(cleared, Err)?;
    let finished = outcomes.iter().flatten().count();
    Ok(match outcomes.into_iter().collect() {
        Some(outcomes) => Ran::All(outcomes),
        None if interrupted.load(Ordering::Relaxed) => Ran::Interrupted,
        None => Ran::Part(Rest { finished, all, with: with.into_inner().expect("no thread panicked") }),
    })
}

/// How often a process looks whether a unit that another works on is finished or free.
const POLL: Duration = Duration::from_millis(200);

/// Units in the order in which they are done and dealt to shards: the dearest first, and those of one cost by their keys.
fn in_order<'p>(specs: Vec<UnitSpec>, settings: &StudySettings, pairs: &'p [PairData]) -> Vec<Work<'p>> {
    let work = specs.into_iter().enumerate().map(|(place, spec)| {
        let pair = pairs.iter().find(|pair| pair.name == spec.pair).expect("units are of these pairs");
        Work { place, key: spec.key(settings, pair), cost: spec.cost(pair), spec, pair }
    });
    let mut work: Vec<Work> = work.collect();
    work.sort_by(|a, b| b.cost.cmp(&a.cost).then_with(|| a.key.cmp(&b.key)));
    work
}

/// Which places in the order of cost are of these units.
fn places_of<'u>(units: &'u Units, work: &[Work]) -> Result<Box<dyn Fn(usize) -> bool + 'u>> {
    match units {
        Units::All => Ok(Box::new(|_| true)),
        Units::Shard(shard) => Ok(Box::new(|place| shard.has(place))),
        Units::Only(name) => {
            let only = work.iter().position(|work| work.spec.name() == *name);
            let only = only.ok_or_else(|| {
                let message = format!("the study has no unit {}; --plan --format tsv lists them", quoted(name));
                Error::config("only", message)
            })?;
            Ok(Box::new(move |place| place == only))
        }
    }
}

/// A unit of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedUnit {
    /// Its name, as `--only` takes it.
    pub unit: String,
    /// How long it takes, roughly: only comparisons count.
    pub cost: usize,
    /// Its file, once it is finished.
    pub file: PathBuf,
    /// Whether it is.
    pub finished: bool,
}

/// The units in the order in which they are done and dealt to shards.
pub(in crate::mtl::study) fn planned_units(
    specs: Vec<UnitSpec>,
    settings: &StudySettings,
    pairs: &[PairData],
    store: &UnitStore,
) -> Vec<PlannedUnit> {
    let planned = |work: Work| {
        let file = store.path(&work.spec, &work.key);
        PlannedUnit { unit: work.spec.name(), cost: work.cost, finished: file.exists(), file }
    };
    in_order(specs, settings, pairs).into_iter().map(planned).collect()
}

/// How many units are worked on at a time: as many as the settings say, or as there are processors for this process, of which a
/// scheduler may have promised fewer than it shows.
pub(in crate::mtl::study) fn threads(settings: &StudySettings) -> usize {
    match settings.base.threads {
        0 => {
            let promised = std::env::var("SLURM_CPUS_PER_TASK").ok().and_then(|number| number.parse().ok());
            let shown = thread::available_parallelism().map_or(1, NonZero::get);
            shown.min(promised.filter(|&number| number > 0).unwrap_or(usize::MAX))
        }
        threads => threads,
    }
}

/// A unit and its pair.
struct Work<'p> {
    place: usize,
    spec: UnitSpec,
    key: String,
    cost: usize,
    pair: &'p PairData,
}

/// What came of a unit.
enum Done {
    Finished(Box<UnitOutcome>),
    /// Another process, as `host.pid`, works on it.
    Elsewhere(String),
    Interrupted,
}

impl Work<'_> {
    /// Runs the unit, or reads it if another process was faster.
    fn run(
        &self,
        settings: &StudySettings,
        store: &UnitStore,
        process: &Worker,
        interrupted: &AtomicBool,
        observe: &(dyn Fn(Event) + Sync),
    ) -> Result<Done> {
        let claiming = process.claim(&claim_of(&store.path(&self.spec, &self.key)))?;
        // Whoever holds the claim: a unit that has its file is finished. (A damaged file has been told of, and is replaced.)
        if let Ok(Some(outcome)) = store.read(&self.spec, &self.key) {
            return Ok(Done::Finished(Box::new(outcome)));
        }
        let _claim = match claiming {
            Claiming::Ours(claim) => claim,
            Claiming::Theirs(holder) => return Ok(Done::Elsewhere(holder)),
        };
        let file = store.path(&self.spec, &self.key);
        let damaged = |error: Error| observe(Event::Damaged(error.to_string()));
        let mut partial = Partial::of(file.clone(), &damaged);
        let Some(outcome) = self.spec.run_from(settings, self.pair, &mut partial, interrupted)? else {
            return Ok(Done::Interrupted);
        };
        store.write(&self.spec, &self.key, &outcome)?;
        partial::remove(&file, settings.tune)?;
        observe(Event::Finished { unit: self.spec.name(), seconds: outcome.seconds });
        Ok(Done::Finished(Box::new(outcome)))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::mtl::{
        settings::{Preset, Shared},
        study::planning::Seeds,
    };

    fn one_unit() -> (StudySettings, Vec<PairData>, UnitSpec) {
        let mut settings = StudySettings::preset(Preset::Default);
        (settings.scale, settings.folds, settings.shared) = (0.02, 2, vec![Shared::Conv]);
        (settings.base.epochs, settings.base.embedding_dim, settings.base.threads) = (1, 4, 1);
        let pairs = PairData::all(&settings).unwrap();
        let spec = UnitSpec::all(&settings, &pairs, &Seeds::everywhere(1)).swap_remove(0);
        (settings, pairs, spec)
    }

    #[test]
    fn the_claim_of_a_dead_worker_on_a_finished_unit_is_removed() {
        let (settings, pairs, spec) = one_unit();
        let place = tempfile::tempdir().unwrap();
        let run = || {
            let store = UnitStore::of(place.path());
            let specs = vec![spec.clone()];
            run_units(specs, &settings, &pairs, &store, &AtomicBool::new(false), &|_| {}).unwrap().unwrap()
        };
        let expected = run();
        let claim = claim_of(&UnitStore::of(place.path()).path(&spec, &spec.key(&settings, &pairs[0])));
        for (age, remains) in [(0, true), (3600, false)] {
            let file = std::fs::File::create(&claim).unwrap();
            std::io::Write::write_all(&mut &file, b"worker.gone-1-x").unwrap();
            file.set_modified(std::time::SystemTime::now() - Duration::from_secs(age)).unwrap();
            assert_eq!(run(), expected);
            assert_eq!(claim.exists(), remains, "{age} s old");
        }
    }

    /// Another process has finished a unit after this one began, and its claim stands: the unit's file counts.
    #[test]
    fn a_finished_unit_is_read_though_its_claim_stands() {
        let (settings, pairs, spec) = one_unit();
        let specs = vec![spec];
        let run = |store: &UnitStore, interrupted: &AtomicBool, observe: &(dyn Fn(Event) + Sync)| {
            run_units(specs.clone(), &settings, &pairs, store, interrupted, observe).unwrap()
        };
        let places = [0, 1].map(|_| tempfile::tempdir().unwrap());
        let [whole, shared] = [0, 1].map(|i| UnitStore::of(places[i].path()));
        let expected = run(&whole, &AtomicBool::new(false), &|_| {}).unwrap();

        let other = UnitStore::of(places[1].path());
        let worker = other.join().unwrap();
        let (spec, outcome) = &expected[0];
        let key = in_order(specs.clone(), &settings, &pairs)[0].key.clone();
        let claim = Mutex::new(Some(worker.claim(&claim_of(&other.path(spec, &key))).unwrap()));
        let (begin, interrupted) = (Instant::now(), AtomicBool::new(false));
        let found = thread::scope(|scope| {
            let finish = |_| {
                // It was missing when this process looked first.
                other.write(spec, &key, outcome).unwrap();
            };
            scope.spawn(|| {
                while begin.elapsed() < Duration::from_secs(10) && claim.lock().unwrap().is_some() {
                    thread::sleep(Duration::from_millis(20));
                }
                interrupted.store(true, Ordering::Relaxed);
            });
            let found = run(&shared, &interrupted, &finish);
            claim.lock().unwrap().take();
            found
        });
        assert_eq!(found, Some(expected), "it waited for the claim");
    }
}
