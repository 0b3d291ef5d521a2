//! Exercises of chapter 2, the gradient of a matrix product. Fill the gaps, then ask: `cargo exercise product_gradients` (or
//! `bias_gradient`, or `squared_error`).

use mtlcore::autograd::gradcheck::{Check, wave};
use mtlcore::autograd::{Tape, Var};
use mtlcore::tensor::Tensor;

/// dA and dB of Y = A·B, from A, B and dY, element by element and without a matrix product. `a.row(i)[k]` is an element, and
/// `Tensor::from_fn([rows, cols], |at| …)` makes a tensor whose element in row `at / cols` and column `at % cols` is what you say.
pub fn product_gradients(a: &Tensor<f64>, b: &Tensor<f64>, dy: &Tensor<f64>) -> (Tensor<f64>, Tensor<f64>) {
    todo!("da[i, k] = Σⱼ dy[i, j]·b[k, j] and db[k, j] = Σᵢ a[i, k]·dy[i, j]")
}

/// db of a bias b that was added to every row of Y, from dY `[rows, cols]`: as many numbers as Y has columns.
pub fn bias_gradient(dy: &Tensor<f64>) -> Vec<f64> {
    todo!("the sum of the rows")
}

/// The mean squared error of a linear model, (1/n)·Σ (x·w − y)², for X `[n, k]`, w `[k, 1]` and y `[n, 1]`: a single number on the
/// tape. Use `matmul`, `scale`, `add`, `mul` and, to sum up n numbers, a product with a row of ones.
pub fn squared_error(tape: &mut Tape<'_, f64>, x: Var, w: Var, y: Var) -> Var {
    todo!("compose the loss")
}

/// What must hold.
pub mod check {
    use super::*;

    type Tensors = (Tensor<f64>, Tensor<f64>);

    pub fn product_gradients(product_gradients: fn(&Tensor<f64>, &Tensor<f64>, &Tensor<f64>) -> Tensors) {
        let (a, b, dy) = (wave([2, 3], 1.0), wave([3, 4], 2.0), wave([2, 4], 3.0));
        let (da, db) = product_gradients(&a, &b, &dy);
        assert_eq!((da.shape(), db.shape()), (a.shape(), b.shape()), "a gradient has the shape of its tensor");
        let close =
            |ours: &Tensor<f64>, theirs: Vec<f64>| ours.data().iter().zip(theirs).all(|(a, b)| (a - b).abs() < 1e-12);
        assert!(close(&da, dy.matrix().dot(&b.matrix().t()).iter().copied().collect()), "dA is not dY·Bᵀ");
        assert!(close(&db, a.matrix().t().dot(&dy.matrix()).iter().copied().collect()), "dB is not Aᵀ·dY");
    }

    pub fn bias_gradient(bias_gradient: fn(&Tensor<f64>) -> Vec<f64>) {
        let dy = Tensor::new([3, 2], vec![1.0, 10.0, 2.0, 20.0, 3.0, 30.0]);
        assert_eq!(bias_gradient(&dy), [6.0, 60.0]);
    }

    pub fn squared_error(squared_error: fn(&mut Tape<'_, f64>, Var, Var, Var) -> Var) {
        let mut params = mtlcore::autograd::ParamStore::new();
        let w = params.add("w", Tensor::new([2, 1], vec![1.0, -1.0]));
        let mut pool = mtlcore::tensor::Pool::new();
        let mut tape = Tape::new(&params, &mut pool, mtlcore::autograd::Mode::Evaluate);
        let x = tape.constant(Tensor::new([3, 2], vec![1.0, 0.0, 0.0, 1.0, 2.0, 2.0]));
        let y = tape.constant(Tensor::new([3, 1], vec![0.0, 1.0, 3.0]));
        let w_on_tape = tape.param(w);
        let loss = squared_error(&mut tape, x, w_on_tape, y);
        // The errors x·w − y are 1, −2, −3: their squares' mean is 14/3, and its gradient 2/3·Xᵀ·error = 2/3·(−5, −8).
        let value = tape.value(loss).item();
        assert!((value - 14.0 / 3.0).abs() < 1e-12, "the loss is {value}");
        let gradient = tape.backward(loss).dense(w).expect("the loss depends on w");
        for (ours, theirs) in gradient.data().iter().zip([-10.0 / 3.0, -16.0 / 3.0]) {
            assert!((ours - theirs).abs() < 1e-12, "the gradient is {gradient:?}");
        }
    }
}
