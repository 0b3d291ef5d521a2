//! Nash-MTL (Navon et al. 2022, "Multi-Task Learning as a Bargaining Game"): the tasks bargain for a direction, and agree on the one
//! that maximises Σ log⟨gᵢ, d⟩. It is d = Σ αᵢ gᵢ with
//!
//! > Gα = 1/α (entry by entry), α > 0.
//!
//! As in the authors' code, α is that of G/‖G‖, and d is scaled to a length of at most 1.
//!
//! α minimises the convex ½ αᵀGα − Σ log αᵢ; Newton's method with the step of self-concordant functions (Nesterov & Nemirovskii 1994)
//! comes to it from anywhere.

use super::{
    Gram,
    solve::{Matrix, positive_definite},
};

/// The weights. A gradient of zero has nothing to bargain for, and gets 0.
pub fn weights(gram: &Gram) -> Vec<f64> {
    let present = gram.present();
    let part = gram.part(&present);
    let tasks = part.tasks();
    let frobenius = (0..tasks * tasks).map(|at| part.product(at / tasks, at % tasks).powi(2)).sum::<f64>().sqrt();
    // The length of Σ αᵢgᵢ is √K where Gα = 1/α, and √(K‖G‖) where it is solved for G/‖G‖.
    let scale = frobenius.sqrt().min(1.0 / (tasks as f64).sqrt());
    let mut weights = vec![0.0; gram.tasks()];
    for (i, a) in bargain(&part.unit()).into_iter().enumerate() {
        weights[present[i]] = scale * (a / part.norm(i));
    }
    weights
}

/// a > 0 with Ca = 1/a.
fn bargain(c: &Matrix) -> Vec<f64> {
    let tasks = c.len();
    let mut a = vec![1.0; tasks];
    for _ in 0..500 {
        let slope = |i: usize| (0..tasks).map(|j| c[i][j] * a[j]).sum::<f64>() - 1.0 / a[i];
        let slope: Vec<f64> = (0..tasks).map(slope).collect();
        let mut curvature = c.clone();
        (0..tasks).for_each(|i| curvature[i][i] += a[i].powi(-2));
        let step = positive_definite(&curvature, &slope);
        let decrement = step.iter().zip(&slope).map(|(step, slope)| step * slope).sum::<f64>().max(0.0).sqrt();
        let damping = if decrement > 0.25 { 1.0 / (1.0 + decrement) } else { 1.0 };
        a.iter_mut().zip(step).for_each(|(a, step)| *a -= damping * step);
        if decrement < 1e-12 {
            break;
        }
    }
    a
}
