//! Integration along a straight line, of gradients that may jump.

/// Some functions and their derivatives along a line, each split into shares.
#[derive(Clone, Debug)]
pub(super) struct Point {
    /// Of each function.
    pub values: Vec<f64>,
    /// Of each function; they add up to its derivative.
    pub shares: Vec<Vec<f64>>,
}

impl Point {
    fn slope(&self, function: usize) -> f64 {
        self.shares[function].iter().sum()
    }
}

/// How far the integral over a stretch may be from the change of the value along it.
const TOLERANCE: f64 = 1e-9;
/// A jump of the derivative has been found as exactly as it matters.
const SHORTEST: f64 = 1e-13;

/// The nodes and weights of Gauss and Legendre's rule with four points, on [−1, 1]; the other two are their mirror images.
const RULE: [(f64, f64); 2] =
    [(0.339_981_043_584_856_26, 0.652_145_154_862_546_1), (0.861_136_311_594_052_6, 0.347_854_845_137_453_85)];

/// ∫₀¹ of each function's shares.
///
/// By the fundamental theorem of calculus the shares' integrals over a stretch add up to the change of the value along it. That is the
/// measure here: a stretch where they do not is cut in two, where the tangents at its ends meet — if the derivative jumps once (at a
/// corner of ReLU or max) and is constant otherwise, that is the very corner — and every third time in the middle.
pub(super) fn integrate(mut at: impl FnMut(f64) -> Point) -> Vec<Vec<f64>> {
    let (first, last) = (at(0.0), at(1.0));
    let nothing: Vec<Vec<f64>> = first.shares.iter().map(|shares| vec![0.0; shares.len()]).collect();
    let mut total = nothing.clone();
    let mut stretches = vec![((0.0, first), (1.0, last), 0)];
    while let Some(((a, at_a), (b, at_b), depth)) = stretches.pop() {
        let (middle, half) = (0.5 * (a + b), 0.5 * (b - a));
        let mut sums = nothing.clone();
        for (node, weight) in RULE {
            for alpha in [middle - half * node, middle + half * node] {
                add(&mut sums, half * weight, &at(alpha).shares);
            }
        }
        let gap = |f: usize| (sums[f].iter().sum::<f64>() - (at_b.values[f] - at_a.values[f])).abs();
        let worst = (0..sums.len()).max_by(|&f, &g| gap(f).total_cmp(&gap(g)));
        let Some(f) = worst.filter(|&f| gap(f) > TOLERANCE && b - a > SHORTEST) else {
            add(&mut total, 1.0, &sums);
            continue;
        };
        let (slope_a, slope_b) = (at_a.slope(f), at_b.slope(f));
        let meeting = (at_b.values[f] - at_a.values[f] + slope_a * a - slope_b * b) / (slope_a - slope_b);
        let cut = if meeting > a && meeting < b && depth % 3 != 2 { meeting } else { middle };
        let at_cut = at(cut);
        stretches.push(((cut, at_cut.clone()), (b, at_b), depth + 1));
        stretches.push(((a, at_a), (cut, at_cut), depth + 1));
    }
    total
}

fn add(sums: &mut [Vec<f64>], weight: f64, shares: &[Vec<f64>]) {
    for (sum, share) in sums.iter_mut().flatten().zip(shares.iter().flatten()) {
        *sum += weight * share;
    }
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
            let shares = vec![step(x - 1.0 / 3.0) * 3.0, step(x - 0.6) * -7.0, step(x - 0.61), slope];
            Point { values: vec![value, 3.0 * x], shares: vec![shares, vec![3.0]] }
        });
        assert!((integrals[1][0] - 3.0).abs() < 1e-12, "{integrals:?}");
        let expected = [2.0, -7.0 * 0.4, 0.39, 4.0_f64.tanh()];
        for (found, expected) in integrals[0].iter().zip(expected) {
            assert!((found - expected).abs() < 1e-8, "{found} for {expected}");
        }
        assert!(evaluations < 1000, "{evaluations} evaluations");
    }
}
