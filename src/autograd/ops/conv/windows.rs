//! The windows of packed texts.

use super::ConvActivation;
use crate::tensor::{Pool, Real, Segments, Tensor, pointwise, prefetch, vectorised};

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

    /// The largest z of each text into `y` `[texts, F]`, and the window where it first occurs into `winners` `[texts, F]`.
    pub fn max<F: Real>(&self, projected: &Tensor<F>, bias: &Tensor<F>, winners: &mut [u32], y: &mut Tensor<F>) {
        let outputs = y.data_mut().chunks_exact_mut(self.filters).zip(winners.chunks_exact_mut(self.filters));
        let cols = projected.cols();
        for (text, (best, winners)) in outputs.enumerate() {
            // Prefetch: the rows of a whole vocabulary are not in a cache.
            let later = self.segments.range((text + 1).min(self.segments.count() - 1));
            self.rows[later].iter().for_each(|&row| prefetch(&projected.data()[row as usize * cols..][..cols]));
            let rows = &self.rows[self.segments.range(text)];
            largest_window(projected.data(), rows, self.width, self.count_in(text), bias.data(), best, winners);
        }
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

    /// Row j·F + f of `sums` `[k·F, C]` ← dK[j, :, f] = Σ over texts of dz · x[row], for the row at offset j of the text's winning
    /// window.
    pub fn kernel_gradient<F: Real>(
        &self,
        winners: &[u32],
        dz: &Tensor<F>,
        x: &Tensor<F>,
        sums: &mut Tensor<F>,
        pool: &mut Pool<F>,
    ) {
        let mut terms = pool.take_vec();
        terms.resize(self.segments.count(), (F::ZERO, 0));
        for j in 0..self.width {
            for f in 0..self.filters {
                let mut count = 0;
                // Without a branch: a processor cannot predict which texts have a gradient. A term that is left out is overwritten by
                // the next.
                for (text, range) in self.segments.iter().enumerate() {
                    let i = text * self.filters + f;
                    let (dz, at) = (dz.data()[i], range.start + j + winners[i] as usize);
                    terms[count] = (dz, self.rows.get(at).copied().unwrap_or_default());
                    count += usize::from((at < range.end) & (dz != F::ZERO));
                }
                weighted_sum(sums.row_mut(j * self.filters + f), &terms[..count], x.data());
            }
        }
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
        let winners = winners.chunks_exact(self.filters.max(1)).zip(dz.data().chunks_exact(self.filters.max(1)));
        for ((winners, dz), text) in winners.zip(self.segments.iter()) {
            add_windows(dx.data_mut(), &self.rows[text], winners, dz, transposed.data(), transposed.cols());
        }
    }
}

vectorised! {
    /// As [`Windows::add_input_gradient`], for the windows of one text: its rows of dx `[.., cols]`, and a winner and a dz of each filter.
    fn add_windows<F: Real>(dx: &mut [F], rows: &[u32], winners: &[u32], dz: &[F], transposed: &[F], cols: usize) {
        let filters = winners.len();
        let parts = transposed.chunks_exact((filters * cols).max(1)); // K[j], [F, cols] for each offset j.
        for (f, (&winner, &dz)) in winners.iter().zip(dz).enumerate() {
            if dz == F::ZERO {
                continue;
            }
            for (&row, part) in rows[winner as usize..].iter().zip(parts.clone()) {
                let to = dx[row as usize * cols..][..cols].iter_mut();
                to.zip(&part[f * cols..][..cols]).for_each(|(to, &k)| *to += dz * k);
            }
        }
    }
}

vectorised! {
    /// `sum` ← Σ weight · `x[row]` over the `(weight, row)` of `terms`, in their order, for x `[.., sum.len()]`.
    fn weighted_sum<F: Real>(sum: &mut [F], terms: &[(F, u32)], x: &[F]) {
        match sum.len() {
            64.. => weighted_sum_of::<F, 64>(sum, terms, x),
            16.. => weighted_sum_of::<F, 16>(sum, terms, x),
            _ => weighted_sum_of::<F, 1>(sum, terms, x),
        }
    }
}

/// As [`weighted_sum`], in blocks of `N` columns whose sums stay in registers. The last block ends with the last column and may repeat
/// some of the block before.
#[inline(always)]
fn weighted_sum_of<F: Real, const N: usize>(sum: &mut [F], terms: &[(F, u32)], x: &[F]) {
    let cols = sum.len();
    for block in 0..cols.div_ceil(N) {
        let first = (block * N).min(cols - N);
        let mut total = [F::ZERO; N];
        for &(weight, row) in terms {
            let x: &[F; N] = x[row as usize * cols + first..].first_chunk().expect("a row goes on");
            for (total, &x) in total.iter_mut().zip(x) {
                *total += weight * x;
            }
        }
        sum[first..][..N].copy_from_slice(&total);
    }
}

/// Filters that are convolved together.
const LANES: usize = 16;

vectorised! {
    /// The largest z of one text for each filter into `best` `[F]`, and the window where it first occurs into `winners` `[F]`.
    fn largest_window<F: Real>(
        projected: &[F],
        rows: &[u32],
        width: usize,
        windows: usize,
        bias: &[F],
        best: &mut [F],
        winners: &mut [u32],
    ) {
        let filters = bias.len();
        if filters < LANES {
            for f in 0..filters {
                largest_of::<F, 1>(projected, rows, width, windows, bias, best, winners, f);
            }
        }
        // The last block ends with the last filter and may repeat some of the block before.
        for block in 0..if filters < LANES { 0 } else { filters.div_ceil(LANES) } {
            let first = (block * LANES).min(filters - LANES);
            largest_of::<F, LANES>(projected, rows, width, windows, bias, best, winners, first);
        }
    }
}

/// As [`largest_window`], for `N` filters from `first` on.
#[inline(always)]
#[allow(clippy::too_many_arguments)]
fn largest_of<F: Real, const N: usize>(
    projected: &[F],
    rows: &[u32],
    width: usize,
    windows: usize,
    bias: &[F],
    best: &mut [F],
    winners: &mut [u32],
    first: usize,
) {
    let filters = bias.len();
    let bias: &[F; N] = bias[first..].first_chunk().expect("N filters");
    let (mut largest, mut winner) = ([F::ZERO; N], [0_u32; N]);
    for window in 0..windows {
        let mut z = *bias;
        for (j, &row) in rows[window..].iter().take(width).enumerate() {
            let start = (row as usize * width + j) * filters + first;
            let part: &[F; N] = projected[start..].first_chunk().expect("N filters of a row");
            for (z, &part) in z.iter_mut().zip(part) {
                *z += part;
            }
        }
        for f in 0..N {
            // A NaN is larger than every number.
            // Without short circuits, so that the comparisons stay vectors.
            let wins = (window == 0) | (z[f] > largest[f]) | z[f].is_nan();
            largest[f] = if wins { z[f] } else { largest[f] };
            winner[f] = if wins { window as u32 } else { winner[f] };
        }
    }
    best[first..first + N].copy_from_slice(&largest);
    winners[first..first + N].copy_from_slice(&winner);
}
