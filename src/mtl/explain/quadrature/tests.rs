use super::*;

/// 3·max(x − 1/3, 0) − 7·max(x − 0.6, 0) + max(x − 0.61, 0) + tanh 4x + max over three lines, and 3x; its tally of samples and nodes.
#[derive(Default)]
struct Broken {
    samples: usize,
    nodes: usize,
}

const CORNERS: [f64; 3] = [1.0 / 3.0, 0.6, 0.61];
const WEIGHTS: [f64; 3] = [3.0, -7.0, 1.0];
/// (height at 0, slope): they draw level at 0.25 and 0.5, the middle one leads between.
const LINES: [(f64, f64); 3] = [(0.0, 0.0), (-0.25, 1.0), (-1.25, 3.0)];

impl Line for Broken {
    fn sample(&mut self, alphas: &[f64]) -> Vec<Sample> {
        self.samples += alphas.len();
        alphas.iter().map(|&x| Self::at(x)).collect()
    }

    fn derivatives(&mut self, alphas: &[f64]) -> Vec<Vec<Vec<f64>>> {
        self.nodes += alphas.len();
        alphas.iter().map(|&x| Self::slope(x)).collect()
    }
}

impl Broken {
    fn at(x: f64) -> Sample {
        let lines = LINES.map(|(height, slope)| height + slope * x).to_vec();
        let switches = CORNERS.map(|corner| x - corner);
        let relu: f64 = switches.iter().zip(WEIGHTS).map(|(z, weight)| weight * z.max(0.0)).sum();
        let value = relu + (4.0 * x).tanh() + lines[winner(&lines)];
        Sample {
            alpha: x,
            values: vec![value, 3.0 * x],
            corners: Corners { maxima: vec![lines], switches: switches.into() },
        }
    }

    fn slope(x: f64) -> Vec<Vec<f64>> {
        let [p, q, r] = std::array::from_fn(|i| if x > CORNERS[i] { WEIGHTS[i] } else { 0.0 });
        let steepest = match x {
            x if x > 0.5 => 3.0,
            x if x > 0.25 => 1.0,
            _ => 0.0,
        };
        vec![vec![p, q, r, 4.0 / (4.0 * x).cosh().powi(2), steepest], vec![3.0]]
    }
}

/// The integrals by hand.
#[test]
fn jumps_and_curves_are_integrated_to_the_tolerance() {
    let mut line = Broken::default();
    let integrals = integrate(&mut line).unwrap();
    assert!((integrals[1][0] - 3.0).abs() < 1e-12, "{integrals:?}");
    let expected = [2.0, -7.0 * 0.4, 0.39, 4.0_f64.tanh(), 0.25 + 3.0 * 0.5];
    for (found, expected) in integrals[0].iter().zip(expected) {
        assert!((found - expected).abs() < 1e-8, "{found} for {expected}");
    }
    assert!(line.samples < 40 && line.nodes < 120, "{} samples, {} nodes", line.samples, line.nodes);
}

/// Two corners of one maximum between ends at which the same number wins are found by the value, which they change.
#[test]
fn corners_that_hide_are_found() {
    struct Bump(usize);
    impl Line for Bump {
        fn sample(&mut self, alphas: &[f64]) -> Vec<Sample> {
            self.0 += alphas.len();
            let at = |&x: &f64| {
                let z = (x - 0.2) * (0.7 - x); // largest in the middle, at 0.45
                let corners = Corners { maxima: vec![vec![z, 0.0]], switches: Vec::new() };
                Sample { alpha: x, values: vec![z.max(0.0)], corners }
            };
            alphas.iter().map(at).collect()
        }

        fn derivatives(&mut self, alphas: &[f64]) -> Vec<Vec<Vec<f64>>> {
            let above = |x: f64| f64::from(x > 0.2 && x < 0.7);
            alphas.iter().map(|&x| vec![vec![0.9 * above(x), -2.0 * x * above(x)]]).collect()
        }
    }
    let mut line = Bump(0);
    let integrals = integrate(&mut line).unwrap();
    let expected = 0.9 * 0.5; // and 0.7² − 0.2²
    assert!(integrals[0].iter().zip([expected, -expected]).all(|(x, y)| (x - y).abs() < 1e-9), "{integrals:?}");
    assert!(line.0 < 40, "{} samples", line.0);
}
/// Two hundred hard sigmoids of different curves, as the gates of an LSTM over the words of a text are: each corner costs a few samples
/// and the subinterval behind it a few nodes.
#[test]
fn hard_sigmoids_cost_a_few_looks_a_corner() {
    const GATES: usize = 200;
    /// y of gate i and its derivative: from below 0 to above 1, or back.
    fn gate(i: usize, x: f64) -> (f64, f64) {
        let (height, phase) = (1.5 + (i % 7) as f64 / 5.0, 0.3 + 0.4 * i as f64 / GATES as f64);
        let sign = if i.is_multiple_of(2) { 1.0 } else { -1.0 };
        let (sine, cosine) = (2.0 * (x - phase)).sin_cos();
        (0.5 + sign * height * sine, sign * height * 2.0 * cosine)
    }
    struct Gates(usize, usize);
    impl Line for Gates {
        fn sample(&mut self, alphas: &[f64]) -> Vec<Sample> {
            self.0 += alphas.len();
            let at = |&x: &f64| {
                let gates: Vec<f64> = (0..GATES).map(|i| gate(i, x).0).collect();
                let value = gates.iter().map(|y| y.clamp(0.0, 1.0)).sum();
                let switches = gates.iter().flat_map(|y| [*y, 1.0 - y]).collect();
                Sample { alpha: x, values: vec![value], corners: Corners { maxima: Vec::new(), switches } }
            };
            alphas.iter().map(at).collect()
        }

        fn derivatives(&mut self, alphas: &[f64]) -> Vec<Vec<Vec<f64>>> {
            self.1 += alphas.len();
            let slope = |(y, slope): (f64, f64)| if (0.0..1.0).contains(&y) { slope } else { 0.0 };
            alphas.iter().map(|&x| vec![(0..GATES).map(|i| slope(gate(i, x))).collect()]).collect()
        }
    }
    let mut line = Gates(0, 0);
    let integrals = integrate(&mut line).unwrap();
    let clipped = |i, x| gate(i, x).0.clamp(0.0, 1.0);
    for (i, integral) in integrals[0].iter().enumerate() {
        let expected = clipped(i, 1.0) - clipped(i, 0.0);
        assert!((integral - expected).abs() < 1e-9, "{integral} for {expected}");
    }
    let corners: usize = (0..GATES)
        .map(|i| usize::from(clipped(i, 0.0) != gate(i, 0.0).0) + usize::from(clipped(i, 1.0) != gate(i, 1.0).0))
        .sum();
    assert!(corners > GATES, "{corners} corners");
    assert!(line.0 < 6 * corners && line.1 < 3 * corners, "{} samples, {} nodes, {corners} corners", line.0, line.1);
}

/// A network of weights around 10⁷: logits of a hundred million, whose rounding is far above 10⁻⁹.
#[test]
fn large_values_settle_as_small_ones_do() {
    struct Large(f64, usize);
    impl Line for Large {
        fn sample(&mut self, alphas: &[f64]) -> Vec<Sample> {
            self.1 += alphas.len();
            let at = |&x: &f64| {
                // Rounding as of sums over a thousand terms.
                let noise = 1e-13 * (1e9 * x).sin();
                let lines = LINES.map(|(height, slope)| self.0 * (height + slope * x) * (1.0 + noise));
                let value = lines[winner(&lines)] + self.0 * (4.0 * x).tanh();
                Sample {
                    alpha: x,
                    values: vec![value],
                    corners: Corners { maxima: vec![lines.to_vec()], switches: vec![] },
                }
            };
            alphas.iter().map(at).collect()
        }

        fn derivatives(&mut self, alphas: &[f64]) -> Vec<Vec<Vec<f64>>> {
            let slope = |&x: &f64| vec![Broken::slope(x)[0][3..].iter().map(|slope| self.0 * slope).collect()];
            alphas.iter().map(slope).collect()
        }
    }
    for size in [1.0, 1e8, 1e30] {
        let mut line = Large(size, 0);
        let integrals = integrate(&mut line).unwrap();
        for (found, expected) in integrals[0].iter().zip([4.0_f64.tanh(), 0.25 + 3.0 * 0.5]) {
            assert!((found / size - expected).abs() < 1e-8, "{found} for {expected}");
        }
        assert!(line.1 < 100, "{} samples", line.1);
    }
}

/// Slopes that are not those of the values never add up to them.
#[test]
fn what_does_not_settle_ends() {
    struct Wrong;
    impl Line for Wrong {
        fn sample(&mut self, alphas: &[f64]) -> Vec<Sample> {
            alphas.iter().map(|&x| Sample { alpha: x, values: vec![x], corners: Corners::default() }).collect()
        }

        fn derivatives(&mut self, alphas: &[f64]) -> Vec<Vec<Vec<f64>>> {
            vec![vec![vec![2.0]]; alphas.len()]
        }
    }
    assert_eq!(integrate(&mut Wrong), None);
}
