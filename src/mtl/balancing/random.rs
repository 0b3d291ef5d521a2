//! Random loss weighting (Lin et al. 2022, "Reasonable Effectiveness of Random Weighting"): at each step weights drawn anew,
//! w = K·softmax(z) with z standard normal. The placebo: a method that is no better than this has not balanced anything.
//!
//! The paper's weights sum to 1; these sum to K, as equal weights do.

use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

/// K·softmax(z), z drawn from `rng`, task by task. One task alone gets 1.
pub fn weights(tasks: usize, rng: &mut impl Rng) -> Vec<f64> {
    let shares: Vec<f64> = StandardNormal.sample_iter(rng).take(tasks).map(|z: f64| z.exp()).collect();
    let sum: f64 = shares.iter().sum();
    shares.iter().map(|share| tasks as f64 * share / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mtl::streams::Streams;

    #[test]
    fn weights_sum_to_the_number_of_tasks_and_are_equal_on_average() {
        let mut rng = Streams::new(1).rng("test", 0);
        let mut sums = [0.0; 3];
        for _ in 0..2000 {
            let weights = weights(3, &mut rng);
            approx::assert_relative_eq!(weights.iter().sum::<f64>(), 3.0, max_relative = 1e-12);
            sums.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += weight);
        }
        // The standard deviation of a mean of 2000 is below 0.02.
        assert!(sums.iter().all(|sum| (sum / 2000.0 - 1.0).abs() < 0.1), "{sums:?}");
        assert_eq!(super::weights(1, &mut rng), [1.0]);
    }
}
