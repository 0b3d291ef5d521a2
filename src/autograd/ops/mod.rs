//! The operations, one a file: mathematics, forward computation, backward computation, checks.
//!
//! To add one, write its file, then name it twice here: `docs/adding-an-op.md` goes through it step by step.

mod add;
mod concat;
pub mod conv;
mod dropout;
mod gather;
mod hard_sigmoid;
pub mod lstm;
mod masked_bce;
mod matmul;
mod mul;
mod relu;
mod scale;
mod segment_max;
mod segment_mean;
mod sigmoid;
mod slice;
mod tanh;

pub use crate::tensor::NO_ROW;

use super::gradcheck::Check;

/// The checks of every operation.
pub fn checks() -> Vec<Check> {
    [
        add::checks(),
        concat::checks(),
        conv::checks(),
        dropout::checks(),
        gather::checks(),
        hard_sigmoid::checks(),
        lstm::checks(),
        masked_bce::checks(),
        matmul::checks(),
        mul::checks(),
        relu::checks(),
        scale::checks(),
        segment_max::checks(),
        segment_mean::checks(),
        sigmoid::checks(),
        slice::checks(),
        tanh::checks(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
