//! The training loop, for one task or many: batches, steps, validation, checkpoints, the gradient log; and prediction.
//!
//! The only place where parameters change. Directories are the business of [`run`](super::run), comparisons that of
//! [`study`](super::study).

mod checkpoint;
mod cut;
mod gradient;
mod held_out;
mod order;
mod packing;
mod prediction;
mod probe;
mod ranks;
mod step;
mod trainer;

pub use order::{BatchPlan, epoch_plan};
pub use prediction::Predictor;
pub use probe::{ALL, Block, Measurement, PairOfTasks};
pub use ranks::{Communicator, Ranks};
pub use step::{optimiser, step};
pub use trainer::{EpochReport, Event, Flow, NextStep, Outcome, TaskReport, Trainer};

#[cfg(test)]
mod tests;
