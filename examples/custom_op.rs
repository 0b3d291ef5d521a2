//! An operation of one's own, with its gradient proved: softplus, y = ln(1 + eˣ), dx = dy · σ(x).
//!
//! Run with `cargo run --example custom_op`.

use mtlcore::{
    autograd::{
        Ctx, Op, Tape, Var,
        gradcheck::{Check, Corruption, Fault, Place, wave},
    },
    tensor::Real,
};

struct Softplus;

/// ln(1 + eˣ), element by element.
fn softplus<F: Real>(tape: &mut Tape<'_, F>, x: Var) -> Var {
    let ([x_value], pool) = tape.operands([x]);
    let mut y = pool.copy(x_value);
    for y in y.data_mut() {
        // max(x, 0) + ln(1 + e^(−|x|)) does not overflow.
        *y = y.at_least(F::ZERO) + Real::exp(-Real::abs(*y)).ln_1p();
    }
    tape.record(Softplus, &[x], y, [])
}

impl<F: Real> Op<F> for Softplus {
    fn name(&self) -> &'static str {
        "softplus"
    }

    fn backward(&self, ctx: &mut Ctx<'_, F>) {
        let (dy, x) = (ctx.dy(), ctx.x(0));
        let Some(dx) = ctx.dx(0) else { return };
        for ((dx, &dy), &x) in dx.data_mut().iter_mut().zip(dy.data()).zip(x.data()) {
            *dx += dy * x.sigmoid();
        }
    }
}

/// Checks the operation, and that a planted bug would be noticed.
pub fn main() {
    let check = Check::new("softplus", [("x", wave([3, 4], 1.0))], |tape, [x]| softplus(tape, x));
    let report = check.run();
    println!("{}: largest relative error {:.1e}", report.name, report.worst());
    assert!(report.passed(), "{report:#?}");

    let bug = Fault { op: "softplus", place: Place::Gradient(0), corruption: Corruption::ForgetDerivative };
    let with_bug = check.run_with(&[bug]);
    println!("with its derivative forgotten: {:.1e}", with_bug.worst());
    assert!(!with_bug.passed());
}
