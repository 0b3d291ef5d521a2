//! Aligned-MTL (Senushkin et al. 2023, "Independent Component Alignment for Multi-Task Learning", algorithm 1): the gradients are
//! replaced by the nearest set of orthogonal ones of equal length, and these are averaged.
//!
//! With the eigenvalues λ and eigenvectors V of the Gram matrix, d = Σ αᵢ gᵢ with
//!
//! > α = √λ_min · V λ^(−½) Vᵀ w, wᵢ = 1/K,
//!
//! where λ_min is the smallest eigenvalue that is not zero: directions without any extent are left out.

use super::{Gram, solve::eigen};

/// The weights α.
pub fn weights(gram: &Gram) -> Vec<f64> {
    let tasks = gram.tasks();
    let preference = 1.0 / tasks as f64;
    let (values, vectors) = eigen((0..tasks).map(|i| (0..tasks).map(|j| gram.product(i, j)).collect()).collect());
    // What rounding leaves of an eigenvalue of zero.
    let least = values.iter().copied().fold(0.0, f64::max) * tasks as f64 * f64::EPSILON;
    let extended: Vec<(f64, &Vec<f64>)> =
        values.into_iter().zip(&vectors).filter(|(value, _)| *value > least).collect();
    let Some(smallest) = extended.iter().map(|(value, _)| *value).reduce(f64::min) else {
        return vec![preference; tasks];
    };
    let mut weights = vec![0.0; tasks];
    for (value, vector) in extended {
        let along: f64 = vector.iter().map(|x| x * preference).sum();
        let scale = (smallest / value).sqrt() * along;
        weights.iter_mut().zip(vector).for_each(|(weight, x)| *weight += scale * x);
    }
    weights
}
