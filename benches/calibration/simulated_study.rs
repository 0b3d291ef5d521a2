//! One study of a population whose truth can be measured: every network that it trains is also tested on many texts that no study
//! ever sees.

use std::sync::atomic::AtomicBool;

use mtlcore::mtl::{
    data::{Corpus, Simulation},
    evaluation::interval::{Interval, Measure, PairedUnit, Side, nothing_learnt_by_most, paired_interval},
    settings::{HeadStart, Preset, Shared},
    streams::Streams,
    study::{Arm, FoldRows, PairData, Predictions, StudySettings, UnitSpec, assign},
};
use rand::seq::SliceRandom;

/// Rows of each measured task on which the truth is measured.
const FRESH_ROWS: usize = 8_000;
/// Rows of each task from which studies draw theirs, beside the fresh ones.
const POOL_ROWS: usize = 60_000;

/// What is compared, on which data.
#[derive(Clone, Copy)]
pub struct Scenario {
    pub name: &'static str,
    pub what: &'static str,
    /// Rows of both tasks.
    pub rows: [usize; 2],
    /// The share of true labels of the first task.
    pub prevalence: f64,
    pub relatedness: f64,
    /// Share of the words that the tasks have in common.
    pub overlap: f64,
    pub noise: f64,
    pub heads: HeadStart,
    pub layers: &'static [Shared],
    /// How many of the tasks are measured: the first, or both.
    pub measured: usize,
    /// The same arm twice, with other seeds: the true difference is zero.
    pub same_arm: bool,
    pub folds: usize,
    /// Trainings in every fold; intervals are made of the first three, and for the stopping rule of more.
    pub seeds: usize,
}

/// A population, from which studies draw their rows.
pub struct Population {
    scenario: Scenario,
    corpus: Corpus,
    /// Rows by the task that they are labelled for.
    rows: [Vec<usize>; 2],
}

/// What one study found in one cell, a task with a shared layer, by one measure.
pub struct Found {
    /// With three seeds, and with one.
    pub three: Interval,
    pub one: Interval,
    /// With 3, 4, … all seeds.
    pub more: Vec<Interval>,
    /// Whether most trainings of an arm learnt nothing: then a study gives no verdict.
    pub not_learnt: bool,
    /// The difference of each training on fresh texts.
    pub fresh: Vec<f64>,
}

/// One study: by measure, then by cell.
pub type Study = Vec<Vec<Found>>;

pub const MEASURES: [Measure; 3] = [Measure::F1Tuned, Measure::AveragePrecision, Measure::Accuracy];

impl Population {
    pub fn new(scenario: Scenario) -> Self {
        let Scenario { relatedness, overlap, noise, prevalence, .. } = scenario;
        let simulation = Simulation {
            rows: [POOL_ROWS + FRESH_ROWS; 2],
            relatedness,
            overlap,
            noise,
            prevalence: [prevalence, 0.3],
            ..Simulation::default()
        };
        let corpus = simulation.generate().expect("a population with both classes");
        let of = |task: usize| {
            let rows = corpus.records.iter().enumerate().filter(move |(_, record)| record.labels[task].is_some());
            rows.map(|(row, _)| row).collect()
        };
        let rows = [of(0), of(1)];
        Self { scenario, rows, corpus }
    }

    /// Draws the rows of study number `study`, and runs it.
    pub fn study(&self, study: u64) -> Study {
        let scenario = self.scenario;
        let seed = Streams::new(1).key("study of the calibration", study) >> 1;
        let settings = settings(scenario, seed);
        let (pair, drawn) = self.pair(&settings, seed);
        let cells = scenario.layers.len() * scenario.measured;
        let mut trained: Vec<Vec<[Trained; 2]>> = (0..cells).map(|_| Vec::new()).collect(); // [cells][folds·seeds]
        for (fold, training) in (0..scenario.folds).flat_map(|fold| (0..scenario.seeds).map(move |seed| (fold, seed))) {
            let rows = pair.rows(0, fold).expect("folds of both classes");
            let mut pairs = Vec::with_capacity(cells);
            for &shared in scenario.layers {
                let train = |arm: Arm, task: Option<usize>, training: usize| {
                    let spec = UnitSpec {
                        pair: pair.name.clone(),
                        shared: Some(shared),
                        arm,
                        task: task.map(|task| pair.dataset.tasks[task].clone()),
                        repeat: 0,
                        fold,
                        seed: training,
                    };
                    train(&spec, &settings, &pair, &rows, drawn, scenario.measured)
                };
                let mut together = if scenario.same_arm { vec![] } else { train(Arm::Mtl, None, training) };
                for task in 0..scenario.measured {
                    let [alone, other] = match scenario.same_arm {
                        false => [train(Arm::Stl, Some(task), training).remove(0), together.remove(0)],
                        true => [training, training + 1_000].map(|seed| train(Arm::Stl, Some(task), seed).remove(0)),
                    };
                    pairs.push([alone, other]);
                }
            }
            trained.iter_mut().zip(pairs).for_each(|(cell, pair)| cell.push(pair));
        }
        let groups: Vec<u64> = pair.dataset.examples.iter().map(|example| example.group).collect();
        let found = |measure| trained.iter().map(|cell| found(measure, cell, scenario.seeds, &groups)).collect();
        MEASURES.into_iter().map(found).collect()
    }

    /// The pair of one study: its rows, then the fresh ones, which are in no fold. Also returns where those begin.
    fn pair(&self, settings: &StudySettings, seed: u64) -> (PairData, usize) {
        let mut rng = Streams::new(seed).rng("rows of the study", 0);
        let draw = |rows: &[usize], number: usize, rng: &mut _| -> Vec<usize> {
            let mut rows = rows.to_vec();
            rows.partial_shuffle(rng, number).0.to_vec()
        };
        let [first, second] = [0, 1].map(|task| self.rows[task].split_at(POOL_ROWS));
        let mut rows = draw(first.0, self.scenario.rows[0], &mut rng);
        rows.extend(draw(second.0, self.scenario.rows[1], &mut rng));
        rows.sort_unstable();
        let drawn = rows.len();
        for fresh in [first.1, second.1].iter().take(self.scenario.measured) {
            rows.extend_from_slice(fresh);
        }
        let records = rows.iter().map(|&row| self.corpus.records[row].clone()).collect();
        let (tasks, sources) = (self.corpus.tasks.clone(), self.corpus.sources.clone());
        let corpus = Corpus { tasks, sources, records };
        let mut pair = PairData::new(settings, "pair", corpus).expect("rows of both classes");
        let examples = &pair.dataset.examples[..drawn];
        let mut folds =
            assign(&pair.dataset.tasks, examples, self.scenario.folds, 0, seed).expect("enough rows of a class");
        folds.resize(pair.dataset.examples.len(), None);
        pair.folds = vec![folds];
        (pair, drawn)
    }
}

fn settings(scenario: Scenario, seed: u64) -> StudySettings {
    let mut settings = StudySettings::preset(Preset::Default);
    (settings.folds, settings.seeds, settings.shared) = (scenario.folds, scenario.seeds, scenario.layers.to_vec());
    (settings.base.seed, settings.base.embedding_dim, settings.base.heads) = (seed, 25, scenario.heads);
    settings
}

/// The predictions of one network.
struct Trained {
    /// Of its fold's test rows.
    tested: Predictions,
    /// Of the fresh rows.
    fresh: Predictions,
}

impl Trained {
    fn score(&self, measure: Measure) -> f64 {
        let Predictions { probabilities, truths, .. } = &self.fresh;
        let metrics =
            mtlcore::mtl::evaluation::metrics::Metrics::new(probabilities, truths, threshold(measure, &self.tested));
        measure.of(&metrics)
    }
}

/// Trains a network and tests it on its fold's test rows and on the fresh ones: by task, as many as are measured.
fn train(
    spec: &UnitSpec,
    settings: &StudySettings,
    pair: &PairData,
    rows: &FoldRows,
    drawn: usize,
    measured: usize,
) -> Vec<Trained> {
    let mut test = rows.test.clone();
    test.extend(drawn..pair.dataset.examples.len());
    let rows = FoldRows { test, ..rows.clone() };
    let outcome = spec.run_on(settings, pair, &rows, &AtomicBool::new(false)).expect("the training converges");
    let outcome = outcome.expect("nothing interrupts");
    let tasks = pair.dataset.tasks.iter().take(measured).filter_map(|task| outcome.tasks.get(task));
    let of_task = |predictions: &Predictions| {
        let first_fresh = predictions.rows.partition_point(|&row| row < drawn);
        let part = |range: std::ops::Range<usize>| Predictions {
            rows: predictions.rows[range.clone()].to_vec(),
            truths: predictions.truths[range.clone()].to_vec(),
            probabilities: predictions.probabilities[range].to_vec(),
            inner: predictions.inner.clone(),
        };
        Trained { tested: part(0..first_fresh), fresh: part(first_fresh..predictions.rows.len()) }
    };
    tasks.map(of_task).collect()
}

/// One cell by one measure, as a study would see it.
fn found(measure: Measure, trained: &[[Trained; 2]], seeds: usize, groups: &[u64]) -> Found {
    let interval = |first: usize| {
        let trainings = trained.iter().enumerate().map(|(i, pair)| ((i / seeds, i % seeds), pair));
        let units = trainings
            .filter(|((_, seed), _)| *seed < first)
            .map(|(place, [base, other])| unit(measure, place, groups, &base.tested, &other.tested));
        paired_interval(measure, &units.collect::<Vec<_>>()).expect("two folds or more")
    };
    let nothing = |side: usize| {
        let first = trained.iter().enumerate().filter(|(i, _)| i % seeds < 3).map(|(_, pair)| &pair[side].tested);
        let predictions = first.map(|p| (&p.probabilities[..], &p.truths[..], threshold(measure, p)));
        nothing_learnt_by_most(measure, predictions).is_some()
    };
    Found {
        three: interval(3),
        one: interval(1),
        more: (3..=seeds).map(interval).collect(),
        not_learnt: nothing(0) || nothing(1),
        fresh: trained.iter().map(|[base, other]| other.score(measure) - base.score(measure)).collect(),
    }
}

fn threshold(measure: Measure, predictions: &Predictions) -> f64 {
    let tuned = predictions.tuned_threshold().filter(|_| measure == Measure::F1Tuned);
    tuned.unwrap_or(0.5)
}

fn unit<'a>(
    measure: Measure,
    (fold, seed): (usize, usize),
    groups: &'a [u64],
    base: &'a Predictions,
    other: &'a Predictions,
) -> PairedUnit<'a> {
    let side = |arm: &'a Predictions| Side { probabilities: &arm.probabilities, threshold: threshold(measure, arm) };
    let (rows, truths) = (&base.rows[..], &base.truths[..]);
    PairedUnit { repeat: 0, fold, seed, rows, groups, truths, base: side(base), other: side(other) }
}
