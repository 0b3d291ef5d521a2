//! Transferability: how well the main task's labels can be predicted from the features of a layer that was trained on the partner.
//!
//! | function | what it is |
//! |---|---|
//! | [`adjusted_r2`] | of a least-squares fit of the label on the features; for two classes it is the H-score (Bao et al. 2019) adjusted |
//! | [`leep`] | Nguyen et al. 2020: the log-likelihood of the main labels given what the partner's head says |
//! | [`log_me`] | You et al. 2021: the evidence of a Bayesian linear model, with features and label centred, for as released it has no intercept |

use super::measured::{dot, mean};
use crate::mtl::balancing::solve::{eigen, positive_definite};

/// R² of a least-squares fit with an intercept of the label (0 or 1) on features `[N, D]`; 0 if there is one class.
///
/// Columns without variance count as columns: an untrained unit that is always 0 is a parameter all the same.
pub fn r2(features: &[Vec<f64>], labels: &[bool]) -> f64 {
    let (x, y) = centred(features, labels);
    let total = dot(&y, &y);
    if total == 0.0 || x.is_empty() {
        return 0.0;
    }
    // A hair of ridge keeps columns that repeat each other solvable; it changes R² by less than 1e-12.
    let scale = x.iter().map(|column| dot(column, column)).fold(0.0, f64::max);
    if scale == 0.0 {
        return 0.0;
    }
    let gram: Vec<Vec<f64>> = (0..x.len())
        .map(|i| (0..x.len()).map(|j| dot(&x[i], &x[j]) + if i == j { 1e-13 * scale } else { 0.0 }).collect())
        .collect();
    let right: Vec<f64> = x.iter().map(|column| dot(column, &y)).collect();
    let weights = positive_definite(&gram, &right);
    let residual: f64 = (0..y.len())
        .map(|i| (y[i] - x.iter().zip(&weights).map(|(column, w)| column[i] * w).sum::<f64>()).powi(2))
        .sum();
    1.0 - residual / total
}

/// R² less what D features explain of nothing: 1 − (1 − R²)(N − 1)/(N − D − 1). `None` if there are not more texts than that.
pub fn adjusted_r2(features: &[Vec<f64>], labels: &[bool]) -> Option<f64> {
    let (n, d) = (features.len() as f64, features.first().map_or(0, Vec::len) as f64);
    (n > d + 1.0).then(|| 1.0 - (1.0 - r2(features, labels)) * (n - 1.0) / (n - d - 1.0))
}

/// LEEP of a boolean source: `source` is how probably each text is true of the partner. The mean log-likelihood, at most 0.
pub fn leep(source: &[f64], labels: &[bool]) -> f64 {
    let n = source.len() as f64;
    let joint = |y: bool, z: bool| -> f64 {
        let of = |(&p, _): (&f64, &bool)| if z { p } else { 1.0 - p };
        source.iter().zip(labels).filter(|(_, label)| **label == y).map(of).sum::<f64>() / n
    };
    let given = |y: bool, z: bool| {
        let all = joint(true, z) + joint(false, z);
        if all > 0.0 { joint(y, z) / all } else { 0.0 }
    };
    let table = [[given(false, false), given(false, true)], [given(true, false), given(true, true)]];
    let likelihood = |(&p, &label): (&f64, &bool)| {
        let [of_false, of_true] = table[usize::from(label)];
        ((1.0 - p) * of_false + p * of_true).max(f64::MIN_POSITIVE).ln()
    };
    mean(&source.iter().zip(labels).map(likelihood).collect::<Vec<_>>())
}

/// The largest evidence of a Bayesian linear model of the centred label on centred features, over N; by the fixed point of You et al. 2021.
pub fn log_me(features: &[Vec<f64>], labels: &[bool]) -> f64 {
    let (x, y) = centred(features, labels);
    let n = y.len() as f64;
    let gram: Vec<Vec<f64>> = x.iter().map(|a| x.iter().map(|b| dot(a, b)).collect()).collect();
    let (values, vectors) = eigen(gram);
    let right: Vec<f64> = x.iter().map(|column| dot(column, &y)).collect();
    // The label in the basis of the eigenvectors, times the singular values.
    let projected: Vec<f64> = vectors.iter().map(|vector| dot(vector, &right)).collect();
    let (mut alpha, mut beta) = (1.0, 1.0);
    let mut evidence = f64::NEG_INFINITY;
    for _ in 0..1_000 {
        let m: Vec<f64> = projected.iter().zip(&values).map(|(p, s)| beta * p / (alpha + beta * s.max(0.0))).collect();
        let size = dot(&m, &m);
        let fitted: f64 = m.iter().zip(&values).map(|(m, s)| m * m * s.max(0.0)).sum();
        let residual = (dot(&y, &y) - 2.0 * dot(&m, &projected) + fitted).max(1e-300);
        let log_determinant: f64 = values.iter().map(|s| (alpha + beta * s.max(0.0)).ln()).sum();
        let d = x.len() as f64;
        let now = 0.5
            * (n * f64::ln(beta) + d * f64::ln(alpha)
                - n * std::f64::consts::TAU.ln()
                - beta * residual
                - alpha * size
                - log_determinant);
        if (now - evidence).abs() < 1e-14 * now.abs() {
            break;
        }
        evidence = now;
        let gamma: f64 = values.iter().map(|s| beta * s.max(0.0) / (alpha + beta * s.max(0.0))).sum();
        (alpha, beta) = (gamma / size.max(1e-300), (n - gamma) / residual);
    }
    evidence / n
}

/// Columns of the features and the label, each less its mean.
fn centred(features: &[Vec<f64>], labels: &[bool]) -> (Vec<Vec<f64>>, Vec<f64>) {
    let centre = |values: Vec<f64>| -> Vec<f64> {
        let middle = mean(&values);
        values.into_iter().map(|value| value - middle).collect()
    };
    let width = features.first().map_or(0, Vec::len);
    let columns = (0..width).map(|column| centre(features.iter().map(|row| row[column]).collect())).collect();
    (columns, centre(labels.iter().map(|&label| f64::from(u8::from(label))).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;

    fn example() -> (Vec<Vec<f64>>, Vec<bool>) {
        let x = [[1., 0.], [2., 1.], [0., 1.], [3., 1.], [1., 2.], [0., 3.], [2., 3.], [-1., 2.]];
        (x.map(Vec::from).to_vec(), (0..8).map(|i| i < 4).collect())
    }

    /// Expected values: NumPy, by the formulas.
    #[test]
    fn values_equal_numpys() {
        let (x, y) = example();
        assert_abs_diff_eq!(r2(&x, &y), 0.831_491_712_7, epsilon = 1e-9);
        assert_abs_diff_eq!(adjusted_r2(&x, &y).unwrap(), 0.764_088_397_8, epsilon = 1e-9);
        assert_abs_diff_eq!(log_me(&x, &y), -0.322_821_013_0, epsilon = 1e-9);
        let truths = [false, false, false, true, true, true];
        assert_abs_diff_eq!(leep(&[0.9, 0.8, 0.3, 0.6, 0.2, 0.1], &truths), -0.580_019_860_3, epsilon = 1e-9);
    }

    /// LogME as released gives classes 0 and 1 different evidence.
    #[test]
    fn the_names_of_the_classes_do_not_matter() {
        let (x, y) = example();
        let flipped: Vec<bool> = y.iter().map(|label| !label).collect();
        assert_abs_diff_eq!(log_me(&x, &y), log_me(&x, &flipped), epsilon = 1e-12);
        assert_abs_diff_eq!(r2(&x, &y), r2(&x, &flipped), epsilon = 1e-12);
    }

    #[test]
    fn features_that_say_nothing_explain_nothing() {
        let (_, y) = example();
        assert_eq!(r2(&vec![vec![1.0, 0.0]; 8], &y), 0.0);
        assert_eq!(adjusted_r2(&vec![vec![1.0; 9]; 8], &y), None);
    }
}
