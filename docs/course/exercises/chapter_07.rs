//! Exercises of chapter 7, Adam. Fill the gaps, then ask: `cargo exercise running_mean` (or `adam_update`, or `bound_of_a_step`).

use mtlcore::autograd::{Adam, AdamSettings, Gradients, ParamStore};
use mtlcore::tensor::{Pool, Tensor};

/// The corrected running mean m̂ after each of the numbers: m ← β·m + (1 − β)·x from m = 0, divided by 1 − βᵗ after t numbers.
pub fn running_mean(numbers: &[f64], beta: f64) -> Vec<f64> {
    todo!("keep m, give m̂")
}

/// What Adam knows of a weight.
#[derive(Clone, Copy, Default, Debug)]
pub struct State {
    pub m: f64,
    pub v: f64,
    pub steps: i32,
}

/// One step of Adam (Algorithm 1, with β₁ = 0.9, β₂ = 0.999, ε = 10⁻⁸) on one weight with the gradient g: the weight and the state
/// after it.
pub fn adam_update(weight: f64, state: State, g: f64, learning_rate: f64) -> (f64, State) {
    todo!("the three lines of the chapter, with the corrections")
}

/// The chapter says that the step size is how far a weight goes in a step *nearly* at most. Be the adversary: give a hundred gradients
/// such that the last step is more than one and a half times the step size.
pub fn bound_of_a_step() -> Vec<f64> {
    todo!("when is m̂ large and √v̂ small?")
}

/// What must hold.
pub mod check {
    use super::*;

    /// Where the engine's Adam leaves a weight after each step.
    fn walk(start: f64, gradients: &[f64], learning_rate: f64) -> Vec<f64> {
        let mut params = ParamStore::<f64>::new();
        let id = params.add("weight", Tensor::scalar(start));
        let mut adam = Adam::new(AdamSettings { learning_rate, ..AdamSettings::default() });
        let mut places = Vec::new();
        for &g in gradients {
            let mut gradient = Gradients::none(1);
            gradient.add(id, Tensor::scalar(g), &mut Pool::new());
            adam.step(&mut params, &gradient);
            places.push(params.value(id).item());
        }
        places
    }

    pub fn running_mean(running_mean: fn(&[f64], f64) -> Vec<f64>) {
        for mean in running_mean(&[7.0; 20], 0.9) {
            assert!((mean - 7.0).abs() < 1e-12, "the mean of sevens is {mean}");
        }
        // ½·4 = 2, corrected by ½; then ½·2 + ½·8 = 5, corrected by ¾.
        let means = running_mean(&[4.0, 8.0], 0.5);
        assert!((means[0] - 4.0).abs() < 1e-12 && (means[1] - 5.0 / 0.75).abs() < 1e-12, "{means:?}");
    }

    pub fn adam_update(adam_update: fn(f64, State, f64, f64) -> (f64, State)) {
        let gradients = [0.5, -0.1, 3.0, 0.0, 1e-4, -2.0];
        let (mut weight, mut state) = (1.0, State::default());
        for (g, expected) in gradients.into_iter().zip(walk(1.0, &gradients, 0.01)) {
            (weight, state) = adam_update(weight, state, g, 0.01);
            assert!((weight - expected).abs() < 1e-12, "after g = {g} the weight is {expected}, not {weight}");
        }
    }

    pub fn bound_of_a_step(bound_of_a_step: fn() -> Vec<f64>) {
        let gradients = bound_of_a_step();
        assert_eq!(gradients.len(), 100);
        let places = walk(0.0, &gradients, 0.001);
        let last = (places[99] - places[98]).abs();
        assert!(last > 1.5 * 0.001, "the last step is {:.2} times the step size", last / 0.001);
    }
}
