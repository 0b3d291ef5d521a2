//! The kernel of a matrix product on one thread: in f32 by tiles of our own, in f64 and on machines without AVX2 by the crate
//! `matrixmultiply`.

#[cfg(target_arch = "x86_64")]
use super::tiles::Product;

/// The kernel of a matrix product in one precision.
pub trait Gemm: Sized {
    /// C ← A·B, or C + A·B, for `[m, k, n] = size` and (row, column) strides counted in elements.
    ///
    /// # Safety
    /// Each pointer with its strides must reach the whole of its matrix, and C must overlap neither A nor B.
    #[allow(clippy::too_many_arguments)]
    #[doc(hidden)]
    unsafe fn gemm(
        size: [usize; 3],
        a: *const Self,
        sa: [isize; 2],
        b: *const Self,
        sb: [isize; 2],
        add: bool,
        c: *mut Self,
        sc: [isize; 2],
    );
}

impl Gemm for f32 {
    unsafe fn gemm(
        size @ [m, k, n]: [usize; 3],
        a: *const Self,
        sa: [isize; 2],
        b: *const Self,
        sb: [isize; 2],
        add: bool,
        c: *mut Self,
        sc: [isize; 2],
    ) {
        #[cfg(target_arch = "x86_64")]
        if n == 1 || sc[1] == 1 {
            let product = Product { size, a, a_strides: sa, b, b_strides: sb, c, c_stride: sc[0], add };
            // SAFETY: the product's contract is this function's own.
            if unsafe { product.compute() } {
                return;
            }
        }
        let beta = if add { 1.0 } else { 0.0 };
        // SAFETY: the kernel's contract is this function's own.
        unsafe { matrixmultiply::sgemm(m, k, n, 1.0, a, sa[0], sa[1], b, sb[0], sb[1], beta, c, sc[0], sc[1]) }
    }
}

impl Gemm for f64 {
    unsafe fn gemm(
        [m, k, n]: [usize; 3],
        a: *const Self,
        sa: [isize; 2],
        b: *const Self,
        sb: [isize; 2],
        add: bool,
        c: *mut Self,
        sc: [isize; 2],
    ) {
        let beta = if add { 1.0 } else { 0.0 };
        // SAFETY: the kernel's contract is this function's own.
        unsafe { matrixmultiply::dgemm(m, k, n, 1.0, a, sa[0], sa[1], b, sb[0], sb[1], beta, c, sc[0], sc[1]) }
    }
}
