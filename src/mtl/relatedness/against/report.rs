//! Relatedness against gains: correlations, predictions and a sentence for each layer and size.

use serde::{Deserialize, Serialize};

use super::{
    Observation, Ridge,
    inference::{DRAWS, TaskPairs, qap_p, task_bootstrap},
    validation::{ModelReport, leave_two_tasks_out},
};
use crate::mtl::{
    evaluation::{interval::Measure, statistics::holm},
    relatedness::{
        MEASURES, Relatedness,
        correlation::{kendall, spearman},
        gains::{Ceiling, Gains},
        measured::mean,
    },
    settings::Shared,
    streams::Streams,
};
use crate::{Error, Result};

/// Tasks that a correlation needs; predictions need two more, which are left out each time.
pub const FEWEST_TASKS: usize = 4;

/// Relatedness against gains.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Against {
    /// Half the width of the region of equivalence, in points.
    pub rope: f64,
    /// How often tasks were permuted and drawn.
    pub draws: usize,
    /// Each layer and size twice: gains in their own measure, then in the area under the ROC curve.
    pub cells: Vec<CellReport>,
}

impl Against {
    /// The fitted models for a shared layer, of the gains' own measure, each with the cell that it was fitted on.
    pub fn fitted(&self, shared: Shared) -> impl Iterator<Item = (&CellReport, &FittedModel)> {
        // Each layer and size begins with the gains' own measure; the area under the ROC curve follows.
        let measure = self.cells.first().map(|cell| cell.measure);
        let cells = self.cells.iter().filter(move |cell| cell.shared == shared && Some(cell.measure) == measure);
        cells.filter_map(|cell| Some((cell, cell.model.as_ref()?)))
    }
}

/// One layer and size.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CellReport {
    /// The shared layer.
    pub shared: Shared,
    /// Rows of the main task: a number or `all`.
    pub requested_size: String,
    /// The measure of performance: a gain is its difference.
    pub measure: Measure,
    /// The tasks of these pairs.
    pub tasks: Vec<String>,
    /// Ordered pairs with measures and a gain.
    pub pairs: usize,
    /// The mean gain, in points.
    pub mean_gain: f64,
    /// The noise ceiling: the largest correlation that anything can have with these gains.
    pub ceiling: Option<Ceiling>,
    /// The conclusion, for people.
    pub sentence: String,
    /// Each measure, and some columns of sizes and context.
    pub measures: Vec<MeasureReport>,
    /// Each model; empty for fewer than six tasks.
    pub predictions: Vec<ModelReport>,
    /// The model with the smallest error, fitted on all pairs; absent without predictions.
    pub model: Option<FittedModel>,
}

/// The model that `mtlcore relate --predict` predicts by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FittedModel {
    /// Its columns: sizes, measures, context. Those that it does not use have weight 0.
    pub ridge: Ridge,
    /// Its errors on pairs of tasks that were left out.
    pub validation: ModelReport,
}

/// One measure against the gains.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MeasureReport {
    /// Its word, or the name of a column of sizes.
    pub measure: String,
    /// Pairs of which it is defined.
    pub pairs: usize,
    /// Spearman's ρ with the gain; absent if the measure is constant.
    pub spearman: Option<f64>,
    /// Lower end of its 95 % interval, by drawing tasks.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// Kendall's τ.
    pub kendall: Option<f64>,
    /// p by permuting tasks, two-sided.
    pub p: Option<f64>,
    /// p after Holm's correction over the measures of relatedness; absent for other columns.
    pub holm_p: Option<f64>,
}

/// Compares the measures of some tasks with their gains.
///
/// # Errors
/// [`Error::Config`] if fewer than [`FEWEST_TASKS`] tasks are in both.
pub fn against(relatedness: &Relatedness, gains: &Gains) -> Result<Against> {
    let cells: Vec<CellReport> = gains
        .cells()
        .into_iter()
        .flat_map(|cell| [false, true].map(|is_auroc| (cell, is_auroc)))
        .filter(|(_, is_auroc)| !(*is_auroc && gains.measure == Measure::Auroc))
        .map(|(cell, is_auroc)| {
            let (tasks, observations) = Observation::of_cell(relatedness, gains, cell, is_auroc);
            if tasks.len() < FEWEST_TASKS {
                let message = format!(
                    "{} of these tasks have gains, expected {FEWEST_TASKS} or more: a correlation over fewer tells nothing \
                     (the tasks must have the same names in both)",
                    tasks.len()
                );
                return Err(Error::config("against", message));
            }
            Ok(cell_report(gains, (cell, is_auroc), tasks, &observations, relatedness.seed))
        })
        .collect::<Result<_>>()?;
    if cells.is_empty() {
        return Err(Error::config("against", "there is no gain in it"));
    }
    Ok(Against { rope: gains.rope, draws: DRAWS, cells })
}

fn cell_report(
    gains: &Gains,
    ((shared, size), is_auroc): ((Shared, &str), bool),
    tasks: Vec<String>,
    observations: &[Observation],
    seed: u64,
) -> CellReport {
    let ceiling = gains.ceiling((shared, size), is_auroc).cloned();
    let of = |name: &str, column: &dyn Fn(&Observation) -> Option<f64>| {
        measure_report(name, tasks.len(), observations, column, seed)
    };
    let mut measures: Vec<MeasureReport> = (MEASURES.iter().enumerate())
        .map(|(i, measure)| of(measure.word, &|observation| observation.measures[i]))
        .filter(|report| report.pairs > 0)
        .collect();
    let tested: Vec<usize> = (0..measures.len()).filter(|&i| measures[i].p.is_some()).collect();
    let corrected = holm(&tested.iter().filter_map(|&i| measures[i].p).collect::<Vec<_>>());
    tested.into_iter().zip(corrected).for_each(|(i, p)| measures[i].holm_p = Some(p));
    measures.push(of("partner rows / main rows", &|observation| observation.size[1]));
    measures.push(of("own AUROC", &|observation| observation.size[2]));
    measures.push(of("unknown words", &|observation| observation.context[4]));
    let predictions = if tasks.len() >= FEWEST_TASKS + 2 { predictions(observations, gains.rope) } else { Vec::new() };
    let gained: Vec<f64> = observations.iter().map(|observation| observation.gain).collect();
    let model = best_model(observations, &predictions);
    CellReport {
        shared,
        requested_size: size.to_owned(),
        measure: if is_auroc { Measure::Auroc } else { gains.measure },
        model,
        pairs: observations.len(),
        mean_gain: mean(&gained),
        sentence: sentence(ceiling.as_ref(), &measures, &predictions),
        ceiling,
        tasks,
        measures,
        predictions,
    }
}

fn measure_report(
    name: &str,
    tasks: usize,
    observations: &[Observation],
    column: &dyn Fn(&Observation) -> Option<f64>,
    seed: u64,
) -> MeasureReport {
    let mut pairs = TaskPairs::new(tasks);
    for observation in observations {
        if let Some(value) = column(observation) {
            pairs.set(observation.main, observation.partner, value, observation.gain);
        }
    }
    let (x, y) = pairs.values();
    let rng = |what: &str| Streams::new(seed).rng(&format!("{what} {name}"), 0);
    let interval = task_bootstrap(&pairs, DRAWS, &mut rng("drawn tasks"));
    MeasureReport {
        measure: name.to_owned(),
        pairs: x.len(),
        spearman: spearman(&x, &y),
        low: interval.map(|[low, _]| low),
        high: interval.map(|[_, high]| high),
        kendall: kendall(&x, &y),
        p: qap_p(&pairs, DRAWS, &mut rng("permuted tasks")),
        holm_p: None,
    }
}

/// The names of the models.
const MEAN: &str = "mean";
const SIZE: &str = "size";
const RIDGE: &str = "ridge";

/// The model with the smallest error on tasks that were left out, fitted on all pairs.
fn best_model(observations: &[Observation], predictions: &[ModelReport]) -> Option<FittedModel> {
    let error = |model: &&ModelReport| model.root_mean_squared_error;
    let best = predictions.iter().min_by(|a, b| error(a).total_cmp(&error(b)))?;
    let (gains, weights): (Vec<f64>, Vec<f64>) = observations.iter().map(|o| (o.gain, o.weight)).unzip();
    // A column without values has weight 0: the mean is a model without any, the model of sizes has sizes only.
    let column = |value: Option<f64>, is_used: bool| value.filter(|_| is_used);
    let rows: Vec<Vec<Option<f64>>> = (observations.iter())
        .map(|o| {
            let sizes = o.size.iter().map(|&value| column(value, best.model != MEAN));
            let others = o.measures.iter().chain(&o.context).map(|&value| column(value, best.model == RIDGE));
            sizes.chain(others).collect()
        })
        .collect();
    Some(FittedModel { ridge: Ridge::fit(&rows, &gains, &weights, None), validation: best.clone() })
}

fn predictions(observations: &[Observation], rope: f64) -> Vec<ModelReport> {
    let weighted = |rest: &[&Observation]| -> (Vec<f64>, Vec<f64>) { rest.iter().map(|o| (o.gain, o.weight)).unzip() };
    let by_mean = leave_two_tasks_out(observations, |rest| {
        let (gains, weights) = weighted(rest);
        let sum: f64 = gains.iter().zip(&weights).map(|(gain, weight)| gain * weight).sum();
        let middle = sum / weights.iter().sum::<f64>();
        move |_: &Observation| middle
    });
    let by = |columns: fn(&Observation) -> Vec<Option<f64>>, strength: Option<f64>| {
        leave_two_tasks_out(observations, |rest| {
            let (gains, weights) = weighted(rest);
            let rows: Vec<Vec<Option<f64>>> = rest.iter().map(|o| columns(o)).collect();
            let model = Ridge::fit(&rows, &gains, &weights, strength);
            move |of: &Observation| model.predict(&columns(of))
        })
    };
    let all = [
        (MEAN, by_mean.clone()),
        (SIZE, by(|observation| observation.size.clone(), None)),
        (RIDGE, by(Observation::columns, None)),
    ];
    // The same pairs have predictions by every model.
    let kept: Vec<usize> = (0..observations.len()).filter(|&i| by_mean[i].is_some()).collect();
    if kept.is_empty() {
        return Vec::new();
    }
    let observed: Vec<Observation> = kept.iter().map(|&i| observations[i].clone()).collect();
    let of = |predictions: &[Option<f64>]| kept.iter().filter_map(|&i| predictions[i]).collect::<Vec<f64>>();
    let middle = of(&by_mean);
    all.iter().map(|(name, p)| ModelReport::new(name, &observed, &of(p), &middle, rope)).collect()
}

/// The conclusion: whether the measures correlate with the gains, and whether they predict them better than sizes and the mean.
fn sentence(ceiling: Option<&Ceiling>, measures: &[MeasureReport], predictions: &[ModelReport]) -> String {
    if let Some(ceiling) = ceiling.filter(|ceiling| ceiling.best_correlation < Ceiling::LEAST) {
        return format!(
            "These gains are mostly noise: nothing can correlate with them by more than {:.2}, so whether relatedness predicts them \
             cannot be told.",
            ceiling.best_correlation
        );
    }
    let found = measures.iter().filter(|measure| measure.holm_p.is_some_and(|p| p < 0.05)).count();
    let tested = measures.iter().filter(|measure| measure.holm_p.is_some()).count();
    let of = |name: &str| predictions.iter().find(|model| model.model == name);
    let correlate = match found {
        0 => "No measure of relatedness goes with the gain (p by permuting tasks, Holm)".to_owned(),
        _ => format!("{found} of {tested} measures of relatedness go with the gain (p by permuting tasks, Holm)"),
    };
    match (of(SIZE), of(RIDGE)) {
        (Some(size), Some(ridge)) => {
            let errors = format!(
                "mean absolute error {:.2} against {:.2} points",
                ridge.mean_absolute_error, size.mean_absolute_error
            );
            let q2 = format!("Q² {:.2} against {:.2}", ridge.q2, size.q2);
            let beats = ridge.q2 > size.q2 && ridge.q2 > 0.0;
            let verdict = if beats { "predict better than size alone" } else { "predict no better than size alone" };
            let mean = if ridge.q2.max(size.q2) > 0.0 { "" } else { ", and neither does better than the mean gain" };
            format!("{correlate}; on tasks that were left out the measures {verdict}{mean} ({q2}, {errors}).")
        }
        _ => format!("{correlate}; there are too few tasks to try predictions on others."),
    }
}
