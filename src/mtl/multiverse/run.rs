//! All universes: those of the Latin hypercube, and the starting point with one choice swapped, or two.

use std::{
    collections::HashMap,
    path::Path,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
};

use indexmap::IndexMap;

use super::{
    Choice, Counts, Flip, Gain, MULTIVERSE, Multiverse, TaskMultiverse, Universe, hypercube::latin_hypercube,
    open_choices, universe, variance::shares,
};
use crate::mtl::{
    directories, files,
    study::{Event, PairData, StudySettings, UnitStore},
};
use crate::{Error, Result};

/// The settings' file; a directory without one is not overwritten.
const SETTINGS: &str = "multiverse.toml";
/// How often levels are permuted.
const DRAWS: usize = 999;
/// Single swaps that are tried in pairs where none flips the sign: those that move the gain most towards the other sign.
const SWAPS_TO_PAIR: usize = 3;

/// The settings of a multiverse.
#[derive(Clone, Debug)]
pub struct MultiverseSettings {
    /// The starting point, with one pair or the simulated ones, of which the first is taken.
    pub study: StudySettings,
    /// Universes of the Latin hypercube.
    pub universes: usize,
}

/// A choice and another level of it than the starting point's, by their places.
type Swap = (usize, usize);

/// The levels of the starting point with some choices swapped.
fn swapped(start: &[usize], swaps: &[Swap]) -> Vec<usize> {
    let mut levels = start.to_vec();
    swaps.iter().for_each(|&(choice, level)| levels[choice] = level);
    levels
}

/// The gains of every task in a universe.
type Gains = IndexMap<String, Gain>;

/// Measures a multiverse in the directory that the settings name. Finished units are kept there, so that the same call goes on where it
/// was stopped. `None` if `interrupted` was set on the way.
///
/// # Errors
/// [`Error::Config`] for several pairs; [`Error::File`] for a directory that holds something else; the first error of a unit.
pub fn measure_multiverse(
    settings: &MultiverseSettings,
    interrupted: &AtomicBool,
    observe: &(dyn Fn(Event) + Sync),
) -> Result<Option<Multiverse>> {
    let study = &settings.study;
    if study.pairs.len() > 1 {
        let message = format!("found {}, expected one: a multiverse is of one pair", study.pairs.len());
        return Err(Error::config("pair", message));
    }
    let choices = open_choices(study);
    let levels: Vec<usize> = choices.iter().map(|choice| choice.levels.len()).collect();
    let most = levels.iter().copied().max().unwrap_or(1);
    if settings.universes < most {
        let message = format!(
            "found {}, expected {most} or more, the levels of the choice that has most of them",
            settings.universes
        );
        return Err(Error::config("universes", message));
    }
    let directory = &study.base.out;
    directories::begin(directory, SETTINGS, "multiverse", &described(settings))?;
    let start: Vec<usize> = choices.iter().map(|choice| choice.start).collect();
    let design = latin_hypercube(&levels, settings.universes, study.base.seed);
    let swaps: Vec<Swap> = choices
        .iter()
        .enumerate()
        .flat_map(|(place, choice)| (0..choice.levels.len()).map(move |level| (place, level)))
        .filter(|&(place, level)| level != start[place])
        .collect();
    let swapped = |swaps: &[Swap]| swapped(&start, swaps);
    let mut universes = Universes::new(settings, &choices, 1 + design.len() + swaps.len(), interrupted, observe)?;
    let singles: Vec<Vec<usize>> = swaps.iter().map(|&swap| swapped(&[swap])).collect();
    // The starting point, then both kinds: a run that was stopped has the most telling universes.
    for levels in std::iter::once(&start).chain(&design).chain(&singles) {
        if universes.measure(levels)?.is_none() {
            return Ok(None);
        }
    }
    let tasks: Vec<String> = universes.known[&start].keys().cloned().collect();
    let mut pairs_of_swaps: HashMap<String, Vec<[Swap; 2]>> = HashMap::new();
    for task in &tasks {
        let found = pairs_to_try(&universes, task, &start, &swaps);
        universes.all += found.len() * universes.units;
        for pair in &found {
            if universes.measure(&swapped(pair))?.is_none() {
                return Ok(None);
            }
        }
        pairs_of_swaps.insert(task.clone(), found);
    }
    let names: Vec<&str> = choices.iter().map(|choice| choice.name.as_str()).collect();
    let of_task = |task: &String| {
        let gain = |levels: &Vec<usize>| universes.known[levels][task];
        let start_gain = gain(&start);
        let gains: Vec<Gain> = design.iter().map(gain).collect();
        let values: Vec<f64> = gains.iter().map(|gain| gain.difference).collect();
        let mut of_design: Vec<Universe> =
            design.iter().zip(&gains).map(|(levels, &gain)| Universe { levels: levels.clone(), gain }).collect();
        of_design.sort_by(|a, b| a.gain.difference.total_cmp(&b.gain.difference));
        let pairs = &pairs_of_swaps[task];
        let tried = swaps.iter().map(|&swap| vec![swap]).chain(pairs.iter().map(|pair| pair.to_vec()));
        let mut flips: Vec<Flip> = tried.filter_map(|swaps| flip(start_gain, gain(&swapped(&swaps)), swaps)).collect();
        flips.sort_by(|a, b| {
            let size = |flip: &Flip| flip.gain.difference.abs();
            a.swaps.len().cmp(&b.swaps.len()).then(size(b).total_cmp(&size(a)))
        });
        TaskMultiverse {
            task: task.clone(),
            start: start_gain,
            counts: Counts::of(gains.iter().map(|gain| gain.verdict)),
            noise: noise(&gains),
            shares: shares(&names, &design, &values, DRAWS, study.base.seed),
            universes: of_design,
            flips,
            tried: [swaps.len(), pairs.len()],
        }
    };
    let found = Multiverse {
        version: env!("CARGO_PKG_VERSION").into(),
        pair: universes.pair.clone(),
        rope: study.rope,
        folds: study.folds,
        seeds: study.seeds,
        draws: DRAWS,
        tasks: tasks.iter().map(of_task).collect(),
        choices: choices.clone(),
    };
    write(directory, &found)?;
    Ok(Some(found))
}

fn described(settings: &MultiverseSettings) -> String {
    format!("# A multiverse of mtlcore: {} universes.\n{}", settings.universes, settings.study.to_toml())
}

fn write(directory: &Path, found: &Multiverse) -> Result<()> {
    let json = serde_json::to_string_pretty(found).expect("a multiverse is plain data") + "\n";
    files::write_atomically(&directory.join(MULTIVERSE), |output| output.write_all(json.as_bytes()))
}

/// The universes that have been measured, by their levels.
struct Universes<'s> {
    settings: &'s MultiverseSettings,
    choices: &'s [Choice],
    store: UnitStore,
    interrupted: &'s AtomicBool,
    observe: &'s (dyn Fn(Event) + Sync),
    pair: String,
    /// Units of one universe, and of all that are known to be coming.
    units: usize,
    all: usize,
    known: HashMap<Vec<usize>, Gains>,
}

impl<'s> Universes<'s> {
    fn new(
        settings: &'s MultiverseSettings,
        choices: &'s [Choice],
        coming: usize,
        interrupted: &'s AtomicBool,
        observe: &'s (dyn Fn(Event) + Sync),
    ) -> Result<Self> {
        // Says what is wrong with the files before anything is trained.
        let pair = PairData::all(&settings.study)?.swap_remove(0);
        let units = universe::units(&settings.study, pair.dataset.tasks.len());
        let store = UnitStore::of(&settings.study.base.out);
        let (pair, all, known) = (pair.name, units * coming, HashMap::new());
        Ok(Self { settings, choices, store, interrupted, observe, pair, units, all, known })
    }

    /// The gains of a universe. `None` if it was interrupted.
    fn measure(&mut self, levels: &[usize]) -> Result<Option<&Gains>> {
        if !self.known.contains_key(levels) {
            let study = universe::settings_of(&self.settings.study, self.choices, levels)?;
            let before = AtomicUsize::new(self.known.len() * self.units);
            let (all, observe) = (self.all, self.observe);
            let observe = |event: Event| match event {
                Event::Progress { done, .. } => {
                    observe(Event::Progress { done: before.load(Ordering::Relaxed) + done, all });
                }
                other => observe(other),
            };
            let Some(gains) = universe::gains(&study, &self.store, self.interrupted, &observe)? else {
                return Ok(None);
            };
            self.known.insert(levels.to_vec(), gains);
        }
        Ok(self.known.get(levels))
    }
}

/// The pairs of swaps to try for a task: none where a single swap flips its sign clearly, else those of the swaps that move the gain most
/// towards the other sign, of different choices.
fn pairs_to_try(universes: &Universes<'_>, task: &str, start: &[usize], swaps: &[Swap]) -> Vec<[Swap; 2]> {
    let gain = |swaps: &[Swap]| universes.known[&swapped(start, swaps)][task];
    let from = universes.known[start][task];
    let is_clear = |swap: &Swap| flip(from, gain(&[*swap]), vec![*swap]).is_some_and(|flip| flip.is_clear);
    if swaps.iter().any(is_clear) {
        return Vec::new();
    }
    let towards = |swap: &Swap| -from.difference.signum() * (gain(&[*swap]).difference - from.difference);
    let mut ranked = swaps.to_vec();
    ranked.sort_by(|a, b| towards(b).total_cmp(&towards(a)));
    let mut best: Vec<Swap> = Vec::new();
    for swap in ranked {
        if best.len() < SWAPS_TO_PAIR && !best.iter().any(|(choice, _)| *choice == swap.0) {
            best.push(swap);
        }
    }
    (0..best.len()).flat_map(|i| (i + 1..best.len()).map(move |j| (i, j))).map(|(i, j)| [best[i], best[j]]).collect()
}

/// `to` as a flip of `from`, if it has the other sign.
fn flip(from: Gain, to: Gain, swaps: Vec<Swap>) -> Option<Flip> {
    let holds_zero = |gain: &Gain| gain.low <= 0.0 && gain.high >= 0.0;
    let is_clear = !holds_zero(&from) && !holds_zero(&to);
    (from.difference * to.difference < 0.0).then_some(Flip { swaps, gain: to, is_clear })
}

/// The share of the variance over universes that the error of single ones makes.
fn noise(gains: &[Gain]) -> f64 {
    let count = gains.len() as f64;
    let mean = gains.iter().map(|gain| gain.difference).sum::<f64>() / count;
    let variance = gains.iter().map(|gain| (gain.difference - mean).powi(2)).sum::<f64>() / (count - 1.0).max(1.0);
    let error = gains.iter().map(|gain| gain.standard_error.powi(2)).sum::<f64>() / count;
    if variance > 0.0 { (error / variance).min(1.0) } else { 1.0 }
}
