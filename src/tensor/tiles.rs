//! Matrix products in f32 by tiles of C that stay in registers.
//!
//! A tile is up to 8 rows by 3 registers; the last register of a row of C is masked. A general product copies both operands into
//! buffers of its own (packing). At the sizes of a training step they are in the cache anyway, and packing would cost as much as it
//! saves: A is always read in place, and so is B, unless it is too large for the cache or its rows are not contiguous; then one panel
//! of columns after the other is packed on the stack.

use std::{
    arch::x86_64::{__m256, __m512},
    mem::MaybeUninit,
};

use super::{
    lanes::Lanes,
    panels::{PANEL, Panel, Parts, panels},
    row_pointers::RowPointers,
    simd::{has_avx2, has_avx512},
};

/// C ← A·B, or S + A·B, for A `[m, k]` and B `[k, n]` of any strides, C and S `[m, n]` whose rows are contiguous.
#[derive(Clone, Copy)]
pub(super) struct Product {
    pub size: [usize; 3],
    pub a: *const f32,
    pub a_strides: [isize; 2],
    pub b: *const f32,
    /// Not read if B is packed.
    pub b_strides: [isize; 2],
    /// Whether B was packed beforehand: see [`Packed`](super::Packed).
    pub packed: bool,
    pub c: *mut f32,
    pub c_stride: isize,
    /// S.
    pub start: Option<RowPointers<f32>>,
}

/// Up to this many elements B stays in the second-level cache (512 KiB), and is read in place.
const IN_PLACE: usize = 1 << 17;
/// Rows of C below which B is read too seldom for packing to pay.
const WORTH_A_COPY: usize = 48;
/// Rows of a panel of B that are packed at a time: 48 KiB.
const DEPTH: usize = 256;

/// A packed part of B: its columns in rows of whole registers.
type Copied = [MaybeUninit<f32>; DEPTH * PANEL * 16];

// Safety contract of the private functions, which comments below call the caller's promise: that of `compute`, and the machine has
// the instructions of their registers. A part of a product reads and writes the same matrices.
impl Product {
    /// Computes C if the machine has the instructions, and says whether it did.
    ///
    /// Each element's sum runs over k in order, from S or from 0, whatever the tile that it falls into.
    ///
    /// # Safety
    /// The pointers with their strides must reach the whole of each matrix; C must overlap neither A nor B, nor S unless it is S.
    pub(super) unsafe fn compute(&self) -> bool {
        let [m, k, n] = self.size;
        let contiguous = n == 1 || self.b_strides[1] == 1;
        let in_place = self.packed || contiguous && (k * n <= IN_PLACE || m < WORTH_A_COPY);
        // SAFETY: the machine has the instructions; the rest is the caller's promise.
        unsafe {
            match (has_avx512(), has_avx2(), in_place) {
                (true, _, true) => self.avx512::<false>(),
                (true, _, false) => self.avx512::<true>(),
                (false, true, true) => self.avx2::<false>(),
                (false, true, false) => self.avx2::<true>(),
                (false, false, _) => return false,
            }
        }
        true
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
    unsafe fn avx512<const COPY: bool>(&self) {
        // SAFETY: the caller's promise.
        unsafe { self.panels::<__m512, COPY>() }
    }

    #[target_feature(enable = "avx2,fma")]
    unsafe fn avx2<const COPY: bool>(&self) {
        // SAFETY: the caller's promise.
        unsafe { self.panels::<__m256, COPY>() }
    }

    /// One panel of columns after the other. With `COPY`, each panel of B is packed first.
    #[inline(always)]
    unsafe fn panels<L: Lanes, const COPY: bool>(&self) {
        let [_, k, n] = self.size;
        for Panel { first, columns, registers } in panels(n, L::COUNT) {
            // SAFETY: the panels add up to the columns of C. A packed one has k rows of whole registers, as have those before it.
            unsafe {
                let panel = self.part(first, columns, 0, k);
                let stride = (registers * L::COUNT) as isize;
                match COPY {
                    true => panel.copied_tiles::<L>(registers),
                    false if self.packed => {
                        Self { b: self.b.add(k * first), b_strides: [stride, 1], ..panel }.tiles::<L>(registers)
                    }
                    false => panel.tiles::<L>(registers),
                }
            }
        }
    }

    /// The partial product over `depth` steps of k from `first` on, for the columns from `column` on. All but the first accumulate.
    #[inline(always)]
    unsafe fn part(&self, column: usize, columns: usize, first: usize, depth: usize) -> Self {
        // SAFETY: the caller names elements of the matrices.
        unsafe {
            Self {
                size: [self.size[0], depth, columns],
                a: self.a.offset(first as isize * self.a_strides[1]),
                b: self.b.offset(first as isize * self.b_strides[0] + column as isize * self.b_strides[1]),
                c: self.c.add(column),
                start: match first {
                    0 => self.start.map(|start| start.skip_columns(column)),
                    _ => Some(RowPointers::in_order(self.c.add(column), self.c_stride)),
                },
                ..*self
            }
        }
    }

    /// A panel with packed B.
    #[inline(always)]
    unsafe fn copied_tiles<L: Lanes>(&self, registers: usize) {
        let [_, k, columns] = self.size;
        let stride = registers * L::COUNT;
        let mut copied: Copied = [const { MaybeUninit::uninit() }; _];
        for first in (0..k.max(1)).step_by(DEPTH) {
            let depth = DEPTH.min(k - first);
            // SAFETY: `depth` rows of `stride` numbers fit into the buffer, and those of `columns` are written before they are read.
            unsafe {
                let part = self.part(0, columns, first, depth);
                for (l, row) in copied.chunks_exact_mut(stride).take(depth).enumerate() {
                    let from = part.b.offset(l as isize * self.b_strides[0]);
                    if self.b_strides[1] == 1 {
                        row.as_mut_ptr().copy_from_nonoverlapping(from.cast(), columns);
                        continue;
                    }
                    for (j, to) in row[..columns].iter_mut().enumerate() {
                        to.write(*from.offset(j as isize * self.b_strides[1]));
                    }
                }
                Self { b: copied.as_ptr().cast(), b_strides: [stride as isize, 1], ..part }.tiles::<L>(registers);
            }
        }
    }

    /// A panel, split into tiles of nearly equal numbers of rows.
    #[inline(always)]
    unsafe fn tiles<L: Lanes>(&self, registers: usize) {
        let heights = Parts::of(self.size[0], L::ROWS);
        let rest = self.size[2] - (registers - 1) * L::COUNT;
        let is_short = rest <= L::Rest::COUNT && L::Rest::COUNT < L::COUNT;
        let mut row = 0;
        for tile in 0..heights.count {
            let height = heights.size(tile);
            // SAFETY: the parts add up to the rows of C.
            unsafe {
                let tile = Self {
                    a: self.a.offset(row as isize * self.a_strides[0]),
                    c: self.c.offset(row as isize * self.c_stride),
                    start: self.start.map(|start| start.skip_rows(row)),
                    ..*self
                };
                match (registers, is_short) {
                    (1, false) => tile.rows::<L, L, 0>(height),
                    (2, false) => tile.rows::<L, L, 1>(height),
                    (_, false) => tile.rows::<L, L, 2>(height),
                    (1, true) => tile.rows::<L, L::Rest, 0>(height),
                    (2, true) => tile.rows::<L, L::Rest, 1>(height),
                    (_, true) => tile.rows::<L, L::Rest, 2>(height),
                }
            }
            row += height;
        }
    }

    #[inline(always)]
    unsafe fn rows<L: Lanes, R: Lanes, const WHOLE: usize>(&self, rows: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            match rows {
                1 => self.tile::<L, R, 1, WHOLE>(),
                2 => self.tile::<L, R, 2, WHOLE>(),
                3 => self.tile::<L, R, 3, WHOLE>(),
                4 => self.tile::<L, R, 4, WHOLE>(),
                5 => self.tile::<L, R, 5, WHOLE>(),
                6 => self.tile::<L, R, 6, WHOLE>(),
                7 => self.tile::<L, R, 7, WHOLE>(),
                _ => self.tile::<L, R, 8, WHOLE>(),
            }
        }
    }

    /// The first `ROWS` rows by `WHOLE` registers and a masked one.
    #[inline(always)]
    #[allow(clippy::needless_range_loop)] // Loops of constant length over registers.
    unsafe fn tile<L: Lanes, R: Lanes, const ROWS: usize, const WHOLE: usize>(&self) {
        let [_, k, n] = self.size;
        // SAFETY: `ROWS` rows exist, and the mask ends with the row.
        unsafe {
            let mask = R::first(n - WHOLE * L::COUNT);
            let mut sums = [Row::<L, R, WHOLE>::zeros(); ROWS];
            if let Some(start) = self.start {
                for i in 0..ROWS {
                    sums[i] = Row::load(start.row(i), mask);
                }
            }
            let (mut a, mut b) = (self.a, self.b);
            for _ in 0..k {
                let b_row = Row::<L, R, WHOLE>::load(b, mask);
                for i in 0..ROWS {
                    let a = a.offset(i as isize * self.a_strides[0]);
                    let x = L::splat(a);
                    for v in 0..WHOLE {
                        sums[i].whole[v] = x.mul_add(b_row.whole[v], sums[i].whole[v]);
                    }
                    sums[i].rest = R::splat(a).mul_add(b_row.rest, sums[i].rest);
                }
                a = a.wrapping_offset(self.a_strides[1]);
                b = b.wrapping_offset(self.b_strides[0]);
            }
            for i in 0..ROWS {
                sums[i].store(self.c.offset(i as isize * self.c_stride), mask);
            }
        }
    }
}

/// Registers side by side in memory, of which the last is masked.
#[derive(Clone, Copy)]
struct Row<L, R, const WHOLE: usize> {
    whole: [L; WHOLE],
    rest: R,
}

impl<L: Lanes, R: Lanes, const WHOLE: usize> Row<L, R, WHOLE> {
    #[inline(always)]
    unsafe fn zeros() -> Self {
        // SAFETY: the caller's promise.
        unsafe { Self { whole: [L::zero(); WHOLE], rest: R::zero() } }
    }

    #[inline(always)]
    unsafe fn load(from: *const f32, mask: R::Mask) -> Self {
        // SAFETY: the caller's promise.
        unsafe {
            let mut row = Self { rest: R::load_masked(from.add(WHOLE * L::COUNT), mask), ..Self::zeros() };
            for (v, whole) in row.whole.iter_mut().enumerate() {
                *whole = L::load(from.add(v * L::COUNT));
            }
            row
        }
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32, mask: R::Mask) {
        // SAFETY: the caller's promise.
        unsafe {
            for (v, whole) in self.whole.into_iter().enumerate() {
                whole.store(to.add(v * L::COUNT));
            }
            self.rest.store_masked(to.add(WHOLE * L::COUNT), mask);
        }
    }
}

/// The lanes of the registers in use; `None` if the machine has neither instruction set.
pub(super) fn lanes() -> Option<usize> {
    if has_avx512() { Some(<__m512 as Lanes>::COUNT) } else { has_avx2().then_some(<__m256 as Lanes>::COUNT) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn wave(len: usize, phase: f32) -> Vec<f32> {
        (0..len).map(|i| (i as f32 * 0.7 + phase).sin()).collect()
    }

    type Variant = unsafe fn(&Product);

    /// What this machine can compute with, and whether it copies B, so that B may have any strides.
    fn variants() -> Vec<(bool, Variant)> {
        let avx2: [(bool, Variant); 2] = [(false, Product::avx2::<false>), (true, Product::avx2::<true>)];
        let avx512: [(bool, Variant); 2] = [(false, Product::avx512::<false>), (true, Product::avx512::<true>)];
        let all = [(has_avx2(), avx2), (has_avx512(), avx512)];
        all.into_iter().filter_map(|(available, both)| available.then_some(both)).flatten().collect()
    }

    proptest! {
        #[test]
        fn every_instruction_set_computes_the_definition_and_touches_nothing_else(
            (m, k, n) in (0..70_usize, prop_oneof![4 => 0..70_usize, 1 => 500..600_usize], 0..70_usize),
            (shift, gap) in (0..3_usize, 0..4_usize),
            [a_transposed, b_transposed] in any::<[bool; 2]>(),
            starts in 0..4_usize,
        ) {
            let strides = |transposed: bool, rows: usize, cols: usize| match transposed {
                true => [1, rows + gap],
                false => [cols + gap, 1],
            };
            let (a_strides, b_strides) = (strides(a_transposed, m, k), strides(b_transposed, k, n));
            let c_stride = n + gap;
            let a = wave(shift + m * a_strides[0] + k * a_strides[1], 0.1);
            let b = wave(shift + k * b_strides[0] + n * b_strides[1], 0.2);
            let before = wave(shift + m * c_stride + n, 0.3);
            // Rows to start from, of which each is used in turn, from the last to the first.
            let others = wave(7 * (n + gap), 0.4);
            let order: Vec<u32> = (0..m as u32).map(|i| 6 - i % 7).collect();
            for (_, compute) in variants().into_iter().filter(|(copies, _)| *copies || !b_transposed) {
                let mut c = before.clone();
                let to = c[shift..].as_mut_ptr();
                let product = Product {
                    size: [m, k, n],
                    a: a[shift..].as_ptr(),
                    a_strides: a_strides.map(|stride| stride as isize),
                    b: b[shift..].as_ptr(),
                    b_strides: b_strides.map(|stride| stride as isize),
                    packed: false,
                    c: to,
                    c_stride: c_stride as isize,
                    start: match starts {
                        0 => None,
                        1 => Some(RowPointers::in_order(to, c_stride as isize)),
                        2 => Some(RowPointers::in_order(others.as_ptr(), 0)),
                        _ => Some(RowPointers::gathered(others.as_ptr(), (n + gap) as isize, order.as_ptr())),
                    },
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
                        f64::from(x) * f64::from(b[shift + l * b_strides[0] + column * b_strides[1]])
                    };
                    let start = match starts {
                        0 => 0.0,
                        1 => f64::from(before),
                        2 => f64::from(others[column]),
                        _ => f64::from(others[order[row] as usize * (n + gap) + column]),
                    };
                    let exact = start + (0..k).map(term).sum::<f64>();
                    // Each of the k additions rounds a partial sum, which the sum of all magnitudes bounds.
                    let bound = (start.abs() + (0..k).map(|l| term(l).abs()).sum::<f64>()) * (k + 1) as f64 * 6e-8;
                    prop_assert!((f64::from(after) - exact).abs() <= bound, "{} for {} at {}, {}", after, exact, row, column);
                }
            }
        }
    }
}
