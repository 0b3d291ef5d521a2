//! Recording and differentiating; knows nothing of layers.
//!
//! A [`Tape`] records operations on values as they are computed. [`Tape::backward`] walks the recording in reverse and returns
//! the [`Gradients`] of the parameters, which [`Adam`] applies to the [`ParamStore`]. Every operation of [`ops`] stands in one
//! file with its mathematics, its forward and backward computation and its checks; [`gradcheck`] proves them all.
//!
//! ```
//! use mtlcore::autograd::{Mode, ParamStore, Tape};
//! use mtlcore::tensor::{Pool, Tensor};
//!
//! let mut params = ParamStore::<f64>::new();
//! let w = params.add("w", Tensor::new([2, 1], vec![3.0, -1.0]));
//! let mut pool = Pool::new();
//!
//! let mut tape = Tape::new(&params, &mut pool, Mode::Evaluate);
//! let x = tape.constant(Tensor::new([1, 2], vec![10.0, 20.0]));
//! let w_on_tape = tape.param(w);
//! let y = tape.matmul(x, w_on_tape);
//! assert_eq!(tape.value(y).item(), 10.0);
//!
//! let gradients = tape.backward(y);
//! assert_eq!(gradients.dense(w).unwrap().data(), [10.0, 20.0]);
//! ```

mod adam;
mod flops;
pub mod gradcheck;
mod gradients;
mod observer;
mod op;
pub mod ops;
mod params;
mod sweep;
mod tape;
pub mod trace;
mod var;

pub use adam::{Adam, AdamForm, AdamSettings, Moments, RowUpdates};
pub use flops::{Flops, Sizes};
pub use gradients::{Gradient, Gradients};
pub use op::{Ctx, Op};
pub use params::{ParamId, ParamStore};
pub use tape::{Mode, Tape};
pub use var::Var;
