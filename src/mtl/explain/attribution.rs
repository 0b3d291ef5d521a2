//! Each token's share in a logit.

use serde::Serialize;

use super::{
    maxima::maxima,
    quadrature::{Line, Look, integrate},
    subject::Subject,
};
use crate::autograd::{Mode, ParamStore, Tape};
use crate::mtl::{model::Recorded, run::Trained};
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
    let vectors = params.value(words).clone();
    let mut growing = Growing { trained, subject, params, vectors, pool: Pool::new() };
    let (text, baseline) = (growing.look(1.0).values, growing.look(0.0).values);
    let ends = growing.shares(&[(1.0, 1.0)]).into_iter().zip(text.into_iter().zip(baseline));
    let of_task = |(integrated_gradients, (gradient_times_input, (logit, baseline_logit)))| Attribution {
        gradient_times_input,
        integrated_gradients,
        logit,
        baseline_logit,
    };
    integrate(&mut growing).into_iter().zip(ends).map(of_task).collect()
}

/// The logits of a text whose word vectors x all grow together, as α·x.
struct Growing<'t> {
    trained: &'t Trained,
    subject: &'t Subject,
    /// All are frozen but the words.
    params: ParamStore<f64>,
    /// x, `[N, E]`.
    vectors: Tensor<f64>,
    pool: Pool<f64>,
}

impl Growing<'_> {
    /// A recording of one text for each α.
    fn record(&mut self, alphas: impl ExactSizeIterator<Item = f64>) -> (Tape<'_, f64>, Recorded) {
        let batch = self.subject.batch_of_own_rows(alphas.len(), &vec![None; self.trained.tasks.len()]);
        let shape = [alphas.len() * self.vectors.rows(), self.vectors.cols()];
        let grown = alphas.flat_map(|alpha| self.vectors.data().iter().map(move |x| alpha * x)).collect();
        *self.params.value_mut(self.trained.model.embedding().weight) = Tensor::new(shape, grown);
        let mut tape = Tape::new(&self.params, &mut self.pool, Mode::Evaluate);
        let recorded = self.trained.model.record(&mut tape, &batch);
        (tape, recorded)
    }
}

impl Line for Growing<'_> {
    fn look(&mut self, alpha: f64) -> Look {
        let trained = self.trained;
        let (mut tape, recorded) = self.record(std::iter::once(alpha));
        let values = recorded.logits.iter().map(|&logit| tape.value(logit).item()).collect();
        let maxima = maxima(trained.model.shared(), &mut tape, &recorded);
        Look { alpha, values, maxima }
    }

    fn shares(&mut self, nodes: &[(f64, f64)]) -> Vec<Vec<f64>> {
        let words = self.trained.model.embedding().weight;
        let weights = Tensor::new([1, nodes.len()], nodes.iter().map(|node| node.1).collect());
        let (mut tape, recorded) = self.record(nodes.iter().map(|node| node.0));
        let weights = tape.constant(weights);
        let sums: Vec<_> = recorded.logits.iter().map(|&logit| tape.matmul(weights, logit)).collect();
        let gradients = tape.backward_each(&sums);
        let shares = gradients.into_iter().map(|gradients| {
            let gradient = gradients.dense(words).expect("every task reads the words"); // [nodes · N, E]
            let mut shares = vec![0.0; self.vectors.rows()];
            for row in 0..gradient.rows() {
                let n = row % shares.len();
                shares[n] += self.vectors.row(n).iter().zip(gradient.row(row)).map(|(x, g)| x * g).sum::<f64>();
            }
            shares
        });
        shares.collect()
    }
}
