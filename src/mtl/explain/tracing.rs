//! The tape of one text.

use serde::Serialize;

use super::{
    GivenLabel,
    subject::{self, Subject},
};
use crate::autograd::{Mode, Tape, Var, trace::TracedNode};
use crate::mtl::{run::Trained, settings::LossNormaliser};
use crate::tensor::Pool;
use crate::{Error, Result};

/// What to trace.
#[derive(Clone, Copy, Debug, Default)]
pub struct TraceOptions<'o> {
    /// The tasks to sweep back from, one sweep each; none for one sweep from the sum of all.
    pub tasks: &'o [String],
    /// Whether to record the readable compositions in place of the fused operations.
    pub reference: bool,
    /// Whether to keep all numbers.
    pub full: bool,
}

/// The tape of one text.
#[derive(Clone, Debug, Serialize)]
pub struct Trace {
    /// The text.
    pub text: String,
    /// Its tokens.
    pub tokens: Vec<super::Token>,
    /// What each sweep began from, as a person says it.
    pub sweeps: Vec<String>,
    /// The values in the order of the recording. Times are the shortest of several recordings.
    pub nodes: Vec<TracedNode>,
}

/// Tokens of a text that is traced, at most; a recording takes memory in proportion to them.
const MOST_TOKENS: usize = 100_000;
/// The same for a recording of small operations: one for each token whose gradient is as long as the text, so that memory grows with
/// the square.
const MOST_IN_SMALL_STEPS: usize = 500;

/// Recordings of which the shortest times are kept: the first ones still look for memory.
const ROUNDS: usize = 9;

/// Records `text` as training does, without dropout, and sweeps back: from the losses of the tasks for which there is a label, or,
/// without any label, from the logits.
///
/// # Errors
/// [`Error::Config`] for a text without tokens, or with too many; [`Error::Task`] for a task that the run does not have, two labels of one task, two
/// sweeps from one task, or a sweep from a task without a label when others have one.
pub fn trace(trained: &Trained, text: &str, labels: &[GivenLabel], options: TraceOptions<'_>) -> Result<Trace> {
    let slots = subject::slots(&trained.tasks, labels)?;
    let mut starts = Vec::new();
    for task in options.tasks {
        let slot = subject::slot_of(&trained.tasks, task)?;
        if slots[slot].is_none() && !labels.is_empty() {
            let message =
                "it has no label, so there is no loss to sweep back from; give all tasks of --task a label, or none";
            return Err(Error::task(task, message));
        }
        if starts.contains(&slot) {
            return Err(Error::task(task, "it is named twice; its sweep would stand beside itself"));
        }
        starts.push(slot);
    }
    let subject = Subject::new(trained, text)?;
    let (most, done) =
        if options.reference { (MOST_IN_SMALL_STEPS, "traced with `reference`") } else { (MOST_TOKENS, "traced") };
    subject.limit(most, done)?;
    let mut pool = Pool::new();
    let mut nodes = record(trained, &subject, &slots, &starts, options, &mut pool);
    for _ in 1..ROUNDS {
        let again = record(trained, &subject, &slots, &starts, TraceOptions { full: false, ..options }, &mut pool);
        for (node, again) in nodes.iter_mut().zip(again) {
            node.forward_ns = node.forward_ns.min(again.forward_ns);
            let times = node.backward_ns.iter_mut().zip(again.backward_ns);
            times.for_each(|(time, again)| *time = (*time).min(again));
        }
    }
    let what = if labels.is_empty() { "logit" } else { "loss" };
    let sweeps = match options.tasks {
        [] if labels.len() == 1 || (labels.is_empty() && trained.tasks.len() == 1) => {
            let task = labels.first().map_or(&trained.tasks[0], |(task, _)| task);
            vec![format!("{what} of {task}")]
        }
        [] => vec![format!("sum of the {}", if labels.is_empty() { "logits" } else { "losses" })],
        tasks => tasks.iter().map(|task| format!("{what} of {task}")).collect(),
    };
    Ok(Trace { text: text.into(), tokens: subject.tokens, sweeps, nodes })
}

fn record(
    trained: &Trained,
    subject: &Subject,
    labels: &[Option<bool>],
    starts: &[usize],
    options: TraceOptions<'_>,
    pool: &mut Pool<f32>,
) -> Vec<TracedNode> {
    let batch = subject.batch(labels);
    let mut tape = Tape::traced(&trained.params, pool, Mode::Evaluate, options.reference);
    let logits = trained.model.forward(&mut tape, &batch);
    let losses = trained.model.losses(&mut tape, &logits, &batch, LossNormaliser::Labelled);
    let start = |slot: usize| losses.tasks[slot].unwrap_or(logits[slot]);
    let starts: Vec<Var> = match (starts, losses.total) {
        ([], Some(total)) => vec![total],
        ([], None) => logits.iter().copied().reduce(|sum, logit| tape.add(sum, logit)).into_iter().collect(),
        (slots, _) => slots.iter().map(|&slot| start(slot)).collect(),
    };
    let sweeps: Vec<_> = starts.into_iter().map(|start| tape.backward_retaining(start)).collect();
    tape.trace(&sweeps, options.full)
}
