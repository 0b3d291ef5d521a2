//! The phase map: the gain of learning together over relatedness, size of the main task and ratio of sizes, on simulated pairs.
//!
//! | file | what lives there |
//! |---|---|
//! | `grid` | [`PhaseMapSettings`]: where the map is measured |
//! | `ending` | the two ways to end a training |
//! | `world` | one drawing of a simulated pair: texts to learn from, and fresh ones to test on |
//! | `run` | [`measure_phase_map`]: the units, through the study's own machinery, and what they say |
//! | `map` | [`PhaseMap`] as a file: the gains of each cell; the map that ships with the program |
//! | `distribution` | [`Distribution`]: what repeated gains say of another pair of the kind |
//! | `reading` | [`PhaseMap::read_at`]: what the map says of a pair, or why it cannot tell |
//! | `shipped.json` | a map as `mtlcore phase-map` measured it |
//!
//! Nothing here is fitted to real tasks.

mod distribution;
mod ending;
mod grid;
mod map;
mod reading;
mod run;
mod world;

pub use distribution::Distribution;
pub use ending::{Ending, Regime};
pub use grid::{Grid, PhaseMapSettings};
pub use map::{Cell, PHASE_MAP, PhaseMap};
pub use reading::{AXIS, Place, Reading};
pub use run::measure_phase_map;
pub use world::World;
