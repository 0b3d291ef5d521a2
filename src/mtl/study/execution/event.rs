//! What an observer of a study is told.

/// What has just happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// How far the units are, with those of earlier runs.
    Progress {
        /// Finished units.
        done: usize,
        /// All units.
        all: usize,
    },
    /// This process has finished a unit; [`Event::Progress`] follows.
    Finished {
        /// Its name.
        unit: String,
        /// What it took.
        seconds: f64,
    },
    /// The file of a unit is damaged, for this reason; the unit is run again.
    Damaged(String),
}
