//! How far a training or a study has come: a bar on a terminal, plain lines elsewhere (a file, a cluster's log).

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};
use mtlcore::mtl::{
    settings::Settings,
    study::process_name,
    training::{EpochReport, TaskReport, Trainer},
};

use crate::output::{self, Verbosity};

/// Where there is no bar, this much time passes at most between two lines while something is being done.
const SILENCE: Duration = Duration::from_secs(60);

/// Lines that tell of a study without a bar, unless one is due after [`SILENCE`].
const LINES_OF_A_STUDY: usize = 20;

/// The steps and epochs of a training, with each task's loss.
pub struct TrainingProgress {
    bar: ProgressBar,
    steps_per_epoch: usize,
    epochs: usize,
    may_stop_early: bool,
    pace: Pace,
    last_line: Instant,
}

impl TrainingProgress {
    pub fn new(trainer: &Trainer<'_>, settings: &Settings) -> Self {
        let (steps_per_epoch, epochs) = (trainer.steps_per_epoch(), settings.epochs);
        let bar = bar("{prefix}  {bar:20} {percent:>3} %  {eta} left  {wide_msg}");
        bar.set_length((steps_per_epoch * epochs) as u64);
        let may_stop_early = settings.patience > 0;
        let pace = Pace { begun: Instant::now(), before: position(trainer, steps_per_epoch) };
        let mut progress = Self { bar, steps_per_epoch, epochs, may_stop_early, pace, last_line: Instant::now() };
        progress.update(trainer);
        progress.bar.reset_eta();
        progress.bar.enable_steady_tick(Duration::from_millis(200));
        progress
    }

    /// Shows where the trainer is.
    pub fn update(&mut self, trainer: &Trainer<'_>) {
        let done = position(trainer, self.steps_per_epoch);
        self.bar.set_position(done as u64);
        let epoch = (trainer.reports().len() + 1).min(self.epochs);
        if self.bar.is_hidden() {
            if self.last_line.elapsed() >= SILENCE {
                let percent = 100 * trainer.steps_done() / self.steps_per_epoch;
                self.line(&format!("epoch {epoch} of {}: {percent} % of its steps{}", self.epochs, self.left(done)));
            }
        } else if done.is_multiple_of(16) {
            self.bar.set_prefix(format!("epoch {epoch}/{}", self.epochs));
            let loss = |(task, loss): (&str, Option<f64>)| loss.map(|loss| format!("{task} {loss:.4}"));
            let losses: Vec<String> = trainer.running_losses().filter_map(loss).collect();
            if !losses.is_empty() {
                self.bar.set_message(format!("loss: {}", losses.join(", ")));
            }
        }
    }

    /// A line for an epoch that is done: each task's loss on the rows learnt from and on those held out.
    pub fn epoch(&mut self, trainer: &Trainer<'_>, report: &EpochReport) {
        let loss = |(task, TaskReport { loss, validation }): (&String, &TaskReport)| match validation {
            Some(held_out) => format!("{task} {loss:.4} (held out {:.4})", held_out.log_loss),
            None => format!("{task} {loss:.4}"),
        };
        let losses: Vec<String> = report.tasks.iter().map(loss).collect();
        let best = match trainer.best_epoch() {
            Some(best) if best == report.epoch => "; the best so far".into(),
            Some(best) => format!("; the best is epoch {best}"),
            None => String::new(),
        };
        let left = self.left(position(trainer, self.steps_per_epoch));
        self.line(&format!("epoch {} of {}: loss {}{best}{left}", report.epoch, self.epochs, losses.join(", ")));
    }

    pub fn finish(self) {
        self.bar.finish_and_clear();
    }

    fn line(&mut self, line: &str) {
        self.bar.suspend(|| output::say(line));
        self.last_line = Instant::now();
    }

    fn left(&self, done: usize) -> String {
        let at_most = if self.may_stop_early { "at most " } else { "" };
        let left = self.pace.left(done, self.steps_per_epoch * self.epochs);
        left.map_or(String::new(), |left| format!("; {at_most}{left} left"))
    }
}

/// Steps of all epochs that are done.
fn position(trainer: &Trainer<'_>, steps_per_epoch: usize) -> usize {
    trainer.reports().len() * steps_per_epoch + trainer.steps_done()
}

/// The units of a study.
pub struct StudyProgress {
    bar: ProgressBar,
    /// `host.pid` in a scheduler's job, whose log has a line a unit.
    process: Option<String>,
    state: Mutex<Option<StudyState>>,
}

/// Of the phase that a study is in: its units, or those of its curves.
struct StudyState {
    all: usize,
    done: usize,
    pace: Pace,
    /// Units that were done when the last line was written, and when that was.
    last_line: (usize, Instant),
}

impl StudyProgress {
    pub fn new() -> Self {
        let bar = bar("{pos} of {len} units  {bar:20} {percent:>3} %  {eta} left");
        let process = (bar.is_hidden() && std::env::var_os("SLURM_JOB_ID").is_some()).then(process_name);
        Self { bar, process, state: Mutex::new(None) }
    }

    /// Shows how many units are finished. Those of earlier times do not count in the rate.
    pub fn update(&self, done: usize, all: usize) {
        if all == 0 {
            return; // nothing is to be done, so there is nothing to show
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(state) = state.as_mut().filter(|state| state.all == all) else {
            let now = Instant::now();
            *state = Some(StudyState { all, done, pace: Pace { begun: now, before: done }, last_line: (done, now) });
            self.bar.set_length(all as u64);
            self.bar.set_position(done as u64);
            self.bar.reset_eta();
            self.bar.enable_steady_tick(Duration::from_millis(200));
            return;
        };
        // Threads may report in another order than they finish in.
        state.done = state.done.max(done);
        self.bar.set_position(state.done as u64);
        if self.process.is_none() && self.bar.is_hidden() && state.is_line_due() {
            state.last_line = (state.done, Instant::now());
            let left = state.pace.left(state.done, all).map_or(String::new(), |left| format!("; {left} left"));
            output::say(format!("{} of {} units{left}", output::count(state.done), output::count(all)));
        }
    }

    /// A line for a unit that this process has finished, in a job's log: which process of which host, and what is left.
    pub fn finished(&self, unit: &str, seconds: f64) {
        if let Some(process) = &self.process {
            let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let (done, all) = state.as_ref().map_or((0, 0), |state| (state.done + 1, state.all));
            let left = state.as_ref().and_then(|state| state.pace.left(done, all));
            let left = left.map_or(String::new(), |left| format!("; {left} left"));
            output::say(format!("[{process}] {done}/{all} {unit} {seconds:.1} s{left}"));
        }
    }

    /// Says something without tearing the bar.
    pub fn say(&self, line: &str) {
        self.bar.suspend(|| output::say(line));
    }

    pub fn finish(self) {
        self.bar.finish_and_clear();
    }
}

impl StudyState {
    fn is_line_due(&self) -> bool {
        let (before, when) = self.last_line;
        let units = match output::verbosity() {
            Verbosity::Verbose => 1,
            _ => self.all.div_ceil(LINES_OF_A_STUDY),
        };
        self.done > before && (self.done - before >= units || self.done == self.all || when.elapsed() >= SILENCE)
    }
}

/// How fast something goes that is done in equal parts.
struct Pace {
    begun: Instant,
    /// Parts that were done at that time.
    before: usize,
}

impl Pace {
    /// How long the rest takes, if anything is known of it and there is a rest.
    fn left(&self, done: usize, all: usize) -> Option<String> {
        let (new, rest) = (done.saturating_sub(self.before), all.saturating_sub(done));
        let known = new > 0 && rest > 0;
        let left = || self.begun.elapsed().mul_f64(rest as f64 / new as f64).max(Duration::from_secs(1));
        known.then(|| format!("{:#}", HumanDuration(left())))
    }
}

/// A bar on standard error, which shows on a terminal only and not before there is something to show.
fn bar(template: &str) -> ProgressBar {
    let target = match output::verbosity() {
        Verbosity::Quiet => ProgressDrawTarget::hidden(),
        _ => ProgressDrawTarget::stderr(),
    };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::with_draw_target(None, target).with_style(style)
}
