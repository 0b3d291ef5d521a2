//! Exercises of chapter 3, checking gradients. Fill the gaps, then ask: `cargo exercise central_difference` (or `cube`, or
//! `blind_cotangent`).

use mtlcore::autograd::gradcheck::{Check, wave};
use mtlcore::autograd::{Ctx, Op, Tape, Var};
use mtlcore::tensor::Tensor;

/// f′(x), measured, with an error below 10⁻⁹ for a smooth f whose values are about 1.
pub fn central_difference(f: impl Fn(f64) -> f64, x: f64) -> f64 {
    todo!("choose h and measure")
}

/// x³, element by element, on the tape. It computes the right value, but there is a bug in its `backward`: the check says that the
/// gradient is wrong, and how far. Mend it.
pub fn cube(tape: &mut Tape<'_, f64>, x: Var) -> Var {
    let ([x_value], pool) = tape.operands([x]);
    let mut y = pool.copy(x_value);
    y.data_mut().iter_mut().for_each(|y| *y = y.powi(3));
    tape.record(Cube, &[x], y, [])
}

struct Cube;

impl Op<f64> for Cube {
    fn name(&self) -> &'static str {
        "cube"
    }

    fn backward(&self, ctx: &mut Ctx<'_, f64>) {
        let (dy, x) = (ctx.dy(), ctx.x(0));
        let Some(dx) = ctx.dx(0) else { return };
        for ((dx, &dy), &x) in dx.data_mut().iter_mut().zip(dy.data()).zip(x.data()) {
            *dx = 3.0 * x * x * dy;
        }
    }
}

/// A cotangent v of A·B, not zero, for which the left gradient v·Bᵀ and its transpose are the same: with it, a check would not notice
/// if somebody had transposed the gradient. B is any square matrix. (Which products M·Bᵀ are symmetric, whatever B is?)
pub fn blind_cotangent(b: &Tensor<f64>) -> Tensor<f64> {
    todo!("find v")
}

/// What must hold.
pub mod check {
    use super::*;

    pub fn central_difference(central_difference: fn(fn(f64) -> f64, f64) -> f64) {
        let cases: [(fn(f64) -> f64, f64, f64); 3] =
            [(f64::sin, 1.0, 1.0_f64.cos()), (f64::exp, 0.0, 1.0), (|x| x * x, -3.0, -6.0)];
        for (f, x, slope) in cases {
            let measured = central_difference(f, x);
            assert!((measured - slope).abs() < 1e-9, "at {x} the slope is {slope}, not {measured}");
        }
    }

    pub fn cube(cube: fn(&mut Tape<'_, f64>, Var) -> Var) {
        let alone = Check::new("cube", [("x", wave([2, 3], 1.0))], move |tape, [x]| cube(tape, x)).run();
        assert!(alone.passed(), "{alone:#?}");
        // x + x³: x is used twice.
        let used_twice = Check::new("x + cube", [("x", wave([2, 3], 1.0))], move |tape, [x]| {
            let cube = cube(tape, x);
            tape.add(x, cube)
        });
        let report = used_twice.run();
        assert!(report.passed(), "{report:#?}");
    }

    pub fn blind_cotangent(blind_cotangent: fn(&Tensor<f64>) -> Tensor<f64>) {
        for b in [Tensor::new([2, 2], vec![1.0, 2.0, 3.0, 4.0]), wave([4, 4], 1.0)] {
            let v = blind_cotangent(&b);
            assert_eq!(v.shape(), b.shape());
            assert!(v.data().iter().any(|v| v.abs() > 1e-3), "v is zero");
            let gradient = v.matrix().dot(&b.matrix().t());
            let off = (&gradient - &gradient.t()).iter().fold(0.0_f64, |largest, x| largest.max(x.abs()));
            assert!(off < 1e-12, "the gradient and its transpose differ by {off}");
        }
    }
}
