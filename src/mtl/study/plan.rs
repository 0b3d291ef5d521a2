//! What a study will take, before anything is trained for good: units, time, memory, and the smallest effect that it can decide.

use std::time::Instant;

use serde::Serialize;

use super::{
    Study,
    execution::threads,
    manifest::plan_sha256,
    planning::{Arm, ArmData, PairData, UnitSpec},
};
use crate::Result;
use crate::mtl::{
    evaluation::interval::Measure,
    training::{Event, Flow, Trainer},
};

/// Steps that are measured of each shared layer; the first ones fill caches and buffers.
const WARM_UP_STEPS: usize = 3;
const MEASURED_STEPS: usize = 20;

/// What the smallest effect assumes, since no training has shown it yet: a share of texts on which the two arms decide differently,
/// and the F that both have about.
const ASSUMED_DISAGREEMENT: f64 = 0.1;
const ASSUMED_F: f64 = 0.7;

/// A study before it is run.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    /// Units of the whole study.
    pub units: usize,
    /// Units that are finished already.
    pub finished: usize,
    /// What the missing ones will take on this machine, with all threads at work: at most, where training may stop early.
    pub seconds_at_most: f64,
    /// Whether training may stop early.
    pub may_stop_early: bool,
    /// Units that are worked on at a time.
    pub threads: usize,
    /// Memory of the data and of all networks in training, roughly.
    pub bytes: usize,
    /// SHA-256 of the keys of all units.
    pub sha256: String,
    /// What each task's texts can decide.
    pub tasks: Vec<TaskPlan>,
}

/// What the design can decide about a task.
#[derive(Clone, Debug, Serialize)]
pub struct TaskPlan {
    /// The pair.
    pub pair: String,
    /// The task.
    pub task: String,
    /// Its labelled texts.
    pub texts: usize,
    /// True ones.
    pub positives: usize,
    /// The half width of the interval that the texts leave however many trainings there are, in points of the measure, if the arms
    /// decide a tenth of the texts differently.
    pub half_width: f64,
    /// The smallest true gain that is then called a gain with a probability of 80 %, in points.
    pub smallest_effect: f64,
}

impl Study {
    /// Plans the study: measures a few steps of each shared layer, and counts.
    ///
    /// # Errors
    /// What is wrong with the folds or a training; units that cannot be read.
    pub fn plan(&self) -> Result<Plan> {
        let specs = UnitSpec::all(&self.settings, &self.pairs, &self.seeds);
        let store = self.units();
        let is_finished = |spec: &UnitSpec| store.path(spec, &spec.key(&self.settings, self.pair_of(spec))).exists();
        let missing: Vec<&UnitSpec> = specs.iter().filter(|spec| !is_finished(spec)).collect();
        let (mut seconds, mut bytes) = (0.0, 0);
        let mut seconds_a_cost: Vec<(UnitSpec, f64)> = Vec::new();
        for spec in missing.iter().filter(|spec| spec.shared.is_some()) {
            let pair = self.pair_of(spec);
            let known = seconds_a_cost.iter().find(|(of, _)| (&of.pair, of.shared) == (&spec.pair, spec.shared));
            let rate = match known {
                Some((_, rate)) => *rate,
                None => {
                    let together = UnitSpec { arm: Arm::Mtl, task: None, ..(*spec).clone() };
                    let (epoch, of_network) = self.measured_epoch(&together, pair)?;
                    bytes = bytes.max(of_network);
                    let rate = epoch / together.cost(pair).max(1) as f64;
                    seconds_a_cost.push((together, rate));
                    rate
                }
            };
            let trials = self.settings.tune;
            seconds += rate * spec.cost(pair) as f64 * (self.settings.base.epochs * trials) as f64;
        }
        let threads = threads(&self.settings);
        let data: usize = self.pairs.iter().map(bytes_of).sum();
        Ok(Plan {
            units: specs.len(),
            finished: specs.len() - missing.len(),
            seconds_at_most: seconds / threads as f64,
            may_stop_early: !self.settings.epochs_are_fixed(),
            threads,
            bytes: data + threads * bytes,
            sha256: plan_sha256(&self.settings, &self.pairs, &self.seeds),
            tasks: self.pairs.iter().flat_map(|pair| self.task_plans(pair)).collect(),
        })
    }

    /// Seconds of an epoch of a unit, and bytes of its network with Adam's moments and the best parameters.
    fn measured_epoch(&self, spec: &UnitSpec, pair: &PairData) -> Result<(f64, usize)> {
        let rows = pair.rows(spec.repeat, spec.fold)?;
        let settings = spec.settings(&self.settings, pair);
        let data = ArmData::new(pair, spec.arm, None, &rows, settings.seed);
        let (split, table) = (data.split(&rows), pair.table(&settings));
        let one_thread = rayon::ThreadPoolBuilder::new().num_threads(1).build();
        let one_thread = one_thread.map_err(|error| crate::Error::config("threads", error.to_string()))?;
        one_thread.install(|| {
            let mut trainer = Trainer::new(&settings, &data.dataset, &split, &table);
            let steps_an_epoch = trainer.steps_per_epoch();
            let (mut steps, mut begin, mut measured) = (0, Instant::now(), 0.0);
            trainer.run(|_, _: Event<'_>| {
                steps += 1;
                if steps == WARM_UP_STEPS {
                    begin = Instant::now();
                }
                measured = begin.elapsed().as_secs_f64();
                Ok(if steps >= WARM_UP_STEPS + MEASURED_STEPS { Flow::Stop } else { Flow::Continue })
            })?;
            let a_step = measured / steps.saturating_sub(WARM_UP_STEPS).max(1) as f64;
            let params = trainer.params();
            let numbers: usize = params.ids().map(|id| params.value(id).data().len()).sum();
            Ok((a_step * steps_an_epoch as f64, 4 * numbers * size_of::<f32>()))
        })
    }

    /// The design's reach, from the texts' part of the interval alone: more trainings cannot take it away.
    fn task_plans<'p>(&self, pair: &'p PairData) -> impl Iterator<Item = TaskPlan> + use<'p> {
        let (folds, measure, rope) = (self.settings.folds as f64, self.settings.measure, self.settings.rope);
        pair.dataset.tasks.iter().enumerate().map(move |(slot, task)| {
            let labels = || pair.dataset.examples.iter().filter_map(|example| example.labels[slot]);
            let (texts, positives) = (labels().count(), labels().filter(|&label| label).count());
            let (n, p) = (texts as f64, positives as f64);
            // Of the mean over all texts: a text that is decided differently moves the measure by this much.
            let variance = match measure {
                Measure::Accuracy => ASSUMED_DISAGREEMENT / n,
                // Half of them true: (2 − F)/2p each; half false: F/2p each.
                _ => {
                    let squares = ((2.0 - ASSUMED_F).powi(2) + ASSUMED_F.powi(2)) / 2.0;
                    ASSUMED_DISAGREEMENT * n * squares / (2.0 * p).powi(2)
                }
            };
            // As the interval has it: T/k is the variance of the whole, T(1/k + 1/(k − 1)) that of the estimate.
            let deviation = 100.0 * (variance * (1.0 + folds / (folds - 1.0))).sqrt();
            let half_width = 1.96 * deviation;
            let smallest_effect = rope + half_width + 0.84 * deviation;
            TaskPlan { pair: pair.name.clone(), task: task.clone(), texts, positives, half_width, smallest_effect }
        })
    }
}

/// Texts as ids, and word vectors.
fn bytes_of(pair: &PairData) -> usize {
    let texts: usize = pair.corpus.records.iter().map(|record| record.text.len()).sum();
    let tokens: usize = pair.dataset.examples.iter().map(|example| example.tokens.len() * size_of::<u32>()).sum();
    let vectors = pair.vectors.as_ref().map_or(0, |vectors| vectors.values.len() * size_of::<f32>());
    texts + tokens + vectors
}
