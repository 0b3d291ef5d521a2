//! How a study's units are done: training and testing one, all of them on every thread, and their files.
//!
//! What the outcomes mean is not decided here; see `findings`.

mod lease;
mod n_gram;
mod outcome;
mod part;
mod partial;
mod schedule;
mod store;
mod train;

pub(super) use lease::Worker;
pub use lease::process_name;
pub use outcome::{InnerPredictions, Predictions, Trial, UnitOutcome};
pub use part::{Part, Shard, Units};
pub(super) use partial::EXTENSION as PARTIAL;
pub use schedule::{Event, Outcomes, PlannedUnit, Ran, Rest, run_part, run_units};
pub(super) use schedule::{planned_units, threads};
pub use store::UnitStore;
