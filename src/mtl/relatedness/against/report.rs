//! All that can be said of measures and gains, for each layer and size.

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
        prediction::ReadyCell,
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
    /// Each layer and size, by the measure of the gains and by the area under the ROC curve.
    pub cells: Vec<CellReport>,
}

/// One layer and size.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CellReport {
    /// The shared layer.
    pub shared: Shared,
    /// Rows of the main task, as they were asked for.
    pub size_asked: String,
    /// What a gain is a difference of.
    pub measure: Measure,
    /// The tasks of whose pairs both are known.
    pub tasks: Vec<String>,
    /// Ordered pairs.
    pub pairs: usize,
    /// The mean gain, in points.
    pub mean_gain: f64,
    /// How far these gains can be predicted at all.
    pub ceiling: Option<Ceiling>,
    /// The honest sentence.
    pub sentence: String,
    /// Each measure, and what is known of sizes and context.
    pub measures: Vec<MeasureReport>,
    /// Each way to predict; empty for fewer than six tasks.
    pub predictions: Vec<ModelReport>,
    /// The way with the smallest error, fitted on all pairs.
    pub model: Option<ReadyCell>,
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
    /// The same after Holm's correction over the measures of relatedness; absent for sizes.
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
    let model = ready(shared, size, &tasks, observations, &predictions);
    CellReport {
        shared,
        size_asked: size.to_owned(),
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

/// The names of the ways to predict.
const MEAN: &str = "mean";
const SIZE: &str = "size";
const RIDGE: &str = "ridge";

/// The way that did best on tasks that were left out, fitted on all pairs.
fn ready(
    shared: Shared,
    size: &str,
    tasks: &[String],
    observations: &[Observation],
    predictions: &[ModelReport],
) -> Option<ReadyCell> {
    let error = |model: &&ModelReport| model.root_mean_squared_error;
    let best = predictions.iter().min_by(|a, b| error(a).total_cmp(&error(b)))?;
    let (gains, weights): (Vec<f64>, Vec<f64>) = observations.iter().map(|o| (o.gain, o.weight)).unzip();
    // The mean is a model whose columns count nothing.
    let column = |value: Option<f64>, is_used: bool| value.filter(|_| is_used);
    let rows: Vec<Vec<Option<f64>>> = (observations.iter())
        .map(|o| {
            let sizes = o.size.iter().map(|&value| column(value, best.model != MEAN));
            let others = o.measures.iter().chain(&o.context).map(|&value| column(value, best.model == RIDGE));
            sizes.chain(others).collect()
        })
        .collect();
    Some(ReadyCell {
        shared,
        size_asked: size.to_owned(),
        tasks: tasks.to_vec(),
        pairs: observations.len(),
        model: Ridge::fit(&rows, &gains, &weights, None),
        validation: best.clone(),
    })
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
    // A pair is predicted by all or by none.
    let kept: Vec<usize> = (0..observations.len()).filter(|&i| by_mean[i].is_some()).collect();
    if kept.is_empty() {
        return Vec::new();
    }
    let observed: Vec<Observation> = kept.iter().map(|&i| observations[i].clone()).collect();
    let of = |predictions: &[Option<f64>]| kept.iter().filter_map(|&i| predictions[i]).collect::<Vec<f64>>();
    let middle = of(&by_mean);
    all.iter().map(|(name, p)| ModelReport::new(name, &observed, &of(p), &middle, rope)).collect()
}

/// What a reader should take away, first.
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
