//! The measured gains as a file: `gains.json`.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::mtl::{
    evaluation::interval::{Measure, Verdict},
    relatedness::{correlation::pearson, measured::spearman_brown},
    settings::Shared,
};
use crate::{Error, Result};

/// The file in the directory of gains.
pub const GAINS: &str = "gains.json";

/// Pairs that a noise ceiling needs.
const FEWEST_PAIRS: usize = 6;

/// All gains that were measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gains {
    /// The version of mtlcore that measured.
    pub version: String,
    /// The measure of performance: a gain is its difference.
    pub measure: Measure,
    /// Half the width of the region of equivalence, in points.
    pub rope: f64,
    /// Folds of the cross-validation.
    pub folds: usize,
    /// How often the folds were drawn anew.
    pub repeats: usize,
    /// Trainings in every fold.
    pub seeds: usize,
    /// Epochs at most, and after how many without a smaller loss on inner rows a training stopped (0: never).
    pub epochs: [usize; 2],
    /// Rows of a partner that a fold learnt from at most: a number or `all`.
    pub partner_size: String,
    /// The tasks, sorted.
    pub tasks: Vec<String>,
    /// Whether all pairs were measured; a stopped run leaves some.
    pub finished: bool,
    /// Every comparison.
    pub gains: Vec<Gain>,
    /// How far the gains of one layer and size can be predicted at all.
    pub ceilings: Vec<Ceiling>,
    /// Pairs that were not measured, with the reason.
    pub left_out: Vec<LeftOut>,
}

/// The gain of one main task from one partner, at one size.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gain {
    /// The task that is to profit.
    pub main: String,
    /// The task that it is learnt with.
    pub partner: String,
    /// The shared layer.
    pub shared: Shared,
    /// Rows of the main task that a fold learnt from.
    pub size: usize,
    /// The size that the settings name: a number or `all`.
    pub requested_size: String,
    /// Rows of the partner that a fold learnt from.
    pub partner_size: usize,
    /// Together − alone, in points.
    pub difference: f64,
    /// Lower end of its 95 % interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Of the difference, in points.
    pub standard_error: f64,
    /// The verdict of the interval.
    pub verdict: Verdict,
    /// The performance of learning alone, from 0 to 1.
    pub alone: f64,
    /// The performance of learning together.
    pub together: f64,
    /// The difference in the area under the ROC curve, in points.
    pub auroc: f64,
    /// The gain in each half of the folds (of the repeats, if there are several); absent for fewer than four folds.
    pub halves: Option<[f64; 2]>,
    /// `halves` in the area under the ROC curve.
    #[serde(default)]
    pub auroc_halves: Option<[f64; 2]>,
}

impl Gain {
    /// The difference in the measure of all gains, or in the area under the ROC curve.
    pub fn by(&self, is_auroc: bool) -> f64 {
        if is_auroc { self.auroc } else { self.difference }
    }
}

/// A pair that was not measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// The main task.
    pub main: String,
    /// Its partner; empty if all pairs of the main task are left out.
    pub partner: String,
    /// The size, if only this size is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<String>,
    /// Why.
    pub reason: String,
}

/// How reliable the gains of one layer and size are as a list over pairs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ceiling {
    /// The shared layer.
    pub shared: Shared,
    /// The size that the settings name.
    pub requested_size: String,
    /// Whether it is of gains in the area under the ROC curve, and not in the measure of all gains.
    #[serde(default)]
    pub is_auroc: bool,
    /// Ordered pairs.
    pub pairs: usize,
    /// The correlation of the two halves' gains over pairs.
    pub halves: f64,
    /// Its Spearman–Brown value: the reliability of the whole.
    pub reliability: f64,
    /// The largest correlation that anything can have with these gains: the root of the reliability.
    pub best_correlation: f64,
}

impl Ceiling {
    /// Of the gains of one layer and size; `None` for few pairs or without halves.
    fn of(gains: &[&Gain], is_auroc: bool) -> Option<Self> {
        let of_gain = |gain: &&Gain| if is_auroc { gain.auroc_halves } else { gain.halves };
        let halves: Vec<[f64; 2]> = gains.iter().filter_map(of_gain).collect();
        let [first, second] = [0, 1].map(|half| halves.iter().map(|pair| pair[half]).collect::<Vec<f64>>());
        let correlation = pearson(&first, &second).filter(|_| halves.len() >= FEWEST_PAIRS)?;
        let reliability = spearman_brown(correlation);
        Some(Self {
            shared: gains[0].shared,
            requested_size: gains[0].requested_size.clone(),
            is_auroc,
            pairs: halves.len(),
            halves: correlation,
            reliability,
            best_correlation: reliability.sqrt(),
        })
    }

    /// Below it, nothing is worth predicting.
    pub const LEAST: f64 = 0.5;
}

impl Gains {
    /// The layers and sizes in the order in which they were measured.
    pub fn cells(&self) -> Vec<(Shared, &str)> {
        let mut cells: Vec<(Shared, &str)> = Vec::new();
        for gain in &self.gains {
            let cell = (gain.shared, gain.requested_size.as_str());
            if !cells.contains(&cell) {
                cells.push(cell);
            }
        }
        cells
    }

    /// The gains of one layer and size.
    pub fn of(&self, (shared, size): (Shared, &str)) -> Vec<&Gain> {
        self.gains.iter().filter(|gain| (gain.shared, gain.requested_size.as_str()) == (shared, size)).collect()
    }

    pub(super) fn set_ceilings(&mut self) {
        let both = self.cells().into_iter().flat_map(|cell| [(cell, false), (cell, true)]);
        self.ceilings = both.filter_map(|(cell, is_auroc)| Ceiling::of(&self.of(cell), is_auroc)).collect();
    }

    /// The noise ceiling of one layer and size.
    pub fn ceiling(&self, cell: (Shared, &str), is_auroc: bool) -> Option<&Ceiling> {
        let is_meant = |c: &&Ceiling| ((c.shared, c.requested_size.as_str()), c.is_auroc) == (cell, is_auroc);
        self.ceilings.iter().find(is_meant)
    }

    /// Reads the gains of a directory, or of their file.
    ///
    /// # Errors
    /// [`Error::Io`] if there is none, [`Error::Line`] if it is damaged or something else.
    pub fn read(path: &Path) -> Result<Self> {
        let path = if path.is_dir() { path.join(GAINS) } else { path.to_owned() };
        let text = std::fs::read_to_string(&path).map_err(Error::io(&path))?;
        serde_json::from_str(&text)
            .map_err(|error| Error::line(&path, error.line() as u64, format!("these are no gains: {error}")))
    }
}
