//! Matrix products in f32 straight from where the operands lie.
//!
//! A general product copies its operands into buffers of its own, which pays for large matrices. At the sizes of a training step B
//! lies in the cache anyway and the copies cost as much as they bring: here a tile of C, of up to 8 rows by 3 registers, stays in
//! registers while A and B are read in place, and the last register of a row is masked.

use std::arch::x86_64::{__m256, __m512};

use super::{
    lanes::Lanes,
    simd::{has_avx2, has_avx512},
};

/// C ← A·B, or C + A·B, for A `[m, k]` of any strides and B `[k, n]`, C `[m, n]` whose rows are contiguous.
#[derive(Clone, Copy)]
pub(super) struct Product {
    pub size: [usize; 3],
    pub a: *const f32,
    pub a_strides: [isize; 2],
    pub b: *const f32,
    pub b_stride: isize,
    pub c: *mut f32,
    pub c_stride: isize,
    /// Whether C is a summand.
    pub add: bool,
}

/// Registers of a tile in a row of C.
const PANEL: usize = 3;

impl Product {
    /// Computes C if the machine has the instructions, and says whether it did.
    ///
    /// Each element's sum runs over k in order, from C or from 0, whatever the tile that it falls into.
    ///
    /// # Safety
    /// The pointers with their strides must reach the whole of each matrix, and C must overlap neither A nor B.
    pub(super) unsafe fn compute(&self) -> bool {
        if has_avx512() {
            // SAFETY: the machine has the instructions; the rest is the caller's promise.
            unsafe { self.avx512() };
            return true;
        }
        if has_avx2() {
            // SAFETY: as above.
            unsafe { self.avx2() };
            return true;
        }
        false
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
    unsafe fn avx512(&self) {
        // SAFETY: the caller's promise.
        unsafe { self.panels::<__m512>() }
    }

    #[target_feature(enable = "avx2,fma")]
    unsafe fn avx2(&self) {
        // SAFETY: the caller's promise.
        unsafe { self.panels::<__m256>() }
    }

    /// Panels of columns, as even as can be; in each, tiles of rows, as even as can be.
    #[inline(always)]
    unsafe fn panels<L: Lanes>(&self) {
        let [m, _, n] = self.size;
        let (widths, heights) = (Parts::of(n.div_ceil(L::COUNT), PANEL), Parts::of(m, L::ROWS));
        let mut register = 0;
        for panel in 0..widths.count {
            let width = widths.size(panel);
            let mut row = 0;
            for tile in 0..heights.count {
                let height = heights.size(tile);
                // SAFETY: the tile lies in C: the parts add up to its registers and its rows.
                unsafe {
                    let tile = self.at(row, register * L::COUNT);
                    match width {
                        1 => tile.rows::<L, 1>(height),
                        2 => tile.rows::<L, 2>(height),
                        _ => tile.rows::<L, PANEL>(height),
                    }
                }
                row += height;
            }
            register += width;
        }
    }

    /// The same product from a row and a column of C on.
    #[inline(always)]
    unsafe fn at(&self, row: usize, column: usize) -> Self {
        let [m, k, n] = self.size;
        let row_offset = |stride: isize| row as isize * stride;
        // SAFETY: the caller names an element of C, so its row is one of A and its column one of B.
        unsafe {
            Self {
                size: [m - row, k, n - column],
                a: self.a.offset(row_offset(self.a_strides[0])),
                b: self.b.add(column),
                c: self.c.offset(row_offset(self.c_stride)).add(column),
                ..*self
            }
        }
    }

    #[inline(always)]
    unsafe fn rows<L: Lanes, const WIDTH: usize>(&self, rows: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            match rows {
                1 => self.tile::<L, 1, WIDTH>(),
                2 => self.tile::<L, 2, WIDTH>(),
                3 => self.tile::<L, 3, WIDTH>(),
                4 => self.tile::<L, 4, WIDTH>(),
                5 => self.tile::<L, 5, WIDTH>(),
                6 => self.tile::<L, 6, WIDTH>(),
                7 => self.tile::<L, 7, WIDTH>(),
                _ => self.tile::<L, 8, WIDTH>(),
            }
        }
    }

    /// The first `ROWS` rows by the first `WIDTH` registers of C.
    #[inline(always)]
    #[allow(clippy::needless_range_loop)] // Loops of constant length over registers.
    unsafe fn tile<L: Lanes, const ROWS: usize, const WIDTH: usize>(&self) {
        let [_, k, n] = self.size;
        // SAFETY: `ROWS` rows exist; all registers of a row but the last are whole, and that one's mask ends with the row.
        unsafe {
            let mask = L::first((n - (WIDTH - 1) * L::COUNT).min(L::COUNT));
            let mut sums = [[L::zero(); WIDTH]; ROWS];
            if self.add {
                for i in 0..ROWS {
                    sums[i] = load_row(self.c.offset(i as isize * self.c_stride), mask);
                }
            }
            let (mut a, mut b) = (self.a, self.b);
            for _ in 0..k {
                let b_row: [L; WIDTH] = load_row(b, mask);
                for i in 0..ROWS {
                    let x = L::splat(a.offset(i as isize * self.a_strides[0]));
                    for v in 0..WIDTH {
                        sums[i][v] = x.mul_add(b_row[v], sums[i][v]);
                    }
                }
                a = a.wrapping_offset(self.a_strides[1]);
                b = b.wrapping_offset(self.b_stride);
            }
            for i in 0..ROWS {
                store_row(sums[i], self.c.offset(i as isize * self.c_stride), mask);
            }
        }
    }
}

/// Registers side by side in memory, of which the last is masked.
#[inline(always)]
unsafe fn load_row<L: Lanes, const WIDTH: usize>(from: *const f32, mask: L::Mask) -> [L; WIDTH] {
    // SAFETY: the caller's promise.
    unsafe {
        let mut row = [L::load_masked(from.add((WIDTH - 1) * L::COUNT), mask); WIDTH];
        for (v, whole) in row.iter_mut().take(WIDTH - 1).enumerate() {
            *whole = L::load(from.add(v * L::COUNT));
        }
        row
    }
}

/// The reverse of [`load_row`].
#[inline(always)]
unsafe fn store_row<L: Lanes, const WIDTH: usize>(row: [L; WIDTH], to: *mut f32, mask: L::Mask) {
    // SAFETY: the caller's promise.
    unsafe {
        for (v, whole) in row.iter().take(WIDTH - 1).enumerate() {
            whole.store(to.add(v * L::COUNT));
        }
        row[WIDTH - 1].store_masked(to.add((WIDTH - 1) * L::COUNT), mask);
    }
}

/// A number of things in as few parts of limited size as there can be, whose sizes differ by one at most.
struct Parts {
    count: usize,
    smallest: usize,
    larger: usize,
}

impl Parts {
    fn of(total: usize, limit: usize) -> Self {
        let count = total.div_ceil(limit);
        let at_least_one = count.max(1);
        Self { count, smallest: total / at_least_one, larger: total % at_least_one }
    }

    fn size(&self, part: usize) -> usize {
        self.smallest + usize::from(part < self.larger)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn wave(len: usize, phase: f32) -> Vec<f32> {
        (0..len).map(|i| (i as f32 * 0.7 + phase).sin()).collect()
    }

    type Variant = unsafe fn(&Product);

    /// The instruction sets of this machine.
    fn variants() -> Vec<Variant> {
        let all: [(bool, Variant); 2] = [(has_avx2(), Product::avx2), (has_avx512(), Product::avx512)];
        all.into_iter().filter_map(|(available, compute)| available.then_some(compute)).collect()
    }

    proptest! {
        #[test]
        fn every_instruction_set_computes_the_definition_and_touches_nothing_else(
            (m, k, n) in (0..70_usize, 0..70_usize, 0..70_usize),
            (shift, gap) in (0..3_usize, 0..4_usize),
            transposed: bool,
            add: bool,
        ) {
            let a_strides = if transposed { [1, m + gap] } else { [k + gap, 1] };
            let (b_stride, c_stride) = (n + gap, n + gap);
            let a = wave(shift + m * a_strides[0] + k * a_strides[1], 0.1);
            let b = wave(shift + k * b_stride, 0.2);
            let before = wave(shift + m * c_stride + n, 0.3);
            for compute in variants() {
                let mut c = before.clone();
                let product = Product {
                    size: [m, k, n],
                    a: a[shift..].as_ptr(),
                    a_strides: a_strides.map(|stride| stride as isize),
                    b: b[shift..].as_ptr(),
                    b_stride: b_stride as isize,
                    c: c[shift..].as_mut_ptr(),
                    c_stride: c_stride as isize,
                    add,
                };
                // SAFETY: the vectors hold every row of each matrix, and the machine has the instructions.
                unsafe { compute(&product) };
                for (at, (&after, &before)) in c.iter().zip(&before).enumerate() {
                    let place = at.checked_sub(shift).map(|at| (at / c_stride.max(1), at % c_stride.max(1)));
                    let Some((row, column)) = place.filter(|&(row, column)| row < m && column < n) else {
                        prop_assert_eq!(after.to_bits(), before.to_bits(), "outside, at {}", at);
                        continue;
                    };
                    let term = |l: usize| {
                        let x = a[shift + row * a_strides[0] + l * a_strides[1]];
                        f64::from(x) * f64::from(b[shift + l * b_stride + column])
                    };
                    let start = if add { f64::from(before) } else { 0.0 };
                    let exact = start + (0..k).map(term).sum::<f64>();
                    // Each of the k additions rounds a partial sum, which the sum of all magnitudes bounds.
                    let bound = (start.abs() + (0..k).map(|l| term(l).abs()).sum::<f64>()) * (k + 1) as f64 * 6e-8;
                    prop_assert!((f64::from(after) - exact).abs() <= bound, "{} for {} at {}, {}", after, exact, row, column);
                }
            }
        }
    }
}
