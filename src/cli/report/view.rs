//! What the templates see: the results task by task, with their sentences, names, rows and charts.

use std::path::Path;

use anyhow::Result;
use mtlcore::mtl::study::{
    Curves, PairCurves,
    results::{PairResult, Results, TaskAnswer, TaskFacts, TaskResult},
};
use serde::Serialize;

use super::{
    arms::{self, ArmRow},
    charts::{self, TaskCharts},
    notes::{is_not_converged, notes},
    origin::Origin,
};
use crate::{
    answer,
    page::{charts::Drawing, words},
};

/// A study's results, for people.
#[derive(Serialize)]
pub struct Report<'r> {
    results: &'r Results,
    /// What the verdicts are about: "F at the tuned threshold".
    measure: &'static str,
    /// What can be said of all comparisons together.
    claims: String,
    pairs: Vec<PairView<'r>>,
    /// Every comparison's interval.
    verdicts: String,
    /// Together − the best control.
    real_gains: Option<String>,
    /// Ranking and operating point.
    split: Option<String>,
    /// If they were asked for.
    curves: Option<Vec<PairOfCurves>>,
    origin: Origin,
    has: Sections,
}

/// A pair.
#[derive(Serialize)]
struct PairView<'r> {
    /// What people call it.
    name: String,
    result: &'r PairResult,
    tasks: Vec<TaskView<'r>>,
}

/// A task of a pair.
#[derive(Serialize)]
struct TaskView<'r> {
    facts: &'r TaskFacts,
    answer: &'r TaskAnswer,
    /// The sentence to act on.
    what_to_do: String,
    /// What it rests on.
    because: Vec<String>,
    layers: Vec<LayerView<'r>>,
    /// All that was tried for the task, the baselines first.
    arms: Vec<ArmRow>,
}

/// A task with one shared layer.
#[derive(Serialize)]
struct LayerView<'r> {
    /// The word of the shared layer.
    shared: &'static str,
    result: &'r TaskResult,
    /// What to know before believing the verdict.
    notes: Vec<String>,
    charts: TaskCharts,
}

/// The learning curves of one pair.
#[derive(Serialize)]
struct PairOfCurves {
    name: String,
    curves: PairCurves,
    charts: Vec<Drawing>,
}

/// The sections that not every study has.
#[derive(Serialize)]
struct Sections {
    tuned: bool,
    tuning: bool,
    split: bool,
    controls: bool,
    balancing: bool,
    training: bool,
    slices: bool,
    matched: bool,
    not_converged: bool,
    widened: bool,
}

impl<'r> Report<'r> {
    /// What stands in the study's directory beside `results`.
    pub fn read(results: &'r Results, directory: &Path) -> Result<Self> {
        let curves = Curves::read(directory)?;
        Ok(Self {
            results,
            measure: results.measure.name(),
            claims: answer::claims(&results.claims),
            pairs: results.pairs.iter().map(|pair| PairView::new(results, pair)).collect(),
            verdicts: charts::verdicts(results),
            real_gains: charts::real_gains(results),
            split: charts::split(results),
            curves: curves.map(|curves| {
                let of_pair = |curves| PairOfCurves::new(results, curves);
                curves.pairs.into_iter().map(of_pair).collect()
            }),
            origin: Origin::read(directory, |name| {
                results.pairs.iter().find(|pair| pair.name == name).map_or_else(|| name.to_owned(), words::pair)
            })?,
            has: Sections::of(results),
        })
    }
}

impl<'r> PairView<'r> {
    fn new(results: &Results, pair: &'r PairResult) -> Self {
        let task = |facts: &'r TaskFacts| TaskView::new(results, pair, facts);
        Self { name: words::pair(pair), result: pair, tasks: pair.tasks.iter().map(task).collect() }
    }
}

impl<'r> TaskView<'r> {
    fn new(results: &Results, pair: &'r PairResult, facts: &'r TaskFacts) -> Self {
        let answer =
            pair.answer.tasks.iter().find(|answer| answer.task == facts.name).expect("each task has an answer");
        let mut because = answer::sentences(results, pair, answer);
        let what_to_do = because.remove(0);
        let layers = pair.layers.iter().filter_map(|layer| {
            let result = layer.tasks.iter().find(|result| result.task == facts.name)?;
            Some(LayerView {
                shared: layer.shared.word(),
                result,
                notes: notes(&result.cell),
                charts: TaskCharts::new(result, layer.shared),
            })
        });
        Self { facts, answer, what_to_do, because, layers: layers.collect(), arms: arms::rows(results, pair, answer) }
    }
}

impl PairOfCurves {
    fn new(results: &Results, curves: PairCurves) -> Self {
        let pair = results.pairs.iter().find(|pair| pair.name == curves.name);
        let charts = curves.curves.iter().map(charts::curve).collect();
        Self { name: pair.map_or_else(|| curves.name.clone(), words::pair), curves, charts }
    }
}

impl Sections {
    fn of(results: &Results) -> Self {
        let tasks = || results.pairs.iter().flat_map(|pair| &pair.layers).flat_map(|layer| &layer.tasks);
        Self {
            tuned: tasks().any(|task| task.stl.tuned.is_some()),
            tuning: tasks().any(|task| !task.stl.expected_best.is_empty()),
            split: tasks().any(|task| task.split.is_some()),
            controls: tasks().any(|task| !task.controls.is_empty()),
            balancing: tasks().any(|task| !task.balanced.is_empty()),
            training: tasks().any(|task| !task.stl.training.is_empty()),
            slices: tasks().any(|task| !task.slices.is_empty()),
            matched: tasks().any(|task| task.cell.alone_is_matched),
            not_converged: tasks().any(|task| is_not_converged(&task.cell)),
            widened: tasks().any(|task| task.cell.variance.widened),
        }
    }
}
