//! Uncertainty weighting (Kendall, Gal & Cipolla 2018): each task has a noise σ² of its own that is learnt with the network. With
//! sᵢ = log σᵢ², for a classification loss (their equation 10, as their code has it),
//!
//! > L = Σ e^(−sᵢ) ℓᵢ + sᵢ/2,
//!
//! so that task i has the weight e^(−sᵢ), and sᵢ falls where ℓᵢ is small: ∂L/∂sᵢ = ½ − e^(−sᵢ) ℓᵢ.

use serde::{Deserialize, Serialize};

use crate::autograd::{Adam, AdamSettings, Gradients, Moments, ParamId, ParamStore};
use crate::tensor::{Pool, Tensor};

/// The noise of each task, learnt by Adam from s = 0.
#[derive(Clone, Debug)]
pub struct Uncertainty {
    params: ParamStore<f64>,
    adam: Adam<f64>,
}

/// What is known of one task's noise.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogVariance {
    /// s = log σ².
    pub s: f64,
    /// Adam's running mean of ∂L/∂s.
    pub first: f64,
    /// Adam's running mean of its square.
    pub second: f64,
    /// How often s was moved.
    pub steps: u64,
}

impl Uncertainty {
    /// s = 0 for each of K tasks, so that all weights are 1.
    pub fn new(tasks: usize, adam: AdamSettings) -> Self {
        let mut params = ParamStore::new();
        for task in 0..tasks {
            params.add(task.to_string(), Tensor::scalar(0.0));
        }
        Self { params, adam: Adam::new(adam) }
    }

    /// e^(−s) of these tasks, from the s before it is moved by their losses. It stays between e⁻⁵⁰ and e⁵⁰.
    pub fn weights(&mut self, tasks: &[usize], losses: &[f64]) -> Vec<f64> {
        let ids: Vec<ParamId> = self.params.ids().collect();
        let weight = |&task: &usize| (-self.params.value(ids[task]).item()).clamp(-50.0, 50.0).exp();
        let weights: Vec<f64> = tasks.iter().map(weight).collect();
        let (mut slopes, mut pool) = (Gradients::none(ids.len()), Pool::new());
        for ((&task, weight), loss) in tasks.iter().zip(&weights).zip(losses) {
            slopes.add(ids[task], Tensor::scalar(0.5 - weight * loss), &mut pool);
        }
        self.adam.step(&mut self.params, &slopes);
        weights
    }

    /// Everything that is known, task by task.
    pub fn state(&self) -> Vec<LogVariance> {
        let of_task = |id: ParamId| {
            let s = self.params.value(id).item();
            match self.adam.moments(id) {
                Some(Moments { first, second, steps }) => {
                    LogVariance { s, first: first.item(), second: second.item(), steps: *steps }
                }
                None => LogVariance { s, first: 0.0, second: 0.0, steps: 0 },
            }
        };
        self.params.ids().map(of_task).collect()
    }

    /// Goes back to a state of as many tasks.
    pub fn restore(&mut self, state: &[LogVariance]) {
        for (id, &LogVariance { s, first, second, steps }) in self.params.ids().zip(state) {
            *self.params.value_mut(id) = Tensor::scalar(s);
            if steps > 0 {
                let (first, second) = (Tensor::scalar(first), Tensor::scalar(second));
                self.adam.set_moments(id, Moments { first, second, steps });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where ∂L/∂s = 0: s = log 2ℓ.
    #[test]
    fn the_weight_comes_to_rest_at_one_half_over_the_loss() {
        let mut noise = Uncertainty::new(2, AdamSettings { learning_rate: 0.01, ..AdamSettings::default() });
        for _ in 0..2000 {
            noise.weights(&[0, 1], &[0.25, 2.0]);
        }
        let weights = noise.weights(&[0, 1], &[0.25, 2.0]);
        approx::assert_relative_eq!(weights[0], 2.0, max_relative = 1e-3);
        approx::assert_relative_eq!(weights[1], 0.25, max_relative = 1e-3);
    }

    #[test]
    fn an_absent_task_keeps_its_noise_and_a_state_goes_on_to_the_bit() {
        let mut noise = Uncertainty::new(2, AdamSettings::default());
        noise.weights(&[1], &[0.3]);
        assert_eq!(noise.state()[0], LogVariance { s: 0.0, first: 0.0, second: 0.0, steps: 0 });
        let mut again = Uncertainty::new(2, AdamSettings::default());
        again.restore(&noise.state());
        for losses in [[0.1, 0.9], [1e30, 1e-30]] {
            assert_eq!(noise.weights(&[0, 1], &losses), again.weights(&[0, 1], &losses));
        }
        assert_eq!(noise.state(), again.state());
    }
}
