//! Inverted dropout (Srivastava et al. 2014): y = x ∘ mask, where each element of the mask is 0 with probability p and
//! 1/(1−p) otherwise, so that the mean stays; dx = dy ∘ mask. In evaluation y is x.

use crate::autograd::{
    Ctx, Flops, Mode, Op, Sizes, Tape, Var,
    gradcheck::{Check, wave},
};
use crate::tensor::{Real, Shape, Tensor, pointwise, split_mix, vectorised};

struct Dropout;

impl<F: Real> Tape<'_, F> {
    /// Sets elements of x `[rows, C]` to zero with probability `rate` and scales the others up, while training; each row's mask
    /// follows from its key in [`Mode::Train`] alone.
    ///
    /// # Panics
    /// If `rate` is not in [0, 1), or in training there is not one key a row.
    #[track_caller]
    pub fn dropout(&mut self, x: Var, rate: f64) -> Var {
        assert!((0.0..1.0).contains(&rate), "dropout: rate {rate} is not in [0, 1)");
        let Mode::Train { row_keys } = self.mode else { return x };
        if rate == 0.0 {
            return x;
        }
        let ([value], pool) = self.operands([x]);
        assert_eq!(value.rows(), row_keys.len(), "dropout: rows of {} and their keys", value.shape());
        let mut mask = pool.take(value.shape());
        draw_mask(&mut mask, row_keys, rate);
        let mut y = pool.zeros(value.shape());
        pointwise::add_product(y.data_mut(), value.data(), mask.data());
        self.record(Dropout, &[x], y, [mask])
    }
}

impl<F: Real> Op<F> for Dropout {
    fn name(&self) -> &'static str {
        "dropout"
    }

    fn flops(&self, sizes: &Sizes) -> Option<Flops> {
        Some(Flops { forward: sizes.value(), backward: 2 * sizes.value() * sizes.wanted(0) })
    }

    fn backward(&self, ctx: &mut Ctx<'_, F>) {
        let (dy, mask) = (ctx.dy(), ctx.saved(0));
        if let Some(dx) = ctx.dx(0) {
            pointwise::add_product(dx.data_mut(), dy.data(), mask.data());
        }
    }
}

fn draw_mask<F: Real>(mask: &mut Tensor<F>, row_keys: &[u64], rate: f64) {
    let kept = F::from_f64(1.0 / (1.0 - rate));
    row_keys.iter().enumerate().for_each(|(i, &key)| draw_row(mask.row_mut(i), key, rate, kept));
}

vectorised! {
    fn draw_row<F: Real>(row: &mut [F], key: u64, rate: f64, kept: F) {
        for (j, element) in row.iter_mut().enumerate() {
            // 53 random bits are a uniform number in [0, 1).
            let uniform = (split_mix(key, j as u64) >> 11) as f64 / (1_u64 << 53) as f64;
            *element = if uniform < rate { F::ZERO } else { kept };
        }
    }
}

/// What [`Tape::dropout`] computes, as a product with a constant: the mask is made apart, from the definition.
fn reference(tape: &mut Tape<'_, f64>, x: Var, rate: f64) -> Var {
    let Mode::Train { row_keys } = tape.mode() else { return x };
    let shape: Shape = tape.shape(x);
    let mask = Tensor::from_fn(shape, |i| {
        let uniform =
            (split_mix(row_keys[i / shape.cols()], (i % shape.cols()) as u64) >> 11) as f64 * 2.0_f64.powi(-53);
        if uniform < rate { 0.0 } else { 1.0 / (1.0 - rate) }
    });
    let mask = tape.constant(mask);
    tape.mul(x, mask)
}

pub(super) fn checks() -> Vec<Check> {
    vec![
        Check::new("dropout", [("x", wave([4, 5], 1.0))], |tape, [x]| tape.dropout(x, 0.25))
            .training(&[11, 22, 33, 44])
            .against(|tape, [x]| reference(tape, x, 0.25)),
        Check::new("dropout (input used twice)", [("x", wave([4, 5], 1.0))], |tape, [x]| {
            let y = tape.dropout(x, 0.25);
            tape.mul(x, y)
        })
        .training(&[11, 22, 33, 44])
        .against(|tape, [x]| {
            let y = reference(tape, x, 0.25);
            tape.mul(x, y)
        }),
        Check::new("dropout (evaluation)", [("x", wave([4, 5], 1.0))], |tape, [x]| {
            let y = tape.dropout(x, 0.25);
            tape.scale(y, 1.0)
        })
        .against(|tape, [x]| tape.scale(x, 1.0)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::ParamStore;
    use crate::tensor::Pool;

    #[test]
    fn the_mean_stays_and_the_share_of_zeros_is_the_rate() {
        let keys: Vec<u64> = (0..1_000).map(|i| split_mix(7, i)).collect();
        let mut mask = Tensor::<f64>::zeros([1_000, 100]);
        draw_mask(&mut mask, &keys, 0.25);
        let mean = mask.data().iter().sum::<f64>() / 1e5;
        let zeros = mask.data().iter().filter(|&&m| m == 0.0).count() as f64 / 1e5;
        assert!((mean - 1.0).abs() < 0.01 && (zeros - 0.25).abs() < 0.01, "mean {mean}, zeros {zeros}");
    }

    #[test]
    fn a_rows_mask_does_not_depend_on_the_other_rows() {
        let mask_of = |keys: &[u64]| {
            let (params, mut pool) = (ParamStore::<f32>::new(), Pool::new());
            let mut tape = Tape::new(&params, &mut pool, Mode::Train { row_keys: keys });
            let x = tape.constant(Tensor::from_fn([keys.len(), 8], |_| 1.0));
            let y = tape.dropout(x, 0.5);
            tape.value(y).clone()
        };
        assert_eq!(mask_of(&[5, 9]).row(1), mask_of(&[9, 1, 2]).row(0));
    }
}
