//! Exercises of chapter 8, two pulls on the same weights. Fill the gaps, then ask: `cargo exercise gradient_cosine` (or
//! `pull_on_shared`, or `lookahead_affinity`).

use mtlcore::autograd::{Mode, ParamStore, Tape};
use mtlcore::tensor::{Pool, Tensor};

/// The cosine of the angle between two gradients; none if one of them is 0, since it points nowhere.
pub fn gradient_cosine(a: &[f64], b: &[f64]) -> Option<f64> {
    todo!("⟨a, b⟩ / (‖a‖·‖b‖)")
}

/// The gradients of the parameter `shared` for each of two tasks, from **one** recording: texts·shared·head, where the texts are
/// `[n, k]` and the parameters are called `shared` (`[k, h]`), `head a` and `head b` (`[h, 1]`). Each loss is divided by its labelled
/// texts, of which there is at least one.
pub fn pull_on_shared(params: &ParamStore<f64>, texts: &Tensor<f64>, labels: [&[Option<bool>]; 2]) -> [Vec<f64>; 2] {
    todo!("forward once, then `tape.backward_each`")
}

/// The lookahead affinity of task i for task j at the weights `at`: 1 − L_j(θ − η·gᵢ)/L_j(θ).
pub fn lookahead_affinity(loss_j: impl Fn(&[f64]) -> f64, at: &[f64], gradient_i: &[f64], eta: f64) -> f64 {
    todo!("step, then look")
}

/// What must hold.
pub mod check {
    use super::*;

    pub fn gradient_cosine(gradient_cosine: fn(&[f64], &[f64]) -> Option<f64>) {
        let close = |found: Option<f64>, expected: f64| (found.unwrap() - expected).abs() < 1e-12;
        assert!(close(gradient_cosine(&[3.0, 4.0], &[6.0, 8.0]), 1.0));
        assert!(close(gradient_cosine(&[1.0, 0.0], &[0.0, -5.0]), 0.0));
        assert!(close(gradient_cosine(&[3.0, 4.0], &[4.0, 3.0]), 0.96));
        assert!(close(gradient_cosine(&[-4.0, 1.0, 1.0], &[6.0, 1.0, 1.0]), -22.0 / (18.0_f64 * 38.0).sqrt()));
        assert_eq!(gradient_cosine(&[0.0, 0.0], &[1.0, 2.0]), None);
    }

    type Labels<'l> = [&'l [Option<bool>]; 2];

    pub fn pull_on_shared(pull_on_shared: fn(&ParamStore<f64>, &Tensor<f64>, Labels) -> [Vec<f64>; 2]) {
        let mut params = ParamStore::new();
        params.add("head b", Tensor::new([2, 1], vec![2.0, -1.0]));
        params.add("shared", Tensor::new([1, 2], vec![0.0, 0.0]));
        params.add("head a", Tensor::new([2, 1], vec![1.0, 1.0]));
        let texts = Tensor::new([3, 1], vec![1.0, 2.0, 4.0]);
        let labels: Labels = [&[Some(true), Some(false), None], &[None, None, Some(true)]];
        // All logits are 0, so p − y = ±½. A: (−½·1 + ½·2)/2 = ¼ times its head; B: −½·4 = −2 times its head.
        let [a, b] = pull_on_shared(&params, &texts, labels);
        assert_eq!(a, [0.25, 0.25]);
        assert_eq!(b, [-4.0, 2.0]);
    }

    pub fn lookahead_affinity(lookahead_affinity: fn(fn(&[f64]) -> f64, &[f64], &[f64], f64) -> f64) {
        // L = x² + 1 at x = 1, with gradient 2 for the task itself.
        let loss: fn(&[f64]) -> f64 = |at| at[0] * at[0] + 1.0;
        let close = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-12, "{found}, not {expected}");
        close(lookahead_affinity(loss, &[1.0], &[2.0], 0.5), 0.5);
        close(lookahead_affinity(loss, &[1.0], &[-2.0], 0.5), -1.5);
        close(lookahead_affinity(loss, &[1.0], &[0.0], 0.5), 0.0);
        // Small steps: η·gᵢ·g_j/L_j.
        let small = lookahead_affinity(loss, &[1.0], &[3.0], 1e-6);
        assert!((small / (1e-6 * 3.0 * 2.0 / 2.0) - 1.0).abs() < 1e-4, "{small}");
    }
}
