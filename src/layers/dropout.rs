//! Dropout (Srivastava et al. 2014).

use crate::autograd::{
    ParamStore, Tape, Var,
    gradcheck::{Check, wave},
};
use crate::tensor::Real;

/// Inverted dropout; the identity in evaluation. See [`Tape::dropout`].
#[derive(Clone, Copy, Debug)]
pub struct Dropout {
    /// The probability with which an element becomes 0.
    pub rate: f64,
}

impl Dropout {
    /// A value of the same shape.
    pub fn forward<F: Real>(&self, tape: &mut Tape<'_, F>, x: Var) -> Var {
        tape.dropout(x, self.rate)
    }
}

pub(super) fn checks() -> Vec<Check> {
    let mut params = ParamStore::new();
    let x = params.add("x", wave([3, 6], 0.1));
    let forward = move |tape: &mut Tape<'_, f64>| {
        let x = tape.param(x);
        Dropout { rate: 0.4 }.forward(tape, x)
    };
    vec![Check::of_params("layer: dropout", params, forward).training(&[3, 1, 4])]
}
