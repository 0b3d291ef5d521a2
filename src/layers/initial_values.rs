//! Checks of the parameters of new layers against the formulas of [`init`](super::init).

use rand::RngExt;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

use super::{Conv, Dense, Lstm};
use crate::autograd::{
    ParamId, ParamStore, Tape, Var,
    gradcheck::{Check, named},
    ops::conv::{ConvActivation, TimePooling},
};
use crate::tensor::{Shape, Tensor};

const INPUTS: usize = 8;
const UNITS: usize = 3;
const WIDTH: usize = 2;
const FORGET_BIAS: f64 = 0.7;

/// The parameters of new layers against their formulas.
pub fn checks() -> Vec<Check> {
    let dense = |params: &mut _, rng: &mut _| Dense::new(params, "dense", INPUTS, UNITS, rng);
    let conv = |params: &mut _, rng: &mut _| {
        let shape = [WIDTH, INPUTS, UNITS];
        Conv::new(params, "conv", shape, ConvActivation::Relu, TimePooling::Max, rng)
    };
    let lstm = |params: &mut _, rng: &mut _| Lstm::new(params, "lstm", INPUTS, UNITS, FORGET_BIAS, rng);
    vec![
        initial(
            "dense kernel",
            move |p, rng| dense(p, rng).kernel,
            |rng| uniform([INPUTS, UNITS], INPUTS + UNITS, rng),
        ),
        initial("dense bias", move |p, rng| dense(p, rng).bias, |_| Tensor::zeros([UNITS])),
        initial(
            "conv kernel",
            move |p, rng| conv(p, rng).kernel,
            |rng| uniform([WIDTH, INPUTS, UNITS], WIDTH * INPUTS + WIDTH * UNITS, rng),
        ),
        initial("conv bias", move |p, rng| conv(p, rng).bias, |_| Tensor::zeros([UNITS])),
        initial(
            "lstm kernel",
            move |p, rng| lstm(p, rng).kernel,
            |rng| uniform([INPUTS, 4 * UNITS], INPUTS + 4 * UNITS, rng),
        ),
        Check::of_params("initial lstm recurrent kernel · its transpose", ParamStore::new(), move |tape| {
            let kernel = fresh(tape, "lstm recurrent kernel", |p, rng| lstm(p, rng).recurrent_kernel);
            let gram = tape.value(kernel).matrix().dot(&tape.value(kernel).matrix().t());
            tape.constant(Tensor::new([UNITS, UNITS], gram.iter().copied().collect()))
        })
        .against_params(|tape| {
            let identity = Tensor::from_fn([UNITS, UNITS], |i| f64::from(i % (UNITS + 1) == 0));
            tape.constant(identity)
        }),
        initial(
            "lstm bias",
            move |p, rng| lstm(p, rng).bias,
            |_| Tensor::from_fn([4 * UNITS], |i| if i / UNITS == 1 { FORGET_BIAS } else { 0.0 }),
        ),
    ]
}

fn initial(
    name: &'static str,
    add: impl Fn(&mut ParamStore<f64>, &mut ChaCha8Rng) -> ParamId + Send + Sync + 'static,
    formula: impl Fn(&mut ChaCha8Rng) -> Tensor<f64> + Send + Sync + 'static,
) -> Check {
    Check::of_params(&format!("initial {name}"), ParamStore::new(), move |tape| fresh(tape, name, &add))
        .against_params(move |tape| tape.constant(formula(&mut generator())))
}

/// A parameter of a layer that is just made, as a value of this name.
fn fresh(
    tape: &mut Tape<'_, f64>,
    name: &'static str,
    add: impl Fn(&mut ParamStore<f64>, &mut ChaCha8Rng) -> ParamId,
) -> Var {
    let mut params = ParamStore::new();
    let id = add(&mut params, &mut generator());
    named(tape, name, params.value(id).clone())
}

/// A layer draws its (first) kernel first, so a generator of the same seed repeats its numbers.
fn generator() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(1)
}

/// Glorot's formula, from numbers between −1 and 1.
fn uniform(shape: impl Into<Shape>, fans: usize, rng: &mut ChaCha8Rng) -> Tensor<f64> {
    Tensor::from_fn(shape, |_| (6.0 / fans as f64).sqrt() * rng.random_range(-1.0..1.0))
}
