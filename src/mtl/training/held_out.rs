//! Validation: metrics on the held-out rows.

use std::ops::Range;

use super::{Predictor, Trainer, cut::part, prediction::probability};
use crate::Result;
use crate::mtl::evaluation::metrics::{Metrics, best_threshold};

/// The probabilities and labels of one task's held-out rows.
struct HeldOut {
    probabilities: Vec<f64>,
    truths: Vec<bool>,
}

impl Trainer<'_> {
    /// The metrics of each task on the held-out rows; none for a task without any. Each rank predicts a part of the rows.
    pub(super) fn validate(&mut self) -> Result<Vec<Option<Metrics>>> {
        let rows = self.split.held_out.len();
        let mut logits = self.logits(part(self.ranks.rank(), self.ranks.count(), rows));
        self.ranks.sum(&mut logits);
        let metrics = |HeldOut { probabilities, truths }: HeldOut| {
            (!truths.is_empty()).then(|| Metrics::new(&probabilities, &truths, self.settings.threshold))
        };
        Ok(self.held_out(&logits)?.into_iter().map(metrics).collect())
    }

    /// For each task the threshold with the best F1 of the true class on the held-out rows, with the parameters as they are now;
    /// none for a task without such rows.
    ///
    /// # Errors
    /// [`crate::Error::Diverged`] if a probability is not a number.
    pub fn tuned_thresholds(&self) -> Result<Vec<Option<f64>>> {
        let tuned = |HeldOut { probabilities, truths }: HeldOut| {
            (!truths.is_empty()).then(|| best_threshold(&probabilities, &truths))
        };
        let logits = self.logits(0..self.split.held_out.len());
        Ok(self.held_out(&logits)?.into_iter().map(tuned).collect())
    }

    /// Each task's logits on all held-out rows, `[rows, tasks]`: zero but for those of a part of them.
    fn logits(&self, part: Range<usize>) -> Vec<f32> {
        let tasks = self.dataset.tasks.len();
        let held_out = &self.split.held_out;
        let texts: Vec<&[u32]> =
            held_out[part.clone()].iter().map(|&row| &self.dataset.examples[row].tokens[..]).collect();
        let predictor = Predictor::new(&self.model, &self.params, self.dataset.encoder.vocabulary.len());
        let mut logits = vec![0.0; held_out.len() * tasks];
        let of_part = logits[part.start * tasks..].chunks_mut(tasks);
        of_part.zip(predictor.logits(&texts)).for_each(|(of_row, found)| of_row.copy_from_slice(&found));
        logits
    }

    /// Each task's predictions on its held-out rows.
    fn held_out(&self, logits: &[f32]) -> Result<Vec<HeldOut>> {
        let tasks = self.dataset.tasks.len();
        let examples: Vec<_> = self.split.held_out.iter().map(|&row| &self.dataset.examples[row]).collect();
        let of_task = |task: usize| {
            let predicted = examples.iter().zip(logits.chunks(tasks));
            let labelled = predicted.filter_map(|(e, z)| e.labels[task].map(|label| (probability(z[task]), label)));
            let (probabilities, truths): (Vec<f64>, Vec<bool>) = labelled.unzip();
            if probabilities.iter().any(|p| p.is_nan()) {
                return Err(self.diverged(task, self.state.steps));
            }
            Ok(HeldOut { probabilities, truths })
        };
        (0..tasks).map(of_task).collect()
    }
}
