//! Dynamic weight average (Liu, Johns & Davison 2019, equation 7): wᵢ = K·softmax(rᵢ/T), where rᵢ is the task's mean loss of the last
//! epoch over that of the epoch before, and T = 2. A task whose loss falls slowly gets more weight.

/// T: the larger, the more equal the weights.
const TEMPERATURE: f64 = 2.0;

/// K·softmax(rᵢ/2), from the mean losses of the last epoch and of the one before, in the tasks' order. One task alone gets 1.
///
/// The ratio is 1 where it is not defined (no loss in one of the epochs), and 20 at most.
///
/// # Panics
/// If the lengths differ.
pub fn weights(last: &[f64], before: &[f64]) -> Vec<f64> {
    assert_eq!(last.len(), before.len(), "both epochs have the same tasks");
    let ratio = |(&last, &before): (&f64, &f64)| {
        let ratio = last / before;
        if ratio.is_finite() && ratio > 0.0 { ratio.min(20.0) } else { 1.0 }
    };
    let shares: Vec<f64> = last.iter().zip(before).map(|losses| (ratio(losses) / TEMPERATURE).exp()).collect();
    let sum: f64 = shares.iter().sum();
    shares.iter().map(|share| last.len() as f64 * share / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    /// Expected: the equation, written out in Python with numpy.
    #[test]
    fn the_slower_task_gets_more() {
        let found = weights(&[0.9, 0.5], &[1.0, 1.0]);
        assert_relative_eq!(found[0], 1.099_667_994_624_956, max_relative = 1e-12);
        assert_relative_eq!(found[1], 0.900_332_005_375_044, max_relative = 1e-12);
        assert_eq!(weights(&[0.0, 0.4], &[0.0, 0.4]), [1.0, 1.0]);
        assert!(weights(&[1e30, 1e-30], &[1e-30, 1e30]).iter().all(|weight| weight.is_finite()));
    }
}
