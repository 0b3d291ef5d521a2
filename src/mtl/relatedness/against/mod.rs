//! Does relatedness predict the gain of learning together? Correlation and prediction over pairs, which are no independent observations.
//!
//! | file | what lives there |
//! |---|---|
//! | `observations` | measures and gains of the same pairs as one table |
//! | `inference` | bootstrap over tasks, and p by permuting the tasks of one matrix (QAP) |
//! | `ridge` | linear prediction |
//! | `validation` | leaving out both tasks of a pair everywhere, and how good predictions are |
//! | `report` | [`against`]: all of it, for each layer and size |

mod inference;
mod observations;
mod report;
mod ridge;
mod validation;

pub use inference::{TaskPairs, qap_p, task_bootstrap};
pub use observations::{CONTEXT_COLUMNS, Observation, SIZE_COLUMNS};
pub(super) use observations::{context_columns, known_sizes, measure_columns};
pub use report::{Against, CellReport, FEWEST_TASKS, FittedModel, MeasureReport, against};
pub use ridge::Ridge;
pub(super) use validation::probability_above;
pub use validation::{ModelReport, leave_two_tasks_out, q2};
