//! Validation: metrics on the held-out rows.

use super::{Predictor, Trainer};
use crate::Result;
use crate::mtl::evaluation::metrics::{Metrics, best_threshold};

/// The probabilities and labels of one task's held-out rows.
struct HeldOut {
    probabilities: Vec<f64>,
    truths: Vec<bool>,
}

impl Trainer<'_> {
    /// The metrics of each task on the held-out rows; none for a task without any.
    pub(super) fn validate(&self) -> Result<Vec<Option<Metrics>>> {
        let metrics = |HeldOut { probabilities, truths }: HeldOut| {
            (!truths.is_empty()).then(|| Metrics::new(&probabilities, &truths, self.settings.threshold))
        };
        Ok(self.held_out()?.into_iter().map(metrics).collect())
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
        Ok(self.held_out()?.into_iter().map(tuned).collect())
    }

    /// Each task's predictions on its held-out rows.
    fn held_out(&self) -> Result<Vec<HeldOut>> {
        let examples: Vec<_> = self.split.held_out.iter().map(|&row| &self.dataset.examples[row]).collect();
        let texts: Vec<&[u32]> = examples.iter().map(|example| &example.tokens[..]).collect();
        let vocabulary = self.dataset.encoder.vocabulary.len();
        let predicted = Predictor::new(&self.model, &self.params, vocabulary).probabilities(&texts);
        let of_task = |task: usize| {
            let labelled =
                examples.iter().zip(&predicted).filter_map(|(e, p)| e.labels[task].map(|label| (p[task], label)));
            let (probabilities, truths): (Vec<f64>, Vec<bool>) = labelled.unzip();
            if probabilities.iter().any(|p| p.is_nan()) {
                return Err(self.diverged(task, self.state.steps));
            }
            Ok(HeldOut { probabilities, truths })
        };
        (0..self.dataset.tasks.len()).map(of_task).collect()
    }
}
