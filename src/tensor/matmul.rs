//! Matrix products, in parallel over blocks of rows.

use ndarray::{ArrayView2, ArrayViewMut2, Axis};

use super::Real;

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
    product(a, b, false, c);
}

/// C ← C + A·B; otherwise as [`matmul`].
///
/// # Panics
/// If the shapes do not fit.
#[track_caller]
pub fn matmul_add<F: Real>(a: ArrayView2<F>, b: ArrayView2<F>, c: ArrayViewMut2<F>) {
    product(a, b, true, c);
}

#[track_caller]
fn product<F: Real>(a: ArrayView2<F>, b: ArrayView2<F>, add: bool, c: ArrayViewMut2<F>) {
    let ((m, k), n) = (a.dim(), b.ncols());
    assert!(b.nrows() == k && c.dim() == (m, n), "matmul: {:?} · {:?} into {:?}", a.dim(), b.dim(), c.dim());
    if m * n * k < WORTH_A_THREAD || rayon::current_num_threads() == 1 {
        return gemm(a, b, add, c);
    }
    halves(a, b, add, c);
}

/// One half of the rows beside the other, down to blocks.
fn halves<F: Real>(a: ArrayView2<F>, b: ArrayView2<F>, add: bool, c: ArrayViewMut2<F>) {
    if a.nrows() <= BLOCK {
        return gemm(a, b, add, c);
    }
    let middle = (a.nrows() / 2).next_multiple_of(8);
    let (upper_a, lower_a) = a.split_at(Axis(0), middle);
    let (upper_c, lower_c) = c.split_at(Axis(0), middle);
    rayon::join(|| halves(upper_a, b, add, upper_c), || halves(lower_a, b, add, lower_c));
}

fn gemm<F: Real>(a: ArrayView2<F>, b: ArrayView2<F>, add: bool, mut c: ArrayViewMut2<F>) {
    let ((m, k), n) = (a.dim(), b.ncols());
    let (sa, sb) = ([a.strides()[0], a.strides()[1]], [b.strides()[0], b.strides()[1]]);
    let sc = [c.strides()[0], c.strides()[1]];
    // SAFETY: the pointers and strides are those of live views whose shapes were compared by `product`; `c` is borrowed
    // mutably, so nothing else reads or writes it.
    unsafe { F::gemm([m, k, n], a.as_ptr(), sa, b.as_ptr(), sb, add, c.as_mut_ptr(), sc) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::Tensor;
    use ndarray::s;
    use proptest::prelude::*;

    /// The definition, one element at a time.
    fn plain(a: ArrayView2<f64>, b: ArrayView2<f64>) -> Tensor<f64> {
        let (m, n) = (a.nrows(), b.ncols());
        Tensor::from_fn([m, n], |i| (0..a.ncols()).map(|k| a[[i / n, k]] * b[[k, i % n]]).sum())
    }

    fn wave(shape: [usize; 2], seed: f64) -> Tensor<f64> {
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

    #[test]
    #[should_panic(expected = "matmul: (2, 3) · (4, 5) into (2, 5)")]
    fn shapes_that_do_not_fit_panic_with_all_of_them() {
        let mut c = Tensor::<f32>::zeros([2, 5]);
        matmul(Tensor::zeros([2, 3]).matrix(), Tensor::zeros([4, 5]).matrix(), c.matrix_mut());
    }
}
