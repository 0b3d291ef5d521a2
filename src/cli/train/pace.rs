//! How often a training is saved.

use std::time::{Duration, Instant};

use mtlcore::mtl::{run::RunDirectory, training::Trainer};

/// Keeps checkpoints after epochs to a twentieth of the time: one of a large embedding takes as long as several short epochs.
pub struct Pace {
    /// When the last checkpoint was done.
    last: Instant,
    /// What it took.
    cost: Duration,
}

impl Pace {
    const TIMES_THE_COST: u32 = 20;

    /// Before the first checkpoint, which is due at once.
    pub fn new() -> Self {
        Self { last: Instant::now(), cost: Duration::ZERO }
    }

    /// Whether enough time has gone by for another one.
    pub fn is_due(&self) -> bool {
        self.last.elapsed() >= Self::TIMES_THE_COST * self.cost
    }

    /// Writes a checkpoint.
    ///
    /// # Errors
    /// Those of [`Trainer::checkpoint`].
    pub fn save(&mut self, trainer: &Trainer<'_>, run: &RunDirectory) -> mtlcore::Result<()> {
        let begun = Instant::now();
        trainer.checkpoint(&run.checkpoint())?;
        *self = Self { last: Instant::now(), cost: begun.elapsed() };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_is_due_at_first_and_then_after_twenty_times_its_cost() {
        assert!(Pace::new().is_due());
        let hour = Duration::from_secs(3600);
        assert!(!Pace { last: Instant::now(), cost: hour }.is_due());
        let long_ago =
            |times: u32| Instant::now().checked_sub(times * Duration::from_millis(1)).expect("the machine is up");
        assert!(!Pace { last: long_ago(19), cost: hour }.is_due());
        assert!(Pace { last: long_ago(21), cost: Duration::from_millis(1) }.is_due());
    }
}
