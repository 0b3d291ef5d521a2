//! How alike are two tasks? The measures that need no training: of words, of representations, of texts.

/// The Jensen–Shannon divergence to base 2 (Lin 1991), ½KL(P‖M) + ½KL(Q‖M) with M = ½(P + Q), of two distributions over
/// the same vocabulary: 0 if they are the same, 1 if they share no word. (SciPy's `jensenshannon` is its square root.)
///
/// Each is given as weights (probabilities or word counts) and scaled to sum to 1. A side without any weight shares no
/// word: the divergence is 1, and 0 if both have none.
///
/// # Panics
/// If the lengths differ, or a weight is negative or not finite.
pub fn jensen_shannon_divergence(p: &[f64], q: &[f64]) -> f64 {
    assert_eq!(p.len(), q.len(), "both distributions must be over the same vocabulary");
    assert!(p.iter().chain(q).all(|w| w.is_finite() && *w >= 0.0), "weights are finite and not negative");
    let (p_total, q_total): (f64, f64) = (p.iter().sum(), q.iter().sum());
    if p_total == 0.0 || q_total == 0.0 {
        return if p_total == q_total { 0.0 } else { 1.0 };
    }
    let term = |a: f64, middle: f64| if a == 0.0 { 0.0 } else { a * (a / middle).log2() };
    let divergence: f64 = p
        .iter()
        .zip(q)
        .map(|(p, q)| (p / p_total, q / q_total))
        .map(|(p, q)| (term(p, (p + q) / 2.0) + term(q, (p + q) / 2.0)) / 2.0)
        .sum();
    divergence.clamp(0.0, 1.0)
}

/// Linear centred kernel alignment (Kornblith et al. 2019, with linear kernels), ‖YᵀX‖²_F / (‖XᵀX‖_F ‖YᵀY‖_F) with
/// centred columns, of two representations of the same N texts: `x` holds N rows of one length, `y` N of another
/// (`// [N, D]` and `// [N, E]`). In [0, 1]; 1 if they are equal up to rotation, scale and offset.
///
/// 0 if either representation is the same for all texts, or there are none.
///
/// # Panics
/// If the numbers of rows differ, or the lengths of rows within a representation.
pub fn linear_cka<R: AsRef<[f64]>>(x: &[R], y: &[R]) -> f64 {
    assert_eq!(x.len(), y.len(), "both representations must be of the same texts");
    let (x, y) = (centred_columns(x), centred_columns(y));
    let scale = (squared_norm_of_product(&x, &x) * squared_norm_of_product(&y, &y)).sqrt();
    if scale == 0.0 { 0.0 } else { (squared_norm_of_product(&y, &x) / scale).min(1.0) }
}

/// `[N, D]` as D columns of N, each with mean 0.
fn centred_columns<R: AsRef<[f64]>>(rows: &[R]) -> Vec<Vec<f64>> {
    let width = rows.first().map_or(0, |row| row.as_ref().len());
    for row in rows {
        assert_eq!(row.as_ref().len(), width, "all rows of a representation have one length");
    }
    let centred = |column: usize| {
        let mean = rows.iter().map(|row| row.as_ref()[column]).sum::<f64>() / rows.len() as f64;
        rows.iter().map(|row| row.as_ref()[column] - mean).collect()
    };
    (0..width).map(centred).collect()
}

/// ‖AᵀB‖²_F of two matrices given by columns.
fn squared_norm_of_product(a: &[Vec<f64>], b: &[Vec<f64>]) -> f64 {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    a.iter().map(|a| b.iter().map(|b| dot(a, b).powi(2)).sum::<f64>()).sum()
}

/// The proxy A-distance (Ben-David et al. 2007), 2(1 − 2ε), from the error ε of a classifier that tells one task's texts
/// from the other's on held-out texts with as many of either: 0 if it cannot, 2 if it always can.
///
/// An error above ½ is chance at work and gives 0.
///
/// # Panics
/// If `error` is not in [0, 1].
pub fn proxy_a_distance(error: f64) -> f64 {
    assert!((0.0..=1.0).contains(&error), "an error lies in [0, 1], but got {error}");
    (2.0 * (1.0 - 2.0 * error)).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;
    use proptest::prelude::*;

    /// Expected value: SciPy 1.17.1, `jensenshannon(p, q, base=2)²`.
    #[test]
    fn divergence_equals_scipy() {
        let divergence = jensen_shannon_divergence(&[0.5, 0.3, 0.2, 0.0], &[0.1, 0.3, 0.2, 0.4]);
        assert_abs_diff_eq!(divergence, 0.3049932735054937, epsilon = 1e-12);
        assert_abs_diff_eq!(
            jensen_shannon_divergence(&[5.0, 3.0, 2.0, 0.0], &[1.0, 3.0, 2.0, 4.0]),
            divergence,
            epsilon = 1e-12
        );
    }

    #[test]
    fn divergence_of_nothing_shared_is_one() {
        assert_eq!(jensen_shannon_divergence(&[1.0, 0.0], &[0.0, 3.0]), 1.0);
        assert_eq!(jensen_shannon_divergence(&[1.0, 0.0], &[0.0, 0.0]), 1.0);
        assert_eq!(jensen_shannon_divergence(&[], &[]), 0.0);
    }

    /// Expected value: NumPy, by the formula.
    #[test]
    fn cka_equals_numpy() {
        let x = [vec![1.0, 2.0], vec![3.0, 5.0], vec![2.0, 0.0], vec![4.0, 1.0]];
        let y = [vec![1.0, 0.0, 2.0], vec![0.0, 3.0, 1.0], vec![2.0, 2.0, 2.0], vec![5.0, 1.0, 0.0]];
        assert_abs_diff_eq!(linear_cka(&x, &y), 0.5582028275256326, epsilon = 1e-12);
    }

    #[test]
    fn cka_of_a_constant_representation_is_zero() {
        assert_eq!(linear_cka(&[[1.0], [1.0]], &[[0.0], [3.0]]), 0.0);
        assert_eq!(linear_cka::<[f64; 0]>(&[], &[]), 0.0);
    }

    #[test]
    fn distance_is_zero_at_chance_and_two_at_certainty() {
        assert_eq!([0.0, 0.25, 0.5, 0.6].map(proxy_a_distance), [2.0, 1.0, 0.0, 0.0]);
    }

    proptest! {
        #[test]
        fn divergence_is_symmetric_and_zero_for_the_same(pairs in prop::collection::vec((0..50u32, 0..50u32), 0..20)) {
            let (p, q): (Vec<f64>, Vec<f64>) = pairs.iter().map(|&(p, q)| (f64::from(p), f64::from(q))).unzip();
            let divergence = jensen_shannon_divergence(&p, &q);
            prop_assert!((divergence - jensen_shannon_divergence(&q, &p)).abs() < 1e-12);
            prop_assert!((0.0..=1.0).contains(&divergence));
            prop_assert!(jensen_shannon_divergence(&p, &p) < 1e-12);
        }

        #[test]
        fn cka_ignores_rotation_scale_and_offset(
            rows in prop::collection::vec(prop::array::uniform2(-5.0..5.0f64), 3..20), angle in 0.0..6.0f64,
        ) {
            let (sin, cos) = angle.sin_cos();
            let turned: Vec<[f64; 2]> =
                rows.iter().map(|[a, b]| [3.0 * (a * cos - b * sin) + 7.0, 3.0 * (a * sin + b * cos)]).collect();
            prop_assert!((linear_cka(&rows, &turned) - 1.0).abs() < 1e-9);
        }
    }
}
