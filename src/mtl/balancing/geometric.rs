//! The geometric loss strategy (Chennupati et al. 2019, MultiNet++): the geometric mean of the losses in place of their sum,
//! L = (Π ℓᵢ)^(1/K).
//!
//! Its gradient is Σ wᵢ gᵢ with wᵢ = L / (K·ℓᵢ): each task is weighed by how much its loss falls relative to itself, so the scales of
//! the losses do not matter.

/// L / (K·ℓᵢ) for the loss ℓᵢ > 0 of each task. One task alone gets 1.
///
/// A loss below 10⁻¹² counts as 10⁻¹², so that a perfect task does not pull without bound.
pub fn weights(losses: &[f64]) -> Vec<f64> {
    let logs: Vec<f64> = losses.iter().map(|loss| loss.max(1e-12).ln()).collect();
    let tasks = losses.len() as f64;
    let mean = logs.iter().sum::<f64>() / tasks;
    logs.iter().map(|log| (mean - log).exp() / tasks).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    /// Expected: the derivative of the geometric mean, by central differences.
    #[test]
    fn weights_are_the_derivatives_of_the_geometric_mean() {
        let losses = [0.7_f64, 0.2, 1.9];
        let mean = |losses: [f64; 3]| losses.iter().product::<f64>().powf(1.0 / 3.0);
        for (i, weight) in weights(&losses).into_iter().enumerate() {
            let moved = |by: f64| {
                let mut losses = losses;
                losses[i] += by;
                mean(losses)
            };
            assert_relative_eq!(weight, (moved(1e-5) - moved(-1e-5)) / 2e-5, max_relative = 1e-7);
        }
        assert_eq!(weights(&[0.3]), [1.0]);
    }
}
