//! What an operation is, how it is recorded, and what its backward computation may see.

use std::any::Any;

use smallbox::{SmallBox, space::S8};
use smallvec::SmallVec;

use super::{Flops, Gradients, ParamId, ParamStore, Sizes, Var};
use crate::tensor::{Pool, Real, Shape, Tensor, pointwise};

/// A differentiable operation. What its forward pass saves for the backward pass is either plain data in the operation itself or
/// tensors handed to [`Tape::record`](super::Tape::record), which return to the pool at the end.
pub trait Op<F: Real>: Any + Send + Sync {
    /// Its name, as traces and checks print it.
    fn name(&self) -> &'static str;

    /// The vector–Jacobian product: adds to the cotangent of each input that wants a gradient. By `&self`, so that a sweep can be
    /// repeated.
    fn backward(&self, ctx: &mut Ctx<'_, F>);

    /// Its number of floating-point operations, if known.
    fn flops(&self, _sizes: &Sizes) -> Option<Flops> {
        None
    }

    /// Returns buffers that it owns to the pool, at the end of the recording.
    fn give_to(&mut self, _pool: &mut Pool<F>) {}
}

/// One value of a recording, and the operation that made it.
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
pub(super) type BoxedOp<F> = SmallBox<dyn Op<F>, S8>;

/// Where the numbers of a value stand.
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

/// What an operation may see and write during its backward pass.
pub struct Ctx<'c, F: Real> {
    pub(super) node: &'c Node<F>,
    pub(super) nodes: &'c [Node<F>],
    pub(super) params: &'c ParamStore<F>,
    pub(super) dy: &'c Tensor<F>,
    /// One accumulator for each node before this one.
    pub(super) cotangents: &'c mut [Option<Tensor<F>>],
    pub(super) gradients: &'c mut Gradients<F>,
    pub(super) pool: &'c mut Pool<F>,
}

impl<'c, F: Real> Ctx<'c, F> {
    /// The cotangent of the operation's value: the gradient of the loss with respect to it.
    pub fn dy(&self) -> &'c Tensor<F> {
        self.dy
    }

    /// The operation's value.
    pub fn y(&self) -> &'c Tensor<F> {
        self.node.value.tensor(self.params)
    }

    /// The value of input `i`.
    pub fn x(&self, i: usize) -> &'c Tensor<F> {
        self.nodes[self.node.inputs[i].index()].value.tensor(self.params)
    }

    /// Tensor `i` of those that the forward pass saved.
    pub fn saved(&self, i: usize) -> &'c Tensor<F> {
        &self.node.saved[i]
    }

    /// Whether input `i` wants a gradient: something that is trained stands behind it.
    pub fn wants(&self, i: usize) -> bool {
        self.nodes[self.node.inputs[i].index()].wants_gradient
    }

    /// The accumulator of input `i`'s cotangent, to add to; `None` if it wants no gradient.
    pub fn dx(&mut self, i: usize) -> Option<&mut Tensor<F>> {
        if !self.wants(i) {
            return None;
        }
        let shape = self.x(i).shape();
        let slot = &mut self.cotangents[self.node.inputs[i].index()];
        Some(slot.get_or_insert_with(|| self.pool.zeros(shape)))
    }

    /// Adds a buffer to input `i`'s cotangent and takes it over: the first share becomes the accumulator itself.
    ///
    /// # Panics
    /// If it does not have the shape of input `i`.
    pub fn add_dx(&mut self, i: usize, share: Tensor<F>) {
        assert_eq!(self.x(i).shape(), share.shape(), "add_dx: input {i} and its share");
        let slot = &mut self.cotangents[self.node.inputs[i].index()];
        match slot {
            _ if !self.nodes[self.node.inputs[i].index()].wants_gradient => self.pool.give(share),
            Some(sum) => {
                pointwise::add(sum.data_mut(), share.data());
                self.pool.give(share);
            }
            None => *slot = Some(share),
        }
    }

    /// Adds row `j` of `rows` to row `ids[j]` of input `i`'s cotangent. For a parameter this stays a list of rows.
    pub fn dx_rows(&mut self, i: usize, ids: &[u32], rows: &Tensor<F>) {
        if !self.wants(i) {
            return;
        }
        let shape = self.x(i).shape();
        let input = self.node.inputs[i].index();
        if let Some(param) = self.nodes[input].value.param() {
            return self.gradients.add_rows(param, shape, ids, rows, self.pool);
        }
        let dx = self.cotangents[input].get_or_insert_with(|| self.pool.zeros(shape));
        pointwise::add_rows(dx.data_mut(), rows.cols(), 0, ids, rows.data(), rows.cols());
    }

    /// An uninitialised buffer, every element of which the caller must write; hand it back with [`release`](Self::release).
    pub fn scratch(&mut self, shape: impl Into<Shape>) -> Tensor<F> {
        self.pool.take(shape)
    }

    /// A buffer of zeros; hand it back with [`release`](Self::release).
    pub fn zeros(&mut self, shape: impl Into<Shape>) -> Tensor<F> {
        self.pool.zeros(shape)
    }

    /// Returns a buffer to the pool.
    pub fn release(&mut self, tensor: Tensor<F>) {
        self.pool.give(tensor);
    }
}
