//! The recording.

use std::time::Instant;

use smallbox::{SmallBox, smallbox, space::S8};
use smallvec::SmallVec;

use super::{
    Op, ParamId, ParamStore,
    gradcheck::{Fault, corrupt_value},
};
use crate::tensor::{Pool, Real, Shape, Tensor};

/// A value on a [`Tape`]: its position in the recording.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Var(u32);

impl Var {
    /// The position, from 0. Inputs of an operation have smaller positions than its value.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// What dropout does while recording.
#[derive(Clone, Copy, Debug)]
pub enum Mode<'s> {
    /// Dropout passes its input on.
    Evaluate,
    /// Dropout draws row `i`'s mask from `row_keys[i]` alone, so a text meets the same mask in whatever company it is trained.
    Train {
        /// A random key for each row (text) of the batch.
        row_keys: &'s [u64],
    },
}

/// A recording of operations in the order in which they were computed. Since an operation can only use values that exist, the
/// order is topological by construction, and the backward sweep is a loop from the end.
///
/// Parameters are borrowed from the store and never copied; all other values live in buffers of the pool.
pub struct Tape<'s, F: Real = f32> {
    pub(super) params: &'s ParamStore<F>,
    pub(super) pool: &'s mut Pool<F>,
    pub(super) mode: Mode<'s>,
    pub(super) nodes: Vec<Node<F>>,
    /// Bugs planted on purpose, by [`gradcheck`](super::gradcheck).
    pub(super) faults: &'s [Fault],
    /// When the recording began and when each value was there, if it is [observed](Self::observed).
    pub(super) moments: Option<Vec<Instant>>,
    /// Whether to record readable compositions in place of fused operations.
    pub(super) composed: bool,
}

pub(super) struct Node<F: Real> {
    pub(super) name: &'static str,
    /// Absent where no gradient is wanted.
    pub(super) op: Option<BoxedOp<F>>,
    pub(super) inputs: SmallVec<[Var; 8]>,
    pub(super) value: Value<F>,
    pub(super) saved: SmallVec<[Tensor<F>; 8]>,
    pub(super) wants_gradient: bool,
}

/// An operation, within the node itself if it takes no more than eight words.
type BoxedOp<F> = SmallBox<dyn Op<F>, S8>;

pub(super) enum Value<F> {
    Own(Tensor<F>),
    Param(ParamId),
}

impl<F: Real> Value<F> {
    pub(super) fn tensor<'v>(&'v self, params: &'v ParamStore<F>) -> &'v Tensor<F> {
        match self {
            Self::Own(tensor) => tensor,
            Self::Param(id) => params.value(*id),
        }
    }

    pub(super) fn param(&self) -> Option<ParamId> {
        match self {
            Self::Own(_) => None,
            Self::Param(id) => Some(*id),
        }
    }
}

impl<'s, F: Real> Tape<'s, F> {
    /// An empty recording.
    pub fn new(params: &'s ParamStore<F>, pool: &'s mut Pool<F>, mode: Mode<'s>) -> Self {
        let nodes = pool.take_vec();
        Self { params, pool, mode, nodes, faults: &[], moments: None, composed: false }
    }

    /// As [`new`](Self::new), for a [trace](super::trace): it also keeps the time at which each value was there, and the operations
    /// whose value wants no gradient.
    pub fn observed(params: &'s ParamStore<F>, pool: &'s mut Pool<F>, mode: Mode<'s>) -> Self {
        let mut tape = Self::new(params, pool, mode);
        tape.moments = Some(vec![Instant::now()]);
        tape
    }

    /// From here on [`lstm`](Self::lstm) and [`conv`](Self::conv) record their references, so that a reader sees every small
    /// operation of them.
    pub fn compose(&mut self) {
        self.composed = true;
    }

    /// A parameter as a value.
    pub fn param(&mut self, id: ParamId) -> Var {
        let wants_gradient = self.params.is_trainable(id);
        self.push("parameter", None, SmallVec::new(), Value::Param(id), SmallVec::new(), wants_gradient)
    }

    /// A value that wants no gradient.
    pub fn constant(&mut self, tensor: Tensor<F>) -> Var {
        self.push("constant", None, SmallVec::new(), Value::Own(tensor), SmallVec::new(), false)
    }

    /// Records the value of an operation on `inputs`, with the tensors that its backward computation will need.
    pub fn record<const SAVED: usize>(
        &mut self,
        op: impl Op<F> + 'static,
        inputs: &[Var],
        value: Tensor<F>,
        saved: [Tensor<F>; SAVED],
    ) -> Var {
        self.record_saving(op, inputs, value, saved.into_iter().collect())
    }

    /// As [`record`](Self::record), for a number of saved tensors that depends on the operation's inputs.
    pub(super) fn record_saving(
        &mut self,
        mut op: impl Op<F> + 'static,
        inputs: &[Var],
        mut value: Tensor<F>,
        saved: SmallVec<[Tensor<F>; 8]>,
    ) -> Var {
        let name = op.name();
        corrupt_value(self.faults, name, &mut value);
        let wants_gradient = inputs.iter().any(|input| self.nodes[input.index()].wants_gradient);
        if wants_gradient || self.moments.is_some() {
            return self.push(name, Some(smallbox!(op)), inputs.into(), Value::Own(value), saved, wants_gradient);
        }
        saved.into_iter().for_each(|tensor| self.pool.give(tensor));
        op.give_to(self.pool);
        self.push(name, None, inputs.into(), Value::Own(value), SmallVec::new(), false)
    }

    fn push(
        &mut self,
        name: &'static str,
        op: Option<BoxedOp<F>>,
        inputs: SmallVec<[Var; 8]>,
        value: Value<F>,
        saved: SmallVec<[Tensor<F>; 8]>,
        wants_gradient: bool,
    ) -> Var {
        let var = Var(u32::try_from(self.nodes.len()).expect("a tape holds fewer than 2³² values"));
        self.nodes.push(Node { name, op, inputs, value, saved, wants_gradient });
        if let Some(moments) = &mut self.moments {
            moments.push(Instant::now());
        }
        var
    }

    /// The numbers of a value.
    ///
    /// # Panics
    /// If the value belongs to another, longer tape.
    #[track_caller]
    pub fn value(&self, var: Var) -> &Tensor<F> {
        self.nodes[var.index()].value.tensor(self.params)
    }

    /// The shape of a value.
    ///
    /// # Panics
    /// If the value belongs to another, longer tape.
    #[track_caller]
    pub fn shape(&self, var: Var) -> Shape {
        self.value(var).shape()
    }

    /// The name of the operation that made a value; `parameter` or `constant` for those that none made.
    pub fn op_name(&self, var: Var) -> &'static str {
        self.nodes[var.index()].name
    }

    /// The operands of the operation that made a value.
    pub fn inputs(&self, var: Var) -> &[Var] {
        &self.nodes[var.index()].inputs
    }

    /// Every value, in the order of the recording.
    pub fn vars(&self) -> impl ExactSizeIterator<Item = Var> + use<F> {
        (0..self.nodes.len() as u32).map(Var)
    }

    /// What dropout does.
    pub fn mode(&self) -> Mode<'s> {
        self.mode
    }

    /// The values of some inputs beside the pool, for an operation to compute from and into.
    ///
    /// # Panics
    /// If one of them belongs to another, longer tape.
    #[track_caller]
    pub fn operands<const N: usize>(&mut self, vars: [Var; N]) -> ([&Tensor<F>; N], &mut Pool<F>) {
        let (nodes, params) = (&self.nodes, self.params);
        (vars.map(|var| nodes[var.index()].value.tensor(params)), self.pool)
    }
}

impl<F: Real> Drop for Tape<'_, F> {
    fn drop(&mut self) {
        for node in self.nodes.drain(..) {
            if let Value::Own(tensor) = node.value {
                self.pool.give(tensor);
            }
            node.saved.into_iter().for_each(|tensor| self.pool.give(tensor));
            if let Some(mut op) = node.op {
                op.give_to(self.pool);
            }
        }
        self.pool.give_vec(std::mem::take(&mut self.nodes));
    }
}
