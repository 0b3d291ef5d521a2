//! Solutions of chapter 2.

use mtlcore::autograd::{Tape, Var};
use mtlcore::tensor::Tensor;

/// The sums of the chapter, as they stand there.
pub fn product_gradients(a: &Tensor<f64>, b: &Tensor<f64>, dy: &Tensor<f64>) -> (Tensor<f64>, Tensor<f64>) {
    let (m, k, n) = (a.rows(), a.cols(), b.cols());
    let da = Tensor::from_fn([m, k], |at| (0..n).map(|j| dy.row(at / k)[j] * b.row(at % k)[j]).sum());
    let db = Tensor::from_fn([k, n], |at| (0..m).map(|i| a.row(i)[at / n] * dy.row(i)[at % n]).sum());
    (da, db)
}

/// Every row contributes.
pub fn bias_gradient(dy: &Tensor<f64>) -> Vec<f64> {
    (0..dy.cols()).map(|j| (0..dy.rows()).map(|i| dy.row(i)[j]).sum()).collect()
}

/// (1/n)·1ᵀ·(e∘e) with e = X·w − y.
pub fn squared_error(tape: &mut Tape<'_, f64>, x: Var, w: Var, y: Var) -> Var {
    let n = tape.shape(x).rows();
    let predicted = tape.matmul(x, w);
    let minus_y = tape.scale(y, -1.0);
    let error = tape.add(predicted, minus_y);
    let squares = tape.mul(error, error);
    let mean = tape.constant(Tensor::new([1, n], vec![1.0 / n as f64; n]));
    tape.matmul(mean, squares)
}
