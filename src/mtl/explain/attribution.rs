//! Each token's share in a logit.

use serde::Serialize;

use super::{
    corners::corners,
    quadrature::{Line, Sample, integrate},
    subject::Subject,
};
use crate::autograd::{Mode, ParamStore, Tape};
use crate::mtl::{model::Recorded, run::Trained};
use crate::tensor::{Pool, Tensor};
use crate::{Error, Result};

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
///
/// # Errors
/// [`Error::Config`] if the integrals do not settle.
pub(super) fn attributions(trained: &Trained, subject: &Subject) -> Result<Vec<Attribution>> {
    let words = trained.model.embedding().weight;
    let mut params = subject.own_rows::<f64>(trained);
    params.ids().filter(|&id| id != words).for_each(|id| params.freeze(id));
    let vectors = params.value(words).clone();
    let mut growing = Growing { trained, subject, params, vectors, pool: Pool::new() };
    let [baseline, text] = [0.0, 1.0].map(|alpha| growing.sample(&[alpha]).remove(0).values);
    let derivatives = growing.derivatives(&[1.0]).remove(0);
    let ends = derivatives.into_iter().zip(text.into_iter().zip(baseline));
    let of_task = |(integrated_gradients, (gradient_times_input, (logit, baseline_logit)))| Attribution {
        gradient_times_input,
        integrated_gradients,
        logit,
        baseline_logit,
    };
    let unsettled = || {
        Error::config("text", "the shares of its tokens do not settle; the network's weights are too large for them")
    };
    Ok(integrate(&mut growing).ok_or_else(unsettled)?.into_iter().zip(ends).map(of_task).collect())
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
    fn record(&mut self, alphas: &[f64]) -> (Tape<'_, f64>, Recorded) {
        let batch = self.subject.batch_of_own_rows(alphas.len(), &vec![None; self.trained.tasks.len()]);
        let shape = [alphas.len() * self.vectors.rows(), self.vectors.cols()];
        let grown = alphas.iter().flat_map(|alpha| self.vectors.data().iter().map(move |x| alpha * x)).collect();
        *self.params.value_mut(self.trained.model.embedding().weight) = Tensor::new(shape, grown);
        let mut tape = Tape::new(&self.params, &mut self.pool, Mode::Evaluate);
        let recorded = self.trained.model.record(&mut tape, &batch);
        (tape, recorded)
    }
}

impl Line for Growing<'_> {
    fn sample(&mut self, alphas: &[f64]) -> Vec<Sample> {
        let trained = self.trained;
        let (mut tape, recorded) = self.record(alphas);
        let corners = corners(trained.model.shared(), &mut tape, &recorded, alphas.len());
        let samples = alphas.iter().zip(corners).enumerate().map(|(text, (&alpha, corners))| {
            let values = recorded.logits.iter().map(|&logit| tape.value(logit).data()[text]).collect();
            Sample { alpha, values, corners }
        });
        samples.collect()
    }

    fn derivatives(&mut self, alphas: &[f64]) -> Vec<Vec<Vec<f64>>> {
        let words = self.trained.model.embedding().weight;
        let (mut tape, recorded) = self.record(alphas);
        // No text has a part in another's logit, so the gradient of their sum has the gradient of each in its own rows.
        let ones = tape.constant(Tensor::from_fn([1, alphas.len()], |_| 1.0));
        let sums: Vec<_> = recorded.logits.iter().map(|&logit| tape.matmul(ones, logit)).collect();
        let gradients = tape.backward_each(&sums);
        let gradients =
            gradients.into_iter().map(|gradients| gradients.dense(words).expect("every task reads the words"));
        let gradients: Vec<Tensor<f64>> = gradients.collect(); // [texts · N, E] each
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum();
        let tokens = self.vectors.rows();
        let share = |gradient: &Tensor<f64>, text, n| dot(self.vectors.row(n), gradient.row(text * tokens + n));
        let shares = |text| gradients.iter().map(move |g| (0..tokens).map(|n| share(g, text, n)).collect()).collect();
        (0..alphas.len()).map(shares).collect()
    }
}
