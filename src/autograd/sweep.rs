//! The backward sweep.

use super::{Ctx, Gradients, Tape, Var, op::Value};
use crate::tensor::{Pool, Real, Tensor};

impl<F: Real> Tape<'_, F> {
    /// The gradients of `loss` with respect to the parameters that it depends on.
    ///
    /// # Panics
    /// If `loss` is not a single number.
    #[track_caller]
    pub fn backward(mut self, loss: Var) -> Gradients<F> {
        self.sweep(loss)
    }

    /// The gradients of each of several losses, from one recording with one sweep for each.
    ///
    /// # Panics
    /// If one of them is not a single number.
    #[track_caller]
    pub fn backward_each(mut self, losses: &[Var]) -> Vec<Gradients<F>> {
        losses.iter().map(|&loss| self.sweep(loss)).collect()
    }

    /// As [`backward_each`](Self::backward_each), handing over the gradients of each loss, with the pool that they are of, before the
    /// next sweep.
    ///
    /// # Panics
    /// If one of the losses is not a single number.
    #[track_caller]
    pub fn backward_taking(mut self, losses: &[Var], mut take: impl FnMut(Gradients<F>, &mut Pool<F>)) {
        for &loss in losses {
            let gradients = self.sweep(loss);
            take(gradients, self.pool);
        }
    }

    /// Jᵀ·`cotangent`: the gradients of ⟨`cotangent`, `value`⟩.
    ///
    /// # Panics
    /// If the two have different shapes.
    #[track_caller]
    pub fn vjp(mut self, value: Var, cotangent: &Tensor<F>) -> Gradients<F> {
        assert_eq!(self.shape(value), cotangent.shape(), "vjp: value and cotangent");
        let seed = self.pool.copy(cotangent);
        self.sweep_from(value, seed)
    }

    #[track_caller]
    fn sweep(&mut self, loss: Var) -> Gradients<F> {
        let seed = self.one(loss);
        self.sweep_from(loss, seed)
    }

    /// The cotangent of a single number with respect to itself.
    #[track_caller]
    pub(super) fn one(&mut self, loss: Var) -> Tensor<F> {
        let shape = self.shape(loss);
        assert_eq!(shape.len(), 1, "backward needs a single number, got shape {shape}");
        let mut seed = self.pool.take(shape);
        seed.data_mut().fill(F::ONE);
        seed
    }

    fn sweep_from(&mut self, value: Var, seed: Tensor<F>) -> Gradients<F> {
        self.sweep_passing(value, seed, |_, dy, pool| pool.give(dy))
    }

    /// Hands the cotangent of each value but the parameters to `done` once it has been passed on to the inputs.
    pub(super) fn sweep_passing(
        &mut self,
        value: Var,
        seed: Tensor<F>,
        mut done: impl FnMut(usize, Tensor<F>, &mut Pool<F>),
    ) -> Gradients<F> {
        let Self { params, pool, nodes, observer, .. } = self;
        let mut gradients = Gradients::none_in(pool.take_vec(), params.len());
        let mut cotangents: Vec<Option<Tensor<F>>> = pool.take_vec();
        cotangents.resize_with(value.index() + 1, || None);
        cotangents[value.index()] = Some(seed);
        for (i, node) in nodes.iter().enumerate().take(value.index() + 1).rev() {
            // Every use of value i comes later on the tape, so its cotangent is complete.
            let (earlier, rest) = cotangents.split_at_mut(i);
            let Some(dy) = rest[0].take() else { continue };
            match (&node.value, &node.op) {
                (Value::Param(id), _) if node.wants_gradient => gradients.add(*id, dy, pool),
                (_, Some(op)) => {
                    let (gradients, cotangents) = (&mut gradients, earlier);
                    let mut ctx = Ctx { node, nodes, params, dy: &dy, cotangents, gradients, pool };
                    match observer {
                        None => op.backward(&mut ctx),
                        Some(observer) => observer.backward(&**op, &mut ctx),
                    }
                    done(i, dy, pool);
                }
                _ => done(i, dy, pool),
            }
        }
        pool.give_vec(cotangents);
        gradients
    }
}
