//! The parts of a training step: matrix products, pointwise functions, the LSTM and the convolution.

use std::{fmt, hint::black_box};

use divan::{Bencher, counter::ItemsCount};
use mtlcore::autograd::ops::conv::{ConvActivation, Convolution, TimePooling};
use mtlcore::autograd::ops::lstm::{GateActivation, LstmDirection};
use mtlcore::autograd::{Adam, AdamSettings, Gradients, Mode, ParamStore, Tape, Var};
use mtlcore::tensor::{Pool, Tensor, matmul, pointwise};

use crate::texts::Texts;
use crate::training::{FILTERS, UNITS, WIDTH, WORD_SIZE};

fn wave(shape: &[usize]) -> Tensor {
    Tensor::from_fn(shape, |i| (i as f32 * 0.7).sin())
}

/// [m, k, n]: op(A) m × k times k × n. An item is a floating-point operation, so items a second are FLOP/s.
const SHAPES: &[[usize; 3]] = &[
    [512, 200, 100],
    [512, 200, 200],
    [312, 200, 100],
    [312, 200, 75],
    [2048, 200, 200],
    [32, 25, 100],
    [13, 25, 100],
    [32, 100, 25],
    [512, 600, 25],
    [512, 150, 25],
    [13, 256, 1024],
    [32, 256, 1024],
    [512, 200, 1024],
    // Three trainings side by side: one product where [312, 200, 100] is computed three times.
    [312, 200, 300],
];

const TRANSPOSED: &[[usize; 3]] = &[
    [200, 512, 200],
    [200, 312, 200],
    [200, 312, 100],
    [25, 512, 100],
    [25, 13, 100],
    [600, 512, 25],
    [200, 512, 1024],
    [200, 312, 300],
];

fn flops([m, k, n]: [usize; 3]) -> ItemsCount {
    ItemsCount::new(2 * m * k * n)
}

#[divan::bench(args = SHAPES)]
fn product(bencher: Bencher, &[m, k, n]: &[usize; 3]) {
    let (a, b, mut c) = (wave(&[m, k]), wave(&[k, n]), Tensor::zeros([m, n]));
    bencher.counter(flops([m, k, n])).bench_local(|| matmul(a.matrix(), b.matrix(), c.matrix_mut()));
}

#[divan::bench(args = TRANSPOSED)]
fn product_of_transposed(bencher: Bencher, &[m, k, n]: &[usize; 3]) {
    let (a, b, mut c) = (wave(&[k, m]), wave(&[k, n]), Tensor::zeros([m, n]));
    bencher.counter(flops([m, k, n])).bench_local(|| matmul(a.matrix().reversed_axes(), b.matrix(), c.matrix_mut()));
}

/// A kernel over a slice.
struct Function {
    name: &'static str,
    kernel: fn(&mut [f32]),
    /// What it approximates, if it does not compute its definition.
    exact: Option<fn(f64) -> f64>,
}

const FUNCTIONS: [Function; 4] = [
    Function { name: "sigmoid", kernel: pointwise::sigmoid, exact: Some(|x| 1.0 / (1.0 + (-x).exp())) },
    Function { name: "tanh", kernel: pointwise::tanh, exact: Some(f64::tanh) },
    Function { name: "hard_sigmoid", kernel: pointwise::hard_sigmoid, exact: None },
    Function { name: "relu", kernel: pointwise::relu, exact: None },
];

impl Function {
    /// The largest error for arguments between −20 and 20, in units in the last place of the exact value.
    fn error(&self, exact: fn(f64) -> f64) -> f64 {
        let x: Vec<f32> = (-200_000..=200_000).map(|i| i as f32 * 1e-4).collect();
        let mut y = x.clone();
        (self.kernel)(&mut y);
        let of = |(x, y): (f32, f32)| {
            let exact = exact(f64::from(x));
            let exponent = exact.abs().max(f64::from(f32::MIN_POSITIVE)).log2().floor();
            (f64::from(y) - exact).abs() / (exponent - 23.0).exp2()
        };
        x.into_iter().zip(y).map(of).fold(0.0, f64::max)
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.exact {
            Some(exact) => write!(f, "{} (error {:.1} ulp)", self.name, self.error(exact)),
            None => f.write_str(self.name),
        }
    }
}

#[divan::bench(args = FUNCTIONS, consts = [25, 1024])]
fn function<const LEN: usize>(bencher: Bencher, function: &Function) {
    let mut y = wave(&[LEN]).into_data();
    bencher.counter(ItemsCount::new(LEN)).bench_local(|| (function.kernel)(black_box(&mut y)));
}

/// An operation on a batch's distinct words; forward alone, or forward and backward.
fn operation(bencher: Bencher, backward: bool, weights: &[&[usize]], record: impl Fn(&mut Tape, Var, &[Var]) -> Var) {
    let texts = Texts::typical();
    let mut params = ParamStore::new();
    let ids: Vec<_> = weights.iter().enumerate().map(|(i, shape)| params.add(format!("{i}"), wave(shape))).collect();
    let x = params.add("x", wave(&[texts.distinct.len(), WORD_SIZE]));
    params.freeze(x);
    let mut pool = Pool::new();
    bencher.bench_local(|| {
        let mut tape = Tape::new(&params, &mut pool, Mode::Evaluate);
        let x = tape.param(x);
        let weights: Vec<Var> = ids.iter().map(|&id| tape.param(id)).collect();
        let y = record(&mut tape, x, &weights);
        if backward {
            let cotangent = tape.value(y).clone();
            let gradients = tape.vjp(y, &cotangent);
            gradients.give_to(&mut pool);
        }
    });
}

#[divan::bench(args = [false, true])]
fn lstm(bencher: Bencher, backward: bool) {
    let texts = Texts::typical();
    let one: [&[usize]; 3] = [&[WORD_SIZE, 4 * UNITS], &[UNITS, 4 * UNITS], &[4 * UNITS]];
    operation(bencher, backward, &[one, one].concat(), |tape, x, w| {
        let direction =
            |at: usize| LstmDirection { kernel: w[at], recurrent_kernel: w[at + 1], bias: w[at + 2], reversed: at > 0 };
        tape.lstm(x, &texts.rows, &texts.segments, &[direction(0), direction(3)], GateActivation::Sigmoid)
    });
}

#[divan::bench(args = [false, true])]
fn conv(bencher: Bencher, backward: bool) {
    let texts = Texts::typical();
    operation(bencher, backward, &[&[WIDTH, WORD_SIZE, FILTERS], &[FILTERS]], |tape, x, w| {
        let (activation, pooling) = (ConvActivation::Relu, TimePooling::Max);
        tape.conv(x, &texts.rows, &texts.segments, Convolution { kernel: w[0], bias: w[1], activation, pooling })
    });
}

/// A step of Adam on a trained embedding, nearly all of whose rows had their last gradient `steps` before: moments that became
/// denormal numbers would show at 1,000.
#[divan::bench(args = [1, 1_000, 10_000])]
fn adam(bencher: Bencher, steps: usize) {
    let (mut params, mut pool) = (ParamStore::new(), Pool::new());
    let id = params.add("embedding", wave(&[2_000, 100]));
    let shape = params.value(id).shape();
    let mut adam = Adam::new(AdamSettings::default());
    let mut gradients = Gradients::none(1);
    gradients.add(id, wave(&[2_000, 100]), &mut pool);
    adam.step(&mut params, &gradients);
    let mut gradients = Gradients::none(1);
    gradients.add_rows(id, shape, &[0], &wave(&[1, 100]), &mut pool);
    (1..steps).for_each(|_| adam.step(&mut params, &gradients));
    bencher.counter(ItemsCount::new(2_000_usize * 100)).bench_local(|| adam.step(&mut params, &gradients));
}
