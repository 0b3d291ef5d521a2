//! STL against MTL over folds, paired by construction: does multi-task learning help these tasks?

mod control;
pub mod results;

pub use control::Control;
