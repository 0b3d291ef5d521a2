//! One universe: a small study of learning alone and together, through the study's own machinery.

use std::sync::atomic::AtomicBool;

use indexmap::IndexMap;
use toml::Value;

use super::{Choice, Gain};
use crate::Result;
use crate::mtl::{
    evaluation::interval::{PairedUnit, paired_interval},
    study::{Arm, Event, Outcomes, PairData, StudySettings, UnitSpec, UnitStore, paired, run_units},
};

const POINTS: f64 = 100.0;

/// The settings of a universe: the starting point's, with each choice at a level.
///
/// # Errors
/// Levels that do not go with the other settings.
pub(super) fn settings_of(start: &StudySettings, choices: &[Choice], levels: &[usize]) -> Result<StudySettings> {
    let mut table = start.to_table();
    for (choice, &level) in choices.iter().zip(levels) {
        choice.levels.iter().flat_map(|level| level.sets.keys()).for_each(|field| drop(table.remove(field)));
        table.extend(choice.levels[level].sets.clone());
    }
    if !start.pairs.is_empty() {
        table.insert("pair".into(), Value::try_from(&start.pairs).expect("paths are UTF-8"));
    }
    StudySettings::load(None, table)
}

/// The gain of every task. `None` if `interrupted` was set on the way.
///
/// # Errors
/// Those of reading the pair; the first error of a unit.
pub(super) fn gains(
    study: &StudySettings,
    store: &UnitStore,
    interrupted: &AtomicBool,
    observe: &(dyn Fn(Event) + Sync),
) -> Result<Option<IndexMap<String, Gain>>> {
    let pair = PairData::all(study)?.swap_remove(0);
    let specs = specs(study, &pair);
    let Some(outcomes) = run_units(specs, study, std::slice::from_ref(&pair), store, interrupted, observe)? else {
        return Ok(None);
    };
    let groups: Vec<u64> = pair.dataset.examples.iter().map(|example| example.group).collect();
    let of_task = |task: &String| (task.clone(), gain(study, task, &groups, &outcomes));
    Ok(Some(pair.dataset.tasks.iter().map(of_task).collect()))
}

/// The number of units of a universe whose pair has `tasks` tasks.
pub(super) fn units(study: &StudySettings, tasks: usize) -> usize {
    (tasks + 1) * study.places().count() * study.seeds
}

/// Each task alone, then all together.
fn specs(study: &StudySettings, pair: &PairData) -> Vec<UnitSpec> {
    let alone = pair.dataset.tasks.iter().map(|task| (Arm::Stl, Some(task.clone())));
    let mut specs = Vec::new();
    for (arm, task) in alone.chain([(Arm::Mtl, None)]) {
        for (repeat, fold) in study.places() {
            for seed in 0..study.seeds {
                let (pair, task, shared) = (pair.name.clone(), task.clone(), Some(study.shared[0]));
                specs.push(UnitSpec { pair, shared, arm, task, repeat, fold, seed });
            }
        }
    }
    specs
}

fn gain(study: &StudySettings, task: &str, groups: &[u64], outcomes: &Outcomes) -> Gain {
    let of_arm = |arm: Arm| {
        let is_meant = move |spec: &UnitSpec| spec.arm == arm && spec.task.as_ref().is_none_or(|of| of == task);
        outcomes.iter().filter(move |(spec, _)| is_meant(spec))
    };
    let (measure, fixed) = (study.measure, study.base.threshold);
    let both = of_arm(Arm::Stl).zip(of_arm(Arm::Mtl));
    let units: Vec<PairedUnit<'_>> =
        both.map(|(alone, together)| paired(alone, together, task, groups, measure, fixed)).collect();
    let interval = paired_interval(measure, &units).expect("there are two folds or more");
    Gain {
        difference: POINTS * interval.difference,
        low: POINTS * interval.low,
        high: POINTS * interval.high,
        standard_error: POINTS * interval.standard_error,
        alone: interval.base,
        verdict: interval.verdict(study.rope / POINTS),
    }
}
