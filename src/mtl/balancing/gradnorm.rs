//! GradNorm (Chen et al. 2018, algorithm 1): weights are learnt so that the weighted gradients of all tasks have lengths that suit how
//! fast each task is learning. With Gᵢ = wᵢ‖gᵢ‖, its mean Ḡ, and rᵢ = (ℓᵢ/ℓᵢ(0)) / mean over tasks of the same,
//!
//! > L_grad = Σ |Gᵢ − Ḡ·rᵢ^α|, ∂L_grad/∂wᵢ = ±‖gᵢ‖,
//!
//! where Ḡ·rᵢ^α counts as a constant. After each step the weights are scaled to their former sum.
//!
//! In one point it departs from the paper: log wᵢ is moved, and by its slope ±Gᵢ over Ḡ. So weights stay positive, and a huge gradient
//! cannot throw them.

use serde::{Deserialize, Serialize};

use super::Gram;

/// α: how strongly a task that lags behind is helped. As in the paper's experiments.
const ASYMMETRY: f64 = 1.5;

/// The step size of the weights, as in the paper.
const RATE: f64 = 0.025;

/// The weights so far.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GradNorm {
    /// wᵢ; they sum to K.
    weights: Vec<f64>,
    /// ℓᵢ(0): the first loss that was seen of each task.
    first_losses: Vec<Option<f64>>,
}

impl GradNorm {
    /// Weight 1 for each of K tasks.
    pub fn new(tasks: usize) -> Self {
        Self { weights: vec![1.0; tasks], first_losses: vec![None; tasks] }
    }

    /// How many tasks there are (K).
    pub fn tasks(&self) -> usize {
        self.weights.len().min(self.first_losses.len())
    }

    /// The weights of these tasks, before their gradients and losses move them. A task alone has nothing to be compared with, and
    /// keeps its weight.
    pub fn weights(&mut self, tasks: &[usize], losses: &[f64], gram: &Gram) -> Vec<f64> {
        let weights: Vec<f64> = tasks.iter().map(|&task| self.weights[task]).collect();
        let progress =
            |(&task, &loss): (&usize, &f64)| loss.max(1e-12) / self.first_losses[task].get_or_insert(loss).max(1e-12);
        let progress: Vec<f64> = tasks.iter().zip(losses).map(progress).collect();
        let lengths: Vec<f64> = weights.iter().enumerate().map(|(i, weight)| weight * gram.norm(i)).collect();
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let (mean_length, mean_progress) = (mean(&lengths), mean(&progress));
        if tasks.len() < 2 || mean_length <= 0.0 {
            return weights;
        }
        let moved = |i: usize| {
            let relative = lengths[i] / mean_length;
            let goal = (progress[i] / mean_progress).powf(ASYMMETRY);
            let direction = if relative > goal { -1.0 } else { f64::from(relative < goal) };
            (weights[i] * (RATE * direction * relative).exp()).max(1e-6)
        };
        let moved: Vec<f64> = (0..tasks.len()).map(moved).collect();
        let scale = weights.iter().sum::<f64>() / moved.iter().sum::<f64>();
        tasks.iter().zip(moved).for_each(|(&task, moved)| self.weights[task] = scale * moved);
        weights
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// For tasks that learn equally fast, the goal is that all weighted gradients have one length.
    #[test]
    fn the_weighted_gradients_come_to_one_length() {
        let gram = Gram::of(&[[3.0, 0.0], [0.0, 1.0]]);
        let mut method = GradNorm::new(2);
        assert_eq!(method.weights(&[0, 1], &[0.7, 0.7], &gram), [1.0, 1.0]);
        for _ in 0..500 {
            method.weights(&[0, 1], &[0.7, 0.7], &gram);
        }
        let weights = method.weights(&[0, 1], &[0.7, 0.7], &gram);
        approx::assert_abs_diff_eq!(weights[0], 0.5, epsilon = 0.05);
        approx::assert_relative_eq!(weights.iter().sum::<f64>(), 2.0, max_relative = 1e-12);
    }

    #[test]
    fn a_task_that_lags_behind_is_helped() {
        let gram = Gram::of(&[[1.0, 0.0], [0.0, 1.0]]);
        let mut method = GradNorm::new(2);
        method.weights(&[0, 1], &[0.7, 0.7], &gram);
        for _ in 0..10 {
            method.weights(&[0, 1], &[0.2, 0.6], &gram);
        }
        let weights = method.weights(&[0, 1], &[0.2, 0.6], &gram);
        assert!(weights[0] < 0.9 && weights[1] > 1.1, "{weights:?}");
    }
}
