//! Equal weights: d = Σ gᵢ, the gradient of the sum of the losses. It is plain multi-task learning (Caruana 1997), as Joshi et al.
//! 2019 train.

/// 1 for each of K tasks.
pub fn weights(tasks: usize) -> Vec<f64> {
    vec![1.0; tasks]
}
