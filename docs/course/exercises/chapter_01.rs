//! Exercises of chapter 1, a scalar tape. Fill the gaps, then ask: `cargo exercise power` (or `logistic`, or `square_root`).

use crate::scalar_tape::{Tape, Var};

/// Records xⁿ for n ≥ 1, as **one** line of the tape: see how `mul` and `tanh` do it in `examples/scalar_tape.rs`.
pub fn power(tape: &mut Tape, x: Var, n: i32) -> Var {
    todo!("record the value xⁿ with its slope")
}

/// Records 1/(1 + e⁻ˣ). With y the value, the slope is y·(1 − y): no second exponential is needed.
pub fn logistic(tape: &mut Tape, x: Var) -> Var {
    todo!("record the value and its slope")
}

/// √a for a between 1 and 4, found by gradient descent: start from x = 1 and repeat x ← x − 0.02 · dL/dx with L = (x² − a)²,
/// 500 times. Each round needs a tape of its own.
pub fn square_root(a: f64) -> f64 {
    todo!("walk downhill")
}

/// What must hold.
pub mod check {
    use super::*;

    pub fn power(power: fn(&mut Tape, Var, i32) -> Var) {
        for (x, n, value, slope) in [(2.0, 3, 8.0, 12.0), (-1.5, 2, 2.25, -3.0), (7.0, 1, 7.0, 1.0), (0.0, 4, 0.0, 0.0)]
        {
            let mut tape = Tape::default();
            let x = tape.input(x);
            let y = power(&mut tape, x, n);
            assert_eq!(tape.value(y), value, "the value for n = {n}");
            assert_eq!(tape.backward(y).of(x), slope, "the gradient for n = {n}");
        }
    }

    pub fn logistic(logistic: fn(&mut Tape, Var) -> Var) {
        let mut tape = Tape::default();
        let x = tape.input(3.0_f64.ln());
        let y = logistic(&mut tape, x);
        // e^(−ln 3) = 1/3, so y = 3/4 and its slope 3/16. It is used twice, in y·y, whose derivative is 2·y·y′.
        let square = tape.mul(y, y);
        assert!((tape.value(y) - 0.75).abs() < 1e-15, "the value is {}", tape.value(y));
        let gradients = tape.backward(square);
        assert!((gradients.of(x) - 2.0 * 0.75 * 0.1875).abs() < 1e-15, "the gradient is {}", gradients.of(x));
    }

    pub fn square_root(square_root: fn(f64) -> f64) {
        for a in [1.0, 2.0, 3.0, 4.0_f64] {
            let root = square_root(a);
            assert!((root - a.sqrt()).abs() < 1e-6, "the root of {a} is {}, not {root}", a.sqrt());
        }
    }
}
