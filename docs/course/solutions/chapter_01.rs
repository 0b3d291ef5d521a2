//! Solutions of chapter 1.

use crate::scalar_tape::{Tape, Var};

/// d(xⁿ)/dx = n·xⁿ⁻¹.
pub fn power(tape: &mut Tape, x: Var, n: i32) -> Var {
    let value = tape.value(x);
    tape.record("power", value.powi(n), &[(x, f64::from(n) * value.powi(n - 1))])
}

/// The slope from the value.
pub fn logistic(tape: &mut Tape, x: Var) -> Var {
    let y = 1.0 / (1.0 + (-tape.value(x)).exp());
    tape.record("logistic", y, &[(x, y * (1.0 - y))])
}

/// The difference is used twice in its square: the tape adds both contributions.
pub fn square_root(a: f64) -> f64 {
    let mut x = 1.0;
    for _ in 0..500 {
        let mut tape = Tape::default();
        let [at, minus_a] = [x, -a].map(|number| tape.input(number));
        let square = tape.mul(at, at);
        let difference = tape.add(square, minus_a);
        let loss = tape.mul(difference, difference);
        x -= 0.02 * tape.backward(loss).of(at);
    }
    x
}
