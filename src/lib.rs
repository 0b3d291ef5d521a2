//! Does multi-task learning help *my* tasks? `mtlcore` answers with evidence, on an autodiff engine of its own.
//!
//! | module | what it holds | what it knows nothing of |
//! |---|---|---|
//! | [`tensor`] | numbers in memory: matrix products, pointwise kernels, ragged segments, buffers | gradients |
//! | [`autograd`] | recording on a tape, sweeping back, parameters, Adam, gradient checks | layers |
//! | [`layers`] | embedding, dense, dropout, LSTM, convolution: structs of parameter ids | tasks and text |
//! | [`mtl`] | tasks, text, the model, training, evaluation | the command line |
//!
//! Each module uses only those above it, and [`error`] and [`printable`], which depend on nothing. The command line (`src/cli`) is a binary of its own and sees only what is public here.
//!
//! Features choose how much of it is built: `cli`, the default, is everything; `mtl` leaves the program out; without either there is
//! the engine, `tensor`, `autograd` and `layers`, whose settings and reports `serde` can write.
//!
//! [`course`] explains what is inside, in eleven chapters from a scalar tape to the relatedness of tasks, and how to
//! [add an operation](course::adding_an_op).
// The engine alone has no page of the modules above it, which the introduction links to.
#![cfg_attr(not(feature = "mtl"), allow(rustdoc::broken_intra_doc_links))]

pub mod autograd;
// Nothing but text: a build without documentation need not read it.
#[cfg(all(feature = "mtl", any(doc, doctest)))]
pub mod course;
#[cfg(feature = "mtl")]
pub mod error;
pub mod layers;
#[cfg(feature = "mtl")]
pub mod mtl;
#[cfg(feature = "mtl")]
pub mod printable;
pub mod tensor;

#[cfg(feature = "mtl")]
pub use error::{Error, Result};
