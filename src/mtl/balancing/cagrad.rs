//! CAGrad, conflict-averse gradient descent (Liu et al. 2021, algorithm 1): near the mean gradient g₀, the direction in which the
//! task that gains least gains most,
//!
//! > max over d of minᵢ ⟨gᵢ, d⟩ with ‖d − g₀‖ ≤ c‖g₀‖.
//!
//! Its dual is min over w ≥ 0, Σ wᵢ = 1 of ⟨g_w, g₀⟩ + c‖g₀‖‖g_w‖ with g_w = Σ wᵢ gᵢ, and d = g₀ + c‖g₀‖/‖g_w‖ g_w.
//!
//! It is solved exactly by way of MGDA: for a τ > 0, the w that minimises ⟨g_w, g₀⟩ + ‖g_w‖²/2τ is that of the shortest vector in the
//! convex hull of the gᵢ + τg₀; and w is the solution where ‖g_w‖ = τc‖g₀‖, which bisection finds, since the two sides cross once.

use super::{Gram, mgda};

/// c: 0 is the mean gradient, 1 and more converges to the solutions of MGDA. The paper's experiments use 0.4 to 0.5.
pub const RADIUS: f64 = 0.5;

/// The weights of d.
pub fn weights(gram: &Gram) -> Vec<f64> {
    let tasks = gram.tasks();
    let mean = vec![1.0 / tasks as f64; tasks];
    let (along, mean_norm) = (gram.times(&mean), gram.combined_norm(&mean)); // ⟨gᵢ, g₀⟩, ‖g₀‖
    let longest = (0..tasks).map(|i| gram.norm(i)).fold(0.0, f64::max);
    if mean_norm <= f64::EPSILON * longest {
        return mean;
    }
    let shortest = |shift: f64| {
        let product = |i: usize, j: usize| {
            let moved = gram.product(i, j) + shift * (along[i] + along[j]) + (shift * mean_norm).powi(2);
            if i == j { moved.max(0.0) } else { moved }
        };
        mgda::weights(&Gram::from_fn(tasks, product))
    };
    // ‖g_w‖ is at most the longest gradient. A shift far below that is as good as none: then w is MGDA's.
    let mut high = longest / (RADIUS * mean_norm);
    let mut low = 1e-9 * high;
    for _ in 0..100 {
        let middle = (low * high).sqrt();
        match gram.combined_norm(&shortest(middle)) > middle * RADIUS * mean_norm {
            true => low = middle,
            false => high = middle,
        }
    }
    shortest(high).iter().map(|weight| weight / high + mean[0]).collect()
}
