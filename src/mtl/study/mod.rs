//! STL against MTL over folds, paired by construction: does multi-task learning help these tasks?
//!
//! | room | what lives there |
//! |---|---|
//! | `planning` | what will be done: [`StudySettings`], [`PairData`] (rows, vectors, folds), [`Arm`], [`UnitSpec`] |
//! | `execution` | how it is done: [`run_units`] trains what is missing; each [`UnitOutcome`] is a file of a [`UnitStore`] |
//! | [`error_analysis`] | what both arms said of single texts, and kinds of texts |
//! | `findings` | what the outcomes say: [`analyse`] → [`Results`], [`Curves`] |
//!
//! Each uses those above it. [`Study`] does all of it in a directory.
//!
//! All arms of a fold share test rows, inner rows, seed and vocabulary, and everything random in a training follows from the
//! seed and from each row's own key. So STL and MTL start from the same weights in what they have in common, meet the rows
//! that they share in the same order and under the same dropout: what differs between them is what the other task brings.

mod directory;
pub mod error_analysis;
mod execution;
mod extension;
mod findings;
mod manifest;
mod merge;
mod plan;
mod planning;
mod replace;
mod until_decided;

pub use directory::{Study, StudyRun, require_study};
pub use execution::{
    Event, InnerPredictions, Outcomes, Part, PlannedUnit, Predictions, Ran, Rest, Shard, Trial, UnitOutcome, UnitStore,
    Units, paired, process_name, run_part, run_units,
};
pub use findings::{
    Band, CurveFold, CurvePoint, Curves, METRICS, Metric, PairCurves, Results, TaskCurve, analyse, results,
};
pub use manifest::{Manifest, PairManifest};
pub use plan::{Plan, TaskPlan};
pub use planning::{
    Arm, Control, FoldRows, HyperParameters, Pair, PairData, SCHEMA, Seeds, SimulatedPair, StudySettings, UnitSpec,
    assign, fields,
};
pub use until_decided::Ended;
