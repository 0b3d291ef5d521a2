//! Plain structs of parameter ids with a `forward`; know nothing of tasks or text.
//!
//! A layer adds its parameters to a [`ParamStore`](crate::autograd::ParamStore) under names and in layouts that follow Keras, and
//! records its computation on a [`Tape`](crate::autograd::Tape). Numbers stay in the store, so one layer serves in both precisions.

mod bilstm;
mod conv;
mod dense;
mod dropout;
mod embedding;
pub mod init;
mod initial_values;
mod lstm;
mod sequence;

pub use bilstm::{Bilstm, SentenceVector};
pub use conv::Conv;
pub use dense::Dense;
pub use dropout::Dropout;
pub use embedding::Embedding;
pub use initial_values::checks as initial_value_checks;
pub use lstm::Lstm;
pub use sequence::{Rows, Sequence};

use crate::autograd::gradcheck::Check;

/// The checks of every layer.
pub fn checks() -> Vec<Check> {
    [bilstm::checks(), conv::checks(), dense::checks(), dropout::checks(), embedding::checks()]
        .into_iter()
        .flatten()
        .collect()
}
