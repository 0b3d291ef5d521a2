//! How good predictions are, whether a difference between two models is real, and whether a published table can be.
//!
//! Pure functions of numbers: nothing here knows of models, files of texts or training.
//!
//! | module | the question it answers |
//! |---|---|
//! | [`metrics`] | how good are these probabilities? Counts, F1, ranking, calibration, baselines, the best threshold |
//! | [`statistics`] | is STL against MTL over folds a real difference, and how large could it be? |
//! | [`audit`] | can the accuracies and F-scores of a published table be true, given its class counts? |
//! | [`agreement`] | do two annotators sort errors alike? |
//! | [`relatedness`] | how alike are two tasks: their words, their representations, their texts? |
//!
//! Two conventions hold throughout. Rates are shares between 0 and 1 (only [`audit`] reads percent, because tables print
//! percent). No function returns NaN: where a textbook formula divides by zero, the documentation of the function says
//! what it returns instead.

pub mod agreement;
pub mod audit;
pub mod interval;
pub mod metrics;
pub mod relatedness;
pub mod statistics;
