//! The gain that a pair may expect before anything is trained, by models that were fitted on open tasks and ship with the program.
//!
//! | file | what lives there |
//! |---|---|
//! | `predict` | [`predict`], [`Prediction`]: an expected gain with its interval, or "cannot tell" |
//! | `advice` | [`Advice`]: which partner to take, and which groups to train together |
//! | `open_tasks.json` | the models: the `against` part of what `mtlcore relate --against` found on open tasks |

mod advice;
mod predict;

pub use advice::{Advice, BestPartner, best_groups};
pub use predict::{Prediction, open_tasks, predict};
