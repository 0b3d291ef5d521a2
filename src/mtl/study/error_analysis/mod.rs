//! The errors of a study's networks: where they differ, in which kinds of texts, and a sample to sort by hand.
//!
//! | file | what it does |
//! |---|---|
//! | `decisions` | [`TaskDecisions`]: what STL and MTL said of every text of a task |
//! | `features`, `slices` | [`slices`]: kinds of texts, decided from the texts alone, and how often each arm errs on them |
//! | `sample` | [`ErrorKind`], [`SampledError`]: random errors of each kind |
//! | `file` | [`write_errors`], [`read_categories`]: `errors.csv` out, and in again with its categories filled in |
//! | `tally` | [`Tally`], [`Agreement`]: how often each category occurs, and whether two people agree |
//!
//! All of it is about the first training in each fold of the first repeat, by which every labelled text is tested exactly once,
//! and about decisions at the study's fixed threshold.

mod decisions;
mod features;
mod file;
mod sample;
mod slices;
mod tally;

pub use decisions::{Decision, McNemar, TaskDecisions};
pub use file::{Categories, CategoryRow, ERRORS, read_categories, write_errors};
pub use sample::{ErrorKind, SampledError};
pub use slices::{Feature, Slice, SliceResult, slices};
pub use tally::{Agreement, Tally, TaskTally};
