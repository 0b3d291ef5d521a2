//! IMTL-G, impartial multi-task learning (Liu et al. 2021, "Towards Impartial Multi-Task Learning", equation 6): the direction whose
//! projection on every task's gradient has the same length,
//!
//! > ⟨d, gᵢ/‖gᵢ‖⟩ equal for all i, d = Σ αᵢ gᵢ, Σ αᵢ = 1.
//!
//! For two tasks α ∝ (‖g₂‖, ‖g₁‖). With three and more a weight may be negative, and a conflict may be left.

use super::{Gram, solve::positive_definite};

/// The weights α, which sum to 1. A gradient of zero has no direction, and gets 0.
///
/// Where the solution's weights cancel and cannot be made to sum to 1, each gradient is scaled to one length instead.
pub fn weights(gram: &Gram) -> Vec<f64> {
    let present = gram.present();
    let part = gram.part(&present);
    let shortest = (0..part.tasks()).map(|i| part.norm(i)).fold(f64::INFINITY, f64::min);
    let scaled = |lengths: Vec<f64>| -> Vec<f64> {
        lengths.into_iter().enumerate().map(|(i, length)| length * (shortest / part.norm(i))).collect()
    };
    // Gα = λ(‖g₁‖, …, ‖g_K‖) in units of the gradients' lengths.
    let ones = vec![1.0; part.tasks()];
    let mut alpha = scaled(positive_definite(&part.unit(), &ones));
    let size: f64 = alpha.iter().map(|alpha| alpha.abs()).sum();
    if alpha.iter().sum::<f64>().abs() <= 1e-9 * size {
        alpha = scaled(ones);
    }
    let sum: f64 = alpha.iter().sum();
    let mut weights = vec![0.0; gram.tasks()];
    present.iter().zip(alpha).for_each(|(&task, alpha)| weights[task] = alpha / sum);
    weights
}
