//! Reverse-mode automatic differentiation of single numbers, whole: chapter 1 of the course builds it step by step.
//!
//! Run with `cargo run --example scalar_tape`.
#![allow(missing_docs, reason = "the chapter explains every method")]

/// A number on the tape: its position.
#[derive(Clone, Copy, Debug)]
pub struct Var(usize);

/// One line of the recording.
struct Node {
    op: &'static str,
    value: f64,
    /// Which numbers it was computed from, and how fast it changes with each of them.
    inputs: Vec<(Var, f64)>,
}

/// A recording of a computation.
#[derive(Default)]
pub struct Tape {
    nodes: Vec<Node>,
}

impl Tape {
    pub fn record(&mut self, op: &'static str, value: f64, inputs: &[(Var, f64)]) -> Var {
        self.nodes.push(Node { op, value, inputs: inputs.to_vec() });
        Var(self.nodes.len() - 1)
    }

    pub fn value(&self, x: Var) -> f64 {
        self.nodes[x.0].value
    }

    pub fn input(&mut self, value: f64) -> Var {
        self.record("input", value, &[])
    }

    pub fn add(&mut self, a: Var, b: Var) -> Var {
        self.record("add", self.value(a) + self.value(b), &[(a, 1.0), (b, 1.0)])
    }

    pub fn mul(&mut self, a: Var, b: Var) -> Var {
        let (x, y) = (self.value(a), self.value(b));
        self.record("mul", x * y, &[(a, y), (b, x)])
    }

    pub fn tanh(&mut self, x: Var) -> Var {
        let y = self.value(x).tanh();
        self.record("tanh", y, &[(x, 1.0 - y * y)])
    }
}

/// How fast the number that was differentiated changes with each number of the tape.
pub struct Gradients(Vec<f64>);

impl Gradients {
    pub fn of(&self, x: Var) -> f64 {
        self.0[x.0]
    }
}

impl Tape {
    pub fn backward(&self, y: Var) -> Gradients {
        let mut gradients = vec![0.0; self.nodes.len()];
        gradients[y.0] = 1.0;
        for i in (0..=y.0).rev() {
            for &(x, slope) in &self.nodes[i].inputs {
                gradients[x.0] += gradients[i] * slope;
            }
        }
        Gradients(gradients)
    }

    /// The recording as a table, one line a number.
    pub fn table(&self, gradients: &Gradients) -> String {
        let mut table = String::from(" #  op     inputs   value  gradient\n");
        for (i, node) in self.nodes.iter().enumerate() {
            let inputs: Vec<String> = node.inputs.iter().map(|(x, _)| x.0.to_string()).collect();
            let (inputs, gradient) = (inputs.join(" "), gradients.0[i]);
            table += &format!("{i:>2}  {:<6} {inputs:<6} {:>7.2} {gradient:>9.2}\n", node.op, node.value);
        }
        table
    }
}

/// One neuron, y = tanh(w·x + b).
pub fn main() {
    let mut tape = Tape::default();
    let w = tape.input(0.5);
    let x = tape.input(2.0);
    let b = tape.input(-1.0);
    let wx = tape.mul(w, x);
    let a = tape.add(wx, b);
    let y = tape.tanh(a);
    print!("{}", tape.table(&tape.backward(y)));
}
