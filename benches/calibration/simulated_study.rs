//! One study of a population whose truth can be measured: every network that it trains is also tested on many texts that no study
//! ever sees.

use std::sync::atomic::AtomicBool;

use mtlcore::mtl::{
    data::{Corpus, Simulation},
    evaluation::interval::{Interval, Measure, PairedUnit, Side, paired_interval},
    settings::{Preset, Shared},
    streams::Streams,
    study::{Arm, FoldRows, PairData, Predictions, StudySettings, UnitSpec, assign},
};
use rand::seq::SliceRandom;

/// Rows on which the truth is measured.
const FRESH_ROWS: usize = 8_000;
/// Rows from which studies draw theirs, beside the fresh ones.
const POOL_ROWS: usize = 60_000;

/// What is compared, on which data.
#[derive(Clone, Copy)]
pub struct Scenario {
    pub name: &'static str,
    pub what: &'static str,
    /// Rows of the task that is measured, and of its partner.
    pub rows: [usize; 2],
    /// The share of true labels of the task that is measured.
    pub prevalence: f64,
    pub relatedness: f64,
    /// Share of the words that the tasks have in common.
    pub overlap: f64,
    pub noise: f64,
    pub shared: Shared,
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

/// What one study found.
pub struct Found {
    /// By measure: with the first three seeds, with one, and with 3, 4, … all seeds.
    pub intervals: Vec<(Measure, Interval, Interval, Vec<Interval>)>,
    /// By measure, the difference of each training on fresh texts.
    pub fresh: Vec<(Measure, Vec<f64>)>,
}

pub const MEASURES: [Measure; 3] = [Measure::F1Tuned, Measure::AveragePrecision, Measure::Accuracy];

impl Population {
    pub fn new(scenario: Scenario) -> Self {
        let Scenario { relatedness, overlap, noise, prevalence, .. } = scenario;
        let simulation = Simulation {
            rows: [POOL_ROWS + FRESH_ROWS, POOL_ROWS],
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
    pub fn study(&self, study: u64) -> Found {
        let scenario = self.scenario;
        let seed = Streams::new(1).key("study of the calibration", study) >> 1;
        let settings = settings(scenario, seed);
        let (pair, drawn) = self.pair(&settings, seed);
        let (base, other): (Vec<Trained>, Vec<Trained>) = (0..scenario.folds)
            .flat_map(|fold| (0..scenario.seeds).map(move |training| (fold, training)))
            .map(|(fold, training)| {
                let rows = pair.rows(0, fold).expect("folds of both classes");
                let alone = train(&settings, &pair, &rows, (fold, training, Arm::Stl), drawn);
                let other =
                    if scenario.same_arm { (fold, training + 1_000, Arm::Stl) } else { (fold, training, Arm::Mtl) };
                (alone, train(&settings, &pair, &rows, other, drawn))
            })
            .unzip();
        let groups: Vec<u64> = pair.dataset.examples.iter().map(|example| example.group).collect();
        let interval = |measure: Measure, seeds: usize| {
            let pairs = base.iter().zip(&other).enumerate();
            let units = pairs.filter_map(|(i, (base, other))| {
                let (fold, seed) = (i / scenario.seeds, i % scenario.seeds);
                (seed < seeds).then(|| unit(measure, (fold, seed), &groups, &base.tested, &other.tested))
            });
            paired_interval(measure, &units.collect::<Vec<_>>()).expect("two folds or more")
        };
        let intervals = MEASURES.map(|measure| {
            let more = (3..=scenario.seeds).map(|seeds| interval(measure, seeds)).collect();
            (measure, interval(measure, 3), interval(measure, 1), more)
        });
        let fresh = MEASURES.map(|measure| {
            let of = |trained: &Trained| trained.score(measure);
            (measure, base.iter().zip(&other).map(|(base, other)| of(other) - of(base)).collect())
        });
        Found { intervals: intervals.into(), fresh: fresh.into() }
    }

    /// The pair of one study: its rows, then the fresh ones, which are in no fold. Also returns where those begin.
    fn pair(&self, settings: &StudySettings, seed: u64) -> (PairData, usize) {
        let mut rng = Streams::new(seed).rng("rows of the study", 0);
        let draw = |rows: &[usize], number: usize, rng: &mut _| -> Vec<usize> {
            let mut rows = rows.to_vec();
            rows.partial_shuffle(rng, number).0.to_vec()
        };
        let (pool, fresh) = self.rows[0].split_at(self.rows[0].len() - FRESH_ROWS);
        let mut rows = draw(pool, self.scenario.rows[0], &mut rng);
        rows.extend(draw(&self.rows[1], self.scenario.rows[1], &mut rng));
        rows.sort_unstable();
        let drawn = rows.len();
        rows.extend_from_slice(fresh);
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
    (settings.folds, settings.seeds, settings.shared) = (scenario.folds, scenario.seeds, vec![scenario.shared]);
    (settings.base.seed, settings.base.embedding_dim) = (seed, 25);
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

fn train(
    settings: &StudySettings,
    pair: &PairData,
    rows: &FoldRows,
    (fold, seed, arm): (usize, usize, Arm),
    drawn: usize,
) -> Trained {
    let task = pair.dataset.tasks[0].clone();
    let of_task = (arm == Arm::Stl).then(|| task.clone());
    let spec = UnitSpec {
        pair: pair.name.clone(),
        shared: Some(settings.shared[0]),
        arm,
        task: of_task,
        repeat: 0,
        fold,
        seed,
    };
    let mut test = rows.test.clone();
    test.extend(drawn..pair.dataset.examples.len());
    let rows = FoldRows { test, ..rows.clone() };
    let outcome = spec.run_on(settings, pair, &rows, &AtomicBool::new(false)).expect("the training converges");
    let predictions = &outcome.expect("nothing interrupts").tasks[&task];
    let first_fresh = predictions.rows.partition_point(|&row| row < drawn);
    let part = |range: std::ops::Range<usize>| Predictions {
        rows: predictions.rows[range.clone()].to_vec(),
        truths: predictions.truths[range.clone()].to_vec(),
        probabilities: predictions.probabilities[range].to_vec(),
        inner: predictions.inner.clone(),
    };
    Trained { tested: part(0..first_fresh), fresh: part(first_fresh..predictions.rows.len()) }
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
