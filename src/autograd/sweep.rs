//! The backward sweep.

use super::{Ctx, Gradients, Tape, Var, gradcheck, tape::Value};
use crate::tensor::{Real, Tensor};

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

    /// Jᵀ·`cotangent`: the gradients of ⟨`cotangent`, `value`⟩.
    ///
    /// # Panics
    /// If the two have different shapes.
    #[track_caller]
    pub fn pull_back(mut self, value: Var, cotangent: &Tensor<F>) -> Gradients<F> {
        assert_eq!(self.shape(value), cotangent.shape(), "pull_back: value and cotangent");
        let seed = self.pool.copy(cotangent);
        self.sweep_from(value, seed)
    }

    #[track_caller]
    fn sweep(&mut self, loss: Var) -> Gradients<F> {
        let shape = self.shape(loss);
        assert_eq!(shape.len(), 1, "backward needs a single number, got shape {shape}");
        let mut seed = self.pool.take(shape);
        seed.data_mut().fill(F::ONE);
        self.sweep_from(loss, seed)
    }

    fn sweep_from(&mut self, value: Var, seed: Tensor<F>) -> Gradients<F> {
        let Self { params, pool, nodes, faults, .. } = self;
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
                    if faults.is_empty() {
                        op.backward(&mut ctx);
                    } else {
                        gradcheck::backward_with(faults, &**op, &mut ctx);
                    }
                    pool.give(dy);
                }
                _ => pool.give(dy),
            }
        }
        pool.give_vec(cotangents);
        gradients
    }
}
