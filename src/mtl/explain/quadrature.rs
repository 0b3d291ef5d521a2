//! Integration along a straight line, of gradients that jump where the winner of a maximum changes.

/// What is integrated from α = 0 to α = 1: the derivatives of some functions, each split into shares.
pub(super) trait Line {
    /// The functions at α.
    fn look(&mut self, alpha: f64) -> Look;

    /// Of each function, the shares of its derivative, summed over `nodes` of (α, weight).
    fn shares(&mut self, nodes: &[(f64, f64)]) -> Vec<Vec<f64>>;
}

/// Some functions at one place of a line.
#[derive(Clone, Debug)]
pub(super) struct Look {
    pub alpha: f64,
    /// Of each function.
    pub values: Vec<f64>,
    /// The numbers among which each maximum chooses (0 is one of them for ReLU). They are smooth, and so are the functions but where
    /// a winner changes.
    pub maxima: Vec<Vec<f64>>,
}

/// How far the integral over a stretch may be from the change of the value along it.
const TOLERANCE: f64 = 1e-9;
/// A lead that is none. If a corner is misplaced so that one number leads another there by δ, the integral errs by δ times what the
/// maximum weighs in the function, however flat the two cross.
const EVEN: f64 = 1e-12;
/// No stretch is cut that is as short as this.
const SHORTEST: f64 = 1e-13;

/// The nodes and weights of Gauss and Legendre's rule with four points, on [−1, 1]; the other two are their mirror images.
const RULE: [(f64, f64); 2] =
    [(0.339_981_043_584_856_26, 0.652_145_154_862_546_1), (0.861_136_311_594_052_6, 0.347_854_845_137_453_85)];

/// ∫₀¹ of each function's shares.
///
/// A stretch is cut at a corner until the same numbers win at both ends. By the fundamental theorem of calculus the shares' integrals
/// over a stretch add up to the change of the value along it; a stretch where they do not is cut in the middle: it is too curved, or
/// has corners that its ends do not tell of.
pub(super) fn integrate(line: &mut impl Line) -> Vec<Vec<f64>> {
    let mut total = Vec::new();
    let mut stretches = vec![(line.look(0.0), line.look(1.0))];
    while let Some((a, b)) = stretches.pop() {
        let cut = match corner(line, &a, &b) {
            Some(cut) => cut,
            None => {
                let (middle, half) = (0.5 * (a.alpha + b.alpha), 0.5 * (b.alpha - a.alpha));
                let sides =
                    |(node, weight): (f64, f64)| [-node, node].map(|node| (middle + half * node, half * weight));
                let sums = line.shares(RULE.map(sides).as_flattened());
                let ends = a.values.iter().zip(&b.values);
                let gaps = sums.iter().zip(ends).map(|(sums, (a, b))| (sums.iter().sum::<f64>() - (b - a)).abs());
                if half < SHORTEST || !gaps.into_iter().any(|gap| gap > TOLERANCE) {
                    add(&mut total, sums);
                    continue;
                }
                line.look(middle)
            }
        };
        stretches.push((cut.clone(), b));
        stretches.push((a, cut));
    }
    total
}

/// Where the winner at one end draws level with the winner at the other, of the first maximum that has two.
fn corner(line: &mut impl Line, a: &Look, b: &Look) -> Option<Look> {
    a.maxima.iter().zip(&b.maxima).enumerate().find_map(|(i, (at_a, at_b))| {
        let (p, q) = (winner(at_a), winner(at_b));
        let lead = |look: &Look| look.maxima[i][p] - look.maxima[i][q];
        (lead(a) > EVEN && lead(b) < -EVEN).then(|| root(line, a, b, lead))
    })
}

fn winner(numbers: &[f64]) -> usize {
    (1..numbers.len()).fold(0, |best, i| if numbers[i] > numbers[best] { i } else { best })
}

/// Where `lead`, which has different signs at the two ends, is 0: by the Illinois variant of the secant method, which halves the
/// number at an end that stays, lest it stay for ever.
fn root(line: &mut impl Line, a: &Look, b: &Look, lead: impl Fn(&Look) -> f64) -> Look {
    let [mut far, mut near] = [a, b].map(|end| (end.alpha, lead(end)));
    loop {
        let look = line.look(near.0 - near.1 * (near.0 - far.0) / (near.1 - far.1));
        let now = (look.alpha, lead(&look));
        if now.1.abs() <= EVEN || (near.0 - far.0).abs() < SHORTEST || now.1.is_nan() {
            return look;
        }
        if (now.1 > 0.0) == (near.1 > 0.0) {
            far.1 *= 0.5;
        } else {
            far = near;
        }
        near = now;
    }
}

fn add(total: &mut Vec<Vec<f64>>, sums: Vec<Vec<f64>>) {
    if total.is_empty() {
        return *total = sums;
    }
    total.iter_mut().flatten().zip(sums.iter().flatten()).for_each(|(total, sum)| *total += sum);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 3·max(x − 1/3, 0) − 7·max(x − 0.6, 0) + max(x − 0.61, 0) + tanh 4x + max over three lines, and 3x; its tally of looks and nodes.
    #[derive(Default)]
    struct Broken {
        looks: usize,
        nodes: usize,
    }

    const CORNERS: [f64; 3] = [1.0 / 3.0, 0.6, 0.61];
    const WEIGHTS: [f64; 3] = [3.0, -7.0, 1.0];
    /// (height at 0, slope): they draw level at 0.25 and 0.5, the middle one leads between.
    const LINES: [(f64, f64); 3] = [(0.0, 0.0), (-0.25, 1.0), (-1.25, 3.0)];

    impl Line for Broken {
        fn look(&mut self, x: f64) -> Look {
            self.looks += 1;
            let lines = LINES.map(|(height, slope)| height + slope * x).to_vec();
            let relus = CORNERS.map(|corner| vec![x - corner, 0.0]);
            let largest = |numbers: &Vec<f64>| numbers[winner(numbers)];
            let relu: f64 = relus.iter().zip(WEIGHTS).map(|(numbers, weight)| weight * largest(numbers)).sum();
            let value = relu + (4.0 * x).tanh() + largest(&lines);
            Look { alpha: x, values: vec![value, 3.0 * x], maxima: [vec![lines], relus.to_vec()].concat() }
        }

        fn shares(&mut self, nodes: &[(f64, f64)]) -> Vec<Vec<f64>> {
            self.nodes += nodes.len();
            let mut sums = vec![vec![0.0; 5], vec![0.0]];
            for &(x, weight) in nodes {
                for (i, (corner, height)) in CORNERS.into_iter().zip(WEIGHTS).enumerate() {
                    sums[0][i] += weight * if x > corner { height } else { 0.0 };
                }
                sums[0][3] += weight * 4.0 / (4.0 * x).cosh().powi(2);
                sums[0][4] += weight
                    * if x > 0.5 {
                        3.0
                    } else if x > 0.25 {
                        1.0
                    } else {
                        0.0
                    };
                sums[1][0] += weight * 3.0;
            }
            sums
        }
    }

    /// The integrals by hand.
    #[test]
    fn jumps_and_curves_are_integrated_to_the_tolerance() {
        let mut line = Broken::default();
        let integrals = integrate(&mut line);
        assert!((integrals[1][0] - 3.0).abs() < 1e-12, "{integrals:?}");
        let expected = [2.0, -7.0 * 0.4, 0.39, 4.0_f64.tanh(), 0.25 + 3.0 * 0.5];
        for (found, expected) in integrals[0].iter().zip(expected) {
            assert!((found - expected).abs() < 1e-8, "{found} for {expected}");
        }
        assert!(line.looks < 40 && line.nodes < 120, "{} looks, {} nodes", line.looks, line.nodes);
    }

    /// Two corners of one maximum between ends at which the same number wins are found by the value, which they change.
    #[test]
    fn corners_that_hide_are_found() {
        struct Bump(usize);
        impl Line for Bump {
            fn look(&mut self, x: f64) -> Look {
                self.0 += 1;
                let numbers = vec![(x - 0.2) * (0.7 - x), 0.0]; // largest in the middle, at 0.45
                Look { alpha: x, values: vec![numbers[0].max(0.0)], maxima: vec![numbers] }
            }

            fn shares(&mut self, nodes: &[(f64, f64)]) -> Vec<Vec<f64>> {
                let above = |x: f64| f64::from(x > 0.2 && x < 0.7);
                let sum = |share: fn(f64) -> f64| nodes.iter().map(|&(x, weight)| weight * share(x) * above(x)).sum();
                vec![vec![sum(|_| 0.9), sum(|x| -2.0 * x)]]
            }
        }
        let mut line = Bump(0);
        let integrals = integrate(&mut line);
        let expected = 0.9 * 0.5; // and 0.7² − 0.2²
        assert!(integrals[0].iter().zip([expected, -expected]).all(|(x, y)| (x - y).abs() < 1e-9), "{integrals:?}");
        assert!(line.0 < 40, "{} looks", line.0);
    }
}
