//! The multiverse of a pair (Steegen et al. 2016): the same question, asked with every choice that a paper leaves open made in many ways.
//!
//! | file | what lives there |
//! |---|---|
//! | `choices` | [`Choice`]: the open choices, each with its levels |
//! | `hypercube` | [`latin_hypercube`]: which levels each universe has |
//! | `universe` | one universe: a small study of learning alone and together |
//! | `run` | [`measure_multiverse`]: all universes, then swaps from the starting point |
//! | `variance` | [`shares`]: how much of the variance of the gains each choice explains |
//! | `results` | [`Multiverse`] as a file |
//!
//! What a single study means is decided in `study` and `evaluation`.

mod choices;
mod hypercube;
mod results;
mod run;
mod universe;
mod variance;

pub use choices::{Choice, Level, open_choices};
pub use hypercube::latin_hypercube;
pub use results::{Counts, Flip, Gain, MULTIVERSE, Multiverse, TaskMultiverse, Universe};
pub use run::{MultiverseSettings, measure_multiverse};
pub use variance::{Share, shares};
