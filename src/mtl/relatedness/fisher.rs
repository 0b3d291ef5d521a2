//! Fisher embedding (Task2Vec, Achille et al. 2019; TaskEmb, Vu et al. 2020): which parameters of a layer a task is sensitive to.
//!
//! F = mean of p(1 − p)(∂z/∂θ)² over the texts, the diagonal of the Fisher information of a task's fitted head; two tasks are compared
//! by cos(F_A/(F_A + F_B), F_B/(F_A + F_B)), the symmetric distance of Task2Vec as a similarity.

use super::measured::cosine;

/// The diagonal from each text's probability and its logit's derivatives. `// [texts], [texts][d]`
pub fn diagonal(texts: &[(f64, Vec<f64>)]) -> Vec<f64> {
    let mut sum = vec![0.0; texts.first().map_or(0, |(_, derivative)| derivative.len())];
    for (p, derivative) in texts {
        let weight = p * (1.0 - p) / texts.len() as f64;
        sum.iter_mut().zip(derivative).for_each(|(sum, d)| *sum += weight * d * d);
    }
    sum
}

/// From 0 to 1; a parameter to which neither is sensitive counts nothing.
pub fn similarity(a: &[f64], b: &[f64]) -> f64 {
    let share = |x: f64, y: f64| if x + y > 0.0 { x / (x + y) } else { 0.0 };
    let of_a: Vec<f64> = a.iter().zip(b).map(|(&a, &b)| share(a, b)).collect();
    let of_b: Vec<f64> = a.iter().zip(b).map(|(&a, &b)| share(b, a)).collect();
    cosine(&of_a, &of_b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;

    /// Expected values: NumPy, by the formulas. The logit is w·x, so that its derivative is x.
    #[test]
    fn diagonal_and_similarity_equal_numpys() {
        let texts = [[1.0, 2.0], [0.0, -1.0], [3.0, 1.0]].map(|x: [f64; 2]| {
            let z = 0.3 * x[0] - 0.2 * x[1];
            (1.0 / (1.0 + f64::exp(-z)), x.to_vec())
        });
        assert_abs_diff_eq!(diagonal(&texts)[..], [0.748_263_966_6, 0.488_911_202_3][..], epsilon = 1e-9);
        let found = similarity(&[0.2, 0.05, 0.4], &[0.1, 0.3, 0.4]);
        assert_abs_diff_eq!(found, 0.671_895_941_6, epsilon = 1e-9);
    }
}
