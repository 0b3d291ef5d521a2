//! Where pairs stand on a phase map.

use serde::{Deserialize, Serialize};

use crate::mtl::{
    relatedness::{
        PairRelatedness, Relatedness,
        phase_map::{AXIS, PhaseMap, Place, Reading, Regime},
    },
    settings::Shared,
};

/// Standard errors in a noise floor, which is the largest of 19 permuted values: about the .975 quantile of the normal distribution.
const FLOOR: f64 = 1.959_963_984_540_054;

/// A pair on a phase map.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OnMap {
    /// The main task.
    pub main: String,
    /// The partner that it would be learnt with.
    pub partner: String,
    /// Rows of both.
    pub rows: [usize; 2],
    /// The estimated cosine of the word weights; absent where it is not defined.
    pub relatedness: Option<f64>,
    /// Its standard error, from its noise floor.
    pub error: Option<f64>,
    /// What the map says of trainings to convergence.
    #[serde(flatten)]
    pub reading: Option<Reading>,
    /// Why it cannot tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Every ordered pair on a map.
pub fn on_map(map: &PhaseMap, relatedness: &Relatedness, shared: Shared) -> Vec<OnMap> {
    relatedness.pairs.iter().map(|pair| of_pair(map, pair, shared)).collect()
}

fn of_pair(map: &PhaseMap, pair: &PairRelatedness, shared: Shared) -> OnMap {
    let measured = &pair.measures[AXIS];
    let rows = [pair.context.main_texts, pair.context.partner_texts];
    let error = measured.floor.map(|floor| floor / FLOOR);
    let read = match measured.value {
        None => Err(format!("ρ̂ is not defined: {}", measured.reason.as_deref().unwrap_or("it has no value"))),
        Some(relatedness) => {
            let place = Place { shared, relatedness, error: error.unwrap_or(0.0), rows };
            map.read_at(&place, Regime::Converged)
        }
    };
    let (reading, reason) = match read {
        Ok(reading) => (Some(reading), None),
        Err(reason) => (None, Some(reason)),
    };
    let (main, partner) = (pair.main.clone(), pair.partner.clone());
    OnMap { main, partner, rows, relatedness: measured.value, error, reading, reason }
}
