//! Where the map is measured.

use serde::{Deserialize, Serialize};

use super::{Ending, Regime};
use crate::mtl::{
    data::Simulation,
    settings::{Keep, Settings},
    study::StudySettings,
};
use crate::{Error, Result};

/// Rows of a task at least: fewer do not have both classes among the rows to learn from and the inner rows.
const FEWEST_ROWS: usize = 20;
const MOST_REPLICATES: usize = 1_000;

/// The axes of a map, each rising, and how often each of its cells is measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Grid {
    /// Cosines of the tasks' word weights, from −1 to 1.
    pub relatedness: Vec<f64>,
    /// Rows of the main task, inner rows included.
    pub sizes: Vec<usize>,
    /// Rows of the partner for each row of the main task.
    pub ratios: Vec<f64>,
    /// Worlds: each draws the words' weights, all texts and the training's random numbers anew.
    pub replicates: usize,
    /// Fresh texts of the main task in each world, to test on.
    pub test_texts: usize,
}

/// The settings of a map.
#[derive(Clone, Debug)]
pub struct PhaseMapSettings {
    /// The shared layers, the training to convergence, the measure; folds and pairs do not count.
    pub study: StudySettings,
    /// Where it is measured.
    pub grid: Grid,
    /// Epochs of the trainings that end at a fixed number.
    pub fixed_epochs: usize,
}

impl Grid {
    /// Sorts the axes.
    ///
    /// # Errors
    /// [`Error::Config`] naming the axis that cannot be measured.
    pub fn checked(mut self) -> Result<Self> {
        for (name, axis) in [("relatedness", &mut self.relatedness), ("ratios", &mut self.ratios)] {
            axis.sort_by(f64::total_cmp);
            axis.dedup();
            if axis.is_empty() {
                return Err(Error::config(name, "found none, expected some numbers"));
            }
        }
        self.sizes.sort_unstable();
        self.sizes.dedup();
        if let Some(wrong) = self.relatedness.iter().find(|value| !(-1.0..=1.0).contains(*value)) {
            return Err(Error::config("relatedness", format!("found {wrong}, expected cosines from -1 to 1")));
        }
        if let Some(wrong) = self.ratios.iter().find(|value| !(value.is_finite() && **value > 0.0)) {
            return Err(Error::config("ratios", format!("found {wrong}, expected numbers above 0")));
        }
        let Some(&smallest) = self.sizes.first() else {
            return Err(Error::config("sizes", "found none, expected some numbers of rows"));
        };
        let fewest = smallest.min(partner_rows(smallest, self.ratios[0]));
        if fewest < FEWEST_ROWS {
            let message = format!(
                "{smallest} rows with a ratio of {} leave a task with {fewest} rows, expected {FEWEST_ROWS} or more",
                self.ratios[0]
            );
            return Err(Error::config("sizes", message));
        }
        if !(2..=MOST_REPLICATES).contains(&self.replicates) {
            let message =
                format!("found {}, expected 2 to {MOST_REPLICATES}: one alone has no spread", self.replicates);
            return Err(Error::config("replicates", message));
        }
        self.simulation(1, self.relatedness[0]).validate().map_err(|_| {
            let message = "these rows, ratios and test texts are more than a simulation makes";
            Error::config("sizes", message)
        })?;
        Ok(self)
    }

    /// Rows of the main task that a world has to learn from.
    pub(super) fn largest_size(&self) -> usize {
        self.sizes.iter().copied().max().unwrap_or(0)
    }

    /// The simulated pair of which the cells of one relatedness are cut: the same texts for any relatedness, and the main task has the
    /// same labels too.
    ///
    /// Half of the partner's labels are true, without noise, so that its labels at −ρ are the negated ones of ρ. There are no word vectors:
    /// vectors that carry the weights would give away what a partner could teach.
    pub fn simulation(&self, seed: u64, relatedness: f64) -> Simulation {
        let size = self.largest_size();
        let ratio = self.ratios.iter().copied().fold(0.0, f64::max);
        Simulation {
            seed,
            relatedness,
            rows: [size + self.test_texts, partner_rows(size, ratio)],
            overlap: 1.0,
            prevalence: [0.4, 0.5],
            noise: 0.0,
            length: 15,
            ..Simulation::default()
        }
    }
}

/// Rows of the partner of a main task of `size` rows.
pub(super) fn partner_rows(size: usize, ratio: f64) -> usize {
    (size as f64 * ratio).round() as usize
}

impl PhaseMapSettings {
    /// The two ways to end a training, with the settings of each: where the loss on inner rows no longer falls, and after a fixed
    /// number of epochs. Both arms end in the same way.
    pub(super) fn endings(&self) -> [(Ending, StudySettings); 2] {
        let base = &self.study.base;
        let fixed = Settings { epochs: self.fixed_epochs, patience: 0, keep: Keep::Last, ..base.clone() };
        let converged = Settings { keep: Keep::Best, ..base.clone() };
        [(Regime::Converged, converged), (Regime::Fixed, fixed)].map(|(regime, base)| {
            let Settings { epochs, patience, .. } = base;
            let study = StudySettings { base, folds: 2, repeats: 1, tune: 1, ..self.study.clone() };
            (Ending { regime, epochs, patience }, study)
        })
    }
}
