//! Down a narrow valley, ½·(x² + 100·y²), by gradient descent and by Adam: chapter 7 of the course says why they differ.
//!
//! Run with `cargo run --example valley`.

use mtlcore::autograd::{Adam, AdamSettings, Gradients, ParamStore};
use mtlcore::tensor::{Pool, Tensor};

const START: [f64; 2] = [1.0, 1.0];

fn gradient([x, y]: [f64; 2]) -> [f64; 2] {
    [x, 100.0 * y]
}

/// Where gradient descent is after each step.
pub fn descent(learning_rate: f64, steps: usize) -> Vec<[f64; 2]> {
    let mut at = START;
    let step = |_| {
        let slope = gradient(at);
        at = [0, 1].map(|i| at[i] - learning_rate * slope[i]);
        at
    };
    (0..steps).map(step).collect()
}

/// Where Adam is after each step.
pub fn adam(learning_rate: f64, steps: usize) -> Vec<[f64; 2]> {
    let mut params = ParamStore::<f64>::new();
    let place = params.add("place", Tensor::new([2], START.to_vec()));
    let mut adam = Adam::new(AdamSettings { learning_rate, ..AdamSettings::default() });
    let mut pool = Pool::new();
    let step = |_| {
        let here = |params: &ParamStore<f64>| [0, 1].map(|i| params.value(place).data()[i]);
        let mut gradients = Gradients::none(1);
        gradients.add(place, Tensor::new([2], gradient(here(&params)).to_vec()), &mut pool);
        adam.step(&mut params, &gradients);
        here(&params)
    };
    (0..steps).map(step).collect()
}

/// Prints both ways down.
pub fn main() {
    let (descent, adam) = (descent(0.018, 100), adam(0.018, 100));
    println!("step   gradient descent      Adam\n          x        y          x        y");
    for step in [1, 2, 5, 10, 20, 50, 100] {
        let ([x, y], [u, v]) = (descent[step - 1], adam[step - 1]);
        println!("{step:>4}  {x:>7.4}  {y:>7.4}    {u:>7.4}  {v:>7.4}");
    }
}
