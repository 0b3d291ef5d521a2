//! The windows of packed texts.

use super::ConvActivation;
use crate::tensor::{Pool, Real, Segments, Tensor, pointwise, vectorised};

/// The windows of `width` tokens over each text: one at each token that begins a whole one, and at least one a text.
#[derive(Clone, Copy)]
pub(super) struct Windows<'w> {
    pub rows: &'w [u32],
    pub segments: &'w Segments,
    pub width: usize,
    pub filters: usize,
}

impl Windows<'_> {
    /// How many windows a text has.
    pub fn count_in(&self, text: usize) -> usize {
        (self.segments.range(text).len() + 1).saturating_sub(self.width).max(1)
    }

    /// How many windows all texts have.
    pub fn count(&self) -> usize {
        (0..self.segments.count()).map(|text| self.count_in(text)).sum()
    }

    /// The rows of x in a window of a text; fewer than `width` where the text is shorter.
    pub fn rows_of(&self, text: usize, window: usize) -> impl Iterator<Item = usize> + '_ {
        let range = self.segments.range(text);
        self.rows[range][window..].iter().take(self.width).map(|&row| row as usize)
    }

    /// Visits each window as (text, window within the text, window of all).
    pub fn each(&self, mut visit: impl FnMut(usize, usize, usize)) {
        let mut at = 0;
        for text in 0..self.segments.count() {
            for window in 0..self.count_in(text) {
                visit(text, window, at);
                at += 1;
            }
        }
    }

    /// z of one window `[F]` from the projected rows `[U, k·F]`.
    fn convolve<F: Real>(&self, projected: &Tensor<F>, bias: &Tensor<F>, text: usize, window: usize, z: &mut [F]) {
        z.copy_from_slice(bias.data());
        for (j, row) in self.rows_of(text, window).enumerate() {
            pointwise::add(z, &projected.row(row)[j * self.filters..][..self.filters]);
        }
    }

    /// The largest z of each text into `y` `[texts, F]`, and the window where it first occurs into the empty `winners`. `z` `[F]` is
    /// scratch.
    pub fn max<F: Real>(
        &self,
        projected: &Tensor<F>,
        bias: &Tensor<F>,
        z: &mut [F],
        winners: &mut Vec<u32>,
        y: &mut Tensor<F>,
    ) {
        winners.resize(self.segments.count() * self.filters, 0);
        self.each(|text, window, _| {
            self.convolve(projected, bias, text, window, z);
            let best = y.row_mut(text);
            match window {
                0 => best.copy_from_slice(z),
                _ => keep_larger(best, &mut winners[text * self.filters..][..self.filters], z, window as u32),
            }
        });
    }

    /// φ(z) of every window into `activations` `[windows, F]`, and their mean over each text into `y` `[texts, F]`.
    pub fn mean<F: Real>(
        &self,
        projected: &Tensor<F>,
        bias: &Tensor<F>,
        activation: ConvActivation,
        activations: &mut Tensor<F>,
        y: &mut Tensor<F>,
    ) {
        self.each(|text, window, at| {
            let z = activations.row_mut(at);
            self.convolve(projected, bias, text, window, z);
            z.iter_mut().for_each(|z| *z = activation.apply(*z));
            pointwise::axpy(y.row_mut(text), F::from_f64(1.0 / self.count_in(text) as f64), z);
        });
    }

    /// dK[j, :, f] = Σ over texts of dz · x[row], `[k, C, F]`, for the row at offset j of the text's winning window.
    pub fn kernel_gradient<F: Real>(
        &self,
        winners: &[u32],
        dz: &Tensor<F>,
        x: &Tensor<F>,
        dkernel: &mut Tensor<F>,
        pool: &mut Pool<F>,
    ) {
        let channels = x.cols();
        let (mut sum, mut terms) = (pool.take([channels]), pool.take_vec());
        for j in 0..self.width {
            for f in 0..self.filters {
                terms.clear();
                for (text, range) in self.segments.iter().enumerate() {
                    let (i, at) =
                        (text * self.filters + f, range.start + j + winners[text * self.filters + f] as usize);
                    if at < range.end && dz.data()[i] != F::ZERO {
                        terms.push((dz.data()[i], self.rows[at]));
                    }
                }
                weighted_sum(sum.data_mut(), &terms, x.data());
                let part = &mut dkernel.data_mut()[j * channels * self.filters..];
                part.iter_mut().skip(f).step_by(self.filters).zip(sum.data()).for_each(|(k, &sum)| *k = sum);
            }
        }
        pool.give(sum);
        pool.give_vec(terms);
    }

    /// dx[row] += dz · K[j, :, f] for the row at each offset j of each winning window; row j·F + f of `transposed` is K[j, :, f].
    pub fn add_input_gradient<F: Real>(
        &self,
        winners: &[u32],
        dz: &Tensor<F>,
        transposed: &Tensor<F>,
        dx: &mut Tensor<F>,
    ) {
        for (i, (&winner, &dz)) in winners.iter().zip(dz.data()).enumerate().filter(|(_, (_, dz))| **dz != F::ZERO) {
            let (text, f) = (i / self.filters, i % self.filters);
            for (j, row) in self.rows_of(text, winner as usize).enumerate() {
                pointwise::axpy(dx.row_mut(row), dz, transposed.row(j * self.filters + f));
            }
        }
    }
}

/// Columns whose sums stay in registers.
const BLOCK: usize = 64;

vectorised! {
    /// `sum` ← Σ weight · `x[row]` over the `(weight, row)` of `terms`, in their order, for x `[.., sum.len()]`.
    fn weighted_sum<F: Real>(sum: &mut [F], terms: &[(F, u32)], x: &[F]) {
        let cols = sum.len();
        let (blocks, rest) = sum.as_chunks_mut::<BLOCK>();
        for (block, sum) in blocks.iter_mut().enumerate() {
            let mut total = [F::ZERO; BLOCK];
            for &(weight, row) in terms {
                let x: &[F; BLOCK] = x[row as usize * cols + block * BLOCK..].first_chunk().expect("a row goes on");
                for (total, &x) in total.iter_mut().zip(x) {
                    *total += weight * x;
                }
            }
            *sum = total;
        }
        rest.fill(F::ZERO);
        for &(weight, row) in terms {
            let x = &x[(row as usize + 1) * cols - rest.len()..];
            for (sum, &x) in rest.iter_mut().zip(x) {
                *sum += weight * x;
            }
        }
    }
}

vectorised! {
    fn keep_larger<F: Real>(best: &mut [F], winners: &mut [u32], z: &[F], window: u32) {
        for ((best, winner), &z) in best.iter_mut().zip(winners).zip(z) {
            let wins = z > *best;
            *best = if wins { z } else { *best };
            *winner = if wins { window } else { *winner };
        }
    }
}
