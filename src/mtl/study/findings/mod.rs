//! What the outcomes of a study's units say: comparisons, verdicts, curves, and the files `results.json` and `results.csv`.
//!
//! Nothing here trains. The words and pictures for people are the command line's.

mod analysis;
mod answer;
mod arms;
mod cell;
mod compare;
mod csv;
mod curves;
mod metric;
pub mod results;

pub use analysis::analyse;
pub(super) use csv::write as write_csv;
pub use curves::{Band, CurveFold, CurvePoint, Curves, PairCurves, TaskCurve};
pub use metric::{METRICS, Metric};
pub use results::Results;
