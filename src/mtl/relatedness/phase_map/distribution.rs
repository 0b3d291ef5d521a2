//! What a few repeated gains say: of their mean, and of another pair of the same kind.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::mtl::relatedness::measured::mean;

/// Gains of one cell in several worlds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Distribution {
    /// The mean gain, in points.
    pub mean: f64,
    /// The mean's standard error.
    pub standard_error: f64,
    /// Lower end of the mean's 95 % interval, by Student's t.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// The standard deviation of a single gain: worlds, texts and trainings.
    pub deviation: f64,
    /// The probability that another such pair gains more than the region of equivalence.
    pub helps: f64,
    /// The probability that it loses more.
    pub hurts: f64,
}

impl Distribution {
    /// Of the gains in each world, in points: several in a world (at ρ and −ρ) are averaged for the mean's interval, since they share the
    /// world, and count singly for the deviation. `rope` is half the width of the region of equivalence.
    ///
    /// # Panics
    /// For fewer than two worlds.
    pub fn new(worlds: &[Vec<f64>], rope: f64) -> Self {
        let means: Vec<f64> = worlds.iter().map(|gains| mean(gains)).collect();
        let middle = mean(&means);
        let squares = |values: &[f64]| values.iter().map(|value| (value - middle).powi(2)).sum::<f64>();
        let freedom = (worlds.len() - 1) as f64;
        assert!(freedom > 0.0, "one world has no spread");
        let of_mean = squares(&means) / freedom / worlds.len() as f64;
        let single: Vec<f64> = worlds.iter().flatten().copied().collect();
        let variance = squares(&single) / (single.len() - 1) as f64;
        let half = quantile(freedom) * of_mean.sqrt();
        let beyond = |bound: f64| probability_beyond(bound, variance + of_mean, freedom);
        Self {
            mean: middle,
            standard_error: of_mean.sqrt(),
            low: middle - half,
            high: middle + half,
            deviation: variance.sqrt(),
            helps: beyond(rope - middle),
            hurts: beyond(rope + middle),
        }
    }

    /// The variance about `mean` of the gain of another such pair that is trained once: s²(1 + 1/R).
    pub fn variance_of_another(&self) -> f64 {
        self.deviation.powi(2) + self.standard_error.powi(2)
    }
}

/// The .975 quantile of Student's t.
pub(super) fn quantile(freedom: f64) -> f64 {
    StudentsT::new(0.0, 1.0, freedom).expect("a degree of freedom").inverse_cdf(0.975)
}

/// P(x > bound) of Student's t about 0 with this variance of its scale.
pub(super) fn probability_beyond(bound: f64, variance: f64, freedom: f64) -> f64 {
    if variance <= 0.0 {
        return f64::from(u8::from(bound < 0.0));
    }
    StudentsT::new(0.0, variance.sqrt(), freedom).expect("a positive scale").sf(bound)
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;

    /// Expected values: SciPy's `t.interval(.95, 5, mean, sem)`, and `t.sf(1, 5, mean, s·√(7/6))`.
    #[test]
    fn the_interval_of_the_mean_and_the_probabilities_of_another_equal_scipys() {
        let gains = [1.2, 3.4, -0.5, 2.2, 4.1, 0.8];
        let found = Distribution::new(&gains.map(|gain| vec![gain]), 1.0);
        assert_abs_diff_eq!(found.mean, 1.866_666_667, epsilon = 1e-9);
        assert_abs_diff_eq!(found.low, 0.071_344_307, epsilon = 1e-6);
        assert_abs_diff_eq!(found.high, 3.661_989_026, epsilon = 1e-6);
        assert_abs_diff_eq!(found.helps, 0.670_603_159, epsilon = 1e-6);
        assert_abs_diff_eq!(found.hurts, 0.090_755_145, epsilon = 1e-6);
    }

    #[test]
    fn two_gains_of_one_world_are_no_two_worlds() {
        let twice = Distribution::new(&[vec![1.0, 1.0], vec![3.0, 3.0]], 1.0);
        let once = Distribution::new(&[vec![1.0], vec![3.0]], 1.0);
        assert_eq!((twice.mean, twice.low, twice.high), (once.mean, once.low, once.high));
    }
}
