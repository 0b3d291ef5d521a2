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

/// The shares of a text's tokens in the logit of each task.
pub(super) fn attributions(trained: &Trained, subject: &Subject) -> Vec<Attribution> {
    let words = trained.model.embedding().weight;
    let mut params = subject.own_rows::<f64>(trained);
    params.ids().filter(|&id| id != words).for_each(|id| params.freeze(id));
    let batch = subject.batch_of_own_rows(&vec![None; trained.tasks.len()]);
    let x = params.value(words).clone(); // [N, E]
    let mut pool = Pool::new();
    let mut at = |alpha: f64| {
        *params.value_mut(words) = Tensor::from_fn(x.shape(), |i| alpha * x.data()[i]);
        let mut tape = Tape::new(&params, &mut pool, Mode::Evaluate);
        let logits = trained.model.forward(&mut tape, &batch);
        let values = logits.iter().map(|&logit| tape.value(logit).item()).collect();
        let shares = tape.backward_each(&logits).into_iter().map(|gradients| {
            let gradient = gradients.dense(words).expect("every task reads the words");
            (0..x.rows()).map(|n| x.row(n).iter().zip(gradient.row(n)).map(|(x, g)| x * g).sum()).collect()
        });
        Point { values, shares: shares.collect() }
    };
    let (text, baseline) = (at(1.0), at(0.0));
    let ends = text.shares.into_iter().zip(text.values.into_iter().zip(baseline.values));
    let of_task = |(integrated_gradients, (gradient_times_input, (logit, baseline_logit)))| Attribution {
        gradient_times_input,
        integrated_gradients,
        logit,
        baseline_logit,
    };
    integrate(at).into_iter().zip(ends).map(of_task).collect()
}
