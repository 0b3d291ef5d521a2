//! The kernel of a matrix product on one thread: in f32 by tiles of our own, in f64 and on machines without AVX2 by the crate
//! `matrixmultiply`.

use super::row_pointers::{RawStart, RowPointers};
#[cfg(target_arch = "x86_64")]
use super::tiles::Product;

/// The kernel of a matrix product in one precision.
pub trait Gemm: Sized + Copy {
    /// How many numbers a register of the kernel holds that reads [packed](super::Packed) panels; `None` if it only reads rows.
    #[doc(hidden)]
    fn lanes() -> Option<usize>;

    /// C ← `start` + A·B for `[m, k, n] = size` and (row, column) strides counted in elements. `sb` is `None` for B in packed panels;
    /// the rows of C must be contiguous then.
    ///
    /// # Safety
    /// Each pointer with its strides must reach the whole of its matrix, and C must overlap no other one.
    #[allow(clippy::too_many_arguments)]
    #[doc(hidden)]
    unsafe fn gemm(
        size: [usize; 3],
        a: *const Self,
        sa: [isize; 2],
        b: *const Self,
        sb: Option<[isize; 2]>,
        start: RawStart<Self>,
        c: *mut Self,
        sc: [isize; 2],
    );
}

impl Gemm for f32 {
    fn lanes() -> Option<usize> {
        #[cfg(target_arch = "x86_64")]
        return super::tiles::lanes();
        #[cfg(not(target_arch = "x86_64"))]
        None
    }

    unsafe fn gemm(
        size @ [m, k, n]: [usize; 3],
        a: *const Self,
        sa: [isize; 2],
        b: *const Self,
        sb: Option<[isize; 2]>,
        start: RawStart<Self>,
        c: *mut Self,
        sc: [isize; 2],
    ) {
        #[cfg(target_arch = "x86_64")]
        if n == 1 || sc[1] == 1 {
            let start = match start {
                RawStart::Zero => None,
                RawStart::Itself => Some(RowPointers::in_order(c, sc[0])),
                RawStart::Rows(rows) => Some(rows),
            };
            let (packed, b_strides) = (sb.is_none(), sb.unwrap_or_default());
            let product = Product { size, a, a_strides: sa, b, b_strides, packed, c, c_stride: sc[0], start };
            // SAFETY: the product's contract is this function's own.
            if unsafe { product.compute() } {
                return;
            }
        }
        let sb = sb.expect("only tiles read packed panels");
        // SAFETY: the contracts are this function's own.
        unsafe {
            let beta = begin(start, [m, n], c, sc);
            matrixmultiply::sgemm(m, k, n, 1.0, a, sa[0], sa[1], b, sb[0], sb[1], beta, c, sc[0], sc[1]);
        }
    }
}

impl Gemm for f64 {
    fn lanes() -> Option<usize> {
        None
    }

    unsafe fn gemm(
        [m, k, n]: [usize; 3],
        a: *const Self,
        sa: [isize; 2],
        b: *const Self,
        sb: Option<[isize; 2]>,
        start: RawStart<Self>,
        c: *mut Self,
        sc: [isize; 2],
    ) {
        let sb = sb.expect("only tiles read packed panels");
        // SAFETY: the contracts are this function's own.
        unsafe {
            let beta = begin(start, [m, n], c, sc);
            matrixmultiply::dgemm(m, k, n, 1.0, a, sa[0], sa[1], b, sb[0], sb[1], beta, c, sc[0], sc[1]);
        }
    }
}

/// Copies rows to start from to C, and returns C's factor in C ← factor·C + A·B.
///
/// # Safety
/// As for [`Gemm::gemm`].
unsafe fn begin<T: Copy + From<u8>>(start: RawStart<T>, [m, n]: [usize; 2], c: *mut T, sc: [isize; 2]) -> T {
    if let RawStart::Rows(rows) = start {
        for (i, j) in (0..m).flat_map(|i| (0..n).map(move |j| (i, j))) {
            // SAFETY: the caller's promise.
            unsafe { *c.offset(i as isize * sc[0] + j as isize * sc[1]) = *rows.row(i).add(j) };
        }
    }
    T::from(u8::from(!matches!(start, RawStart::Zero)))
}
