//! PCGrad, "gradient surgery" (Yu et al. 2020, algorithm 1): each task's gradient loses its part against every other task's,
//!
//! > for each j ≠ i in random order: if ⟨gᵢ′, gⱼ⟩ < 0, gᵢ′ ← gᵢ′ − ⟨gᵢ′, gⱼ⟩/‖gⱼ‖² gⱼ; then d = Σ gᵢ′.
//!
//! With two tasks the order does not matter and no conflict is left; with more, a later projection may bring back an earlier conflict.

use rand::{Rng, seq::SliceRandom};

use super::Gram;

/// The weights of d; the orders are drawn from `rng`, task by task.
pub fn weights(gram: &Gram, rng: &mut impl Rng) -> Vec<f64> {
    let tasks = gram.tasks();
    let mut weights = vec![0.0; tasks];
    for i in 0..tasks {
        let mut others: Vec<usize> = (0..tasks).filter(|&j| j != i).collect();
        others.shuffle(rng);
        let mut projected = vec![0.0; tasks];
        projected[i] = 1.0;
        for j in others {
            let against: f64 = (0..tasks).map(|k| projected[k] * gram.product(k, j)).sum();
            if against < 0.0 {
                projected[j] -= against / gram.product(j, j);
            }
        }
        weights.iter_mut().zip(projected).for_each(|(sum, weight)| *sum += weight);
    }
    weights
}
