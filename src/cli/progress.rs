//! Progress bars, which show on a terminal only.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use mtlcore::mtl::{settings::Settings, training::Trainer};

/// The steps of a training, with each task's loss.
pub struct TrainingProgress {
    bar: ProgressBar,
    steps_per_epoch: usize,
    epochs: usize,
}

impl TrainingProgress {
    pub fn new(trainer: &Trainer<'_>, settings: &Settings) -> Self {
        let (steps_per_epoch, epochs) = (trainer.steps_per_epoch(), settings.epochs);
        let bar = ProgressBar::new((steps_per_epoch * epochs) as u64);
        let style = ProgressStyle::with_template("{prefix} {bar:30} {percent:>3} %  {per_sec}  {eta} left  {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.enable_steady_tick(Duration::from_millis(200));
        let mut progress = Self { bar, steps_per_epoch, epochs };
        progress.update(trainer);
        progress.bar.reset_eta();
        progress
    }

    /// Shows where the trainer is.
    pub fn update(&mut self, trainer: &Trainer<'_>) {
        let done = trainer.reports().len() * self.steps_per_epoch + trainer.steps_done();
        self.bar.set_position(done as u64);
        // Words are made for eyes only.
        if !self.bar.is_hidden() && done.is_multiple_of(16) {
            let epoch = (trainer.reports().len() + 1).min(self.epochs);
            self.bar.set_prefix(format!("epoch {epoch}/{}", self.epochs));
            let loss = |(task, loss): (&str, Option<f64>)| loss.map(|loss| format!("{task} {loss:.4}"));
            let losses: Vec<String> = trainer.running_losses().filter_map(loss).collect();
            if !losses.is_empty() {
                self.bar.set_message(format!("loss: {}", losses.join(", ")));
            }
        }
    }

    pub fn finish(self) {
        self.bar.finish_and_clear();
    }
}
