//! Initial values of parameters: the defaults of Keras 2.

use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

use crate::tensor::{Real, Shape, Tensor};

/// Uniform between ±√(6 / (fan_in + fan_out)) (Glorot & Bengio 2010, equation 16).
///
/// The caller gives the fans: they are k·in and k·out for a convolution of width k, and `fan_out` is 4·units for an LSTM's
/// kernel, which holds four gates.
pub fn glorot_uniform<F: Real>(
    shape: impl Into<Shape>,
    fan_in: usize,
    fan_out: usize,
    rng: &mut impl Rng,
) -> Tensor<F> {
    let limit = (6.0 / (fan_in + fan_out) as f64).sqrt();
    Tensor::from_fn(shape, |_| F::from_f64(rng.random_range(-limit..limit)))
}

/// Orthonormal rows, uniformly distributed (Saxe et al. 2014): normal numbers, orthogonalised by Gram and Schmidt's process.
///
/// # Panics
/// If there are more rows than columns.
pub fn orthogonal<F: Real>(rows: usize, cols: usize, rng: &mut impl Rng) -> Tensor<F> {
    assert!(rows <= cols, "orthogonal: {rows} rows of {cols} numbers cannot be orthogonal");
    let mut basis: Vec<Vec<f64>> = Vec::with_capacity(rows);
    while basis.len() < rows {
        let mut row: Vec<f64> = (0..cols).map(|_| rng.sample(StandardNormal)).collect();
        // Twice, since rounding leaves the first pass not quite orthogonal.
        for _ in 0..2 {
            for other in &basis {
                let overlap = dot(&row, other);
                row.iter_mut().zip(other).for_each(|(x, y)| *x -= overlap * y);
            }
        }
        let norm = dot(&row, &row).sqrt();
        row.iter_mut().for_each(|x| *x /= norm);
        basis.push(row);
    }
    Tensor::new([rows, cols], basis.into_iter().flatten().map(F::from_f64).collect())
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

#[cfg(test)]
mod tests {
    use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

    use super::*;

    #[test]
    fn glorot_fills_its_interval_evenly() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let limit = (6.0_f64 / 300.0).sqrt();
        let w = glorot_uniform::<f64>([200, 100], 200, 100, &mut rng);
        let largest = w.data().iter().fold(0.0_f64, |m, x| m.max(x.abs()));
        let variance = w.data().iter().map(|x| x * x).sum::<f64>() / 20_000.0;
        assert!(largest <= limit && largest > 0.999 * limit, "{largest} of {limit}");
        assert!((variance / (limit * limit / 3.0) - 1.0).abs() < 0.03, "{variance}");
    }

    #[test]
    fn orthogonal_rows_are_orthonormal() {
        let q = orthogonal::<f64>(25, 100, &mut ChaCha8Rng::seed_from_u64(2));
        for i in 0..25 {
            for j in 0..25 {
                let expected = if i == j { 1.0 } else { 0.0 };
                assert!((dot(q.row(i), q.row(j)) - expected).abs() < 1e-14);
            }
        }
    }
}
