//! Vector registers of f32 under one interface, for kernels that the compiler does not vectorise well by itself.

use std::arch::x86_64::{
    __m256, __m256i, __m512, __mmask8, __mmask16, _mm256_broadcast_ss, _mm256_cmpgt_epi32, _mm256_fmadd_ps,
    _mm256_loadu_ps, _mm256_mask_storeu_ps, _mm256_maskload_ps, _mm256_maskstore_ps, _mm256_maskz_loadu_ps,
    _mm256_set1_epi32, _mm256_setr_epi32, _mm256_setzero_ps, _mm256_storeu_ps, _mm512_fmadd_ps, _mm512_loadu_ps,
    _mm512_mask_storeu_ps, _mm512_maskz_loadu_ps, _mm512_set1_ps, _mm512_setzero_ps, _mm512_storeu_ps,
};

/// A register of [`COUNT`](Self::COUNT) numbers. Masked forms touch the first few lanes only, in memory too.
///
/// # Safety
/// An implementation must read and write no memory but the lanes in use from the pointer on: all [`COUNT`](Self::COUNT) of them,
/// the one number of [`splat`](Self::splat), or those of the mask. The machine must have the instructions that the register belongs
/// to when a function is called, and the pointer must reach those lanes; a pointer need not be aligned.
pub(super) unsafe trait Lanes: Copy {
    /// Numbers in a register.
    const COUNT: usize;
    /// Rows of a product's tile: three registers a row, three of B and one of A fit into the register file.
    const ROWS: usize;
    /// Which lanes are in use.
    type Mask: Copy;
    /// The register for the remainder of a row: half as wide where that takes half the time, else the same.
    type Rest: Lanes;

    /// The mask of the first `lanes` lanes, at most all of them.
    unsafe fn first(lanes: usize) -> Self::Mask;
    unsafe fn zero() -> Self;
    unsafe fn splat(x: *const f32) -> Self;
    unsafe fn load(from: *const f32) -> Self;
    unsafe fn load_masked(from: *const f32, mask: Self::Mask) -> Self;
    unsafe fn store(self, to: *mut f32);
    unsafe fn store_masked(self, to: *mut f32, mask: Self::Mask);
    /// self·factor + sum, rounded once.
    unsafe fn mul_add(self, factor: Self, sum: Self) -> Self;
}

/// Functions that are one instruction each.
macro_rules! instructions {
    ($(fn $name:ident($($arg:tt)*) $(-> $result:ty)? { $instruction:expr })*) => {
        $(
            #[inline(always)]
            unsafe fn $name($($arg)*) $(-> $result)? {
                // SAFETY: the caller promises that the machine has the instruction and that the pointer reaches its lanes.
                unsafe { $instruction }
            }
        )*
    };
}

// SAFETY: each function is the instruction of its name, which touches the lanes in use alone.
unsafe impl Lanes for __m512 {
    const COUNT: usize = 16;
    const ROWS: usize = 8;
    type Mask = __mmask16;
    type Rest = HalfOf512;

    #[inline(always)]
    unsafe fn first(lanes: usize) -> Self::Mask {
        ((1_u32 << lanes) - 1) as __mmask16
    }

    instructions! {
        fn zero() -> Self { _mm512_setzero_ps() }
        fn splat(x: *const f32) -> Self { _mm512_set1_ps(*x) }
        fn load(from: *const f32) -> Self { _mm512_loadu_ps(from) }
        fn load_masked(from: *const f32, mask: Self::Mask) -> Self { _mm512_maskz_loadu_ps(mask, from) }
        fn store(self, to: *mut f32) { _mm512_storeu_ps(to, self) }
        fn store_masked(self, to: *mut f32, mask: Self::Mask) { _mm512_mask_storeu_ps(to, mask, self) }
        fn mul_add(self, factor: Self, sum: Self) -> Self { _mm512_fmadd_ps(self, factor, sum) }
    }
}

// SAFETY: each function is the instruction of its name, which touches the lanes in use alone.
unsafe impl Lanes for __m256 {
    const COUNT: usize = 8;
    const ROWS: usize = 4;
    type Mask = __m256i;
    type Rest = Self;

    instructions! {
        fn first(lanes: usize) -> Self::Mask {
            _mm256_cmpgt_epi32(_mm256_set1_epi32(lanes as i32), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))
        }
        fn zero() -> Self { _mm256_setzero_ps() }
        fn splat(x: *const f32) -> Self { _mm256_broadcast_ss(&*x) }
        fn load(from: *const f32) -> Self { _mm256_loadu_ps(from) }
        fn load_masked(from: *const f32, mask: Self::Mask) -> Self { _mm256_maskload_ps(from, mask) }
        fn store(self, to: *mut f32) { _mm256_storeu_ps(to, self) }
        fn store_masked(self, to: *mut f32, mask: Self::Mask) { _mm256_maskstore_ps(to, mask, self) }
        fn mul_add(self, factor: Self, sum: Self) -> Self { _mm256_fmadd_ps(self, factor, sum) }
    }
}

/// The lower half of a register of 512 bits, with that one's kind of masks. A processor that computes 512 bits in two halves saves
/// one of them.
#[derive(Clone, Copy)]
pub(super) struct HalfOf512(__m256);

// SAFETY: each function is the instruction of its name, which touches the lanes in use alone.
unsafe impl Lanes for HalfOf512 {
    const COUNT: usize = 8;
    const ROWS: usize = 8;
    type Mask = __mmask8;
    type Rest = Self;

    #[inline(always)]
    unsafe fn first(lanes: usize) -> Self::Mask {
        ((1_u32 << lanes) - 1) as __mmask8
    }

    instructions! {
        fn zero() -> Self { Self(_mm256_setzero_ps()) }
        fn splat(x: *const f32) -> Self { Self(_mm256_broadcast_ss(&*x)) }
        fn load(from: *const f32) -> Self { Self(_mm256_loadu_ps(from)) }
        fn load_masked(from: *const f32, mask: Self::Mask) -> Self { Self(_mm256_maskz_loadu_ps(mask, from)) }
        fn store(self, to: *mut f32) { _mm256_storeu_ps(to, self.0) }
        fn store_masked(self, to: *mut f32, mask: Self::Mask) { _mm256_mask_storeu_ps(to, mask, self.0) }
        fn mul_add(self, factor: Self, sum: Self) -> Self { Self(_mm256_fmadd_ps(self.0, factor.0, sum.0)) }
    }
}
