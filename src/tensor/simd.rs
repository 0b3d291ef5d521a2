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
    const ALL: [(&str, Self); 3] = [("portable", Self::Portable), ("avx2", Self::Avx2), ("avx512", Self::Avx512)];

    /// The widest of the machine.
    fn of_machine() -> Self {
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

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use std::process::{Command, Output};

    use super::Simd;
    use crate::tensor::{Tensor, matmul, pointwise};

    /// This program's tests of a name, in a process of their own at one level.
    fn tests_at(level: &str, arguments: &[&str]) -> Output {
        let program = std::env::current_exe().unwrap();
        Command::new(program).args(arguments).env(Simd::VARIABLE, level).output().unwrap()
    }

    fn levels() -> impl Iterator<Item = &'static str> {
        Simd::ALL.into_iter().filter(|(_, level)| *level <= Simd::of_machine()).map(|(word, _)| word)
    }

    #[test]
    fn every_level_of_the_machine_passes_the_tests_of_the_kernels() {
        for level in levels() {
            let output = tests_at(level, &["tensor::", "autograd::ops", "--skip", "tensor::simd"]);
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(output.status.success() && text.contains("a_nan_stays_one ... ok"), "{level}: {text}");
        }
    }

    /// Kernels over slices at every level, and products where they are ours.
    #[test]
    fn levels_give_the_same_bits() {
        let bits: Vec<(String, String)> = levels()
            .map(|level| {
                let name = "tensor::simd::tests::tell_bits";
                let output = tests_at(level, &["--exact", name, "--include-ignored", "--nocapture"]);
                let text = String::from_utf8_lossy(&output.stdout).into_owned();
                let line = text.lines().find_map(|line| line.split_once("bits: ")).expect("the test tells them").1;
                let (slices, products) = line.split_once(' ').unwrap();
                (slices.to_owned(), products.to_owned())
            })
            .collect();
        assert!(bits.iter().all(|(slices, _)| *slices == bits[0].0), "{bits:?}");
        assert!(bits[1..].iter().all(|(_, products)| *products == bits[1].1), "{bits:?}");
    }

    #[test]
    #[ignore = "a part of `levels_give_the_same_bits`"]
    fn tell_bits() {
        let wave = |len: usize| (0..len).map(|i| (i as f32 * 0.7).sin() * 3.0).collect::<Vec<f32>>();
        let hash = |numbers: &[f32]| {
            numbers.iter().fold(0_u64, |hash, x| (hash ^ u64::from(x.to_bits())).wrapping_mul(0x100_0000_01b3))
        };
        let mut slices = 0;
        for kernel in [pointwise::sigmoid::<f32> as fn(&mut [f32]), pointwise::tanh, pointwise::relu] {
            let mut y = wave(1_003);
            kernel(&mut y);
            slices ^= hash(&y);
        }
        let mut sum = wave(29);
        pointwise::add_column_sums(&mut sum, &wave(29 * 17));
        pointwise::axpy(&mut sum, 0.3, &wave(29));
        slices ^= hash(&sum) ^ pointwise::dot(&wave(1_003), &wave(1_003)).to_bits();
        let mut products = 0;
        for [m, k, n] in [[1, 1, 1], [13, 25, 100], [70, 600, 31], [5, 0, 7]] {
            let (a, b) = (Tensor::new([m, k], wave(m * k)), Tensor::new([k, n], wave(k * n)));
            let mut c = Tensor::zeros([m, n]);
            matmul(a.matrix(), b.matrix(), c.matrix_mut());
            products ^= hash(c.data());
        }
        println!("bits: {slices:x} {products:x}");
    }

    #[test]
    fn an_unknown_word_is_refused_with_those_that_are_known() {
        let output = tests_at("sse", &["tensor::pointwise"]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(!output.status.success(), "{text}");
        assert!(text.contains("MTLCORE_SIMD=sse: expected portable, avx2 or avx512"), "{text}");
    }
}
