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

/// The units of a study.
pub struct StudyProgress(ProgressBar);

impl StudyProgress {
    pub fn new() -> Self {
        let bar = ProgressBar::new(0);
        let style = ProgressStyle::with_template("{pos}/{len} units {bar:30} {percent:>3} %  {per_sec}  {eta} left");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(bar)
    }

    /// Shows how many units are finished. Those of earlier times do not count in the rate.
    pub fn update(&self, done: usize, all: usize) {
        if self.0.length() != Some(all as u64) {
            self.0.set_length(all as u64);
            self.0.set_position(done as u64);
            self.0.reset_eta();
        }
        // Threads may report in another order than they finish in.
        self.0.set_position(self.0.position().max(done as u64));
    }

    /// Says something without tearing the bar.
    pub fn say(&self, line: &str) {
        self.0.suspend(|| crate::output::say(line));
    }

    pub fn finish(self) {
        self.0.finish_and_clear();
    }
}
