//! The kernels, each beside a plain one that computes the same.

use std::hint::black_box;

use mtlcore::autograd::ops::conv::{ConvActivation, Convolution, TimePooling};
use mtlcore::autograd::ops::lstm::{GateActivation, LstmDirection};
use mtlcore::autograd::{Adam, AdamSettings, Gradients, Mode, ParamStore, Tape, Var};
use mtlcore::tensor::{Pool, Tensor, matmul, pointwise};

#[path = "../engine/texts.rs"]
mod texts;

use texts::Texts;

/// Two ways to compute the same.
pub struct Pair {
    pub name: &'static str,
    pub ours: Box<dyn FnMut()>,
    pub reference: Box<dyn FnMut()>,
}

const WORD_SIZE: usize = 200;
const UNITS: usize = 25;
const FILTERS: usize = 25;
const WIDTH: usize = 3;

pub fn pairs() -> Vec<Pair> {
    vec![
        product("product 512 × 200 × 100", [512, 200, 100]),
        product("product 13 × 25 × 100", [13, 25, 100]),
        function("sigmoid", pointwise::sigmoid, |x| 1.0 / (1.0 + (-x).exp())),
        function("tanh", pointwise::tanh, f32::tanh),
        lstm(),
        conv(),
        adam(),
    ]
}

fn wave(shape: &[usize]) -> Tensor {
    Tensor::from_fn(shape, |i| (i as f32 * 0.7).sin())
}

/// Against ndarray, which multiplies with the crate `matrixmultiply`.
fn product(name: &'static str, [m, k, n]: [usize; 3]) -> Pair {
    let (a, b, mut c) = (wave(&[m, k]), wave(&[k, n]), Tensor::zeros([m, n]));
    let ours = {
        let (a, b) = (a.clone(), b.clone());
        move || matmul(black_box(&a).matrix(), b.matrix(), c.matrix_mut())
    };
    let mut c = Tensor::zeros([m, n]);
    let reference =
        move || ndarray::linalg::general_mat_mul(1.0, &black_box(&a).matrix(), &b.matrix(), 0.0, &mut c.matrix_mut());
    Pair { name, ours: Box::new(ours), reference: Box::new(reference) }
}

/// Against the standard library, number by number. The numbers are fresh each time, as iterated functions would converge.
fn function(name: &'static str, kernel: fn(&mut [f32]), plain: fn(f32) -> f32) -> Pair {
    let fresh = wave(&[1024]).into_data();
    let (mut y, mut z) = (fresh.clone(), fresh.clone());
    let ours = {
        let fresh = fresh.clone();
        move || {
            y.copy_from_slice(&fresh);
            kernel(black_box(&mut y));
        }
    };
    let reference = move || {
        z.copy_from_slice(&fresh);
        black_box(&mut z).iter_mut().for_each(|x| *x = plain(*x));
    };
    Pair { name, ours: Box::new(ours), reference: Box::new(reference) }
}

/// Forward and backward computation of an operation on a batch's distinct words.
fn operation(
    weights: &[&[usize]],
    record: impl Fn(&mut Tape, Var, &[Var], &Texts) -> Var + 'static,
) -> Box<dyn FnMut()> {
    let texts = Texts::typical();
    let mut params = ParamStore::new();
    let ids: Vec<_> = weights.iter().enumerate().map(|(i, shape)| params.add(format!("{i}"), wave(shape))).collect();
    let x = params.add("x", wave(&[texts.distinct.len(), WORD_SIZE]));
    params.freeze(x);
    let mut pool = Pool::new();
    Box::new(move || {
        let mut tape = Tape::new(&params, &mut pool, Mode::Evaluate);
        let x = tape.param(x);
        let weights: Vec<Var> = ids.iter().map(|&id| tape.param(id)).collect();
        let y = record(&mut tape, x, &weights, &texts);
        let cotangent = tape.value(y).clone();
        tape.vjp(y, &cotangent).give_to(&mut pool);
    })
}

/// The fused operation against its readable reference.
fn lstm() -> Pair {
    let one: [&[usize]; 3] = [&[WORD_SIZE, 4 * UNITS], &[UNITS, 4 * UNITS], &[4 * UNITS]];
    let kernel = |fused: bool| {
        operation(&[one, one].concat(), move |tape, x, w, texts| {
            let direction = |at: usize| LstmDirection {
                kernel: w[at],
                recurrent_kernel: w[at + 1],
                bias: w[at + 2],
                reversed: at > 0,
            };
            let (directions, gate) = ([direction(0), direction(3)], GateActivation::Sigmoid);
            match fused {
                true => tape.lstm(x, &texts.rows, &texts.segments, &directions, gate),
                false => tape.lstm_reference(x, &texts.rows, &texts.segments, &directions, gate),
            }
        })
    };
    Pair { name: "lstm", ours: kernel(true), reference: kernel(false) }
}

/// The fused operation against its readable reference.
fn conv() -> Pair {
    let kernel = |fused: bool| {
        operation(&[&[WIDTH, WORD_SIZE, FILTERS], &[FILTERS]], move |tape, x, w, texts| {
            let (activation, pooling) = (ConvActivation::Relu, TimePooling::Max);
            let conv = Convolution { kernel: w[0], bias: w[1], activation, pooling };
            match fused {
                true => tape.conv(x, &texts.rows, &texts.segments, conv),
                false => tape.conv_reference(x, &texts.rows, &texts.segments, conv),
            }
        })
    };
    Pair { name: "conv", ours: kernel(true), reference: kernel(false) }
}

/// Against the formula, number by number.
fn adam() -> Pair {
    let settings = AdamSettings::default();
    let (mut params, mut pool) = (ParamStore::new(), Pool::new());
    let id = params.add("weights", wave(&[200, 200]));
    let mut adam = Adam::new(settings);
    let mut gradients = Gradients::none(1);
    gradients.add(id, wave(&[200, 200]), &mut pool);
    let ours = move || adam.step(&mut params, &gradients);

    let g = wave(&[200, 200]).into_data();
    let (mut x, mut m, mut v) = (g.clone(), vec![0.0_f32; g.len()], vec![0.0_f32; g.len()]);
    let [rate, beta1, beta2, epsilon] =
        [settings.learning_rate, settings.beta1, settings.beta2, settings.epsilon].map(|number| number as f32);
    let mut steps = 0;
    let reference = move || {
        steps += 1;
        let corrections = [beta1, beta2].map(|beta| 1.0 - beta.powi(steps));
        for i in 0..g.len() {
            m[i] = beta1 * m[i] + (1.0 - beta1) * g[i];
            v[i] = beta2 * v[i] + (1.0 - beta2) * g[i] * g[i];
            x[i] -= rate * (m[i] / corrections[0]) / ((v[i] / corrections[1]).sqrt() + epsilon);
        }
        black_box(&mut x);
    };
    Pair { name: "adam", ours: Box::new(ours), reference: Box::new(reference) }
}
