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
    Event, UnitOutcome, UnitStore,
    part::{Part, Units},
    work::{Done, Work, in_order},
};
use crate::mtl::study::planning::{PairData, StudySettings, UnitSpec};
use crate::printable::quoted;
use crate::{Error, Result};

/// Units with their outcomes.
pub type Outcomes = Vec<(UnitSpec, UnitOutcome)>;

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
    let of_finished = files.iter().filter(|(place, _)| outcomes[*place].is_some()).map(|(_, file)| file.as_path());
    let cleared = store.clear_leftovers(of_finished, &process);
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

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::{super::store::claim_of, *};
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
    fn what_a_killed_process_left_of_a_finished_unit_is_removed() {
        let (settings, pairs, spec) = one_unit();
        let place = tempfile::tempdir().unwrap();
        let run = || {
            let store = UnitStore::of(place.path());
            let specs = vec![spec.clone()];
            run_units(specs, &settings, &pairs, &store, &AtomicBool::new(false), &|_| {}).unwrap().unwrap()
        };
        let expected = run();
        let unit = UnitStore::of(place.path()).path(&spec, &spec.key(&settings, &pairs[0]));
        let claim = claim_of(&unit);
        let partial = ["partial", "0.partial"].map(|extension| unit.with_extension(extension));
        let unfinished = place.path().join("units/another.0123456789abcdef.0.partial");
        // A claim without a worker is stale by its own age.
        for (age, remains) in [(0, true), (3600, false)] {
            partial.iter().chain([&unfinished]).for_each(|path| std::fs::write(path, "").unwrap());
            let file = std::fs::File::create(&claim).unwrap();
            std::io::Write::write_all(&mut &file, b"worker.gone-1-x").unwrap();
            file.set_modified(std::time::SystemTime::now() - Duration::from_secs(age)).unwrap();
            assert_eq!(run(), expected);
            assert_eq!(claim.exists(), remains, "{age} s old");
            assert!(partial.iter().all(|path| !path.exists()) && unfinished.exists() && unit.exists());
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
