//! Derivatives by differences.

/// Steps of the differences, from the largest.
const STEPS: [f64; 5] = [1e-4, 1e-5, 1e-6, 1e-7, 1e-8];
/// Errors of a derivative that no comparison notices.
const ABSOLUTE: f64 = 2e-10;
const RELATIVE: f64 = 2e-7;
/// By how much a value that was computed in some operations may be off.
const ROUNDING: f64 = 16.0 * f64::EPSILON;

/// f′(x) by a central difference of fourth order; `None` at a corner of f. Leaves f evaluated at x last, so that a caller who
/// stores its argument gets it back.
///
/// Where f has a corner near x, a difference across it means nothing. It shows in the *bend*, the change of the change from one
/// interval's slope to the next: the bend of a smooth function falls with h², that of a corner at x stays the same for every step.
/// So a derivative is taken where the bend is too small to matter, or where a tenth of the step has (at most) a tenth of the bend
/// and the same derivative. A step that reaches over a corner nearby fulfils neither; a smaller one does.
pub(super) fn slope(x: f64, mut f: impl FnMut(f64) -> f64) -> Option<f64> {
    let mut larger: Option<Difference> = None;
    let mut slope = None;
    for step in STEPS {
        let here = Difference::new(x, step, &mut f);
        if here.bend <= here.negligible() {
            slope = Some(here.slope);
        } else if let Some(larger) = larger.filter(|larger| here.confirms(larger)) {
            slope = Some(larger.slope);
        }
        if slope.is_some() {
            break;
        }
        larger = Some(here);
    }
    f(x);
    slope
}

/// What differences of one step tell.
#[derive(Clone, Copy)]
struct Difference {
    /// (8·(f(x+h) − f(x−h)) − (f(x+2h) − f(x−2h))) / 12h, whose error falls with h⁴.
    slope: f64,
    /// The larger |s₁ − 2s₂ + s₃| of three neighbouring ones of the four intervals' slopes. A corner within either of the two
    /// intervals beside x changes it by a third of its own size or more.
    bend: f64,
    /// What rounding can do to the bend.
    noise: f64,
}

impl Difference {
    fn new(x: f64, h: f64, f: &mut impl FnMut(f64) -> f64) -> Self {
        let values = [-2.0, -1.0, 0.0, 1.0, 2.0].map(|step| f(x + step * h));
        let [far_below, below, _, above, far_above] = values;
        let slopes: [f64; 4] = std::array::from_fn(|i| (values[i + 1] - values[i]) / h);
        let bend = |s: &[f64]| (s[0] - 2.0 * s[1] + s[2]).abs();
        Self {
            slope: (8.0 * (above - below) - (far_above - far_below)) / (12.0 * h),
            bend: bend(&slopes[..3]).max(bend(&slopes[1..])),
            noise: ROUNDING * values.iter().fold(0.0, |largest: f64, value| largest.max(value.abs())) / h,
        }
    }

    /// The bend that no comparison notices.
    fn negligible(&self) -> f64 {
        ABSOLUTE + RELATIVE * self.slope.abs() + self.noise
    }

    /// Whether a tenth of the step shows that the function is smooth.
    fn confirms(&self, larger: &Self) -> bool {
        let same = (self.slope - larger.slope).abs() <= self.negligible();
        same && self.bend <= 0.1 * larger.bend + self.noise
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_smooth_function_has_its_derivative() {
        let error = slope(0.7, |x| (3.0 * x).sin()).unwrap() - 3.0 * (3.0_f64 * 0.7).cos();
        assert!(error.abs() < 1e-11, "{error}");
    }

    /// Curvature beside almost no slope, and a large value, are no corners.
    #[test]
    fn a_curved_function_is_smooth() {
        for (x, f, expected) in [
            (0.0, (|x| 50.0 * x * x * x + 1e-3 * x) as fn(f64) -> f64, 1e-3),
            (0.0, |x| (20.0 * x).cos(), 0.0),
            (1.0, |x| 1e3 + x * x, 2.0),
            (0.3, |x| (30.0 * x).tanh(), 30.0 / 9.0_f64.cosh().powi(2)),
        ] {
            let error = slope(x, f).unwrap() - expected;
            assert!(error.abs() < 2e-9 + 1e-7 * expected, "{error} of {expected}");
        }
    }

    #[test]
    fn a_corner_nearby_is_stepped_around_and_one_at_the_point_is_none() {
        assert!((slope(5e-5, f64::abs).unwrap() - 1.0).abs() < 1e-9);
        assert_eq!(slope(0.0, f64::abs), None);
    }

    proptest! {
        /// steep·x + corner·max(x, 0): with whatever corner beside whatever slope, the derivative at x ≠ 0 is that of x's side, and
        /// at 0 there is none.
        #[test]
        fn a_small_corner_is_one(
            steep in prop_oneof![Just(0.0), -1e3..1e3_f64], corner in (-3..3_i32).prop_map(|e| 10_f64.powi(e)),
            distance in (-6.5..-2.0_f64).prop_map(|e| 10_f64.powf(e)), side: bool,
        ) {
            prop_assume!(corner > 1e-5 * steep.abs());
            let f = |x: f64| steep * x + corner * x.max(0.0);
            prop_assert_eq!(slope(0.0, f), None);
            let (x, expected) = if side { (distance, steep + corner) } else { (-distance, steep) };
            let found = slope(x, f);
            let largest = steep.abs().max(corner);
            prop_assert!(found.is_some_and(|found| (found - expected).abs() <= 1e-9 + 1e-7 * largest), "{found:?} for {expected}");
        }
    }
}
