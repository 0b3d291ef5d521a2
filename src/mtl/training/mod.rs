//! The one training loop, for one task or many.

mod checkpoint;
mod order;
mod prediction;
mod trainer;

pub use order::{Plan, epoch_plan};
pub use prediction::Predictor;
pub use trainer::{EpochReport, Event, Flow, Outcome, TaskReport, Trainer};
