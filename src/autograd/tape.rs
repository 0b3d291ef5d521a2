//! The recording.

use std::sync::atomic::{AtomicU32, Ordering};

use smallbox::smallbox;
use smallvec::SmallVec;

use super::{
    Op, ParamId, ParamStore, Var,
    observer::Observer,
    op::{BoxedOp, Node, Value},
};
use crate::tensor::{Pool, Real, Shape, Tensor};

/// The number of the next tape. It returns to 0 after 2³² tapes, of which no two neighbours are the same.
static NEXT: AtomicU32 = AtomicU32::new(0);

/// Training or evaluation, which only dropout distinguishes.
#[derive(Clone, Copy, Debug)]
pub enum Mode<'s> {
    /// Dropout passes its input on.
    Evaluate,
    /// Dropout draws row `i`'s mask from `row_keys[i]` alone, so the mask of a text does not depend on the other texts of its batch.
    Train {
        /// A random key for each row (text) of the batch.
        row_keys: &'s [u64],
    },
}

/// A recording of operations in the order in which they were computed. Since an operation can only use values that exist, the
/// order is topological by construction, and the backward sweep is a loop from the end.
///
/// Parameters are borrowed from the store and never copied; all other values live in buffers of the pool.
///
/// A [`Var`] of another tape is a programmer's mistake, and panics wherever it is used.
///
/// ```
/// use mtlcore::autograd::{Mode, ParamStore, Tape};
/// use mtlcore::tensor::{Pool, Tensor};
///
/// let mut params = ParamStore::<f64>::new();
/// let w = params.add("w", Tensor::scalar(0.5));
/// let mut pool = Pool::new();
///
/// let mut tape = Tape::new(&params, &mut pool, Mode::Evaluate);
/// let w_on_tape = tape.param(w);
/// let square = tape.mul(w_on_tape, w_on_tape);
/// let y = tape.scale(square, 3.0);
/// assert_eq!(tape.value(y).item(), 0.75);
/// assert_eq!(tape.backward(y).dense(w).unwrap().item(), 3.0); // d(3w²)/dw = 6w
/// ```
pub struct Tape<'s, F: Real = f32> {
    number: u32,
    pub(super) params: &'s ParamStore<F>,
    pub(super) pool: &'s mut Pool<F>,
    pub(super) mode: Mode<'s>,
    pub(super) nodes: Vec<Node<F>>,
    /// What watches the recording and its sweeps; in training nothing does.
    pub(super) observer: Option<Box<dyn Observer<F> + 's>>,
}

impl<'s, F: Real> Tape<'s, F> {
    /// An empty recording.
    pub fn new(params: &'s ParamStore<F>, pool: &'s mut Pool<F>, mode: Mode<'s>) -> Self {
        let nodes = pool.take_vec();
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self { number, params, pool, mode, nodes, observer: None }
    }

    /// As [`new`](Self::new), watched by `observer`.
    pub(super) fn observed(
        params: &'s ParamStore<F>,
        pool: &'s mut Pool<F>,
        mode: Mode<'s>,
        observer: impl Observer<F> + 's,
    ) -> Self {
        let mut tape = Self::new(params, pool, mode);
        tape.observer = Some(Box::new(observer));
        tape
    }

    /// Whether fused operations record their readable references in their place.
    pub(super) fn uses_references(&self) -> bool {
        self.observer.as_ref().is_some_and(|observer| observer.wants_references())
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
    ///
    /// # Panics
    /// If an input belongs to another tape.
    #[track_caller]
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
    #[track_caller]
    pub(super) fn record_saving(
        &mut self,
        mut op: impl Op<F> + 'static,
        inputs: &[Var],
        mut value: Tensor<F>,
        saved: SmallVec<[Tensor<F>; 8]>,
    ) -> Var {
        let name = op.name();
        if let Some(observer) = &mut self.observer {
            observer.computed(name, &mut value);
        }
        let wants_gradient = inputs.iter().fold(false, |wants, &input| self.node(input).wants_gradient | wants);
        if wants_gradient || self.observer.as_ref().is_some_and(|observer| observer.keeps_operations()) {
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
        let index = u32::try_from(self.nodes.len()).expect("a tape holds fewer than 2³² values");
        let var = Var { index, tape: self.number };
        self.nodes.push(Node { name, op, inputs, value, saved, wants_gradient });
        if let Some(observer) = &mut self.observer {
            observer.recorded();
        }
        var
    }

    /// The node of a value of this tape.
    #[track_caller]
    pub(super) fn node(&self, var: Var) -> &Node<F> {
        self.check(var);
        &self.nodes[var.index()]
    }

    /// Panics if a value belongs to another tape.
    #[track_caller]
    pub(super) fn check(&self, var: Var) {
        assert!(var.tape == self.number, "value {} belongs to another tape", var.index);
    }

    /// The numbers of a value.
    ///
    /// # Panics
    /// If the value belongs to another tape.
    #[track_caller]
    pub fn value(&self, var: Var) -> &Tensor<F> {
        self.node(var).value.tensor(self.params)
    }

    /// The shape of a value.
    ///
    /// # Panics
    /// If the value belongs to another tape.
    #[track_caller]
    pub fn shape(&self, var: Var) -> Shape {
        self.value(var).shape()
    }

    /// The name of the operation that made a value; `parameter` or `constant` for those that none made.
    ///
    /// # Panics
    /// If the value belongs to another tape.
    #[track_caller]
    pub fn op_name(&self, var: Var) -> &'static str {
        self.node(var).name
    }

    /// The operands of the operation that made a value.
    ///
    /// # Panics
    /// If the value belongs to another tape.
    #[track_caller]
    pub fn inputs(&self, var: Var) -> &[Var] {
        &self.node(var).inputs
    }

    /// Every value, in the order of the recording.
    pub fn vars(&self) -> impl ExactSizeIterator<Item = Var> + use<F> {
        let tape = self.number;
        (0..self.nodes.len() as u32).map(move |index| Var { index, tape })
    }

    /// What dropout does.
    pub fn mode(&self) -> Mode<'s> {
        self.mode
    }

    /// The values of some inputs beside the pool, for an operation to compute from and into.
    ///
    /// # Panics
    /// If one of them belongs to another tape.
    #[track_caller]
    pub fn operands<const N: usize>(&mut self, vars: [Var; N]) -> ([&Tensor<F>; N], &mut Pool<F>) {
        vars.iter().for_each(|&var| self.check(var));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_thousand_tapes_with_constants_grow_a_pool_by_nothing() {
        let mut params = ParamStore::<f32>::new();
        let weights = params.add("w", Tensor::zeros([50, 3]));
        let mut pool = Pool::new();
        let mut idle = Vec::new();
        for _ in 0..10_000 {
            let mut tape = Tape::new(&params, &mut pool, Mode::Evaluate);
            // Of the sizes of lent buffers, and of others.
            let constants = [[20, 50], [7, 50]].map(|shape| tape.constant(Tensor::zeros(shape)));
            let w = tape.param(weights);
            let [first, _] = constants.map(|x| tape.matmul(x, w));
            let ones = tape.constant(Tensor::from_fn([1, 20], |_| 1.0));
            let row = tape.matmul(ones, first); // [1, 3]
            let column = tape.constant(Tensor::zeros([3, 1]));
            let loss = tape.matmul(row, column);
            tape.backward(loss).give_to(&mut pool);
            idle.push(pool.idle());
        }
        assert_eq!(idle[2], *idle.last().unwrap());
    }

    #[test]
    fn a_value_of_another_tape_panics_wherever_it_is_used() {
        let mut params = ParamStore::<f32>::new();
        let id = params.add("x", Tensor::scalar(1.0));
        let mut pools = [Pool::new(), Pool::new()];
        let [a, b] = &mut pools;
        let (mut one, mut other) = (Tape::new(&params, a, Mode::Evaluate), Tape::new(&params, b, Mode::Evaluate));
        let (x, foreign) = (one.param(id), other.param(id));
        assert_eq!(x.index(), foreign.index(), "its position alone does not tell");
        let mut panics = |run: &mut dyn FnMut(&mut Tape<'_>)| {
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(&mut one)));
            let message = result.unwrap_err().downcast::<String>().unwrap();
            assert_eq!(*message, "value 0 belongs to another tape");
        };
        panics(&mut |tape| drop(tape.value(foreign).clone()));
        panics(&mut |tape| _ = tape.tanh(foreign));
        panics(&mut |tape| _ = tape.add(x, foreign));
        panics(&mut |tape| drop(tape.inputs(foreign).to_vec()));
        panics(&mut |tape| drop(tape.backward_retaining(foreign)));
        assert_eq!(other.value(foreign).item(), 1.0);
    }
}
