//! How much of the other tasks' data does it take? Metrics against the share of it that is learnt from (Joshi et al. 2019,
//! Figure 3).
//!
//! Every point has the folds and the seeds of the study, 0 % is STL and 100 % is MTL ([`Arm::with_share`]), and their units are
//! kept with those of the study.

use std::{
    io::{self, Write},
    path::Path,
};

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::{METRICS, Metric, analysis::Analysis};
use crate::mtl::{
    evaluation::{metrics::Metrics, statistics::correlated_t},
    files,
    settings::{Preset, Shared},
    study::{
        execution::Outcomes,
        planning::{Arm, PairData, StudySettings},
    },
};
use statrs::statistics::Statistics;

use crate::Result;

const CURVES: &str = "curve.json";
const TABLE: &str = "curve.csv";

/// The metrics of a curve: the paper's two, and one without a threshold.
const DRAWN: [(&str, Metric); 3] =
    [("accuracy", |m| Some(m.accuracy)), ("f1", |m| Some(m.f1)), ("average_precision", |m| Some(m.average_precision))];

/// The learning curves of a study: `curve.json`. Nothing here is a time, as in [`super::Results`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Curves {
    /// The version of mtlcore that made them.
    pub version: String,
    /// The preset of the settings.
    pub preset: Preset,
    /// The root of all random numbers.
    pub seed: u64,
    /// Folds.
    pub folds: usize,
    /// Repeats of the folds.
    pub repeats: usize,
    /// The points: percentages of the other tasks' training data, rising.
    pub fractions: Vec<u8>,
    /// The pairs, in the order of the settings.
    pub pairs: Vec<PairCurves>,
}

/// The curves of one pair.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairCurves {
    /// Its name.
    pub name: String,
    /// Task by task, and layer by layer within a task.
    pub curves: Vec<TaskCurve>,
}

/// The curve of one task with one layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskCurve {
    /// The task.
    pub task: String,
    /// The shared layer.
    pub shared: Shared,
    /// One for each of [`Curves::fractions`].
    pub points: Vec<CurvePoint>,
}

/// A task learnt with a share of the other tasks' training data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CurvePoint {
    /// The share in percent.
    pub percent: u8,
    /// By name: `accuracy`, `f1` (both at the fixed threshold), `average_precision`.
    pub metrics: IndexMap<String, Band>,
    /// Each training, repeat by repeat, fold by fold.
    pub folds: Vec<CurveFold>,
}

/// A metric over folds, as a share of 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Band {
    /// The mean.
    pub mean: f64,
    /// Lower end of the 95 % interval of the mean. It allows for the overlap of the folds' training sets, as the corrected
    /// t-test does ([`correlated_t`] with a correlation of 1/k), and ends where the metric does, at 0 and 1.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

/// One training of a point.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CurveFold {
    /// The repeat, from 0.
    pub repeat: usize,
    /// The fold, from 0.
    pub fold: usize,
    /// The training of the fold, from 0.
    #[serde(default)]
    pub seed: usize,
    /// Optimiser steps: with equal epochs, more data are more steps.
    pub steps: usize,
    /// On the test rows, at the fixed threshold.
    pub metrics: Metrics,
}

impl Curves {
    /// The curves of units that are all finished.
    pub(in crate::mtl::study) fn new(settings: &StudySettings, pairs: &[PairData], outcomes: &Outcomes) -> Self {
        let of_pair = |pair: &PairData| {
            let analysis = Analysis::new(settings, pair, outcomes);
            let of_task = |task: &String| -> Vec<TaskCurve> {
                let curve = |&shared: &Shared| TaskCurve {
                    task: task.clone(),
                    shared,
                    points: settings
                        .fractions
                        .iter()
                        .map(|&at| CurvePoint::new(&analysis, settings, shared, task, at))
                        .collect(),
                };
                settings.shared.iter().map(curve).collect()
            };
            PairCurves { name: pair.name.clone(), curves: pair.dataset.tasks.iter().flat_map(of_task).collect() }
        };
        Self {
            version: env!("CARGO_PKG_VERSION").into(),
            preset: settings.base.preset,
            seed: settings.base.seed,
            folds: settings.folds,
            repeats: settings.repeats,
            fractions: settings.fractions.clone(),
            pairs: pairs.iter().map(of_pair).collect(),
        }
    }

    /// Writes `curve.json` and `curve.csv` into a study's directory.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io) if one cannot be written.
    pub(in crate::mtl::study) fn write(&self, directory: &Path) -> Result<()> {
        files::write_json(&directory.join(CURVES), self)?;
        files::write_atomically(&directory.join(TABLE), |output| self.write_csv(output))
    }

    /// Reads the curves of a study's directory; `None` if it has none.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io) if they cannot be read, [`Error::Line`](crate::Error::Line) if they are damaged or of a version that wrote others.
    pub fn read(directory: &Path) -> Result<Option<Self>> {
        let path = directory.join(CURVES);
        if !path.exists() {
            return Ok(None);
        }
        files::read_json(&path, "the curves of a study").map(Some)
    }

    /// One line a task, layer, point and training.
    fn write_csv(&self, output: &mut dyn Write) -> io::Result<()> {
        let mut csv = csv::Writer::from_writer(output);
        let places = ["pair", "task", "shared", "percent", "repeat", "fold", "seed", "steps"];
        csv.write_record(places.into_iter().chain(METRICS.map(|(name, _)| name)))?;
        for pair in &self.pairs {
            for curve in &pair.curves {
                for point in &curve.points {
                    for CurveFold { repeat, fold, seed, steps, metrics } in &point.folds {
                        let place = [pair.name.clone(), curve.task.clone(), curve.shared.word().to_owned()];
                        let numbers =
                            [usize::from(point.percent), *repeat, *fold, *seed, *steps].map(|n| n.to_string());
                        let measured =
                            METRICS.iter().map(|(_, of)| of(metrics).map_or(String::new(), |x| x.to_string()));
                        csv.write_record(place.into_iter().chain(numbers).chain(measured))?;
                    }
                }
            }
        }
        csv.flush()
    }
}

impl CurvePoint {
    fn new<'s>(analysis: &Analysis<'s>, settings: &StudySettings, shared: Shared, task: &'s str, percent: u8) -> Self {
        let arm = analysis.arm(Some(shared), Arm::with_share(percent), task);
        let folds = arm.all.iter().map(|training| CurveFold {
            repeat: training.repeat,
            fold: training.fold,
            seed: training.seed,
            steps: training.outcome.steps,
            metrics: training.fixed(settings),
        });
        let folds: Vec<CurveFold> = folds.collect();
        let band = |(name, of): (&str, Metric)| {
            // Trainings of a fold share its test rows, so they count as one value.
            let trainings = folds.chunk_by(|a, b| (a.repeat, a.fold) == (b.repeat, b.fold));
            let of_fold = |trainings: &[CurveFold]| {
                let values: Vec<f64> = trainings.iter().filter_map(|training| of(&training.metrics)).collect();
                (!values.is_empty()).then(|| values.iter().mean())
            };
            let values: Vec<f64> = trainings.filter_map(of_fold).collect();
            (name.to_owned(), Band::new(&values, settings.folds))
        };
        Self { percent, metrics: DRAWN.map(band).into_iter().collect(), folds }
    }
}

impl Band {
    /// Of one value a fold, of k folds.
    ///
    /// # Panics
    /// For fewer than two values.
    fn new(values: &[f64], k: usize) -> Self {
        let interval = correlated_t(values, 1.0 / k as f64, 0.0).expect("a study has two folds or more");
        Self { mean: interval.mean, low: interval.low.max(0.0), high: interval.high.min(1.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;

    /// The values of the ten published folds, as hundredths around a half: mean 1.89 with [−0.16348, 3.94348].
    #[test]
    fn the_band_is_the_interval_of_the_corrected_test() {
        let d = [3.1, -0.4, 2.2, 5.0, 1.7, 0.3, -1.1, 4.2, 2.9, 1.0];
        let band = Band::new(&d.map(|d| 0.5 + d / 100.0), 10);
        assert_abs_diff_eq!(band.mean, 0.5189, epsilon = 1e-9);
        assert_abs_diff_eq!(band.low, 0.498_365_2, epsilon = 1e-6);
        assert_abs_diff_eq!(band.high, 0.539_434_8, epsilon = 1e-6);
        assert_eq!(Band::new(&[0.9, 1.0, 1.0], 3).high, 1.0, "no accuracy is above 1");
    }
}
