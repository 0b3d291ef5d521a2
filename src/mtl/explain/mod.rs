//! What a trained network does with one text: forward through every layer, and each task's gradient back.
//!
//! [`explain`] gives the values and gradients at every place of the network as plain data; [`trace`] gives the tape itself. Both
//! record the text exactly as training does (without dropout), in `f32` and with the run's parameters, so that their numbers are
//! those of the training engine to the bit. Only the [`Attribution`]s, which are integrals, are computed in `f64`.

mod attribution;
mod corners;
mod places;
mod quadrature;
mod subject;
mod tracing;

pub use attribution::Attribution;
pub use places::{Agreement, Place, Pull, RowsOf, Windows};
pub use subject::{Token, TokenKind};
pub use tracing::{Trace, TraceOptions, trace};

use serde::Serialize;

use super::{run::Trained, settings::LossNormaliser};
use crate::autograd::{Mode, Tape};
use crate::tensor::{Pool, Real};
use crate::{Error, Result};
use subject::Subject;

/// A label that was given for a task.
pub type GivenLabel = (String, bool);

/// All about one text.
#[derive(Clone, Debug, Serialize)]
pub struct Explanation {
    /// The text.
    pub text: String,
    /// Its tokens as the network reads them, in order, padding included.
    pub tokens: Vec<Token>,
    /// How many tokens at its end were not read, since `max-length` ends before them.
    pub left_out: usize,
    /// What each task makes of it, in the model's order.
    pub tasks: Vec<ExplainedTask>,
    /// The places of the network in the order of the forward computation.
    pub places: Vec<Place>,
    /// How each task's gradient pulls on the parameters that all tasks share.
    pub pulls: Vec<Pull>,
}

/// What one task makes of a text.
#[derive(Clone, Debug, Serialize)]
pub struct ExplainedTask {
    /// Its name.
    pub name: String,
    /// Its head's bias and weights at work.
    pub head: HeadAtWork,
    /// z, what the head computes.
    pub logit: f32,
    /// 1 / (1 + e⁻ᶻ), as `predict` has it.
    pub probability: f64,
    /// Whether the probability is above the run's threshold.
    pub decision: bool,
    /// The label, if one was given.
    pub label: Option<bool>,
    /// The loss under this label.
    pub loss: Option<f32>,
    /// What all gradients of this task on the page are gradients of: its loss, or without a label its logit.
    pub gradient_of: GradientOf,
    /// Each token's share in the logit.
    pub attribution: Attribution,
}

/// What is differentiated.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum GradientOf {
    /// The task's loss.
    Loss,
    /// The task's logit: without a label there is no loss.
    Logit,
}

/// z = b + Σ wⱼ·sⱼ for the sentence vector s.
#[derive(Clone, Debug, Serialize)]
pub struct HeadAtWork {
    /// w, a number for each of the sentence vector.
    pub weights: Vec<f32>,
    /// b.
    pub bias: f32,
    /// wⱼ·sⱼ.
    pub contributions: Vec<f32>,
}

/// Tokens of a text that is explained, at most: time and the size of the page grow with them.
const MOST_TOKENS: usize = 10_000;

/// What `trained` does with `text`. With a label for a task, the task's gradients are those of its loss, else of its logit.
///
/// # Errors
/// [`Error::Config`] for a text without tokens, or with too many; [`Error::Task`] for a
/// label of a task that the run does not have, two labels of one task, or a task for which the network gives no number.
pub fn explain(trained: &Trained, text: &str, labels: &[GivenLabel]) -> Result<Explanation> {
    let labels = subject::slots(&trained.tasks, labels)?;
    let subject = Subject::new(trained, text)?;
    subject.limit(MOST_TOKENS, "explained")?;
    let batch = subject.batch(&labels);

    let mut pool = Pool::new();
    let mut tape = Tape::traced(&trained.params, &mut pool, Mode::Evaluate, false);
    let recorded = trained.model.record(&mut tape, &batch);
    for (task, &logit) in trained.tasks.iter().zip(&recorded.logits) {
        if !tape.value(logit).item().is_finite() {
            return Err(Error::task(task, "the network gives no number for this text; its weights are too large"));
        }
    }
    // One text has one label of a task or none, so the two normalisers agree.
    let losses = trained.model.losses(&mut tape, &recorded.logits, &batch, LossNormaliser::Labelled);
    let objectives = losses.tasks.iter().zip(&recorded.logits).map(|(loss, &logit)| loss.unwrap_or(logit));
    let sweeps: Vec<_> = objectives.map(|objective| tape.backward_retaining(objective)).collect();

    let words = subject.word_gradients(trained, &labels);
    let places = places::places(trained, &subject, &tape, &recorded, &sweeps, words);
    let pulls = places::pulls(trained, &sweeps);
    let sentence = tape.value(recorded.sentence).data();
    let heads = trained.model.heads().iter().zip(attribution::attributions(trained, &subject)?).enumerate();
    let tasks = heads.map(|(slot, (head, attribution))| {
        let weights = trained.params.value(head.dense.kernel).data().to_vec();
        let logit = tape.value(recorded.logits[slot]).item();
        let probability = logit.to_f64().sigmoid();
        let loss = losses.tasks[slot].map(|loss| tape.value(loss).item());
        ExplainedTask {
            name: head.task.clone(),
            head: HeadAtWork {
                bias: trained.params.value(head.dense.bias).item(),
                contributions: weights.iter().zip(sentence).map(|(w, s)| w * s).collect(),
                weights,
            },
            logit,
            probability,
            decision: probability > trained.settings.threshold,
            label: labels[slot],
            loss,
            gradient_of: if loss.is_some() { GradientOf::Loss } else { GradientOf::Logit },
            attribution,
        }
    });
    let tasks = tasks.collect();
    let Subject { tokens, left_out, .. } = subject;
    Ok(Explanation { text: text.into(), tokens, left_out, tasks, places, pulls })
}
