//! Predictions by a model that was fitted before.

use serde::{Deserialize, Serialize};

use crate::mtl::{
    relatedness::{
        PairRelatedness, Relatedness,
        against::{ModelReport, Ridge, context_columns, known_sizes, measure_columns, probability_above},
    },
    settings::Shared,
};

/// The .975 quantile of the normal distribution.
const QUANTILE: f64 = 1.959_963_984_540_054;

/// The model that ships with the program.
const OPEN_TASKS: &str = include_str!("open_tasks.json");

/// Fitted models for some layers and sizes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReadyModel {
    /// What it was fitted on, in words.
    pub fitted_on: String,
    /// Half the width of the region of equivalence, in points.
    pub rope: f64,
    /// One for each layer and size.
    pub cells: Vec<ReadyCell>,
}

/// A model for one layer and size.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReadyCell {
    /// The shared layer.
    pub shared: Shared,
    /// Rows of the main task that a fold learnt from.
    pub size_asked: String,
    /// The tasks that it was fitted on.
    pub tasks: Vec<String>,
    /// Ordered pairs that it was fitted on.
    pub pairs: usize,
    /// What it predicts by. Columns: sizes, measures, context.
    pub model: Ridge,
    /// How it did on tasks that were left out.
    pub validation: ModelReport,
}

/// What a main task may expect to gain of a partner.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// In points.
    pub gain: f64,
    /// Lower end of the 95 % interval for a single pair.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// The probability that the gain exceeds the region of equivalence.
    pub helps: f64,
    /// Whether it says "cannot tell": neither a gain nor a cost beyond the region is probable by more than a half.
    pub abstains: bool,
    /// What the model predicts by: the mean, sizes, or all measures.
    pub by: String,
}

impl ReadyModel {
    /// The one that ships with the program.
    pub fn shipped() -> Self {
        serde_json::from_str(OPEN_TASKS).expect("the model that ships is one")
    }

    /// Sets the prediction of every pair of which there is a model for the layer; whether there is one.
    pub fn predict(&self, relatedness: &mut Relatedness, shared: Shared) -> bool {
        let whole = relatedness.clone();
        for pair in &mut relatedness.pairs {
            pair.prediction = self.cell(shared, pair.context.main_texts).map(|cell| self.of_pair(cell, &whole, pair));
        }
        relatedness.pairs.iter().any(|pair| pair.prediction.is_some())
    }

    /// The model whose size is nearest to that of the main task.
    fn cell(&self, shared: Shared, texts: usize) -> Option<&ReadyCell> {
        let size = |cell: &ReadyCell| cell.size_asked.parse::<f64>().unwrap_or(f64::INFINITY);
        let distance = |cell: &&ReadyCell| (size(cell) / texts as f64).ln().abs();
        let cells = self.cells.iter().filter(|cell| cell.shared == shared);
        cells.min_by(|a, b| distance(a).total_cmp(&distance(b)))
    }

    fn of_pair(&self, cell: &ReadyCell, relatedness: &Relatedness, pair: &PairRelatedness) -> Prediction {
        let rows = [pair.context.main_texts, pair.context.partner_texts];
        let sizes = known_sizes(relatedness, &pair.main, rows, None);
        let columns = [sizes, measure_columns(pair), context_columns(pair)].concat();
        let (gain, deviation) = (cell.model.predict(&columns), cell.validation.root_mean_squared_error);
        let helps = probability_above(gain, deviation, self.rope);
        let hurts = 1.0 - probability_above(gain, deviation, -self.rope);
        Prediction {
            gain,
            low: gain - QUANTILE * deviation,
            high: gain + QUANTILE * deviation,
            helps,
            abstains: helps.max(hurts) <= 0.5,
            by: cell.validation.model.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_that_ships_can_be_read_and_says_what_it_is() {
        let model = ReadyModel::shipped();
        assert!(!model.fitted_on.is_empty());
        for cell in &model.cells {
            assert!(cell.pairs >= 30 && cell.tasks.len() >= 6 && cell.validation.root_mean_squared_error > 0.0);
        }
    }
}
