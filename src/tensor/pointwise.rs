//! Kernels over slices. Two slices of one call have the same length, or the call panics.

use std::array;

use super::{Real, simd::vectorised};

vectorised! {
    /// y ← 1 / (1 + e⁻ʸ).
    pub fn sigmoid<F: Real>(y: &mut [F]) {
        for y in y {
            *y = y.sigmoid();
        }
    }
}

vectorised! {
    /// y ← tanh y.
    pub fn tanh<F: Real>(y: &mut [F]) {
        for y in y {
            *y = y.tanh();
        }
    }
}

vectorised! {
    /// y ← clip(0.2·y + 0.5, 0, 1): the gate of Keras 2.
    pub fn hard_sigmoid<F: Real>(y: &mut [F]) {
        let (slope, half) = (F::from_f64(0.2), F::from_f64(0.5));
        for y in y {
            *y = (*y * slope + half).at_least(F::ZERO).at_most(F::ONE);
        }
    }
}

vectorised! {
    /// y ← max(y, 0).
    pub fn relu<F: Real>(y: &mut [F]) {
        for y in y {
            *y = y.at_least(F::ZERO);
        }
    }
}

vectorised! {
    /// y ← y + x.
    pub fn add<F: Real>(y: &mut [F], x: &[F]) {
        assert_eq!(y.len(), x.len());
        for (y, &x) in y.iter_mut().zip(x) {
            *y += x;
        }
    }
}

vectorised! {
    /// y ← y + a·x.
    pub fn axpy<F: Real>(y: &mut [F], a: F, x: &[F]) {
        assert_eq!(y.len(), x.len());
        for (y, &x) in y.iter_mut().zip(x) {
            *y += a * x;
        }
    }
}

vectorised! {
    /// y ← y + a∘b.
    pub fn add_product<F: Real>(y: &mut [F], a: &[F], b: &[F]) {
        assert_eq!(y.len(), a.len());
        assert_eq!(y.len(), b.len());
        for ((y, &a), &b) in y.iter_mut().zip(a).zip(b) {
            *y += a * b;
        }
    }
}

/// Σ aᵢ·bᵢ in double precision: eight interleaved sums, which are added in the end.
pub fn dot<F: Real>(a: &[F], b: &[F]) -> f64 {
    let mut sums = [0.0; LANES];
    add_products_in_lanes(&mut sums, a, b);
    sums.iter().sum()
}

const LANES: usize = 8;

vectorised! {
    /// `sums[i mod LANES]` ← itself + aᵢ·bᵢ for each i, in double precision.
    fn add_products_in_lanes<F: Real>(sums: &mut [f64; LANES], a: &[F], b: &[F]) {
        assert_eq!(a.len(), b.len());
        let ((a, rest_of_a), (b, rest_of_b)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
        let mut in_registers = *sums;
        for (a, b) in a.iter().zip(b) {
            for ((sum, a), b) in in_registers.iter_mut().zip(a).zip(b) {
                *sum += a.to_f64() * b.to_f64();
            }
        }
        *sums = in_registers;
        for ((sum, a), b) in sums.iter_mut().zip(rest_of_a).zip(rest_of_b) {
            *sum += a.to_f64() * b.to_f64();
        }
    }
}

vectorised! {
    /// `sums` ← `sums` + the sums of each column of `rows`, which holds whole rows of `sums.len()` numbers.
    pub fn add_column_sums<F: Real>(sums: &mut [F], rows: &[F]) {
        for row in rows.chunks_exact(sums.len().max(1)) {
            for (sum, &x) in sums.iter_mut().zip(row) {
                *sum += x;
            }
        }
    }
}

/// Copies a short row in blocks of constant length, a load and a store each: a call of `memmove` takes longer than the copy itself.
#[inline(always)]
pub(crate) fn copy_short<F: Real>(to: &mut [F], from: &[F]) {
    const BLOCK: usize = 16;
    assert_eq!(to.len(), from.len());
    if let (Some(last), Some(from_last)) = (to.last_chunk_mut::<BLOCK>(), from.last_chunk::<BLOCK>()) {
        *last = *from_last; // May overlap the last whole block.
        for (to, from) in to.as_chunks_mut::<BLOCK>().0.iter_mut().zip(from.as_chunks::<BLOCK>().0) {
            *to = *from;
        }
    } else {
        to.iter_mut().zip(from).for_each(|(to, &from)| *to = from);
    }
}

vectorised! {
    /// The columns of `to` from `first` on ← those of `from`. Each holds whole rows, of `stride` and of `cols` numbers.
    pub fn set_columns<F: Real>(to: &mut [F], stride: usize, first: usize, from: &[F], cols: usize) {
        for (to, from) in to.chunks_exact_mut(stride.max(1)).zip(from.chunks_exact(cols.max(1))) {
            copy_short(&mut to[first..][..cols], from);
        }
    }
}

vectorised! {
    /// `to`, which holds whole rows of `cols` numbers, ← the columns of `from` from `first` on, which holds whole rows of `stride`.
    pub fn copy_columns<F: Real>(to: &mut [F], cols: usize, from: &[F], stride: usize, first: usize) {
        for (to, from) in to.chunks_exact_mut(cols.max(1)).zip(from.chunks_exact(stride.max(1))) {
            copy_short(to, &from[first..][..cols]);
        }
    }
}

vectorised! {
    /// Row `places[i]` of the columns of `to` from `first` on ← row i of `from`.
    pub fn scatter_rows<F: Real>(to: &mut [F], stride: usize, first: usize, places: &[u32], from: &[F], cols: usize) {
        for (&place, from) in places.iter().zip(from.chunks_exact(cols.max(1))) {
            copy_short(&mut to[place as usize * stride + first..][..cols], from);
        }
    }
}

vectorised! {
    /// Row `places[i]` of the columns of `to` from `first` on += row i of `from`.
    pub fn add_rows<F: Real>(to: &mut [F], stride: usize, first: usize, places: &[u32], from: &[F], cols: usize) {
        for (&place, from) in places.iter().zip(from.chunks_exact(cols.max(1))) {
            for (to, &from) in to[place as usize * stride + first..][..cols].iter_mut().zip(from) {
                *to += from;
            }
        }
    }
}

/// Rows and columns of a tile of a transpose.
const SIDE: usize = 8;

vectorised! {
    /// `to` `[cols, rows]` ← the transpose of `from` `[rows, cols]`.
    ///
    /// By tiles: a whole column of a wide matrix would map to one set of the cache.
    pub fn transpose<F: Real>(from: &[F], cols: usize, to: &mut [F]) {
        assert_eq!(from.len(), to.len());
        let rows = from.len() / cols.max(1);
        let (whole_rows, whole_cols) = (rows - rows % SIDE, cols - cols % SIDE);
        for top in (0..whole_rows).step_by(SIDE) {
            for left in (0..whole_cols).step_by(SIDE) {
                let tile: [&[F; SIDE]; SIDE] =
                    array::from_fn(|i| from[(top + i) * cols + left..].first_chunk().expect("a row of a tile"));
                for j in 0..SIDE {
                    to[(left + j) * rows + top..][..SIDE].copy_from_slice(&tile.map(|row| row[j]));
                }
            }
        }
        // What is left over at the right and at the bottom.
        for row in 0..rows {
            for col in if row < whole_rows { whole_cols } else { 0 }..cols {
                to[col * rows + row] = from[row * cols + col];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transpose_has_the_columns_as_rows() {
        for (rows, cols) in [(0, 3), (1, 1), (8, 8), (7, 19), (25, 100)] {
            let from: Vec<f32> = (0..rows * cols).map(|i| i as f32).collect();
            let mut to = vec![0.0; from.len()];
            transpose(&from, cols, &mut to);
            for (i, &x) in from.iter().enumerate() {
                assert_eq!(to[i % cols * rows + i / cols], x);
            }
        }
    }

    #[test]
    fn rows_move_between_a_matrix_and_columns_of_a_wider_one() {
        for cols in [1, 15, 16, 17, 25, 40] {
            let (rows, stride, first) = (5, cols + 7, 3);
            let places = [4, 0, 3, 1, 2];
            let from: Vec<f32> = (0..rows * cols).map(|i| i as f32 + 1.0).collect();
            let before: Vec<f32> = (0..rows * stride).map(|i| -(i as f32)).collect();
            // What stands at each place of the wider matrix, if row i of `from` goes to row `row_of(i)` of it.
            let expected = |row_of: &dyn Fn(usize) -> usize, adds: bool| {
                let mut to = before.clone();
                for (i, j) in (0..rows).flat_map(|i| (0..cols).map(move |j| (i, j))) {
                    let (to, x) = (&mut to[row_of(i) * stride + first + j], from[i * cols + j]);
                    *to = if adds { *to + x } else { x };
                }
                to
            };
            let mut wide = before.clone();
            set_columns(&mut wide, stride, first, &from, cols);
            assert_eq!(wide, expected(&|i| i, false));
            let mut back = vec![0.0; from.len()];
            copy_columns(&mut back, cols, &wide, stride, first);
            assert_eq!(back, from);
            let mut wide = before.clone();
            scatter_rows(&mut wide, stride, first, &places, &from, cols);
            assert_eq!(wide, expected(&|i| places[i] as usize, false));
            let mut wide = before.clone();
            add_rows(&mut wide, stride, first, &places, &from, cols);
            assert_eq!(wide, expected(&|i| places[i] as usize, true));
            add_rows(&mut wide, stride, first, &[1; 5][..2], &from[..2 * cols], cols);
            let twice = expected(&|i| places[i] as usize, true)[stride + first] + from[0] + from[cols];
            assert_eq!(wide[stride + first], twice, "a place that occurs twice");
        }
    }

    #[test]
    fn vector_code_gives_the_bits_of_one_element_at_a_time() {
        let x: Vec<f32> = (0..1_003).map(|i| (i as f32 - 500.0) * 0.037).collect();
        for (kernel, plain) in [
            (sigmoid::<f32> as fn(&mut [f32]), Real::sigmoid as fn(f32) -> f32),
            (tanh::<f32>, Real::tanh),
            (relu::<f32>, |x| x.max(0.0)),
            (hard_sigmoid::<f32>, |x| (x * 0.2 + 0.5).clamp(0.0, 1.0)),
        ] {
            let mut y = x.clone();
            kernel(&mut y);
            for (y, &x) in y.iter().zip(&x) {
                assert_eq!(y.to_bits(), plain(x).to_bits(), "at {x}");
            }
        }
    }

    #[test]
    fn a_nan_stays_one() {
        for kernel in [sigmoid::<f32> as fn(&mut [f32]), tanh, relu, hard_sigmoid] {
            let mut y: Vec<f32> = (0..37).map(|i| if i % 3 == 0 { f32::NAN } else { 0.5 }).collect();
            kernel(&mut y);
            assert!(y.iter().enumerate().all(|(i, y)| y.is_nan() == (i % 3 == 0)), "{y:?}");
        }
    }

    #[test]
    fn hard_sigmoid_has_the_values_of_keras() {
        let mut y = [-3.0, -2.5, 0.0, 1.0, 2.5, 3.0_f64];
        hard_sigmoid(&mut y);
        assert_eq!(y, [0.0, 0.0, 0.5, 0.7, 1.0, 1.0]);
    }

    #[test]
    fn sums_and_products_accumulate() {
        let mut y = [1.0_f32, 2.0];
        axpy(&mut y, 2.0, &[3.0, 4.0]);
        add(&mut y, &[1.0, 1.0]);
        add_product(&mut y, &[2.0, 3.0], &[5.0, 7.0]);
        assert_eq!(y, [18.0, 32.0]);
        let ramp: Vec<f32> = (0..21).map(|i| i as f32).collect();
        assert_eq!(dot(&ramp, &ramp), 20.0 * 21.0 * 41.0 / 6.0);
        let mut sums = [10.0_f32, 20.0];
        add_column_sums(&mut sums, &[1.0, 2.0, 3.0, 4.0]);
        assert_eq!(sums, [14.0, 26.0]);
    }
}
