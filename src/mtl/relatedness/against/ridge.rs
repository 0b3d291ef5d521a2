//! Ridge regression on standardised columns (Hoerl & Kennard 1970), the strength chosen by generalised cross-validation (Golub, Heath &
//! Wahba 1979).

use serde::{Deserialize, Serialize};

use crate::mtl::{balancing::solve::eigen, relatedness::measured::dot};

/// Strengths to choose from, in units of the number of rows.
const STRENGTHS: [f64; 9] = [1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0, 3.0, 10.0];

/// A fitted model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ridge {
    /// The mean of each column, which stands in for a missing value.
    pub means: Vec<f64>,
    /// The standard deviation of each column; 0 for a constant one, which is ignored.
    pub deviations: Vec<f64>,
    /// Of the standardised columns.
    pub weights: Vec<f64>,
    /// The prediction for a row of means.
    pub intercept: f64,
}

impl Ridge {
    /// Fits `targets` with weights (such as 1/SE²) on rows of columns. `strength` in units of the number of rows; `None` chooses it.
    ///
    /// # Panics
    /// If there is no row.
    pub fn fit(rows: &[Vec<Option<f64>>], targets: &[f64], weights: &[f64], strength: Option<f64>) -> Self {
        let (n, all) = (rows.len() as f64, weights.iter().sum::<f64>());
        let weights: Vec<f64> = weights.iter().map(|weight| weight * n / all).collect();
        let width = rows[0].len();
        let (mut means, mut deviations) = (Vec::new(), Vec::new());
        for column in 0..width {
            let known: Vec<(f64, f64)> =
                rows.iter().zip(&weights).filter_map(|(row, &weight)| Some((row[column]?, weight))).collect();
            let total = known.iter().map(|(_, weight)| weight).sum::<f64>().max(f64::MIN_POSITIVE);
            let mean = known.iter().map(|(x, weight)| x * weight).sum::<f64>() / total;
            let variance = known.iter().map(|(x, weight)| weight * (x - mean).powi(2)).sum::<f64>() / total;
            means.push(mean);
            deviations.push(if variance > 1e-24 * mean * mean { variance.sqrt() } else { 0.0 });
        }
        let intercept = dot(targets, &weights) / n;
        let mut model = Self { means, deviations, weights: vec![0.0; width], intercept };
        let x: Vec<Vec<f64>> = rows.iter().map(|row| model.standardised(row)).collect();
        let y: Vec<f64> = targets.iter().map(|target| target - intercept).collect();
        let moment = |i: usize, j: usize| -> f64 { x.iter().zip(&weights).map(|(x, w)| w * x[i] * x[j]).sum() };
        let gram = (0..width).map(|i| (0..width).map(|j| moment(i, j)).collect()).collect();
        let right: Vec<f64> =
            (0..width).map(|i| (0..x.len()).map(|row| weights[row] * x[row][i] * y[row]).sum()).collect();
        let (values, vectors) = eigen(gram);
        let projected: Vec<f64> = vectors.iter().map(|vector| dot(vector, &right)).collect();
        let solve = |strength: f64| -> Vec<f64> {
            let mut solution = vec![0.0; width];
            for ((value, vector), along) in values.iter().zip(&vectors).zip(&projected) {
                let curvature = value.max(0.0) + strength * n;
                if curvature > 1e-10 * n {
                    solution.iter_mut().zip(vector).for_each(|(s, v)| *s += along / curvature * v);
                }
            }
            solution
        };
        let criterion = |strength: f64| {
            let solution = solve(strength);
            let errors = x.iter().zip(&y).zip(&weights).map(|((x, y), w)| w * (y - dot(x, &solution)).powi(2));
            let freedom: f64 = values.iter().map(|v| v.max(0.0) / (v.max(0.0) + strength * n)).sum();
            errors.sum::<f64>() / (n - 1.0 - freedom).max(1e-9).powi(2)
        };
        let best = || STRENGTHS.into_iter().min_by(|a, b| criterion(*a).total_cmp(&criterion(*b))).unwrap_or(1.0);
        model.weights = solve(strength.unwrap_or_else(best));
        model
    }

    fn standardised(&self, row: &[Option<f64>]) -> Vec<f64> {
        let moments = self.means.iter().zip(&self.deviations);
        let one = |(value, (mean, deviation)): (&Option<f64>, (&f64, &f64))| match value {
            Some(value) if *deviation > 0.0 => (value - mean) / deviation,
            _ => 0.0,
        };
        row.iter().zip(moments).map(one).collect()
    }

    /// The prediction for a row.
    pub fn predict(&self, row: &[Option<f64>]) -> f64 {
        self.intercept + dot(&self.standardised(row), &self.weights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;

    /// Expected values: NumPy's `polyfit`, leaving out one of six at a time.
    #[test]
    fn least_squares_without_each_row_equal_numpys() {
        let (x, y) = ([0.1, 0.4, 0.35, 0.8, 0.6, 0.2], [-0.5, 0.3, 0.6, 2.1, 1.0, -0.1]);
        let predicted: Vec<f64> = (0..6)
            .map(|left_out| {
                let kept = || (0..6).filter(|&i| i != left_out);
                let rows: Vec<_> = kept().map(|i| vec![Some(x[i])]).collect();
                let targets: Vec<f64> = kept().map(|i| y[i]).collect();
                Ridge::fit(&rows, &targets, &[1.0; 5], Some(0.0)).predict(&[Some(x[left_out])])
            })
            .collect();
        let expected =
            [-0.504_816_513_8, 0.585_391_566_3, 0.313_719_512_2, 1.628_716_216_2, 1.320_138_888_9, -0.179_464_285_7];
        assert_abs_diff_eq!(predicted[..], expected[..], epsilon = 1e-9);
    }

    #[test]
    fn a_missing_value_counts_as_the_mean_and_a_constant_as_nothing() {
        let rows = vec![vec![Some(1.0), Some(5.0)], vec![None, Some(5.0)], vec![Some(3.0), Some(5.0)]];
        let model = Ridge::fit(&rows, &[1.0, 2.0, 3.0], &[1.0; 3], Some(0.0));
        assert_abs_diff_eq!(model.predict(&[None, None]), 2.0, epsilon = 1e-9);
        assert_abs_diff_eq!(model.predict(&[Some(3.0), Some(9.0)]), 3.0, epsilon = 1e-9);
    }

    /// Twenty columns of noise: the chosen strength leaves next to nothing of them.
    #[test]
    fn noise_is_shrunk() {
        let noise = |i: usize, j: usize| ((i * 37 + j * 101) as f64 * 0.7).sin();
        let rows: Vec<Vec<Option<f64>>> = (0..40).map(|i| (0..20).map(|j| Some(noise(i, j))).collect()).collect();
        let targets: Vec<f64> = (0..40).map(|i| ((i * i) as f64 * 1.3).sin()).collect();
        let model = Ridge::fit(&rows, &targets, &[1.0; 40], None);
        let free = Ridge::fit(&rows, &targets, &[1.0; 40], Some(0.0));
        assert!(dot(&model.weights, &model.weights) < 0.3 * dot(&free.weights, &free.weights));
    }
}
