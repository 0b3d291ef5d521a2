//! STL against MTL over folds, paired by construction: does multi-task learning help these tasks?
//!
//! [`StudySettings`] → [`PairData`] (rows, vectors, folds) → [`UnitSpec`] (pair, layer, arm, repeat, fold) → [`run_units`] →
//! [`UnitOutcome`], each a file of a [`UnitStore`] → [`analyse`] → [`Results`]. [`Study`] does all of it in a directory.
//! [`Curves`] are the same between STL and MTL, with a share of the other tasks' data; [`errors`] looks at the single texts.
//!
//! All arms of a fold share test rows, inner rows, seed and vocabulary, and everything random in a training follows from the
//! seed and from each row's own key. So STL and MTL start from the same weights in what they have in common, meet the rows
//! that they share in the same order and under the same dropout: what differs between them is what the other task brings.

mod analysis;
mod answer;
mod arm;
mod compare;
mod control;
mod csv;
mod curves;
mod directory;
pub mod errors;
mod folds;
mod ngram;
mod pair;
pub mod results;
mod schedule;
mod settings;
mod simulated;
mod store;
mod unit;

pub use analysis::{METRICS, Metric, analyse};
pub use arm::Arm;
pub use control::Control;
pub use curves::{Band, CurveFold, CurvePoint, Curves, PairCurves, TaskCurve};
pub use directory::{Manifest, PairManifest, Study};
pub use folds::assign;
pub use pair::{FoldRows, PairData};
pub use results::Results;
pub use schedule::{Event, Outcomes, run_units};
pub use settings::{Pair, StudySettings, fields};
pub use simulated::SimulatedPair;
pub use store::UnitStore;
pub use unit::{Predictions, UnitOutcome, UnitSpec};

/// The word of a choice in files and flags.
pub fn word(choice: &impl serde::Serialize) -> String {
    match serde_json::to_value(choice) {
        Ok(serde_json::Value::String(word)) => word,
        other => panic!("a choice is a word, but found {other:?}"),
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
