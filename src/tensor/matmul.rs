//! Matrix products, in parallel over blocks of rows.

use ndarray::{ArrayView2, ArrayViewMut2, Axis};

use super::{Packed, Real, Start};

/// Multiply-adds below which a product stays on one thread.
const WORTH_A_THREAD: usize = 1 << 20;
/// Rows of C in a block, the unit of work of a thread.
const BLOCK: usize = 128;

/// C ← A·B for A `[m, k]`, B `[k, n]` and C `[m, n]` of any strides.
///
/// The bits of C do not depend on the number of threads: no element's sum is split.
///
/// # Panics
/// If the shapes do not fit.
#[track_caller]
pub fn matmul<F: Real>(a: ArrayView2<F>, b: ArrayView2<F>, c: ArrayViewMut2<F>) {
    matmul_from(Start::Zero, a, b, c);
}

/// C ← C + A·B; otherwise as [`matmul`].
///
/// # Panics
/// If the shapes do not fit.
#[track_caller]
pub fn matmul_add<F: Real>(a: ArrayView2<F>, b: ArrayView2<F>, c: ArrayViewMut2<F>) {
    matmul_from(Start::Itself, a, b, c);
}

/// C ← `start` + A·B; otherwise as [`matmul`].
///
/// # Panics
/// If the shapes do not fit.
#[track_caller]
pub fn matmul_from<F: Real>(start: Start<F>, a: ArrayView2<F>, b: ArrayView2<F>, c: ArrayViewMut2<F>) {
    product(start, a, Right::Strided(b), c);
}

/// C ← `start` + A·B for B packed beforehand, and C with contiguous rows; otherwise as [`matmul`].
///
/// # Panics
/// If the shapes do not fit, or the rows of C are not contiguous.
#[track_caller]
pub fn matmul_packed<F: Real>(start: Start<F>, a: ArrayView2<F>, b: &Packed<F>, c: ArrayViewMut2<F>) {
    assert!(c.is_empty() || c.ncols() == 1 || c.strides()[1] == 1, "matmul: the rows of C are not contiguous");
    product(start, a, Right::Packed(b), c);
}

/// B.
#[derive(Clone, Copy)]
enum Right<'b, F> {
    Strided(ArrayView2<'b, F>),
    Packed(&'b Packed<'b, F>),
}

#[track_caller]
fn product<F: Real>(start: Start<F>, a: ArrayView2<F>, b: Right<F>, c: ArrayViewMut2<F>) {
    let ((m, k), (rows, n)) = (a.dim(), b.dim());
    assert!(rows == k && c.dim() == (m, n), "matmul: {:?} · {:?} into {:?}", a.dim(), b.dim(), c.dim());
    start.check([m, n]);
    if m * n * k < WORTH_A_THREAD || rayon::current_num_threads() == 1 {
        return on_one_thread(start, a, b, c);
    }
    halves(start, a, b, c);
}

/// One half of the rows beside the other, down to blocks.
fn halves<F: Real>(start: Start<F>, a: ArrayView2<F>, b: Right<F>, c: ArrayViewMut2<F>) {
    if a.nrows() <= BLOCK {
        return on_one_thread(start, a, b, c);
    }
    let middle = (a.nrows() / 2).next_multiple_of(8);
    let (upper_a, lower_a) = a.split_at(Axis(0), middle);
    let (upper_c, lower_c) = c.split_at(Axis(0), middle);
    let (upper, lower) = start.split_at(middle);
    rayon::join(|| halves(upper, upper_a, b, upper_c), || halves(lower, lower_a, b, lower_c));
}

/// The shapes were compared by [`product`].
fn on_one_thread<F: Real>(start: Start<F>, a: ArrayView2<F>, b: Right<F>, mut c: ArrayViewMut2<F>) {
    let ((m, k), (_, n)) = (a.dim(), b.dim());
    if m == 0 || n == 0 {
        return; // The strides of nothing mean nothing.
    }
    let sa = [a.strides()[0], a.strides()[1]];
    let sc = [c.strides()[0], c.strides()[1]];
    let (b, sb) = match b {
        Right::Strided(b) => (b.as_ptr(), Some([b.strides()[0], b.strides()[1]])),
        Right::Packed(b) => b.raw(),
    };
    // SAFETY: the pointers and strides are those of live views whose shapes and rows were compared; `c` is borrowed mutably, so
    // nothing else reads or writes it, and its rows are contiguous where B is packed.
    unsafe { F::gemm([m, k, n], a.as_ptr(), sa, b, sb, start.raw(), c.as_mut_ptr(), sc) }
}

impl<F: Real> Right<'_, F> {
    fn dim(self) -> (usize, usize) {
        match self {
            Self::Strided(b) => b.dim(),
            Self::Packed(b) => b.dim(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::{Shape, Tensor};
    use ndarray::s;
    use proptest::prelude::*;

    /// The definition, one element at a time.
    fn plain(a: ArrayView2<f64>, b: ArrayView2<f64>) -> Tensor<f64> {
        let (m, n) = (a.nrows(), b.ncols());
        Tensor::from_fn([m, n], |i| (0..a.ncols()).map(|k| a[[i / n, k]] * b[[k, i % n]]).sum())
    }

    fn wave(shape: impl Into<Shape>, seed: f64) -> Tensor<f64> {
        Tensor::from_fn(shape, |i| (i as f64 * 0.7 + seed).sin())
    }

    proptest! {
        #[test]
        fn agrees_with_the_definition_also_when_transposed(m in 1..40_usize, k in 0..40_usize, n in 1..40_usize) {
            let (a, b) = (wave([m, k], 0.1), wave([n, k], 0.2));
            let expected = plain(a.matrix(), b.matrix().reversed_axes());
            let mut c = Tensor::zeros([m, n]);
            matmul(a.matrix(), b.matrix().reversed_axes(), c.matrix_mut());
            let mut twice = c.clone();
            matmul_add(a.matrix(), b.matrix().reversed_axes(), twice.matrix_mut());
            for i in 0..m * n {
                prop_assert!((c.data()[i] - expected.data()[i]).abs() < 1e-12);
                prop_assert!((twice.data()[i] - 2.0 * expected.data()[i]).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn the_bits_of_a_row_depend_on_neither_its_neighbours_nor_the_threads() {
        // A small product, and one whose B is too large to be read in place.
        for cols in [101, 401] {
            let (a, b) = (wave([300, 210], 0.3).cast::<f32>(), wave([210, cols], 0.4).cast::<f32>());
            let run = |threads: usize| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                let mut c = Tensor::<f32>::zeros([300, cols]);
                pool.install(|| matmul(a.matrix(), b.matrix(), c.matrix_mut()));
                c
            };
            let whole = run(1);
            assert_eq!(whole, run(2));
            assert_eq!(whole, run(7));
            for rows in [0..1, 7..12, 290..300] {
                let mut part = Tensor::<f32>::zeros([rows.len(), cols]);
                matmul(a.matrix().slice(s![rows.clone(), ..]), b.matrix(), part.matrix_mut());
                assert_eq!(part.data(), &whole.data()[rows.start * cols..rows.end * cols]);
            }
        }
    }

    /// In both precisions: the kernel of one copies the rows first, that of the other reads them in place.
    fn starts_from_rows<F: Real>(threads: usize) {
        let (m, k, n) = (300, 70, 101);
        let (a, b) = (wave([m, k], 0.3).cast::<F>(), wave([k, n], 0.4).cast::<F>());
        let matrix = wave([9, n + 5], 0.5).cast::<F>();
        let rows: Vec<u32> = (0..m as u32).map(|i| i * 5 % 9).collect();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let run = |start: Start<F>, mut c: Tensor<F>| {
            pool.install(|| matmul_from(start, a.matrix(), b.matrix(), c.matrix_mut()));
            c
        };
        let gathered = Start::Gathered { matrix: &matrix, rows: &rows, first: 3 };
        let copy = Tensor::from_fn([m, n], |i| matrix.row(rows[i / n] as usize)[3 + i % n]);
        assert_eq!(run(gathered, Tensor::zeros([m, n])), run(Start::Itself, copy));
        let bias = matrix.row(4)[..n].to_vec();
        let copy = Tensor::from_fn([m, n], |i| bias[i % n]);
        assert_eq!(run(Start::Row(&bias), Tensor::zeros([m, n])), run(Start::Itself, copy));
    }

    #[test]
    fn a_product_that_starts_from_rows_elsewhere_has_the_bits_of_one_that_starts_from_their_copy() {
        for threads in [1, 3] {
            starts_from_rows::<f32>(threads);
            starts_from_rows::<f64>(threads);
        }
    }

    fn packed_agrees<F: Real>(threads: usize) {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        for (m, k, n) in [(0, 3, 5), (1, 1, 1), (7, 0, 20), (32, 25, 100), (9, 100, 25), (300, 70, 101)] {
            let (a, b) = (wave([m, k], 0.3).cast::<F>(), wave([k, n], 0.4).cast::<F>());
            let bias = wave([n], 0.5).cast::<F>();
            let mut expected = Tensor::zeros([m, n]);
            matmul_from(Start::Row(bias.data()), a.matrix(), b.matrix(), expected.matrix_mut());
            let mut columns = Tensor::zeros([n, k]);
            columns.matrix_mut().assign(&b.matrix().reversed_axes());
            for b in [b.matrix(), columns.matrix().reversed_axes()] {
                // A buffer of what must not be read.
                let mut buffer = Tensor::from_fn([Packed::<F>::room(k, n)], |_| F::from_f64(f64::NAN));
                let (packed, mut c) = (Packed::new(b, &mut buffer), Tensor::zeros([m, n]));
                pool.install(|| matmul_packed(Start::Row(bias.data()), a.matrix(), &packed, c.matrix_mut()));
                assert_eq!(c, expected, "{m} × {k} × {n}");
            }
        }
    }

    #[test]
    fn a_packed_matrix_gives_the_bits_of_itself() {
        for threads in [1, 3] {
            packed_agrees::<f32>(threads);
            packed_agrees::<f64>(threads);
        }
    }

    #[test]
    #[should_panic(expected = "matmul: from 2 rows of [3, 5] and column 1, into (2, 5)")]
    fn rows_to_start_from_that_do_not_fit_panic() {
        let (matrix, mut c) = (Tensor::<f32>::zeros([3, 5]), Tensor::zeros([2, 5]));
        let start = Start::Gathered { matrix: &matrix, rows: &[0, 2], first: 1 };
        matmul_from(start, Tensor::zeros([2, 4]).matrix(), Tensor::zeros([4, 5]).matrix(), c.matrix_mut());
    }

    #[test]
    #[should_panic(expected = "matmul: (2, 3) · (4, 5) into (2, 5)")]
    fn shapes_that_do_not_fit_panic_with_all_of_them() {
        let mut c = Tensor::<f32>::zeros([2, 5]);
        matmul(Tensor::zeros([2, 3]).matrix(), Tensor::zeros([4, 5]).matrix(), c.matrix_mut());
    }
}
