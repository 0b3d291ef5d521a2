//! One universe: a small study of learning alone and together, through the study's own machinery.

use std::sync::atomic::AtomicBool;

use indexmap::IndexMap;
use toml::Value;

use super::{Choice, Gain};
use crate::Result;
use crate::mtl::{
    evaluation::interval::{Measure, PairedUnit, Side, paired_interval},
    study::{Arm, Event, Outcomes, PairData, Predictions, StudySettings, UnitOutcome, UnitSpec, UnitStore, run_units},
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

/// Units of a universe of a pair of so many tasks.
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

fn gain<'o>(study: &StudySettings, task: &str, groups: &[u64], outcomes: &'o Outcomes) -> Gain {
    let measure = study.measure;
    let threshold = |predictions: &Predictions| {
        let tuned = predictions.tuned_threshold().filter(|_| measure == Measure::F1Tuned);
        tuned.unwrap_or(study.base.threshold)
    };
    let of_arm = |arm: Arm| {
        let is_meant = move |spec: &UnitSpec| spec.arm == arm && spec.task.as_ref().is_none_or(|of| of == task);
        outcomes.iter().filter(move |(spec, _)| is_meant(spec))
    };
    let of_task = |outcome: &'o UnitOutcome| &outcome.tasks[task];
    let paired: Vec<PairedUnit<'_>> = of_arm(Arm::Stl)
        .zip(of_arm(Arm::Mtl))
        .map(|((spec, alone), (_, together))| {
            let (alone, together) = (of_task(alone), of_task(together));
            assert_eq!(alone.rows, together.rows, "both are tested on the same rows");
            let base = Side { probabilities: &alone.probabilities, threshold: threshold(alone) };
            let other = Side { probabilities: &together.probabilities, threshold: threshold(together) };
            let UnitSpec { repeat, fold, seed, .. } = *spec;
            PairedUnit { repeat, fold, seed, rows: &alone.rows, groups, truths: &alone.truths, base, other }
        })
        .collect();
    let interval = paired_interval(measure, &paired).expect("there are two folds or more");
    Gain {
        difference: POINTS * interval.difference,
        low: POINTS * interval.low,
        high: POINTS * interval.high,
        standard_error: POINTS * interval.standard_error,
        alone: interval.base,
        verdict: interval.verdict(study.rope / POINTS),
    }
}
