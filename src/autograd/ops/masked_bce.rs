//! Binary cross-entropy from logits, where some labels are missing:
//! ℓ = Σ over labelled i of (softplus(zᵢ) − yᵢ·zᵢ) / denominator, dzᵢ = (σ(zᵢ) − yᵢ) / denominator · dℓ, and 0 where the label is
//! missing.

use std::sync::Arc;

use crate::autograd::{
    Ctx, Flops, Op, Sizes, Tape, Var,
    gradcheck::{Check, wave},
};
use crate::tensor::{Real, Tensor};

struct MaskedBce<F> {
    labels: Arc<[Option<bool>]>,
    denominator: F,
}

impl<F: Real> Tape<'_, F> {
    /// The summed binary cross-entropy of the labelled rows, divided by `denominator`, as a single number. What the denominator
    /// is — labelled rows or all rows of the batch — is the caller's choice of normaliser.
    ///
    /// # Panics
    /// If there is not one logit a label, or the denominator is not positive.
    #[track_caller]
    pub fn masked_bce(&mut self, logits: Var, labels: impl Into<Arc<[Option<bool>]>>, denominator: F) -> Var {
        let labels = labels.into();
        let z = self.value(logits);
        assert_eq!(z.data().len(), labels.len(), "masked_bce: logits of shape {} and labels", z.shape());
        assert!(denominator > F::ZERO, "masked_bce: denominator {denominator} is not positive");
        let sum: F = labelled(&labels).map(|(i, y)| cross_entropy(z.data()[i], y)).sum();
        let mut loss = self.pool.take([]);
        loss.data_mut()[0] = sum / denominator;
        self.record(MaskedBce { labels, denominator }, &[logits], loss, [])
    }
}

impl<F: Real> Op<F> for MaskedBce<F> {
    fn name(&self) -> &'static str {
        "masked_bce"
    }

    fn flops(&self, sizes: &Sizes) -> Option<Flops> {
        Some(Flops {
            forward: 8 * labelled(&self.labels).count() as u64 + 1,
            backward: 4 * labelled(&self.labels).count() as u64 * sizes.wanted(0) + 1,
        })
    }

    fn backward(&self, ctx: &mut Ctx<'_, F>) {
        let (dy, z) = (ctx.dy().item() / self.denominator, ctx.x(0));
        let Some(dz) = ctx.dx(0) else { return };
        for (i, y) in labelled(&self.labels) {
            let target = if y { F::ONE } else { F::ZERO };
            dz.data_mut()[i] += dy * (z.data()[i].sigmoid() - target);
        }
    }
}

fn labelled(labels: &[Option<bool>]) -> impl Iterator<Item = (usize, bool)> + '_ {
    labels.iter().enumerate().filter_map(|(i, label)| label.map(|y| (i, y)))
}

/// softplus(z) − y·z, without overflow: max(z, 0) − y·z + ln(1 + e^(−|z|)).
fn cross_entropy<F: Real>(z: F, y: bool) -> F {
    let linear = if y { (-z).at_least(F::ZERO) } else { z.at_least(F::ZERO) };
    linear + Real::exp(-Real::abs(z)).ln_1p()
}

/// What [`Tape::masked_bce`] computes at these logits, from the textbook's formulas in p = σ(z): the plane that touches it,
/// ℓ + ⟨∂ℓ/∂z, z − z₀⟩, which has its value and its gradient there.
fn reference(tape: &mut Tape<'_, f64>, z: Var, labels: &[Option<bool>], denominator: f64) -> Var {
    let z0 = tape.value(z).clone();
    let (mut loss, mut slopes) = (0.0, Tensor::zeros([1, labels.len()]));
    for (i, (label, z)) in labels.iter().zip(z0.data()).enumerate() {
        let p = 1.0 / (1.0 + (-z).exp());
        let (part, slope) = match label {
            None => (0.0, 0.0),
            Some(true) => (-p.ln(), p - 1.0),
            Some(false) => (-(1.0 - p).ln(), p),
        };
        loss += part / denominator;
        slopes.data_mut()[i] = slope / denominator;
    }
    let rest: f64 = loss - slopes.data().iter().zip(z0.data()).map(|(slope, z)| slope * z).sum::<f64>();
    let (slopes, rest) = (tape.constant(slopes), tape.constant(Tensor::new([1, 1], vec![rest])));
    let linear = tape.matmul(slopes, z);
    tape.add(linear, rest)
}

pub(super) fn checks() -> Vec<Check> {
    const SOME: [Option<bool>; 5] = [Some(true), None, Some(false), None, Some(true)];
    vec![
        Check::new("masked_bce", [("z", wave([5, 1], 2.0))], |tape, [z]| tape.masked_bce(z, SOME, 3.0))
            .against(|tape, [z]| reference(tape, z, &SOME, 3.0)),
        Check::new("masked_bce (no label)", [("z", wave([5, 1], 2.0))], |tape, [z]| tape.masked_bce(z, [None; 5], 5.0))
            .against(|tape, [z]| reference(tape, z, &[None; 5], 5.0)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::{Mode, ParamStore};
    use crate::tensor::{Pool, Tensor};

    /// Loss and gradient for the given logits.
    fn loss(logits: &[f64], labels: &[Option<bool>], denominator: f64) -> (f64, Vec<f64>) {
        let mut params = ParamStore::new();
        let z = params.add("z", Tensor::new([logits.len()], logits.to_vec()));
        let mut pool = Pool::new();
        let mut tape = Tape::new(&params, &mut pool, Mode::Evaluate);
        let on_tape = tape.param(z);
        let loss = tape.masked_bce(on_tape, labels, denominator);
        let value = tape.value(loss).item();
        (value, tape.backward(loss).dense(z).unwrap().into_data())
    }

    #[test]
    fn the_two_normalisers_differ_by_the_share_of_labelled_rows() {
        // One labelled row of four with ℓ = 0.8: softplus(z) = 0.8 for z = ln(e^0.8 − 1).
        let z = (0.8_f64.exp() - 1.0).ln();
        let labels = [None, Some(false), None, None];
        approx::assert_relative_eq!(loss(&[1.0, z, 2.0, 3.0], &labels, 4.0).0, 0.2, max_relative = 1e-12);
        approx::assert_relative_eq!(loss(&[1.0, z, 2.0, 3.0], &labels, 1.0).0, 0.8, max_relative = 1e-12);
    }

    #[test]
    fn a_missing_label_has_a_gradient_of_exactly_zero() {
        let (_, gradient) = loss(&[0.3, -0.2, 5.0], &[Some(true), None, Some(false)], 2.0);
        assert_eq!(gradient[1], 0.0);
        assert!(gradient[0] < 0.0 && gradient[2] > 0.0);
        assert_eq!(loss(&[0.3, -0.2], &[None, None], 2.0), (0.0, vec![0.0, 0.0]));
    }

    #[test]
    fn large_logits_neither_overflow_nor_lose_the_gradient() {
        let (value, gradient) = loss(&[1000.0, -1000.0], &[Some(false), Some(true)], 1.0);
        assert_eq!(value, 2000.0);
        assert_eq!(gradient, [1.0, -1.0]);
    }
}
