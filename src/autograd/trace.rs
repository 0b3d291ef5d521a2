//! A tape to read: every value with its numbers, its gradients, its cost and its time.
//!
//! [`Tape::trace`] is a function of the recording and of the [`Sweep`]s over it. It computes nothing anew.

use std::time::{Duration, Instant};

use super::{Gradients, Mode, ParamStore, Sizes, Tape, Var, observer::Observer, op::Value};
use crate::tensor::{Pool, Real, Tensor};

/// A backward sweep that retains every cotangent.
#[derive(Debug)]
pub struct Sweep<F: Real = f32> {
    /// The gradients of the parameters, as [`Tape::backward`] returns them.
    pub gradients: Gradients<F>,
    cotangents: Vec<Option<Tensor<F>>>,
    times: Vec<Option<Duration>>,
}

/// The times at which values were computed.
struct Stopwatch {
    /// The beginning of the recording, then one for each value.
    times: Vec<Instant>,
    references: bool,
}

impl<F: Real> Observer<F> for Stopwatch {
    fn recorded(&mut self) {
        self.times.push(Instant::now());
    }

    fn keeps_operations(&self) -> bool {
        true
    }

    fn wants_references(&self) -> bool {
        self.references
    }

    fn nanoseconds(&self, i: usize) -> Option<u64> {
        Some(nanoseconds(self.times[i + 1] - self.times[i]))
    }
}

impl<'s, F: Real> Tape<'s, F> {
    /// As [`new`](Self::new), for a [trace](self): it also keeps the time at which each value was computed, and the operations
    /// whose value wants no gradient. With `references`, [`lstm`](Self::lstm) and [`conv`](Self::conv) record their references,
    /// so that a reader sees every small operation of them.
    pub fn traced(params: &'s ParamStore<F>, pool: &'s mut Pool<F>, mode: Mode<'s>, references: bool) -> Self {
        Self::observed(params, pool, mode, Stopwatch { times: vec![Instant::now()], references })
    }
}

impl<F: Real> Tape<'_, F> {
    /// As [`backward`](Self::backward), but retains the cotangent of every value, and the tape.
    ///
    /// # Panics
    /// If `loss` is not a single number.
    #[track_caller]
    pub fn backward_retaining(&mut self, loss: Var) -> Sweep<F> {
        let count = self.nodes.len();
        let (mut cotangents, mut times) = (Vec::new(), vec![None; count]);
        cotangents.resize_with(count, || None);
        let seed = self.one(loss);
        let mut before = Instant::now();
        let gradients = self.sweep_passing(loss, seed, |i, dy, _| {
            let now = Instant::now();
            times[i] = Some(now - before);
            cotangents[i] = Some(dy);
            before = now;
        });
        Sweep { gradients, cotangents, times }
    }

    /// The gradient of a sweep's loss with respect to a value; `None` if the loss does not depend on it, or it wants no gradient.
    /// What is used as a parameter twice has the sum of both here.
    pub fn gradient(&self, sweep: &Sweep<F>, var: Var) -> Option<Tensor<F>> {
        match &self.node(var).value {
            Value::Param(id) => sweep.gradients.dense(*id),
            Value::Own(_) => sweep.cotangents[var.index()].clone(),
        }
    }

    /// Every value in the order of the recording, with its gradient of each sweep. With `full`, all numbers; else what sums
    /// them up. Forward times and all operations are there if the tape is [traced](Tape::traced).
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
            forward_ns: self.observer.as_ref().and_then(|observer| observer.nanoseconds(i)),
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
    /// Whether it depends on a trained parameter.
    pub wants_gradient: bool,
    /// What it holds.
    pub value: Numbers,
    /// Its gradient in each sweep; none if the loss does not depend on it, or it wants no gradient.
    pub gradients: Vec<Option<Numbers>>,
    /// See [`Flops`](super::Flops); none if the operation does not say.
    pub forward_flops: Option<u64>,
    /// Likewise, of one sweep; none if no gradient is wanted.
    pub backward_flops: Option<u64>,
    /// Memory of the recording in bytes: its numbers (those of a parameter are in the store) and the tensors saved for the sweep.
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
