//! The measurement: units are trained by the study's own machinery and kept in its store; a cell is what all worlds say of it.

use std::{
    collections::HashMap,
    path::Path,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
};

use toml::Table;

use super::{Cell, Distribution, Ending, PHASE_MAP, PhaseMap, PhaseMapSettings, World};
use crate::Result;
use crate::mtl::{
    data::{SIMULATED_TASKS, Simulation},
    directories,
    evaluation::interval::{Measure, Verdict},
    files,
    relatedness::measured::mean,
    settings::Shared,
    study::{Arm, Control, Event, PairData, StudySettings, UnitOutcome, UnitSpec, UnitStore, run_units},
};

/// The settings' file; a directory without one is not overwritten.
const SETTINGS: &str = "phase-map.toml";
const POINTS: f64 = 100.0;
/// The fields that decide what a training is; the others are those of an ending, or have no effect here.
const DECISIVE: [&str; 11] = [
    "seed",
    "embedding-dim",
    "units",
    "filters",
    "dropout",
    "batch",
    "batches",
    "loss-normaliser",
    "learning-rate",
    "adam",
    "inner",
];

/// A cell's place: layer, ending, and positions on the axes of relatedness, size and ratio.
type Key = (Shared, usize, [usize; 3]);

/// The measurements of one cell, world by world.
#[derive(Default)]
struct Gathered {
    alone: Vec<f64>,
    gains: Vec<f64>,
    pooled: Vec<f64>,
    auroc: Vec<f64>,
    cut_short: usize,
}

/// Measures a map in the directory that the settings name. Finished units are kept there, so that the same call goes on where it was
/// stopped. `None` if `interrupted` was set on the way.
///
/// # Errors
/// [`Error::File`](crate::Error::File) for a directory that holds something else; the first error of a unit.
pub fn measure_phase_map(
    settings: &PhaseMapSettings,
    interrupted: &AtomicBool,
    observe: &(dyn Fn(Event) + Sync),
) -> Result<Option<PhaseMap>> {
    let directory = &settings.study.base.out;
    directories::begin(directory, SETTINGS, "phase map", &described(settings))?;
    let store = UnitStore::of(directory);
    let grid = &settings.grid;
    let axes = [grid.relatedness.len(), grid.sizes.len(), grid.ratios.len()];
    let endings = settings.endings();
    let in_a_batch = (grid.sizes.len() + 2 * axes.iter().product::<usize>()) * settings.study.shared.len();
    let all = in_a_batch * endings.len() * grid.replicates;
    let before = AtomicUsize::new(0);
    let observe_all = |event: Event| match event {
        Event::Progress { done, .. } => observe(Event::Progress { done: before.load(Ordering::Relaxed) + done, all }),
        other => observe(other),
    };
    let mut gathered: HashMap<Key, Gathered> = HashMap::new();
    for world in 0..grid.replicates {
        let data = WorldData::new(settings, world)?;
        for (place, (ending, study)) in endings.iter().enumerate() {
            let specs = data.specs(study, world);
            let outcomes = run_units(specs, study, &data.pairs, &store, interrupted, &observe_all)?;
            let Some(outcomes) = outcomes else { return Ok(None) };
            before.fetch_add(outcomes.len(), Ordering::Relaxed);
            let outcomes: Vec<UnitOutcome> = outcomes.into_iter().map(|(_, outcome)| outcome).collect();
            data.gather(study, ending, place, &outcomes, &mut gathered);
        }
    }
    let map = PhaseMap {
        version: env!("CARGO_PKG_VERSION").into(),
        measure: settings.study.measure,
        rope: settings.study.rope,
        shared: settings.study.shared.clone(),
        heads: settings.study.base.heads,
        grid: grid.clone(),
        endings: [endings[0].0, endings[1].0],
        simulation: Simulation { seed: 0, relatedness: 0.0, rows: [0; 2], ..grid.simulation(0, 0.0) },
        settings: decisive(&settings.study),
        cells: cells(settings, &gathered),
    };
    write(directory, &map)?;
    Ok(Some(map))
}

fn described(settings: &PhaseMapSettings) -> String {
    let PhaseMapSettings { study, grid, fixed_epochs } = settings;
    let grid = serde_json::to_string(grid).expect("a grid is plain data");
    format!("# A phase map of mtlcore: {grid}; {fixed_epochs} epochs where their number is fixed.\n{}", study.to_toml())
}

fn decisive(study: &StudySettings) -> Table {
    study.to_table().into_iter().filter(|(name, _)| DECISIVE.contains(&name.as_str())).collect()
}

fn write(directory: &Path, map: &PhaseMap) -> Result<()> {
    let json = serde_json::to_string_pretty(map).expect("a map is plain data") + "\n";
    files::write_atomically(&directory.join(PHASE_MAP), |output| output.write_all(json.as_bytes()))
}

/// The data of one world: alone at each size, then together at each relatedness, size and ratio.
struct WorldData<'s> {
    settings: &'s PhaseMapSettings,
    pairs: Vec<PairData>,
    /// Of each that is learnt together, its positions on the axes.
    places: Vec<[usize; 3]>,
}

impl<'s> WorldData<'s> {
    fn new(settings: &'s PhaseMapSettings, number: usize) -> Result<Self> {
        let (grid, study) = (&settings.grid, &settings.endings()[0].1);
        let (mut alone, mut together, mut places) = (Vec::new(), Vec::new(), Vec::new());
        for (i, &relatedness) in grid.relatedness.iter().enumerate() {
            let world = World::new(grid, study.base.seed, number, relatedness)?;
            for (j, &size) in grid.sizes.iter().enumerate() {
                if i == 0 {
                    alone.push(world.alone(study, size)?);
                }
                for (k, &ratio) in grid.ratios.iter().enumerate() {
                    together.push(world.together(study, size, ratio)?);
                    places.push([i, j, k]);
                }
            }
        }
        let pairs = alone.into_iter().chain(together).collect();
        Ok(Self { settings, pairs, places })
    }

    /// Layer by layer: alone, then with a head a task and with one head, place by place. `// [layers · (sizes + 2·places)]`
    fn specs(&self, study: &StudySettings, world: usize) -> Vec<UnitSpec> {
        let (alone, together) = self.pairs.split_at(self.settings.grid.sizes.len());
        let mut specs = Vec::new();
        for &shared in &study.shared {
            let mut add = |pair: &PairData, arm: Arm, task: Option<&str>| {
                let (pair, task, shared) = (pair.name.clone(), task.map(str::to_owned), Some(shared));
                // A training number of its own gives each world other initial weights.
                specs.push(UnitSpec { pair, shared, arm, task, repeat: 0, fold: 0, seed: world });
            };
            alone.iter().for_each(|pair| add(pair, Arm::Stl, Some(SIMULATED_TASKS[0])));
            for pair in together {
                add(pair, Arm::Mtl, None);
                add(pair, Arm::Control(Control::Pooled), None);
            }
        }
        specs
    }

    /// Adds what the units of this world say to each cell.
    fn gather(
        &self,
        study: &StudySettings,
        ending: &Ending,
        place_of_ending: usize,
        outcomes: &[UnitOutcome],
        gathered: &mut HashMap<Key, Gathered>,
    ) {
        let sizes = self.settings.grid.sizes.len();
        let of_layers = outcomes.chunks(sizes + 2 * self.places.len());
        // Of the main task's fresh texts.
        let score =
            |outcome: &UnitOutcome, measure| outcome.tasks[SIMULATED_TASKS[0]].score(measure, study.base.threshold);
        let is_cut = |outcome: &UnitOutcome| ending.patience > 0 && outcome.epochs.len() == ending.epochs;
        for (&shared, outcomes) in study.shared.iter().zip(of_layers) {
            let (alone, together) = outcomes.split_at(sizes);
            for (place, both) in self.places.iter().zip(together.chunks(2)) {
                let (alone, together, pooled) = (&alone[place[1]], &both[0], &both[1]);
                let cell = gathered.entry((shared, place_of_ending, *place)).or_default();
                let base = score(alone, study.measure);
                cell.alone.push(base);
                cell.gains.push(rounded(score(together, study.measure) - base));
                cell.pooled.push(rounded(score(pooled, study.measure) - base));
                cell.auroc.push(rounded(score(together, Measure::Auroc) - score(alone, Measure::Auroc)));
                cell.cut_short += usize::from(is_cut(alone)) + usize::from(is_cut(together));
            }
        }
    }
}

/// Points to a thousandth: finer than any test can tell.
fn rounded(difference: f64) -> f64 {
    (1000.0 * POINTS * difference).round() / 1000.0
}

fn cells(settings: &PhaseMapSettings, gathered: &HashMap<Key, Gathered>) -> Vec<Cell> {
    let PhaseMapSettings { study, grid, .. } = settings;
    let endings = settings.endings();
    let mut keys: Vec<&Key> = gathered.keys().collect();
    keys.sort();
    let cell = |key: &Key| {
        let Gathered { alone, gains, pooled, auroc, cut_short } = &gathered[key];
        let &(shared, ending, [i, j, k]) = key;
        let of =
            |gains: &[f64]| Distribution::new(&gains.iter().map(|&gain| vec![gain]).collect::<Vec<_>>(), study.rope);
        let gain = of(gains);
        Cell {
            shared,
            regime: endings[ending].0.regime,
            relatedness: grid.relatedness[i],
            size: grid.sizes[j],
            ratio: grid.ratios[k],
            verdict: Verdict::of(gain.low, gain.high, study.rope),
            gain,
            pooled: of(pooled),
            alone: mean(alone),
            cut_short: *cut_short,
            gains: gains.clone(),
            pooled_gains: pooled.clone(),
            auroc_gains: auroc.clone(),
        }
    };
    keys.into_iter().map(cell).collect()
}
