//! Proof that gradients are right: each is compared with central differences in double precision, and each fused operation with
//! its readable reference.
//!
//! A check projects the output y on a fixed random cotangent v (a plain sum would hide transposed and sign errors), sweeps back
//! once for Jᵀv, and compares every element of every input with a difference of ⟨v, y⟩:
//!
//! ```
//! use mtlcore::autograd::gradcheck::{Check, wave};
//!
//! let check = Check::new("tanh of a product", [("a", wave([3, 4], 1.0)), ("b", wave([4, 2], 2.0))], |tape, [a, b]| {
//!     let product = tape.matmul(a, b);
//!     tape.tanh(product)
//! });
//! let report = check.run();
//! assert!(report.passed(), "{report:?}");
//! ```
//!
//! What has no gradient, as the initial values of parameters and the [`optimiser`], is held against its formula in the same way.
//! A [`Fault`] plants a known bug in an operation, so that the checks themselves can be checked: [`mutations`] is a list of such
//! bugs, all of which must be caught.

mod check;
mod difference;
mod fault;
mod mutations;
mod named;
pub mod optimiser;

pub use check::{Check, Line, Report, TOLERANCE, VALUE};
pub use fault::{Corruption, Fault, Place};
pub use mutations::{Catch, Evidence, Mutation, mutations};
pub(crate) use named::named;

use crate::tensor::{Shape, Tensor};

/// Numbers between −1 and 1 without a pattern that could hide an error, the same for the same phase: to check operations on.
pub fn wave(shape: impl Into<Shape>, phase: f64) -> Tensor<f64> {
    Tensor::from_fn(shape, |i| (12.9898 * i as f64 + 78.233 * phase + 1.0).sin())
}
