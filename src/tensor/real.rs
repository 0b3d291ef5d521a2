//! The one bound on numbers.

use std::fmt::{Debug, Display, LowerExp};
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

/// A floating-point number: `f32` to train with, `f64` to check gradients with. Implemented for these two alone.
///
/// In `f32`, [`exp`](Real::exp), [`sigmoid`](Real::sigmoid) and [`tanh`](Real::tanh) are polynomials without a branch, so that a
/// loop over a slice becomes vector code; their error is a few units in the last place (tested) for x between −87 and 88. Beyond,
/// `exp` saturates at e⁻⁸⁷ (1.6e-38, never 0) and e⁸⁸ (1.7e38, never infinite), so that every result is a normal number; `sigmoid`
/// and `tanh` follow it there, to 6e-39 or 1 and to ±1. In `f64` they are the standard library's.
pub trait Real:
    Copy
    + Default
    + PartialEq
    + PartialOrd
    + Debug
    + Display
    + LowerExp
    + Send
    + Sync
    + Sum
    + Neg<Output = Self>
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
    + DivAssign
    + super::gemm::Gemm
    + 'static
{
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
    /// The smallest positive number in normal form. Arithmetic with smaller ones (denormal numbers) is many times slower on
    /// most machines.
    const SMALLEST_NORMAL: Self;

    /// The nearest number of this precision.
    fn from_f64(x: f64) -> Self;
    /// The same number in double precision.
    fn to_f64(self) -> f64;
    /// eˣ; in `f32` of the nearest x between −87 and 88.
    fn exp(self) -> Self;
    /// 1 / (1 + e⁻ˣ).
    fn sigmoid(self) -> Self;
    /// Hyperbolic tangent.
    fn tanh(self) -> Self;
    /// ln(1 + x).
    fn ln_1p(self) -> Self;
    /// Square root.
    fn sqrt(self) -> Self;
    /// Absolute value.
    fn abs(self) -> Self;
    /// The larger of two; `self` where they cannot be compared.
    #[inline(always)]
    fn at_least(self, low: Self) -> Self {
        if self < low { low } else { self }
    }
    /// The smaller of two; `self` where they cannot be compared.
    #[inline(always)]
    fn at_most(self, high: Self) -> Self {
        if self > high { high } else { self }
    }
    /// Neither infinite nor not a number.
    fn is_finite(self) -> bool;
    /// Not a number.
    fn is_nan(self) -> bool;
}

/// What the standard library has under the same name for both types.
macro_rules! standard {
    ($type:ty) => {
        const ZERO: Self = 0.0;
        const ONE: Self = 1.0;
        const SMALLEST_NORMAL: Self = <$type>::MIN_POSITIVE;
        #[inline(always)]
        fn from_f64(x: f64) -> Self {
            x as $type
        }
        #[inline(always)]
        fn to_f64(self) -> f64 {
            f64::from(self)
        }
        #[inline(always)]
        fn ln_1p(self) -> Self {
            <$type>::ln_1p(self)
        }
        #[inline(always)]
        fn sqrt(self) -> Self {
            <$type>::sqrt(self)
        }
        #[inline(always)]
        fn abs(self) -> Self {
            <$type>::abs(self)
        }
        #[inline(always)]
        fn is_finite(self) -> bool {
            <$type>::is_finite(self)
        }
        #[inline(always)]
        fn is_nan(self) -> bool {
            <$type>::is_nan(self)
        }
    };
}

impl Real for f64 {
    standard!(f64);
    fn exp(self) -> Self {
        f64::exp(self)
    }
    fn sigmoid(self) -> Self {
        1.0 / (1.0 + f64::exp(-self))
    }
    fn tanh(self) -> Self {
        f64::tanh(self)
    }
}

impl Real for f32 {
    standard!(f32);
    #[inline(always)]
    fn exp(self) -> Self {
        let (scale, q) = exp_parts(self);
        scale.mul_add(q, scale)
    }
    #[inline(always)]
    fn sigmoid(self) -> Self {
        1.0 / (1.0 + Real::exp(-self))
    }
    /// With e = e^(−2|x|), tanh|x| = (1 − e) / (1 + e), where 1 − e is formed without cancellation.
    #[inline(always)]
    fn tanh(self) -> Self {
        let (scale, q) = exp_parts(-2.0 * f32::abs(self));
        let expm1 = scale.mul_add(q, scale - 1.0);
        (-expm1 / (2.0 + expm1)).copysign(self)
    }
}

/// eˣ = s·(1 + q) with s = 2ⁿ exact and |q| < 0.42: n = round(x / ln 2), and q = e^r − 1 for the remainder r as its Taylor
/// polynomial of degree 7, whose truncation error at |r| ≤ ln 2 / 2 is below 6e-9 of 1. x is limited to where s is a normal number.
#[inline(always)]
fn exp_parts(x: f32) -> (f32, f32) {
    // Adding 1.5 · 2²³ leaves the nearest integer in the low bits of the mantissa.
    const ROUND: f32 = 12_582_912.0;
    // ln 2 in two parts: the product of the first with n is exact.
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    // The limits keep a NaN: a comparison with it is false.
    let x = x.at_most(88.0).at_least(-87.0);
    let shifted = x.mul_add(std::f32::consts::LOG2_E, ROUND);
    let n = shifted - ROUND;
    let r = n.mul_add(-LN2_LOW, n.mul_add(-LN2_HIGH, x));
    let mut tail = 1.0_f32 / 5040.0;
    for coefficient in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5] {
        tail = tail.mul_add(r, coefficient);
    }
    let q = tail.mul_add(r * r, r);
    let scale = f32::from_bits((shifted.to_bits() << 23).wrapping_add(1.0_f32.to_bits()));
    (scale, q)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Distance in units in the last place of the exact value.
    fn ulp(approximate: f32, exact: f64) -> f64 {
        let exponent = (exact.abs().max(f64::from(f32::MIN_POSITIVE))).log2().floor();
        (f64::from(approximate) - exact).abs() / (exponent - 23.0).exp2()
    }

    fn grid() -> impl Iterator<Item = f32> {
        let fine = (-870_000..=870_000).map(|i| i as f32 * 1e-4);
        let small = (0..1_000).map(|i| (i as f32 - 500.0) * 1e-9);
        fine.chain(small)
    }

    #[test]
    fn single_precision_functions_stay_within_a_few_ulp_of_double_precision() {
        let (mut exp, mut sigmoid, mut tanh) = (0.0_f64, 0.0_f64, 0.0_f64);
        for x in grid() {
            let exact = f64::from(x);
            exp = exp.max(ulp(Real::exp(x), exact.exp()));
            sigmoid = sigmoid.max(ulp(x.sigmoid(), 1.0 / (1.0 + (-exact).exp())));
            tanh = tanh.max(ulp(Real::tanh(x), exact.tanh()));
        }
        assert!(exp <= 2.0 && sigmoid <= 3.5 && tanh <= 4.0, "ulp: exp {exp}, sigmoid {sigmoid}, tanh {tanh}");
    }

    #[test]
    fn extremes_saturate_and_a_nan_stays_one() {
        assert_eq!(f32::INFINITY.sigmoid(), 1.0);
        assert!(f32::NEG_INFINITY.sigmoid() < 1e-37);
        assert_eq!(Real::tanh(f32::INFINITY), 1.0);
        assert_eq!(Real::tanh(-1e30_f32), -1.0);
        assert_eq!(Real::tanh(0.0_f32), 0.0);
        assert_eq!(Real::exp(f32::NEG_INFINITY), Real::exp(-87.0_f32));
        assert_eq!(Real::exp(1e30_f32), Real::exp(88.0_f32));
        assert!(Real::exp(-87.0_f32).is_normal() && Real::exp(88.0_f32).is_normal());
        assert!(f32::NAN.sigmoid().is_nan() && Real::tanh(f32::NAN).is_nan() && Real::exp(f32::NAN).is_nan());
    }
}
