//! One source, several instruction sets.

/// Compiles the body of a slice kernel for AVX-512, for AVX2 and for the baseline, and picks the widest that the machine has.
///
/// The body is plain Rust that the compiler turns into vector code. Every version does the same roundings in the same order:
/// the compiler neither fuses a product with a sum nor reorders sums, so all give the same bits.
macro_rules! vectorised {
    ($(#[$meta:meta])* $vis:vis fn $name:ident $(<$f:ident: $bound:path>)? ($($arg:ident: $type:ty),* $(,)?) $body:block) => {
        $(#[$meta])*
        #[allow(clippy::too_many_arguments)]
        $vis fn $name $(<$f: $bound>)? ($($arg: $type),*) {
            #[inline(always)]
            #[allow(clippy::too_many_arguments)]
            fn body $(<$f: $bound>)? ($($arg: $type),*) $body

            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
                #[allow(clippy::too_many_arguments)]
                fn avx512 $(<$f: $bound>)? ($($arg: $type),*) {
                    body($($arg),*)
                }
                #[target_feature(enable = "avx2,fma")]
                #[allow(clippy::too_many_arguments)]
                fn avx2 $(<$f: $bound>)? ($($arg: $type),*) {
                    body($($arg),*)
                }
                if $crate::tensor::simd::has_avx512() {
                    // SAFETY: the machine has every feature that the function is compiled for.
                    return unsafe { avx512($($arg),*) };
                }
                if $crate::tensor::simd::has_avx2() {
                    // SAFETY: the machine has every feature that the function is compiled for.
                    return unsafe { avx2($($arg),*) };
                }
            }
            body($($arg),*)
        }
    };
}
pub(crate) use vectorised;

/// Asks for the memory of a slice that will be read soon, without waiting for it.
#[inline(always)]
pub(crate) fn prefetch<T>(slice: &[T]) {
    #[cfg(target_arch = "x86_64")]
    for line in slice.chunks(64 / size_of::<T>()).chain(slice.last().map(std::slice::from_ref)) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: every machine of this kind has the instruction, and it changes nothing that a program sees.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) };
    }
}

/// Whether the machine has the parts of AVX-512 that the kernels are compiled for.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(crate) fn has_avx512() -> bool {
    std::arch::is_x86_feature_detected!("avx512f")
        && std::arch::is_x86_feature_detected!("avx512bw")
        && std::arch::is_x86_feature_detected!("avx512dq")
        && std::arch::is_x86_feature_detected!("avx512vl")
}

/// Whether the machine has AVX2 and fused multiply-add, which came with it.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(crate) fn has_avx2() -> bool {
    std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma")
}
