//! Lookahead affinity (Fifty et al. 2021, equation 1): how much smaller a step of the shared layer for task i makes the loss of task j,
//! 1 − L_j(θ − η g_i)/L_j(θ), on texts that the step has not seen, with both heads fitted.

use crate::autograd::{Gradients, ParamId, ParamStore};
use crate::tensor::Real;

/// The affinity of the task of `gradients` for the one of `loss`, which is measured before and after a step of size `rate` along the
/// `shared` parameters. The parameters are the same afterwards. 0 if there was nothing to lose.
pub fn affinity<F: Real>(
    params: &mut ParamStore<F>,
    shared: &[ParamId],
    gradients: &Gradients<F>,
    rate: f64,
    mut loss: impl FnMut(&ParamStore<F>) -> f64,
) -> f64 {
    let before = loss(params);
    let kept: Vec<_> = shared.iter().map(|&id| (id, params.value(id).clone())).collect();
    for &id in shared {
        gradients.subtract_from(id, F::from_f64(rate), params.value_mut(id));
    }
    let after = loss(params);
    for (id, value) in kept {
        *params.value_mut(id) = value;
    }
    if before > 0.0 { 1.0 - after / before } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::{Mode, Tape, Var};
    use crate::mtl::relatedness::measured::cosine;
    use crate::tensor::{Pool, Tensor};
    use approx::assert_abs_diff_eq;

    /// One text of a task: its features, its fitted head, its label.
    struct Toy {
        x: [f64; 2],
        head: f64,
        label: bool,
    }

    impl Toy {
        /// L = ln(1 + e^(−t h w·x)).
        fn loss(&self, tape: &mut Tape<'_, f64>, weights: ParamId) -> Var {
            let (x, head) = (Tensor::new([1, 2], self.x.to_vec()), Tensor::new([1, 1], vec![self.head]));
            let (x, head, w) = (tape.constant(x), tape.constant(head), tape.param(weights));
            let hidden = tape.matmul(x, w);
            let logit = tape.mul(hidden, head);
            tape.masked_bce(logit, vec![Some(self.label)], 1.0)
        }
    }

    /// Expected values: NumPy, by the formula; here through the engine.
    #[test]
    fn affinities_equal_numpys() {
        let mut params = ParamStore::<f64>::new();
        let weights = params.add("w", Tensor::new([2, 1], vec![0.5, -0.25]));
        let a = Toy { x: [1.0, 2.0], head: 1.5, label: true };
        let b = Toy { x: [2.0, 1.0], head: -0.8, label: false };
        let value = |toy: &Toy, params: &ParamStore<f64>| {
            let mut pool = Pool::new();
            let mut tape = Tape::new(params, &mut pool, Mode::Evaluate);
            let loss = toy.loss(&mut tape, weights);
            tape.value(loss).item()
        };
        let gradient = |toy: &Toy, params: &ParamStore<f64>| {
            let mut pool = Pool::new();
            let mut tape = Tape::new(params, &mut pool, Mode::Evaluate);
            let loss = toy.loss(&mut tape, weights);
            tape.backward(loss)
        };
        assert_abs_diff_eq!(value(&a, &params), std::f64::consts::LN_2, epsilon = 1e-9);
        assert_abs_diff_eq!(value(&b, &params), 0.437_487_950_5, epsilon = 1e-9);
        let (g_a, g_b) = (gradient(&a, &params), gradient(&b, &params));
        let numbers = |g: &Gradients<f64>| g.dense(weights).unwrap().into_data();
        assert_abs_diff_eq!(numbers(&g_a)[..], [-0.75, -1.5][..], epsilon = 1e-9);
        assert_abs_diff_eq!(numbers(&g_b)[..], [-0.566_949_910_0, -0.283_474_955_0][..], epsilon = 1e-9);
        assert_abs_diff_eq!(cosine(&numbers(&g_a), &numbers(&g_b)), 0.8, epsilon = 1e-9);
        let mut of =
            |g: &Gradients<f64>, rate: f64, toy: &Toy| affinity(&mut params, &[weights], g, rate, |p| value(toy, p));
        assert_abs_diff_eq!(of(&g_a, 0.1, &b), 0.179_703_351_2, epsilon = 1e-9);
        assert_abs_diff_eq!(of(&g_b, 0.1, &a), 0.117_479_702_6, epsilon = 1e-9);
        assert_abs_diff_eq!(of(&g_a, 0.01, &b), 0.019_288_562_1, epsilon = 1e-9);
        let first_order = 0.1 * g_a.product(&g_b, weights) / value(&b, &params);
        assert_abs_diff_eq!(first_order, 0.194_388_180_1, epsilon = 1e-9);
    }
}
