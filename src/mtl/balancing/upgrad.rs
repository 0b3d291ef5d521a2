//! UPGrad (Quinton & Rey 2024, "Jacobian Descent for Multi-Objective Optimization", section 3): each gradient is projected onto the
//! directions that conflict with no task, the dual cone {d: ⟨gⱼ, d⟩ ≥ 0 for all j}, and d is the mean of the projections.
//!
//! By duality the projection of gᵢ is Σ vⱼ gⱼ with v the solution of
//!
//! > min vᵀGv over v ≥ eᵢ,
//!
//! so that it needs the Gram matrix alone. For two tasks it is half of PCGrad, and no conflict is left for any number of tasks; both up
//! to 10⁻⁴ · trace G, which is added to the diagonal of G, as the authors' TorchJD does. So weights stay small where gradients point
//! against each other and no direction serves all.

use super::{
    Gram,
    solve::{Matrix, nonnegative},
};

/// What is added to the diagonal, as a share of the trace.
pub(super) const REGULARISATION: f64 = 1e-4;

/// The weights of d.
pub fn weights(gram: &Gram) -> Vec<f64> {
    let tasks = gram.tasks();
    let trace: f64 = (0..tasks).map(|i| gram.product(i, i)).sum();
    let mut weights = vec![1.0 / tasks as f64; tasks];
    if trace <= 0.0 {
        return weights;
    }
    let entry = |i: usize, j: usize| gram.product(i, j) / trace + if i == j { REGULARISATION } else { 0.0 };
    let lengths: Vec<f64> = (0..tasks).map(|i| entry(i, i).sqrt()).collect();
    let unit: Matrix =
        (0..tasks).map(|i| (0..tasks).map(|j| entry(i, j) / (lengths[i] * lengths[j])).collect()).collect();
    for row in 0..tasks {
        // v = e + x with x ≥ 0, in units of the lengths.
        let x = nonnegative(&unit, &unit[row].iter().map(|product| -product * lengths[row]).collect::<Vec<_>>());
        weights.iter_mut().zip(x).zip(&lengths).for_each(|((sum, x), length)| *sum += x / length / tasks as f64);
    }
    weights
}
