//! What a pair may expect to gain, before anything is trained: a model that was fitted on open tasks and ships with the program.
//!
//! | file | what lives there |
//! |---|---|
//! | `ready` | [`ReadyModel`], [`Prediction`]: an expected gain with its interval, or "cannot tell" |
//! | `advice` | [`Advice`]: which partner to take, and which groups to train together |
//! | `open_tasks.json` | the model: what it was fitted on, and its error on tasks that were left out |

mod advice;
mod ready;

pub use advice::{Advice, best_groups};
pub use ready::{Prediction, ReadyCell, ReadyModel};
