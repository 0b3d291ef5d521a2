//! Convolution over the words of packed texts, its activation φ and pooling over time, in one operation.
//!
//! For window t of a text, with x its rows and k the kernel's width:
//!
//! ```text
//! z[t, f] = b[f] + Σⱼ Σ꜀ x[t + j, c] · K[j, c, f]
//! y[f] = max over t of φ(z[t, f])       or the mean
//! ```
//!
//! The windows are *valid*: they end within the text. A text shorter than k is padded with rows of zeros to one window.
//!
//! φ is non-decreasing, so the maximum of φ(z) is φ of the maximum of z, and only the winning windows have a gradient: with
//! dz = dy·φ′ there, dK[j, :, f] += dz · x[t + j, :] and dx[t + j, :] += dz · K[j, :, f].
//!
//! The fused computation needs no unfolded matrix of windows: it multiplies each *distinct* row once by the kernel's k parts side
//! by side, `[U, C]·[C, k·F]`, and a window adds up k of the results. [`reference`](Tape::conv_reference) says the same in
//! small operations.

mod origins;
mod reference;
mod windows;

use std::sync::Arc;

use crate::autograd::{
    Ctx, Flops, Op, Sizes, Tape, Var,
    gradcheck::{Check, wave},
};
use crate::tensor::{Pool, Real, Segments, Tensor, matmul, matmul_add, pointwise, view_mut};
pub use origins::ConvOrigins;
use windows::Windows;

/// The function φ of a convolution. All are non-decreasing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum ConvActivation {
    /// max(z, 0).
    #[default]
    Relu,
    /// Hyperbolic tangent.
    Tanh,
    /// z itself.
    Linear,
}

impl ConvActivation {
    fn apply<F: Real>(self, z: F) -> F {
        match self {
            Self::Relu => z.at_least(F::ZERO),
            Self::Tanh => z.tanh(),
            Self::Linear => z,
        }
    }

    /// φ′ from φ's value.
    fn slope<F: Real>(self, value: F) -> F {
        match self {
            Self::Relu if value > F::ZERO => F::ONE,
            Self::Relu => F::ZERO,
            Self::Tanh => F::ONE - value * value,
            Self::Linear => F::ONE,
        }
    }
}

/// How the windows of a text become one vector.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum TimePooling {
    /// The largest value of each filter.
    #[default]
    Max,
    /// The mean of each filter.
    Mean,
}

/// A convolution's parameters and kind.
#[derive(Clone, Copy, Debug)]
pub struct Convolution {
    /// K, `[k, C, F]`.
    pub kernel: Var,
    /// b, `[F]`.
    pub bias: Var,
    /// φ.
    pub activation: ConvActivation,
    /// How the windows become one vector.
    pub pooling: TimePooling,
}

struct Conv {
    rows: Arc<[u32]>,
    segments: Arc<Segments>,
    activation: ConvActivation,
    /// The windows that each output came from: see [`Windows::pool`].
    origin: Origin,
}

enum Origin {
    /// The winning window of each output, `[texts, F]`.
    Winners(Vec<u32>),
    /// All windows, whose activations `[windows, F]` are kept.
    All,
}

impl Origin {
    fn give_to<F: Real>(self, pool: &mut Pool<F>) {
        if let Self::Winners(winners) = self {
            pool.give_vec(winners);
        }
    }
}

impl Windows<'_> {
    /// One vector a text `[texts, F]` from the projected rows `[U, k·F]`, where it came from, and the activations of all windows
    /// where a backward computation needs them.
    fn pool<F: Real>(
        &self,
        projected: &Tensor<F>,
        bias: &Tensor<F>,
        activation: ConvActivation,
        pooling: TimePooling,
        pool: &mut Pool<F>,
    ) -> (Tensor<F>, Origin, Option<Tensor<F>>) {
        let mut y = pool.zeros([self.segments.count(), self.filters]);
        match pooling {
            TimePooling::Max => {
                let mut winners = pool.take_vec();
                winners.resize(y.data().len(), 0);
                self.max(projected, bias, &mut winners, &mut y);
                y.data_mut().iter_mut().for_each(|y| *y = activation.apply(*y));
                (y, Origin::Winners(winners), None)
            }
            TimePooling::Mean => {
                let mut activations = pool.take([self.count(), self.filters]);
                self.mean(projected, bias, activation, &mut activations, &mut y);
                (y, Origin::All, Some(activations))
            }
        }
    }
}

impl<F: Real> Tape<'_, F> {
    /// One vector a text, `[texts, F]`. Token `n` of the batch, which `segments` divides into texts, is row `rows[n]` of x
    /// `[U, C]`.
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn conv(&mut self, x: Var, rows: &Arc<[u32]>, segments: &Arc<Segments>, conv: Convolution) -> Var {
        if self.uses_references() {
            return self.conv_reference(x, rows, segments, conv);
        }
        let Convolution { kernel, bias, activation, pooling } = conv;
        let ([x_value, kernel_value, bias_value], pool) = self.operands([x, kernel, bias]);
        let &[width, channels, filters] = kernel_value.shape().dims() else {
            panic!("conv: a kernel has three axes, not {}", kernel_value.shape())
        };
        let bias_fits = bias_value.shape() == [filters].into();
        assert!(
            x_value.cols() == channels && bias_fits,
            "conv: {} with kernel {} and bias {}",
            x_value.shape(),
            kernel_value.shape(),
            bias_value.shape()
        );
        assert_eq!(rows.len(), segments.total(), "conv: rows and segments");

        let mut projected = pool.take([x_value.rows(), width * filters]);
        project(x_value, kernel_value, projected.data_mut(), pool);
        let windows = Windows { rows, segments, width, filters };
        let (y, origin, kept) = windows.pool(&projected, bias_value, activation, pooling, pool);
        pool.give(projected);
        let inputs = [x, kernel, bias];
        let op = Conv { rows: rows.clone(), segments: segments.clone(), activation, origin };
        self.record_saving(op, &inputs, y, kept.into_iter().collect())
    }

    /// As [`conv`](Self::conv), to the bit, for rows that are projected already, `[U, k·F]`, as [`project`] makes them. No
    /// gradient flows through it.
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn conv_of_projected(
        &mut self,
        projected: &Tensor<F>,
        rows: &[u32],
        segments: &Segments,
        conv: Convolution,
    ) -> Var {
        let ([kernel, bias], pool) = self.operands([conv.kernel, conv.bias]);
        let &[width, _, filters] = kernel.shape().dims() else {
            panic!("conv: a kernel has three axes, not {}", kernel.shape())
        };
        assert_eq!(
            projected.cols(),
            width * filters,
            "conv: columns of projected rows, with kernel {}",
            kernel.shape()
        );
        assert_eq!(rows.len(), segments.total(), "conv: rows and segments");
        let windows = Windows { rows, segments, width, filters };
        let (y, origin, kept) = windows.pool(projected, bias, conv.activation, conv.pooling, pool);
        kept.into_iter().for_each(|tensor| pool.give(tensor));
        origin.give_to(pool);
        self.constant(y)
    }
}

/// Each row of x `[U, C]` times the parts of K `[k, C, F]` side by side, into `projected` `[U, k·F]`.
///
/// # Panics
/// If the shapes do not fit.
#[track_caller]
pub fn project<F: Real>(x: &Tensor<F>, kernel: &Tensor<F>, projected: &mut [F], pool: &mut Pool<F>) {
    let &[width, channels, filters] = kernel.shape().dims() else { panic!("conv: kernel {}", kernel.shape()) };
    let mut side_by_side = pool.take([channels, width * filters]);
    parts_side_by_side(kernel, &mut side_by_side);
    matmul(x.matrix(), side_by_side.matrix(), view_mut(projected, x.rows(), width * filters));
    pool.give(side_by_side);
}

/// `[k, C, F]` as `[C, k·F]`.
fn parts_side_by_side<F: Real>(kernel: &Tensor<F>, out: &mut Tensor<F>) {
    let &[width, channels, filters] = kernel.shape().dims() else { unreachable!("checked by the caller") };
    let parts = kernel.data().chunks_exact((channels * filters).max(1));
    for (j, part) in parts.enumerate() {
        pointwise::set_columns(out.data_mut(), width * filters, j * filters, part, filters);
    }
}

impl<F: Real> Op<F> for Conv {
    fn name(&self) -> &'static str {
        "conv"
    }

    fn flops(&self, sizes: &Sizes) -> Option<Flops> {
        let &[width, channels, filters] = sizes.shape(1).dims() else { return None };
        let windows = Windows { rows: &self.rows, segments: &self.segments, width, filters };
        let (mut windows_of_all, mut rows_of_all) = (0, 0); // a text's windows, and the rows in them
        windows.each(|text, window, _| {
            windows_of_all += 1;
            rows_of_all += windows.rows_of(text, window).count();
        });
        let (projection, sums) = (2 * sizes.shape(0).rows() * channels * width * filters, rows_of_all * filters);
        let (of_texts, of_windows) = (sizes.shape_of_value().len(), windows_of_all * filters);
        let wanted = (sizes.wanted(0) + sizes.wanted(1)) as usize;
        let (forward, backward) = match &self.origin {
            // A comparison a window and an activation a text; back, one window of each filter, whose dz is one product.
            Origin::Winners(_) => {
                (sums + of_windows + of_texts, 2 * of_texts + 2 * width * channels * of_texts * wanted)
            }
            // An activation and a share a window; back, dz, its sum, its rows and two matrix products.
            Origin::All => (sums + 3 * of_windows, 3 * of_windows + sums + projection * wanted),
        };
        Some(Flops { forward: (projection + forward) as u64, backward: backward as u64 })
    }

    fn backward(&self, ctx: &mut Ctx<'_, F>) {
        let &[width, _, filters] = ctx.x(1).shape().dims() else { unreachable!("checked when it was recorded") };
        let windows = Windows { rows: &self.rows, segments: &self.segments, width, filters };
        match &self.origin {
            Origin::Winners(winners) => self.through_winners(windows, winners, ctx),
            Origin::All => self.through_all(windows, ctx),
        }
    }

    fn give_to(&mut self, pool: &mut Pool<F>) {
        std::mem::replace(&mut self.origin, Origin::All).give_to(pool);
    }
}

impl Conv {
    /// One product of a number and a row for each winner and offset: far less than a matrix product.
    fn through_winners<F: Real>(&self, windows: Windows, winners: &[u32], ctx: &mut Ctx<'_, F>) {
        let (dy, y, x, kernel) = (ctx.dy(), ctx.y(), ctx.x(0), ctx.x(1));
        let mut dz = ctx.scratch(dy.shape());
        for ((dz, &dy), &y) in dz.data_mut().iter_mut().zip(dy.data()).zip(y.data()) {
            *dz = dy * self.activation.slope(y);
        }
        // Row j·F + f of a transposed kernel or gradient is K[j, :, f], so that a window's share is a contiguous row.
        if ctx.wants(1) {
            let mut transposed = ctx.scratch([windows.width * windows.filters, x.cols()]);
            windows.kernel_gradient(winners, &dz, x, &mut transposed, ctx.pool);
            let mut dkernel = ctx.scratch(kernel.shape());
            transpose_parts(&transposed, [windows.filters, x.cols()], &mut dkernel);
            ctx.release(transposed);
            ctx.add_dx(1, dkernel);
        }
        if let Some(dbias) = ctx.dx(2) {
            pointwise::add_column_sums(dbias.data_mut(), dz.data());
        }
        if ctx.wants(0) {
            let mut transposed = ctx.scratch([windows.width * windows.filters, x.cols()]);
            transpose_parts(kernel, [x.cols(), windows.filters], &mut transposed);
            let dx = ctx.dx(0).expect("the input wants a gradient");
            windows.add_input_gradient(winners, &dz, &transposed, dx);
            ctx.release(transposed);
        }
        ctx.release(dz);
    }

    /// Through every window to the projected rows, and from there by two matrix products.
    fn through_all<F: Real>(&self, windows: Windows, ctx: &mut Ctx<'_, F>) {
        let (dy, activations, x, kernel) = (ctx.dy(), ctx.saved(0), ctx.x(0), ctx.x(1));
        let (filters, channels) = (windows.filters, x.cols());
        let mut dprojected = ctx.zeros([x.rows(), windows.width * filters]);
        let mut dbias = ctx.zeros([filters]);
        let mut dz = ctx.scratch([filters]);
        windows.each(|text, window, at| {
            let share = F::from_f64(1.0 / windows.count_in(text) as f64);
            for (f, dz) in dz.data_mut().iter_mut().enumerate() {
                *dz = dy.row(text)[f] * share * self.activation.slope(activations.row(at)[f]);
            }
            pointwise::add(dbias.data_mut(), dz.data());
            for (j, row) in windows.rows_of(text, window).enumerate() {
                pointwise::add(&mut dprojected.row_mut(row)[j * filters..][..filters], dz.data());
            }
        });
        let mut side_by_side = ctx.scratch([channels, windows.width * filters]);
        if let Some(dx) = ctx.dx(0) {
            parts_side_by_side(kernel, &mut side_by_side);
            matmul_add(dprojected.matrix(), side_by_side.matrix().reversed_axes(), dx.matrix_mut());
        }
        if let Some(dkernel) = ctx.dx(1) {
            matmul(x.matrix().reversed_axes(), dprojected.matrix(), side_by_side.matrix_mut());
            for j in 0..windows.width {
                for c in 0..channels {
                    pointwise::add(dkernel.row_mut(j * channels + c), &side_by_side.row(c)[j * filters..][..filters]);
                }
            }
        }
        if let Some(total) = ctx.dx(2) {
            pointwise::add(total.data_mut(), dbias.data());
        }
        [dprojected, dbias, dz, side_by_side].into_iter().for_each(|tensor| ctx.release(tensor));
    }
}

/// Each of the parts `[rows, cols]` of `from` transposed into `to`: `[k, C, F]` is `[k·F, C]` then, and the other way.
fn transpose_parts<F: Real>(from: &Tensor<F>, [rows, cols]: [usize; 2], to: &mut Tensor<F>) {
    let size = (rows * cols).max(1);
    for (from, to) in from.data().chunks_exact(size).zip(to.data_mut().chunks_exact_mut(size)) {
        pointwise::transpose(from, cols, to);
    }
}

pub(super) fn checks() -> Vec<Check> {
    let mut checks = Vec::new();
    for pooling in [TimePooling::Max, TimePooling::Mean] {
        for activation in [ConvActivation::Relu, ConvActivation::Tanh, ConvActivation::Linear] {
            // The third text is shorter than the kernel, the fourth is empty.
            let segments = Arc::new(Segments::from_lengths([4, 5, 1, 0, 3]));
            let rows: Arc<[u32]> = (0..segments.total() as u32).map(|n| n * 3 % 5).collect();
            let (rows2, segments2) = (rows.clone(), segments.clone());
            let of = move |[kernel, bias]: [Var; 2]| Convolution { kernel, bias, activation, pooling };
            let inputs = [("x", wave([5, 4], 0.1)), ("kernel", wave([3, 4, 2], 0.2)), ("bias", wave([2], 0.3))];
            let name = format!("conv ({pooling:?} of {activation:?})").to_lowercase();
            checks.push(
                Check::new(&name, inputs, move |tape, [x, kernel, bias]| {
                    tape.conv(x, &rows, &segments, of([kernel, bias]))
                })
                .against(move |tape, [x, kernel, bias]| tape.conv_reference(x, &rows2, &segments2, of([kernel, bias]))),
            );
        }
    }
    checks
}

#[cfg(test)]
mod tests;
