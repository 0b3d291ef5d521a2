//! How a study's units are done: training and testing one, all of them on every thread, and their files.
//!
//! What the outcomes mean is not decided here; see `findings`.

mod n_gram;
mod outcome;
mod schedule;
mod store;
mod train;

pub use outcome::{InnerPredictions, Predictions, Trial, UnitOutcome};
pub(super) use schedule::threads;
pub use schedule::{Event, Outcomes, run_units};
pub use store::UnitStore;
