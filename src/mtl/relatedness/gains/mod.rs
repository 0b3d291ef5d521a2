//! The gain of learning together, measured on every ordered pair of some tasks.
//!
//! | file | what lives there |
//! |---|---|
//! | `design` | [`GainSettings`], the tasks' rows, which pairs are left out, the data of each comparison |
//! | `run` | [`measure_gains`]: the units, through the study's own machinery, and what they say |
//! | `results` | [`Gains`] as a file: gains, noise ceilings |

mod design;
mod results;
mod run;

pub use design::{GainSettings, Size};
pub use results::{Ceiling, GAINS, Gain, Gains, LeftOut};
pub use run::measure_gains;
