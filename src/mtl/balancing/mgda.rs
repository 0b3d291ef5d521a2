//! MGDA, the multiple-gradient descent algorithm (Désidéri 2012; for networks Sener & Koltun 2018): the shortest vector in the convex
//! hull of the gradients,
//!
//! > min ‖Σ wᵢ gᵢ‖² over wᵢ ≥ 0, Σ wᵢ = 1.
//!
//! d has the same inner product with every gradient that takes part, and no smaller one with the others: no conflict is left. If d is
//! zero, no step makes all losses smaller. A gradient of zero makes it so: then that task takes all the weight.

use super::{
    Gram,
    solve::{Matrix, nonnegative},
};

/// The weights, which sum to 1.
pub fn weights(gram: &Gram) -> Vec<f64> {
    let tasks = gram.tasks();
    let still = (0..tasks).filter(|&i| gram.product(i, i) <= 0.0).count();
    if still > 0 {
        return (0..tasks).map(|i| if gram.product(i, i) <= 0.0 { 1.0 / still as f64 } else { 0.0 }).collect();
    }
    let norms: Vec<f64> = (0..tasks).map(|i| gram.norm(i)).collect();
    shortest(&gram.unit(), &norms)
}

/// The weights of the shortest vector in the convex hull of gradients of these lengths and angles.
///
/// Up to its length, the solution is that of min ½ yᵀGy − Σ yᵢ over y ≥ 0; with zᵢ = yᵢ‖gᵢ‖ its matrix is that of the cosines.
fn shortest(cosines: &Matrix, norms: &[f64]) -> Vec<f64> {
    let least = norms.iter().copied().fold(f64::INFINITY, f64::min);
    let z = nonnegative(cosines, &norms.iter().map(|norm| least / norm).collect::<Vec<_>>());
    let y: Vec<f64> = z.iter().zip(norms).map(|(z, norm)| z * (least / norm)).collect();
    let sum: f64 = y.iter().sum();
    y.iter().map(|y| y / sum).collect()
}
