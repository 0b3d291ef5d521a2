//! A phase map as a file: `phase-map.json`, and the one that ships with the program.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Distribution, Ending, Grid, Regime};
use crate::mtl::{
    data::Simulation,
    evaluation::interval::{Measure, Verdict},
    settings::{HeadStart, Shared},
};
use crate::{Error, Result};

/// The file in the directory of a phase map.
pub const PHASE_MAP: &str = "phase-map.json";

const SHIPPED: &str = include_str!("shipped.json");

/// The gain of learning together over relatedness, size and ratio of sizes, on simulated pairs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PhaseMap {
    /// The version of mtlcore that measured.
    pub version: String,
    /// The measure of performance: a gain is its difference.
    pub measure: Measure,
    /// Half the width of the region of equivalence, in points.
    pub rope: f64,
    /// The shared layers.
    pub shared: Vec<Shared>,
    /// What the heads of both tasks started from.
    pub heads: HeadStart,
    /// Where it was measured.
    pub grid: Grid,
    /// How trainings ended.
    pub endings: [Ending; 2],
    /// The simulated pairs; seed, relatedness and rows are those of a cell.
    pub simulation: Simulation,
    /// What the trainings had in common, as in a configuration file.
    pub settings: toml::Table,
    /// Every cell.
    pub cells: Vec<Cell>,
}

/// One place of a map.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// The shared layer.
    pub shared: Shared,
    /// When the trainings ended.
    pub regime: Regime,
    /// The cosine of the tasks' word weights.
    pub relatedness: f64,
    /// Rows of the main task that were learnt from, inner rows included.
    pub size: usize,
    /// Rows of the partner for each of them.
    pub ratio: f64,
    /// The gain of learning together with a head a task.
    pub gain: Distribution,
    /// What the interval of the mean gain says.
    pub verdict: Verdict,
    /// The control: one head for both tasks, as if they were one.
    pub pooled: Distribution,
    /// The mean performance of learning alone, from 0 to 1.
    pub alone: f64,
    /// Trainings, of those alone and together, that were still running at the last epoch.
    pub cut_short: usize,
    /// Together − alone in each world, in points.
    pub gains: Vec<f64>,
    /// `gains` of the pooled control.
    pub pooled_gains: Vec<f64>,
    /// `gains` in the area under the ROC curve.
    pub auroc_gains: Vec<f64>,
}

impl PhaseMap {
    /// The map that ships with the program, for heads that start in this way.
    pub fn shipped(heads: HeadStart) -> Self {
        let maps: Vec<Self> = serde_json::from_str(SHIPPED).expect("the maps that ship can be read");
        maps.into_iter().find(|map| map.heads == heads).expect("a map for each way to start heads ships")
    }

    /// The cells of one layer and regime.
    pub fn of(&self, shared: Shared, regime: Regime) -> impl Iterator<Item = &Cell> {
        self.cells.iter().filter(move |cell| (cell.shared, cell.regime) == (shared, regime))
    }

    /// How trainings of a regime ended.
    pub fn ending(&self, regime: Regime) -> &Ending {
        self.endings.iter().find(|ending| ending.regime == regime).expect("there are both regimes")
    }

    /// Reads the map of a directory, or its file.
    ///
    /// # Errors
    /// [`Error::Io`] if there is none, [`Error::Line`] if it is damaged or something else.
    pub fn read(path: &Path) -> Result<Self> {
        let path = if path.is_dir() { path.join(PHASE_MAP) } else { path.to_owned() };
        let text = std::fs::read_to_string(&path).map_err(Error::io(&path))?;
        serde_json::from_str(&text)
            .map_err(|error| Error::line(&path, error.line() as u64, format!("this is no phase map: {error}")))
    }
}
