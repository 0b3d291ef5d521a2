//! Expected gains, by the models of a comparison of relatedness with gains.

use serde::{Deserialize, Serialize};

use crate::mtl::{
    relatedness::{
        Outlook, PairRelatedness, Relatedness,
        against::{Against, CellReport, FittedModel, context_columns, known_sizes, measure_columns, probability_above},
    },
    settings::Shared,
};

/// The .975 quantile of the normal distribution.
const QUANTILE: f64 = 1.959_963_984_540_054;

const OPEN_TASKS: &str = include_str!("open_tasks.json");

/// The gain that a main task may expect of a partner.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// The main task.
    pub main: String,
    /// The partner that it would be learnt with.
    pub partner: String,
    /// The expected gain, in points.
    pub gain: f64,
    /// Lower end of the 95 % interval for a single pair.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// The probability that the gain exceeds the region of equivalence.
    pub helps: f64,
    /// The probability that the cost exceeds it.
    pub hurts: f64,
    /// What that says.
    pub says: Outlook,
    /// The model: `mean`, `size` or `ridge`.
    pub by: String,
    /// Rows of the main task that the model was fitted at.
    pub fitted_at: String,
}

/// The comparison that ships with the program: its models predict, its reports say how well.
pub fn open_tasks() -> Against {
    serde_json::from_str(OPEN_TASKS).expect("the comparison that ships can be read")
}

/// A prediction for every ordered pair, by the model for this shared layer whose size is nearest to that of the main task. Empty if
/// there is no model for the layer.
pub fn predict(models: &Against, relatedness: &Relatedness, shared: Shared) -> Vec<Prediction> {
    let of_pair = |pair| {
        let (cell, model) = nearest(models, shared, pair)?;
        Some(prediction(models.rope, cell, model, relatedness, pair))
    };
    relatedness.pairs.iter().filter_map(of_pair).collect()
}

fn nearest<'a>(
    models: &'a Against,
    shared: Shared,
    pair: &PairRelatedness,
) -> Option<(&'a CellReport, &'a FittedModel)> {
    let texts = pair.context.main_texts as f64;
    let distance = |cell: &CellReport| (cell.requested_size.parse().unwrap_or(f64::INFINITY) / texts).ln().abs();
    models.fitted(shared).min_by(|(a, _), (b, _)| distance(a).total_cmp(&distance(b)))
}

fn prediction(
    rope: f64,
    cell: &CellReport,
    model: &FittedModel,
    relatedness: &Relatedness,
    pair: &PairRelatedness,
) -> Prediction {
    let rows = [pair.context.main_texts, pair.context.partner_texts];
    let sizes = known_sizes(relatedness, &pair.main, rows, None);
    let columns = [sizes, measure_columns(pair), context_columns(pair)].concat();
    let (gain, deviation) = (model.ridge.predict(&columns), model.validation.root_mean_squared_error);
    let [helps, hurts] = [gain, -gain].map(|gain| probability_above(gain, deviation, rope));
    Prediction {
        main: pair.main.clone(),
        partner: pair.partner.clone(),
        gain,
        low: gain - QUANTILE * deviation,
        high: gain + QUANTILE * deviation,
        helps,
        hurts,
        says: Outlook::new(helps, hurts),
        by: model.validation.model.clone(),
        fitted_at: cell.requested_size.clone(),
    }
}
