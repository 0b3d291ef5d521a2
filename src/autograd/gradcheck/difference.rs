//! Derivatives by differences.

/// f′(x) by the central difference of fourth order, (8·(f(x+h) − f(x−h)) − (f(x+2h) − f(x−2h))) / 12h, whose error falls with
/// h⁴; `None` at a corner of f. Leaves f evaluated at x last, so that a caller who stores its argument gets it back.
///
/// Where f has a corner near x, a difference across it means nothing. It shows: the slopes on both sides differ. A step a
/// hundred times smaller then decides between a corner nearby, which it does not reach, and one at x itself.
pub(super) fn slope(x: f64, mut f: impl FnMut(f64) -> f64) -> Option<f64> {
    let slope = [1e-4, 1e-6].into_iter().find_map(|h| {
        let [far_below, below, here, above, far_above] = [-2.0, -1.0, 0.0, 1.0, 2.0].map(|step| f(x + step * h));
        let (left, right) = ((here - below) / h, (above - here) / h);
        let (outer_left, outer_right) = ((below - far_below) / h, (far_above - above) / h);
        // Neighbouring one-sided slopes of a smooth function differ by h·f″, which h makes small.
        let scale = 1.0 + left.abs().max(right.abs());
        let smooth =
            [outer_left - left, left - right, right - outer_right].iter().all(|jump| jump.abs() < 1e-2 * scale);
        smooth.then(|| (8.0 * (above - below) - (far_above - far_below)) / (12.0 * h))
    });
    f(x);
    slope
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_smooth_function_has_its_derivative() {
        let error = slope(0.7, |x| (3.0 * x).sin()).unwrap() - 3.0 * (3.0_f64 * 0.7).cos();
        assert!(error.abs() < 1e-11, "{error}");
    }

    #[test]
    fn a_corner_nearby_is_stepped_around_and_one_at_the_point_is_none() {
        assert!((slope(5e-5, f64::abs).unwrap() - 1.0).abs() < 1e-9);
        assert_eq!(slope(0.0, f64::abs), None);
    }
}
