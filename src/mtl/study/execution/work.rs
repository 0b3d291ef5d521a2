//! The units of a study in the order in which they are done, and one of them from its claim to its file.

use std::{path::PathBuf, sync::atomic::AtomicBool};

use super::{
    Event, UnitOutcome, UnitStore,
    lease::{Claiming, Worker},
    partial::{self, Partial},
    store::claim_of,
};
use crate::mtl::study::planning::{PairData, StudySettings, UnitSpec};
use crate::{Error, Result};

/// A unit and its pair.
pub(super) struct Work<'p> {
    /// Its place in the plan.
    pub place: usize,
    pub spec: UnitSpec,
    pub key: String,
    cost: usize,
    pair: &'p PairData,
}

/// What came of a unit.
pub(super) enum Done {
    Finished(Box<UnitOutcome>),
    /// Another process, as `host.pid`, works on it.
    Elsewhere(String),
    Interrupted,
}

impl Work<'_> {
    /// Runs the unit, or reads it if another process was faster.
    pub fn run(
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

/// Units in the order in which they are done and dealt to shards: the dearest first, and those of one cost by their keys.
pub(super) fn in_order<'p>(specs: Vec<UnitSpec>, settings: &StudySettings, pairs: &'p [PairData]) -> Vec<Work<'p>> {
    let work = specs.into_iter().enumerate().map(|(place, spec)| {
        let pair = pairs.iter().find(|pair| pair.name == spec.pair).expect("units are of these pairs");
        Work { place, key: spec.key(settings, pair), cost: spec.cost(pair), spec, pair }
    });
    let mut work: Vec<Work> = work.collect();
    work.sort_by(|a, b| b.cost.cmp(&a.cost).then_with(|| a.key.cmp(&b.key)));
    work
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
