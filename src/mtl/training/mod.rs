//! The one training loop, for one task or many.

mod checkpoint;
mod held_out;
mod order;
mod prediction;
mod probe;
mod step;
mod trainer;

pub use order::{Plan, epoch_plan};
pub use prediction::Predictor;
pub use probe::{ALL, Block, Measurement, PairOfTasks};
pub use step::{optimiser, step};
pub use trainer::{EpochReport, Event, Flow, NextStep, Outcome, TaskReport, Trainer};
