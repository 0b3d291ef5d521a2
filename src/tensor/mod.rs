//! Numbers in memory; knows nothing of gradients.
//!
//! A [`Tensor`] owns its numbers in row-major order; [`matmul()`] multiplies views of them; [`pointwise`] holds the kernels
//! over slices; [`Segments`] says which rows belong to which text; a [`Pool`] lends buffers from step to step.
//! This is the only folder with `unsafe` code: `simd`, `gemm`, `row_pointers`, `matmul`, `tiles` and `lanes` use the widest
//! instructions there are.

mod gemm;
#[cfg(target_arch = "x86_64")]
mod lanes;
#[cfg(all(test, target_arch = "x86_64"))]
mod levels;
pub mod matmul;
mod packed;
mod panels;
pub mod pointwise;
mod pool;
mod real;
mod row_pointers;
mod segments;
mod shape;
pub(crate) mod simd;
mod split_mix;
mod start;
#[allow(clippy::module_inception)]
mod tensor;
#[cfg(target_arch = "x86_64")]
mod tiles;

pub use matmul::{matmul, matmul_add, matmul_from, matmul_packed};
pub use packed::Packed;
pub use pool::Pool;
pub use real::Real;
pub use segments::{NO_ROW, Segments, TimeSteps};
pub use shape::Shape;
pub use simd::Simd;
pub(crate) use simd::{prefetch, vectorised};
pub use split_mix::split_mix;
pub use start::Start;
pub use tensor::Tensor;
pub(crate) use tensor::{view, view_mut};
