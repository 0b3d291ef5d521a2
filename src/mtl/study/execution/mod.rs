//! How a study's units are done: training and testing one, all of them on every thread, and their files.
//!
//! What the outcomes mean is not decided here; see `findings`.

mod event;
mod lease;
mod n_gram;
mod outcome;
mod pairing;
mod part;
mod partial;
mod schedule;
mod store;
mod train;
mod work;

pub use event::Event;
pub(super) use lease::Worker;
pub use lease::process_name;
pub use outcome::{InnerPredictions, Predictions, Trial, UnitOutcome};
pub use pairing::paired;
pub use part::{Part, Shard, Units};
pub(super) use partial::EXTENSION as PARTIAL;
pub(super) use schedule::threads;
pub use schedule::{Outcomes, Ran, Rest, run_part, run_units};
pub(super) use store::CLAIM;
pub use store::UnitStore;
pub use work::PlannedUnit;
pub(super) use work::planned_units;
