//! Solutions of chapter 7.

pub use crate::exercises::chapter_07::State;

/// The correction is the sum of the weights that the numbers have had so far.
pub fn running_mean(numbers: &[f64], beta: f64) -> Vec<f64> {
    let mut m = 0.0;
    let after = |(i, x): (usize, &f64)| {
        m = beta * m + (1.0 - beta) * x;
        m / (1.0 - beta.powi(i as i32 + 1))
    };
    numbers.iter().enumerate().map(after).collect()
}

/// Algorithm 1.
pub fn adam_update(weight: f64, state: State, g: f64, learning_rate: f64) -> (f64, State) {
    let steps = state.steps + 1;
    let m = 0.9 * state.m + 0.1 * g;
    let v = 0.999 * state.v + 0.001 * g * g;
    let (m_hat, v_hat) = (m / (1.0 - 0.9_f64.powi(steps)), v / (1.0 - 0.999_f64.powi(steps)));
    (weight - learning_rate * m_hat / (v_hat.sqrt() + 1e-8), State { m, v, steps })
}

/// A weight that has been quiet for long and then hears something: m reacts within ten steps, v within a thousand. After ten ones m̂ has
/// caught up with two thirds of them, but √v̂ with less than a third, so that the step is twice the step size.
pub fn bound_of_a_step() -> Vec<f64> {
    (0..100).map(|t| if t < 90 { 0.0 } else { 1.0 }).collect()
}
