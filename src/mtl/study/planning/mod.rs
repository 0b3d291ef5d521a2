//! What a study will do: its settings, the rows and folds of each pair, the arms, and the units of work.
//!
//! Nothing here trains or reads a result.

mod arm;
mod control;
mod folds;
mod hyper_parameters;
mod pair;
mod seeds;
mod settings;
mod simulated;
mod unit;

pub use arm::Arm;
pub(super) use arm::ArmData;
pub use control::Control;
pub use folds::assign;
pub use hyper_parameters::HyperParameters;
pub use pair::{FoldRows, PairData};
pub use seeds::Seeds;
pub use settings::{Pair, StudySettings, fields};
pub use simulated::SimulatedPair;
pub use unit::{SCHEMA, UnitSpec};
