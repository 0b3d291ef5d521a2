//! The experiment: units are trained by the study's own machinery and kept in its store; gains are computed from their predictions.

use std::{
    path::Path,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
};

use super::{GAINS, Gain, GainSettings, Gains, LeftOut, Size, design::TaskRows};
use crate::Result;
use crate::mtl::{
    directories,
    evaluation::interval::{Interval, Measure, PairedUnit, paired_interval},
    files,
    settings::Shared,
    study::{Arm, Event, Outcomes, PairData, UnitOutcome, UnitSpec, UnitStore, paired, run_units},
};

/// The settings' file in a directory of gains; a directory without one is not overwritten.
const SETTINGS: &str = "gains.toml";
const POINTS: f64 = 100.0;

/// Measures the gain of every ordered pair at every size with every layer, in the directory that the settings name. Finished units
/// are kept there, so that the same call goes on where it was stopped; `gains.json` holds the gains measured so far. `None` if
/// `interrupted` was set on the way.
///
/// # Errors
/// Those of reading the tasks' files; [`Error::File`](crate::Error::File) for a directory that holds something else; the first error of a unit.
pub fn measure_gains(
    settings: &GainSettings,
    interrupted: &AtomicBool,
    observe: &(dyn Fn(Event) + Sync),
) -> Result<Option<Gains>> {
    let directory = &settings.study.base.out;
    directories::begin(directory, SETTINGS, "gains", &described(settings))?;
    let tasks = TaskRows::all(settings)?;
    let (pairs, left_out) = pairs(settings, &tasks);
    let mut gains = Gains {
        version: env!("CARGO_PKG_VERSION").into(),
        measure: settings.study.measure,
        rope: settings.study.rope,
        folds: settings.study.folds,
        repeats: settings.study.repeats,
        seeds: settings.study.seeds,
        epochs: [settings.study.base.epochs, settings.study.base.patience],
        heads: settings.study.base.heads,
        partner_size: settings.partner_size.to_string(),
        tasks: tasks.iter().map(|task| task.name.clone()).collect(),
        finished: false,
        gains: Vec::new(),
        ceilings: Vec::new(),
        left_out,
    };
    let store = UnitStore::of(directory);
    let a_cell = 2 * settings.study.places().count() * settings.study.seeds * settings.study.shared.len();
    let all = pairs.iter().map(|(_, _, cells)| cells.len() * a_cell).sum();
    let before = AtomicUsize::new(0);
    let observe_all = |event: Event| match event {
        Event::Progress { done, .. } => observe(Event::Progress { done: before.load(Ordering::Relaxed) + done, all }),
        damaged => observe(damaged),
    };
    for (a, b, cells) in &pairs {
        let of_pair = PairUnits::new(settings, [&tasks[*a], &tasks[*b]], cells)?;
        let specs = of_pair.specs(settings);
        let units = specs.len();
        let outcomes = run_units(specs, &settings.study, &of_pair.data, &store, interrupted, &observe_all)?;
        let Some(outcomes) = outcomes else { return Ok(None) };
        before.fetch_add(units, Ordering::Relaxed);
        gains.gains.extend(of_pair.gains(settings, &outcomes));
        // A killed run leaves what it has measured.
        write(directory, &gains)?;
    }
    gains.gains.sort_by(|a, b| {
        let key = |gain: &Gain| (gain.main.clone(), gain.partner.clone(), gain.shared, gain.size);
        key(a).cmp(&key(b))
    });
    gains.finished = true;
    gains.set_ceilings();
    write(directory, &gains)?;
    Ok(Some(gains))
}

/// The settings' file, for people.
fn described(settings: &GainSettings) -> String {
    let list = |sizes: &[Size]| sizes.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    format!(
        "# Gains of mtlcore: sizes {}, partners of {}.\n{}",
        list(&settings.sizes),
        settings.partner_size,
        settings.study.to_toml()
    )
}

fn write(directory: &Path, gains: &Gains) -> Result<()> {
    let json = serde_json::to_string_pretty(gains).expect("gains are plain data") + "\n";
    files::write_atomically(&directory.join(GAINS), |output| output.write_all(json.as_bytes()))
}

/// Which side is the main task, and a size.
type Cell = (usize, Size);

/// Two tasks, and the cells of their two ordered pairs.
type TaskPair = (usize, usize, Vec<Cell>);

/// The unordered pairs with the cells of each, and the pairs and sizes that are left out. Neighbours in the list of tasks come first, so
/// that a run that was stopped has measured all tasks about equally often.
fn pairs(settings: &GainSettings, tasks: &[TaskRows]) -> (Vec<TaskPair>, Vec<LeftOut>) {
    let (mut pairs, mut left_out) = (Vec::new(), Vec::new());
    for task in tasks {
        for &size in settings.sizes.iter().filter(|&&size| !task.has(size)) {
            let reason = format!("a fold learns from {} rows at most", task.learnt_from(Size::All));
            let size = Some(size.to_string());
            left_out.push(LeftOut { main: task.name.clone(), partner: String::new(), size, reason });
        }
    }
    let n = tasks.len();
    for distance in 1..n {
        for (a, b) in (0..n).map(|a| (a, a + distance)).filter(|&(_, b)| b < n) {
            if let Some(reason) = tasks[a].left_out(&tasks[b]) {
                left_out.push(reason);
                continue;
            }
            let cells = [a, b].into_iter().enumerate().flat_map(|(side, task)| {
                let sizes = settings.sizes.iter().copied().filter(move |&size| tasks[task].has(size));
                sizes.map(move |size| (side, size))
            });
            let cells: Vec<Cell> = cells.collect();
            if !cells.is_empty() {
                pairs.push((a, b, cells));
            }
        }
    }
    (pairs, left_out)
}

/// Everything that is trained for one unordered pair.
struct PairUnits<'t> {
    tasks: [&'t TaskRows; 2],
    cells: &'t [Cell],
    /// Alone and together, cell by cell. `// [2·cells]`
    data: Vec<PairData>,
}

impl<'t> PairUnits<'t> {
    fn new(settings: &GainSettings, tasks: [&'t TaskRows; 2], cells: &'t [Cell]) -> Result<Self> {
        let mut data = Vec::new();
        for &(side, size) in cells {
            let (main, partner) = (tasks[side], tasks[1 - side]);
            data.push(main.alone(settings, size)?);
            data.push(main.with_partner(settings, size, partner)?);
        }
        Ok(Self { tasks, cells, data })
    }

    fn specs(&self, settings: &GainSettings) -> Vec<UnitSpec> {
        let study = &settings.study;
        let mut specs = Vec::new();
        for (pair, is_alone) in self.data.iter().zip([true, false].into_iter().cycle()) {
            let (arm, task) = match is_alone {
                true => (Arm::Stl, Some(pair.dataset.tasks[0].clone())),
                false => (Arm::Mtl, None),
            };
            for &shared in &study.shared {
                for (repeat, fold) in study.places() {
                    for seed in 0..study.seeds {
                        let (pair, task, shared) = (pair.name.clone(), task.clone(), Some(shared));
                        specs.push(UnitSpec { pair, shared, arm, task, repeat, fold, seed });
                    }
                }
            }
        }
        specs
    }

    fn gains(&self, settings: &GainSettings, outcomes: &Outcomes) -> Vec<Gain> {
        let cells = self.cells.iter().zip(self.data.chunks(2));
        let gains = cells.flat_map(|(&(side, size), data)| {
            settings.study.shared.iter().map(move |&shared| {
                let (main, partner) = (self.tasks[side], self.tasks[1 - side]);
                let compared = Compared::new(settings, data, &main.name, shared, outcomes);
                compared.gain(main, partner, size)
            })
        });
        gains.collect()
    }
}

/// Both arms of one comparison, training by training.
struct Compared<'o> {
    settings: &'o GainSettings,
    shared: Shared,
    task: String,
    groups: Vec<u64>,
    /// Alone and together.
    trainings: Vec<[&'o (UnitSpec, UnitOutcome); 2]>,
}

impl<'o> Compared<'o> {
    fn new(settings: &'o GainSettings, data: &[PairData], task: &str, shared: Shared, outcomes: &'o Outcomes) -> Self {
        let of = |pair: &PairData| {
            let name = pair.name.clone();
            outcomes.iter().filter(move |(spec, _)| spec.pair == name && spec.shared == Some(shared))
        };
        let trainings = of(&data[0]).zip(of(&data[1])).map(|(alone, together)| [alone, together]).collect();
        let groups = data[0].dataset.examples.iter().map(|example| example.group).collect();
        Self { settings, shared, task: task.to_owned(), groups, trainings }
    }

    /// The interval over the trainings for which `place` gives a (repeat, fold).
    fn interval(&self, measure: Measure, place: impl Fn(&UnitSpec) -> Option<(usize, usize)>) -> Option<Interval> {
        let fixed = self.settings.study.base.threshold;
        let unit = |&[alone, together]: &[&'o (UnitSpec, UnitOutcome); 2]| {
            let (repeat, fold) = place(&alone.0)?;
            Some(PairedUnit { repeat, fold, ..paired(alone, together, &self.task, &self.groups, measure, fixed) })
        };
        paired_interval(measure, &self.trainings.iter().filter_map(unit).collect::<Vec<_>>())
    }

    fn gain(&self, main: &TaskRows, partner: &TaskRows, size: Size) -> Gain {
        let study = &self.settings.study;
        let everywhere = |spec: &UnitSpec| Some((spec.repeat, spec.fold));
        let interval = self.interval(study.measure, everywhere).expect("there are two folds or more");
        let auroc = self.interval(Measure::Auroc, everywhere).expect("there are two folds or more");
        let half = |measure: Measure, side: usize| {
            let place = |spec: &UnitSpec| match study.repeats {
                1 => (spec.fold % 2 == side).then_some((0, spec.fold / 2)),
                _ => (spec.repeat % 2 == side).then_some((spec.repeat / 2, spec.fold)),
            };
            self.interval(measure, place).map(|interval| POINTS * interval.difference)
        };
        let halves = |measure| half(measure, 0).zip(half(measure, 1)).map(|(first, second)| [first, second]);
        Gain {
            main: main.name.clone(),
            partner: partner.name.clone(),
            shared: self.shared,
            size: main.learnt_from(size),
            requested_size: size.to_string(),
            partner_size: partner.learnt_from(self.settings.partner_size),
            difference: POINTS * interval.difference,
            low: POINTS * interval.low,
            high: POINTS * interval.high,
            standard_error: POINTS * interval.standard_error,
            verdict: interval.verdict(study.rope / POINTS),
            alone: interval.base,
            together: interval.other,
            auroc: POINTS * auroc.difference,
            halves: halves(study.measure),
            auroc_halves: halves(Measure::Auroc),
        }
    }
}
