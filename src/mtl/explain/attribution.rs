//! Each token's share in a logit.

use serde::Serialize;

use super::{
    quadrature::{Point, integrate},
    subject::Subject,
};
use crate::autograd::{Mode, Tape};
use crate::mtl::run::Trained;
use crate::tensor::{Pool, Tensor};

/// How much each token's vector x did for a task's logit z, in `f64`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Attribution {
    /// Gradient × input: x · ∂z/∂x, what the logit would lose if it went on falling as steeply as here while x shrinks to zeros.
    pub gradient_times_input: Vec<f64>,
    /// Integrated gradients (Sundararajan et al. 2017, equation 1) from the baseline of zero vectors: x · ∫₀¹ ∂z/∂x(αx) dα, where
    /// all words grow together. They add up to `logit − baseline_logit`.
    pub integrated_gradients: Vec<f64>,
    /// z of the text.
    pub logit: f64,
    /// z of a text of as many zero vectors.
    pub baseline_logit: f64,
}

impl Attribution {
    /// How far the integrated gradients are from adding up to what they should.
    pub fn gap(&self) -> f64 {
        self.integrated_gradients.iter().sum::<f64>() - (self.logit - self.baseline_logit)
    }
}

/// The shares of a text's tokens in the logit of the task in `slot`.
pub(super) fn attribute(trained: &Trained, subject: &Subject, slot: usize) -> Attribution {
    let id = trained.model.embedding().weight;
    let mut params = subject.own_rows::<f64>(trained);
    let batch = subject.batch_of_own_rows(&vec![None; trained.tasks.len()]);
    let x = params.value(id).clone(); // [N, E]
    let mut pool = Pool::new();
    let mut at = |alpha: f64| {
        *params.value_mut(id) = Tensor::from_fn(x.shape(), |i| alpha * x.data()[i]);
        let mut tape = Tape::new(&params, &mut pool, Mode::Evaluate);
        let logit = trained.model.forward(&mut tape, &batch)[slot];
        let value = tape.value(logit).item();
        let gradient = tape.backward(logit).dense(id).expect("every task reads the words");
        let dot = |n| x.row(n).iter().zip(gradient.row(n)).map(|(x, g)| x * g).sum();
        Point { value, shares: (0..x.rows()).map(dot).collect() }
    };
    let (text, baseline) = (at(1.0), at(0.0));
    Attribution {
        integrated_gradients: integrate(at),
        gradient_times_input: text.shares,
        logit: text.value,
        baseline_logit: baseline.value,
    }
}
