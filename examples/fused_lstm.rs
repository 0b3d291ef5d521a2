//! An LSTM in small operations and as one: the same numbers, other costs. Chapter 4 of the course derives both.
//!
//! Run with `cargo run --release --example fused_lstm`.

use std::{sync::Arc, time::Instant};

use mtlcore::autograd::gradcheck::wave;
use mtlcore::autograd::ops::lstm::{GateActivation, LstmDirection};
use mtlcore::autograd::{Mode, ParamStore, Tape};
use mtlcore::tensor::{Pool, Segments, Tensor};

/// The lines of a tape, and the gradient of the kernel, for `texts` texts of 16 words of 50 numbers.
pub fn run(texts: usize, fused: bool) -> (usize, Tensor) {
    let segments = Arc::new(Segments::from_lengths(vec![16; texts]));
    let mut params = ParamStore::<f32>::new();
    let mut add = |name: &str, shape: &[usize]| params.add(name, wave(shape, shape.len() as f64).cast());
    let ids = [
        add("words", &[segments.total(), 50]),
        add("kernel", &[50, 100]),
        add("recurrent kernel", &[25, 100]),
        add("bias", &[100]),
    ];
    let mut pool = Pool::new();
    let mut tape = Tape::new(&params, &mut pool, Mode::Evaluate);
    let [x, kernel, recurrent_kernel, bias] = ids.map(|id| tape.param(id));
    let forwards = [LstmDirection { kernel, recurrent_kernel, bias, reversed: false }];
    let states = match fused {
        true => tape.lstm(x, segments.every_row(), &segments, &forwards, GateActivation::Sigmoid),
        false => tape.lstm_reference(x, segments.every_row(), &segments, &forwards, GateActivation::Sigmoid),
    };
    let lines = tape.vars().len();
    let cotangent = tape.value(states).clone();
    let gradient = tape.vjp(states, &cotangent).dense(ids[1]).expect("the states depend on the kernel");
    (lines, gradient)
}

/// Prints what either costs.
pub fn main() {
    println!("Forward and backward, 32 texts of 16 words, 25 units:");
    for (name, fused) in [("small operations", false), ("fused", true)] {
        run(32, fused);
        let start = Instant::now();
        let (lines, _) = run(32, fused);
        println!("  {name:<16}  {lines:>3} lines of tape  {:>6.2} ms", start.elapsed().as_secs_f64() * 1e3);
    }
}
