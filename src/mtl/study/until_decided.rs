//! Adding trainings to the comparisons that are open, until they are decided or cannot be.

use std::{
    sync::atomic::AtomicBool,
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

use super::{
    Study,
    execution::{Event, threads},
    findings::{Results, results::Narrowing},
    planning::{Seeds, UnitSpec},
};
use crate::Result;
use crate::mtl::{evaluation::interval::Verdict, settings::Shared};

/// Why no more trainings are added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// No comparison is undecided.
    Decided,
    /// Some are, and no number of trainings would decide them: their texts are too few.
    TextsLimit,
    /// The next trainings would take longer than the budget leaves.
    Budget,
}

impl Study {
    /// Runs the study, then adds one training a fold to every comparison that is undecided and that more trainings can decide, the
    /// cheapest first, looks again, and so on. How often it looked costs little: the interval's margin covers it
    /// (`docs/calibration.md` counts the false verdicts). Every state is kept, so that the same call goes on after a stop. `None` if
    /// `interrupted` was set on the way.
    ///
    /// # Errors
    /// As [`Study::run`].
    pub fn run_until_decided(
        &mut self,
        budget: Option<Duration>,
        interrupted: &AtomicBool,
        observe: &(dyn Fn(Event) + Sync),
    ) -> Result<Option<(Results, Ended)>> {
        let begin = Instant::now();
        loop {
            let Some(results) = self.run(interrupted, observe)? else { return Ok(None) };
            let open = open_comparisons(&results);
            if open.is_empty() {
                return Ok(Some((results, Ended::Decided)));
            }
            let closable = open.into_iter().filter(|open| open.can_be_closed).map(|open| (open.pair, open.shared));
            let mut closable: Vec<(String, Shared)> = closable.collect();
            if closable.is_empty() {
                return Ok(Some((results, Ended::TextsLimit)));
            }
            closable.sort_by_key(|(pair, shared)| self.cost_of_a_seed(pair, *shared));
            let seconds_a_cost = self.seconds_a_cost()?;
            let mut left = budget.map(|budget| budget.saturating_sub(begin.elapsed()).as_secs_f64());
            let mut added = false;
            for (pair, shared) in closable {
                if let Some(left) = &mut left {
                    *left -= self.cost_of_a_seed(&pair, shared) as f64 * seconds_a_cost;
                    if *left < 0.0 {
                        break;
                    }
                }
                self.seeds.add(&pair, shared);
                added = true;
            }
            if !added {
                return Ok(Some((results, Ended::Budget)));
            }
            // Before the units, so that a stopped study goes on with the same ones.
            self.new_manifest()?.write(self.directory())?;
        }
    }

    /// What one more training of every arm in every fold costs, in the unit of [`UnitSpec::cost`].
    fn cost_of_a_seed(&self, pair: &str, shared: Shared) -> usize {
        let all = UnitSpec::all(&self.settings, &self.pairs, &Seeds::everywhere(1));
        let units = all.iter().filter(|spec| spec.pair == pair && spec.shared == Some(shared));
        units.map(|spec| spec.cost(self.pair_of(spec))).sum()
    }

    /// What a unit of cost took so far, with all threads at work.
    fn seconds_a_cost(&self) -> Result<f64> {
        let outcomes = self.outcomes()?;
        let networks = || outcomes.iter().filter(|(spec, _)| spec.shared.is_some());
        let seconds: f64 = networks().map(|(_, outcome)| outcome.seconds).sum();
        let cost: usize = networks().map(|(spec, _)| spec.cost(self.pair_of(spec))).sum();
        Ok(seconds / cost.max(1) as f64 / threads(&self.settings) as f64)
    }
}

/// A comparison without an answer.
struct Open {
    pair: String,
    shared: Shared,
    can_be_closed: bool,
}

/// The pairs with shared layers of which some task is undecided, each once.
fn open_comparisons(results: &Results) -> Vec<Open> {
    let can_be_closed = |narrowing: &Option<Narrowing>| narrowing.as_ref().is_some_and(|n| n.seeds_to_decide.is_some());
    let mut all: Vec<Open> = Vec::new();
    let mut add = |pair: &str, shared: Shared, can_be_closed: bool| match all
        .iter_mut()
        .find(|open| open.pair == pair && open.shared == shared)
    {
        Some(open) => open.can_be_closed |= can_be_closed,
        None => all.push(Open { pair: pair.to_owned(), shared, can_be_closed }),
    };
    for pair in &results.pairs {
        for layer in &pair.layers {
            for task in layer.tasks.iter().filter(|task| task.cell.verdict == Verdict::Undecided) {
                add(&pair.name, layer.shared, can_be_closed(&task.cell.narrowing));
            }
        }
        for task in pair.answer.tasks.iter().filter(|task| task.verdict == Verdict::Undecided) {
            for shared in [task.shared_together, task.shared_alone] {
                add(&pair.name, shared, can_be_closed(&task.narrowing));
            }
        }
    }
    all
}
