//! Head-fitted gradient cosine: whether both tasks pull the shared layer into one direction, once their heads are fitted.
//!
//! At initialisation the sign of a gradient cosine is the sign of the product of the random heads; so both heads are fitted on the frozen
//! layer first, as Task2Vec does (Achille et al. 2019). Both gradients are taken on the same texts, the union of both tasks': a text
//! without a label of a task has the one that the task's linear model gives it. Each is estimated on two random halves, and the cosine is
//! disattenuated (Spearman 1904): the mean over k, l of g_A^k·g_B^l over √((g_A¹·g_A²)(g_B¹·g_B²)).

use super::measured::{cosine, dot, mean, spearman_brown};

/// Both tasks' gradients on two halves of the texts: `[task][half]`, each of d numbers.
pub type Halves<'g> = [[&'g [f64]; 2]; 2];

/// The disattenuated cosine; `None` if a task's two halves do not agree.
pub fn disattenuated([a, b]: Halves<'_>) -> Option<f64> {
    let products = a.iter().flat_map(|a| b.iter().map(move |b| dot(a, b))).collect::<Vec<_>>();
    let (self_a, self_b) = (dot(a[0], a[1]), dot(b[0], b[1]));
    (self_a > 0.0 && self_b > 0.0).then(|| mean(&products) / (self_a * self_b).sqrt())
}

/// The reliability of the cosine: the root of the product of both gradients' own.
pub fn reliability([a, b]: Halves<'_>) -> f64 {
    (spearman_brown(cosine(a[0], a[1])) * spearman_brown(cosine(b[0], b[1]))).sqrt()
}

/// The share of batches in which the tasks' gradients are in conflict.
pub fn share_in_conflict(batches: &[[Vec<f64>; 2]]) -> f64 {
    let conflicts = batches.iter().filter(|[a, b]| dot(a, b) < 0.0).count();
    conflicts as f64 / batches.len().max(1) as f64
}

/// The standard deviation of the cosine of two random directions of d numbers, 1/√d.
pub fn random_deviation(parameters: usize) -> f64 {
    1.0 / (parameters as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;

    /// Expected values: NumPy, by the formula.
    #[test]
    fn disattenuation_makes_more_of_a_cosine() {
        let a: [&[f64]; 2] = [&[3.2, -0.8, 1.8], &[2.8, -1.2, 2.2]];
        let b: [&[f64]; 2] = [&[0.7, 2.3, 0.4], &[1.3, 1.7, 0.6]];
        assert_abs_diff_eq!(disattenuated([a, b]).unwrap(), 0.238_649_211_7, epsilon = 1e-9);
        assert_abs_diff_eq!(cosine(&[3.0, -1.0, 2.0], &[1.0, 2.0, 0.5]), 0.233_284_737_4, epsilon = 1e-9);
        let rounded = |d: usize| (1e4 * random_deviation(d)).round() / 1e4;
        assert_eq!([3_775, 15_025, 45_200].map(rounded), [0.0163, 0.0082, 0.0047]);
    }

    #[test]
    fn noise_has_no_direction() {
        let a: [&[f64]; 2] = [&[1.0, 0.0], &[-1.0, 0.5]];
        assert_eq!(disattenuated([a, a]), None);
        assert_eq!(reliability([a, a]), 0.0);
        assert_eq!(share_in_conflict(&[[vec![1.0], vec![-1.0]], [vec![1.0], vec![1.0]]]), 0.5);
    }
}
