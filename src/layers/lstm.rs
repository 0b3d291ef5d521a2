//! The parameters of an LSTM in one direction.

use rand::Rng;

use super::init;
use crate::autograd::{ParamId, ParamStore, Tape, ops::lstm::LstmDirection};
use crate::tensor::{Real, Tensor};

/// One direction of a [`Bilstm`](super::Bilstm); gates in the order i, f, c, o.
#[derive(Clone, Copy, Debug)]
pub struct Lstm {
    /// `[E, 4H]`.
    pub kernel: ParamId,
    /// `[H, 4H]`.
    pub recurrent_kernel: ParamId,
    /// `[4H]`.
    pub bias: ParamId,
}

impl Lstm {
    /// Adds the parameters `{name}.kernel` (Glorot uniform over all four gates), `{name}.recurrent_kernel` (orthogonal) and
    /// `{name}.bias` (0, but `forget_bias` for the forget gate: Jozefowicz et al. 2015).
    pub fn new<F: Real>(
        params: &mut ParamStore<F>,
        name: &str,
        inputs: usize,
        units: usize,
        forget_bias: f64,
        rng: &mut impl Rng,
    ) -> Self {
        let kernel = init::glorot_uniform([inputs, 4 * units], inputs, 4 * units, rng);
        let recurrent_kernel = init::orthogonal(units, 4 * units, rng);
        let is_forget_gate = |i| (units..2 * units).contains(&i);
        let bias = Tensor::from_fn([4 * units], |i| if is_forget_gate(i) { F::from_f64(forget_bias) } else { F::ZERO });
        Self {
            kernel: params.add(format!("{name}.kernel"), kernel),
            recurrent_kernel: params.add(format!("{name}.recurrent_kernel"), recurrent_kernel),
            bias: params.add(format!("{name}.bias"), bias),
        }
    }

    /// The parameters on a tape.
    pub(super) fn on<F: Real>(&self, tape: &mut Tape<'_, F>, reversed: bool) -> LstmDirection {
        LstmDirection {
            kernel: tape.param(self.kernel),
            recurrent_kernel: tape.param(self.recurrent_kernel),
            bias: tape.param(self.bias),
            reversed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

    #[test]
    fn only_the_forget_gate_has_a_bias_and_the_kernels_fan_out_counts_all_gates() {
        let mut params = ParamStore::<f64>::new();
        let lstm = Lstm::new(&mut params, "lstm", 200, 25, 1.0, &mut ChaCha8Rng::seed_from_u64(1));
        let bias = params.value(lstm.bias).data();
        assert!((0..100).all(|i| bias[i] == if (25..50).contains(&i) { 1.0 } else { 0.0 }));
        let largest = params.value(lstm.kernel).data().iter().fold(0.0_f64, |m, x| m.max(x.abs()));
        let limit = (6.0_f64 / 300.0).sqrt();
        assert!(largest <= limit && largest > 0.999 * limit, "{largest} of {limit}");
    }
}
