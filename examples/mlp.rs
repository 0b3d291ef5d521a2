//! The engine on its own, without text: a multi-layer perceptron learns which points of a square lie within a circle.
//!
//! Run with `cargo run --no-default-features --example mlp`.

use mtlcore::{
    autograd::{Adam, AdamSettings, Mode, ParamStore, Tape, Var, gradcheck::Check},
    layers::Dense,
    tensor::{Pool, Real, Tensor},
};
use rand::{Rng, RngExt};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

/// Two dense layers, with tanh between them: `[N, 2]` to `[N, 1]`.
#[derive(Clone, Copy)]
struct Mlp {
    hidden: Dense,
    output: Dense,
}

impl Mlp {
    fn new(params: &mut ParamStore, units: usize, rng: &mut impl Rng) -> Self {
        let hidden = Dense::new(params, "hidden", 2, units, rng);
        Self { hidden, output: Dense::new(params, "output", units, 1, rng) }
    }

    /// Logits of the points.
    fn forward<F: Real>(&self, tape: &mut Tape<'_, F>, points: &Tensor<F>) -> Var {
        let x = tape.constant(points.clone());
        let a = self.hidden.forward(tape, x);
        let h = tape.tanh(a);
        self.output.forward(tape, h)
    }

    /// Mean cross-entropy, a single number.
    fn loss<F: Real>(&self, tape: &mut Tape<'_, F>, points: &Tensor<F>, labels: &[Option<bool>]) -> Var {
        let logits = self.forward(tape, points);
        tape.masked_bce(logits, labels, F::from_f64(labels.len() as f64))
    }
}

/// Points of the square from −1 to 1, `[N, 2]`, and whether each is within a circle that covers half of it.
fn sample(count: usize, rng: &mut impl Rng) -> (Tensor, Vec<Option<bool>>) {
    let points = Tensor::from_fn([count, 2], |_| rng.random_range(-1.0_f32..1.0));
    let within = |i| points.row(i).iter().map(|x| x * x).sum::<f32>() < 2.0 / std::f32::consts::PI;
    let labels = (0..count).map(|i| Some(within(i))).collect();
    (points, labels)
}

/// The accuracy on new points after a number of steps of Adam.
pub fn accuracy(steps: usize) -> f64 {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut params = ParamStore::new();
    let mlp = Mlp::new(&mut params, 16, &mut rng);
    check(mlp, &params, &mut rng);

    let mut adam = Adam::new(AdamSettings { learning_rate: 0.02, ..AdamSettings::default() });
    let mut pool = Pool::new();
    for _ in 0..steps {
        let (points, labels) = sample(64, &mut rng);
        // The tape borrows the parameters: a step of Adam while it lives would not compile.
        let mut tape = Tape::new(&params, &mut pool, Mode::Evaluate);
        let loss = mlp.loss(&mut tape, &points, &labels);
        let gradients = tape.backward(loss);
        adam.step(&mut params, &gradients);
    }

    let (points, labels) = sample(1000, &mut rng);
    let mut tape = Tape::new(&params, &mut pool, Mode::Evaluate);
    let logits = mlp.forward(&mut tape, &points);
    let right = tape.value(logits).data().iter().zip(labels).filter(|&(&z, y)| Some(z > 0.0) == y).count();
    right as f64 / 1000.0
}

/// The gradients of these very parameters, in double precision, against central differences.
fn check(mlp: Mlp, params: &ParamStore, rng: &mut impl Rng) {
    let (points, labels) = sample(8, rng);
    let points = points.cast();
    let report = Check::of_params("mlp", params.cast(), move |tape| mlp.loss(tape, &points, &labels)).run();
    assert!(report.passed(), "{report:#?}");
}

/// Prints how well it does.
pub fn main() {
    for steps in [0, 10, 100, 1000] {
        println!("{steps:>5} steps: {:.1} % of new points are classified rightly", 100.0 * accuracy(steps));
    }
}
