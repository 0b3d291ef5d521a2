//! When the trainings of a map end.

use serde::{Deserialize, Serialize};

use crate::mtl::choices::choices;

choices! {
    /// When a training of a map ends, in both arms alike.
    Regime {
        /// When the loss on inner rows no longer falls; with the parameters of its smallest value.
        Converged = "converged",
        /// After a fixed number of epochs. Learning together then takes more steps than learning alone, which manufactures gain and harm.
        Fixed = "fixed",
    }
}

/// How the trainings of some cells ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// In which way.
    pub regime: Regime,
    /// Epochs at most.
    pub epochs: usize,
    /// Epochs without a smaller loss on inner rows, after which a training stops; 0 for never.
    pub patience: usize,
}
