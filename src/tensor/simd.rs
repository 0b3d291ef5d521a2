//! Run-time dispatch: one source of a kernel, compiled for several instruction sets.

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

/// Prefetches a slice that will be read soon.
#[inline(always)]
pub(crate) fn prefetch<T>(slice: &[T]) {
    #[cfg(target_arch = "x86_64")]
    for line in slice.chunks(64 / size_of::<T>()).chain(slice.last().map(std::slice::from_ref)) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: every x86-64 machine has the instruction, and a prefetch has no visible effect.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) };
    }
}

/// The instruction sets that kernels are compiled for, from the narrowest.
///
/// The widest that the machine has is used, unless the environment variable [`VARIABLE`](Self::VARIABLE) names another one: to find
/// out where a number differs, or to test what other machines run. It does not affect the products of `f64`, nor those of `f32` at
/// [`Portable`](Self::Portable), where the crate `matrixmultiply` finds its own instructions.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Simd {
    /// The baseline of the target.
    Portable,
    /// AVX2 and FMA.
    Avx2,
    /// AVX-512: F, BW, DQ and VL.
    Avx512,
}

impl Simd {
    /// The environment variable that names the instruction set to use.
    pub const VARIABLE: &str = "MTLCORE_SIMD";
    pub(super) const ALL: [(&str, Self); 3] =
        [("portable", Self::Portable), ("avx2", Self::Avx2), ("avx512", Self::Avx512)];

    /// The widest of the machine.
    pub(super) fn of_machine() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::is_x86_feature_detected as has;
            let has_avx2 = has!("avx2") && has!("fma");
            if has_avx2 && has!("avx512f") && has!("avx512bw") && has!("avx512dq") && has!("avx512vl") {
                return Self::Avx512;
            }
            if has_avx2 {
                return Self::Avx2;
            }
        }
        Self::Portable
    }

    /// The instruction set that kernels use.
    ///
    /// # Errors
    /// What is wrong if [`VARIABLE`](Self::VARIABLE) names none, or one that the machine lacks.
    pub fn chosen() -> Result<Self, String> {
        let widest = Self::of_machine();
        let Some(name) = std::env::var_os(Self::VARIABLE) else { return Ok(widest) };
        let name = name.to_string_lossy();
        match Self::ALL.into_iter().find(|(word, _)| *word == name) {
            Some((_, level)) if level <= widest => Ok(level),
            Some(_) => Err(format!("{}={name}: this machine does not have these instructions", Self::VARIABLE)),
            None => Err(format!("{}={name}: expected portable, avx2 or avx512", Self::VARIABLE)),
        }
    }

    /// As [`chosen`](Self::chosen), once for the whole process.
    #[cfg(target_arch = "x86_64")]
    #[inline]
    fn in_use() -> Self {
        static IN_USE: std::sync::OnceLock<Simd> = std::sync::OnceLock::new();
        *IN_USE.get_or_init(|| Self::chosen().unwrap_or_else(|error| panic!("{error}")))
    }
}

/// Whether to use AVX-512, which the machine then has.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(crate) fn has_avx512() -> bool {
    Simd::in_use() == Simd::Avx512
}

/// Whether to use AVX2, which the machine then has.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(crate) fn has_avx2() -> bool {
    Simd::in_use() >= Simd::Avx2
}
