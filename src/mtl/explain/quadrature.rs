//! Integration along a straight line, of gradients that may jump.

/// A function and its derivative along a line, split into shares.
#[derive(Clone, Debug)]
pub(super) struct Point {
    pub value: f64,
    /// They add up to the derivative.
    pub shares: Vec<f64>,
}

impl Point {
    fn slope(&self) -> f64 {
        self.shares.iter().sum()
    }
}

/// How far the integral over a stretch may be from the change of the value along it.
const TOLERANCE: f64 = 1e-10;
/// A jump of the derivative has been found as exactly as it matters.
const SHORTEST: f64 = 1e-13;

/// The nodes and weights of Gauss and Legendre's rule with eight points, on [−1, 1]; the other four are their mirror images.
const RULE: [(f64, f64); 4] = [
    (0.183_434_642_495_649_8, 0.362_683_783_378_362),
    (0.525_532_409_916_329, 0.313_706_645_877_887_3),
    (0.796_666_477_413_626_7, 0.222_381_034_453_374_5),
    (0.960_289_856_497_536_3, 0.101_228_536_290_376_3),
];

/// ∫₀¹ of each share.
///
/// By the fundamental theorem of calculus the shares' integrals over a stretch add up to the change of the value along it. That is the
/// measure here: a stretch where they do not is cut in two, where the tangents at its ends meet — if the derivative jumps once (at a
/// corner of ReLU or max) and is constant otherwise, that is the very corner — and every third time in the middle.
pub(super) fn integrate(mut f: impl FnMut(f64) -> Point) -> Vec<f64> {
    let ends = [f(0.0), f(1.0)];
    let mut total = vec![0.0; ends[0].shares.len()];
    let [first, last] = ends;
    let mut stretches = vec![((0.0, first), (1.0, last), 0)];
    while let Some(((a, at_a), (b, at_b), depth)) = stretches.pop() {
        let (middle, half) = (0.5 * (a + b), 0.5 * (b - a));
        let mut sums = vec![0.0; total.len()];
        for (node, weight) in RULE {
            for alpha in [middle - half * node, middle + half * node] {
                sums.iter_mut().zip(f(alpha).shares).for_each(|(sum, share)| *sum += half * weight * share);
            }
        }
        let gap = sums.iter().sum::<f64>() - (at_b.value - at_a.value);
        if gap.abs() <= TOLERANCE || b - a <= SHORTEST {
            total.iter_mut().zip(sums).for_each(|(total, sum)| *total += sum);
            continue;
        }
        let (slope_a, slope_b) = (at_a.slope(), at_b.slope());
        let meeting = (at_b.value - at_a.value + slope_a * a - slope_b * b) / (slope_a - slope_b);
        let cut = if meeting > a && meeting < b && depth % 3 != 2 { meeting } else { middle };
        let at_cut = f(cut);
        stretches.push(((cut, at_cut.clone()), (b, at_b), depth + 1));
        stretches.push(((a, at_a), (cut, at_cut), depth + 1));
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Corners at 1/3, 0.6 and 0.61, and a curved part; the integrals by hand.
    #[test]
    fn jumps_and_curves_are_integrated_to_the_tolerance() {
        let relu = |x: f64| x.max(0.0);
        let step = |x: f64| f64::from(x > 0.0);
        let mut evaluations = 0;
        let integrals = integrate(|x| {
            evaluations += 1;
            let value = relu(x - 1.0 / 3.0) * 3.0 - relu(x - 0.6) * 7.0 + relu(x - 0.61) + (4.0 * x).tanh();
            let slope = 4.0 / (4.0 * x).cosh().powi(2);
            Point { value, shares: vec![step(x - 1.0 / 3.0) * 3.0, step(x - 0.6) * -7.0, step(x - 0.61), slope] }
        });
        let expected = [2.0, -7.0 * 0.4, 0.39, 4.0_f64.tanh()];
        for (found, expected) in integrals.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-8, "{found} for {expected}");
        }
        assert!(evaluations < 1000, "{evaluations} evaluations");
    }
}
