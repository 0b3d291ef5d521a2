//! y = x·W + b.

use rand::Rng;

use super::init;
use crate::autograd::{
    ParamId, ParamStore, Tape, Var,
    gradcheck::{Check, wave},
};
use crate::tensor::{Real, Tensor};

/// A fully connected layer without an activation: a task's head, whose sigmoid is part of its loss.
#[derive(Clone, Copy, Debug)]
pub struct Dense {
    /// W, `[inputs, outputs]`.
    pub kernel: ParamId,
    /// b, `[outputs]`.
    pub bias: ParamId,
}

impl Dense {
    /// Adds the parameters `{name}.kernel` (Glorot uniform) and `{name}.bias` (0).
    pub fn new<F: Real>(
        params: &mut ParamStore<F>,
        name: &str,
        inputs: usize,
        outputs: usize,
        rng: &mut impl Rng,
    ) -> Self {
        let kernel = init::glorot_uniform([inputs, outputs], inputs, outputs, rng);
        Self {
            kernel: params.add(format!("{name}.kernel"), kernel),
            bias: params.add(format!("{name}.bias"), Tensor::zeros([outputs])),
        }
    }

    /// `[rows, inputs]` to `[rows, outputs]`.
    pub fn forward<F: Real>(&self, tape: &mut Tape<'_, F>, x: Var) -> Var {
        let (kernel, bias) = (tape.param(self.kernel), tape.param(self.bias));
        let product = tape.matmul(x, kernel);
        tape.add(product, bias)
    }
}

pub(super) fn checks() -> Vec<Check> {
    let mut params = ParamStore::new();
    let x = params.add("x", wave([3, 4], 0.1));
    let layer = Dense { kernel: params.add("kernel", wave([4, 2], 0.2)), bias: params.add("bias", wave([2], 0.3)) };
    vec![Check::of_params("layer: dense", params, move |tape| {
        let x = tape.param(x);
        layer.forward(tape, x)
    })]
}
