//! Correlation of two lists: Pearson's r, Spearman's ρ and Kendall's τ_b.

use super::measured::{dot, mean};

/// Pearson's r; `None` for fewer than two values, or if one list is constant.
pub fn pearson(x: &[f64], y: &[f64]) -> Option<f64> {
    let centre = |values: &[f64]| -> Vec<f64> {
        let middle = mean(values);
        values.iter().map(|value| value - middle).collect()
    };
    let (x, y) = (centre(x), centre(y));
    let scale = (dot(&x, &x) * dot(&y, &y)).sqrt();
    (x.len() > 1 && scale > 1e-300).then(|| (dot(&x, &y) / scale).clamp(-1.0, 1.0))
}

/// Spearman's ρ: Pearson's r of ranks, ties with their mean rank.
pub fn spearman(x: &[f64], y: &[f64]) -> Option<f64> {
    pearson(&ranks(x), &ranks(y))
}

/// Kendall's τ_b: pairs in the same order less pairs in the opposite one, over what ties leave.
pub fn kendall(x: &[f64], y: &[f64]) -> Option<f64> {
    let (mut concordant, mut of_x, mut of_y) = (0.0, 0.0, 0.0);
    for i in 0..x.len() {
        for j in i + 1..x.len() {
            let (dx, dy) = (order(x[i], x[j]), order(y[i], y[j]));
            concordant += dx * dy;
            of_x += dx * dx;
            of_y += dy * dy;
        }
    }
    let scale = f64::sqrt(of_x * of_y);
    (scale > 0.0).then(|| concordant / scale)
}

fn order(a: f64, b: f64) -> f64 {
    f64::from(a.total_cmp(&b) as i8)
}

/// Ranks from 1, ties with their mean.
pub fn ranks(values: &[f64]) -> Vec<f64> {
    let mut places: Vec<usize> = (0..values.len()).collect();
    places.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut below = 0;
    for tied in places.chunk_by(|&a, &b| values[a] == values[b]) {
        let rank = below as f64 + (tied.len() + 1) as f64 / 2.0;
        tied.iter().for_each(|&place| ranks[place] = rank);
        below += tied.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;

    /// Expected values: SciPy 1.17.
    #[test]
    fn correlations_equal_scipys() {
        let (x, y) = ([0.1, 0.4, 0.35, 0.8, 0.6, 0.2], [-0.5, 0.3, 0.6, 2.1, 1.0, -0.1]);
        assert_abs_diff_eq!(spearman(&x, &y).unwrap(), 0.942_857_142_9, epsilon = 1e-9);
        assert_abs_diff_eq!(kendall(&x, &y).unwrap(), 0.866_666_666_7, epsilon = 1e-9);
        assert_abs_diff_eq!(pearson(&x, &y).unwrap(), 0.975_941_001_2, epsilon = 1e-9);
    }

    #[test]
    fn ties_share_their_rank_and_constants_have_no_correlation() {
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 2.0]), [3.5, 1.0, 3.5, 2.0]);
        assert_eq!((pearson(&[1.0, 1.0], &[1.0, 2.0]), kendall(&[1.0, 1.0], &[1.0, 2.0])), (None, None));
        assert_eq!(spearman(&[1.0], &[2.0]), None);
    }
}
