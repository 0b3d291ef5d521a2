//! The gain that a pair may expect before anything is trained, by models that were fitted on open tasks and ship with the program.
//!
//! | file | what lives there |
//! |---|---|
//! | `predict` | [`predict`], [`Prediction`]: an expected gain with its interval, or "cannot tell" |
//! | `on_map` | [`on_map`]: where pairs stand on a phase map, and what it says of them |
//! | `advice` | [`Advice`]: which partner to take, and which groups to train together |
//! | `open_tasks.json` | the models: the `against` part of what `mtlcore relate --against` found on open tasks |

mod advice;
mod on_map;
mod predict;

pub use advice::{Advice, BestPartner, best_groups};
pub use on_map::{OnMap, on_map};
pub use predict::{Prediction, open_tasks, predict};
