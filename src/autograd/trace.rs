//! A tape to read: every value with its numbers, its gradients, its cost and its time.
//!
//! [`Tape::trace`] is a function of the recording and of the [`Sweep`]s over it. It computes nothing anew.

use std::time::Duration;

use super::{Gradients, Sizes, Tape, Var, tape::Value};
use crate::tensor::{Real, Tensor};

/// A backward sweep that kept everything that it passed.
#[derive(Debug)]
pub struct Sweep<F: Real = f32> {
    /// The gradients of the parameters, as [`Tape::backward`] returns them.
    pub gradients: Gradients<F>,
    cotangents: Vec<Option<Tensor<F>>>,
    times: Vec<Option<Duration>>,
}

impl<F: Real> Tape<'_, F> {
    /// As [`backward`](Self::backward), but keeps the cotangent of every value, and the tape.
    ///
    /// # Panics
    /// If `loss` is not a single number.
    #[track_caller]
    pub fn sweep_keeping(&mut self, loss: Var) -> Sweep<F> {
        let count = self.nodes.len();
        let (mut cotangents, mut times) = (Vec::new(), vec![None; count]);
        cotangents.resize_with(count, || None);
        let seed = self.one(loss);
        let mut before = std::time::Instant::now();
        let gradients = self.sweep_passing(loss, seed, |i, dy, _| {
            let now = std::time::Instant::now();
            times[i] = Some(now - before);
            cotangents[i] = Some(dy);
            before = now;
        });
        Sweep { gradients, cotangents, times }
    }

    /// The gradient of a sweep's loss with respect to a value; `None` if the loss does not depend on it, or nobody wanted it.
    /// What is used as a parameter twice has the sum of both here.
    pub fn gradient(&self, sweep: &Sweep<F>, var: Var) -> Option<Tensor<F>> {
        match &self.node(var).value {
            Value::Param(id) => sweep.gradients.dense(*id),
            Value::Own(_) => sweep.cotangents[var.index()].clone(),
        }
    }

    /// Every value in the order of the recording, with its gradient of each sweep. With `full`, all numbers; else what sums
    /// them up. Forward times and all operations are there if the tape is [observed](Tape::observed).
    pub fn trace(&self, sweeps: &[Sweep<F>], full: bool) -> Vec<TracedNode> {
        self.vars().map(|var| self.trace_node(var, sweeps, full)).collect()
    }

    fn trace_node(&self, var: Var, sweeps: &[Sweep<F>], full: bool) -> TracedNode {
        let (i, node) = (var.index(), self.node(var));
        let value = self.value(var);
        let (name, own) = match &node.value {
            Value::Param(id) => (Some(self.params.name(*id).to_owned()), 0),
            Value::Own(tensor) => (None, tensor.data().len()),
        };
        let inputs = node.inputs.iter().map(|&input| (self.shape(input), self.node(input).wants_gradient));
        let sizes = Sizes { inputs: inputs.collect(), value: value.shape() };
        let made = matches!(node.name, "parameter" | "constant");
        let flops = if made { Some(Default::default()) } else { node.op.as_ref().and_then(|op| op.flops(&sizes)) };
        let saved: usize = node.saved.iter().map(|tensor| tensor.data().len()).sum();
        TracedNode {
            index: i,
            op: node.name,
            name,
            inputs: node.inputs.iter().map(|input| input.index()).collect(),
            shape: value.shape().dims().to_vec(),
            wants_gradient: node.wants_gradient,
            value: Numbers::of(value, full),
            gradients: sweeps.iter().map(|s| self.gradient(s, var).map(|g| Numbers::of(&g, full))).collect(),
            forward_flops: flops.map(|flops| flops.forward),
            backward_flops: flops.map(|flops| flops.backward).filter(|_| node.wants_gradient),
            bytes: (own + saved) * size_of::<F>(),
            forward_ns: self.moments.as_ref().map(|moments| nanoseconds(moments[i + 1] - moments[i])),
            backward_ns: sweeps.iter().map(|sweep| sweep.times[i].map(nanoseconds)).collect(),
        }
    }
}

fn nanoseconds(time: Duration) -> u64 {
    time.as_nanos() as u64
}

/// One value of a tape.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct TracedNode {
    /// Its position in the recording.
    pub index: usize,
    /// The operation that made it; `parameter` or `constant` if none did.
    pub op: &'static str,
    /// The name of a parameter.
    pub name: Option<String>,
    /// The positions of the operation's inputs.
    pub inputs: Vec<usize>,
    /// Its extents.
    pub shape: Vec<usize>,
    /// Whether anything that is trained stands behind it.
    pub wants_gradient: bool,
    /// What it holds.
    pub value: Numbers,
    /// Its gradient in each sweep; none if the loss does not depend on it, or nobody wants it.
    pub gradients: Vec<Option<Numbers>>,
    /// See [`Flops`](super::Flops); none if the operation does not say.
    pub forward_flops: Option<u64>,
    /// Likewise, of one sweep; none if no gradient is wanted.
    pub backward_flops: Option<u64>,
    /// Memory that the recording takes for it: its numbers (a parameter's stand in the store) and what was kept for the sweep.
    pub bytes: usize,
    /// The time that it took to compute, in nanoseconds.
    pub forward_ns: Option<u64>,
    /// The time that each sweep took to pass its gradient on, in nanoseconds.
    pub backward_ns: Vec<Option<u64>>,
}

/// Many numbers summed up. Those of no number at all are 0.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Numbers {
    /// The smallest.
    pub minimum: f64,
    /// The mean.
    pub mean: f64,
    /// The largest.
    pub maximum: f64,
    /// The Euclidean norm.
    pub norm: f64,
    /// The share that is exactly 0.
    pub zeros: f64,
    /// All of them in row-major order, if asked for.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub all: Option<Vec<f64>>,
}

impl Numbers {
    /// Sums up a tensor; keeps its numbers too if `full`.
    pub fn of<F: Real>(tensor: &Tensor<F>, full: bool) -> Self {
        let numbers = || tensor.data().iter().map(|x| x.to_f64());
        let count = tensor.data().len().max(1) as f64;
        let of_some = |x: f64| if tensor.data().is_empty() { 0.0 } else { x };
        Self {
            minimum: of_some(numbers().fold(f64::INFINITY, f64::min)),
            mean: numbers().sum::<f64>() / count,
            maximum: of_some(numbers().fold(f64::NEG_INFINITY, f64::max)),
            norm: numbers().map(|x| x * x).sum::<f64>().sqrt(),
            zeros: numbers().filter(|&x| x == 0.0).count() as f64 / count,
            all: full.then(|| numbers().collect()),
        }
    }
}
