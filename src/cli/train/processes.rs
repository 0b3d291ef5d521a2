//! The processes that a launcher (`mpirun`, `srun`) has started to train one network together, or this one alone.
//!
//! The first of them alone writes, prints and makes checkpoints. What goes wrong is said by one, and ends all.

use std::process::ExitCode;

use anyhow::Result;
use mtlcore::mtl::{
    settings::Settings,
    training::{Ranks, Trainer},
};

use super::mpi::Mpi;
use crate::output;

/// The variables in which a launcher says how many processes it has started, and which of them this is; the first that is set counts.
/// (In a batch script of Slurm, `SLURM_NTASKS` says how many there might be, and one is running.)
const LAUNCHERS: [[&str; 2]; 3] = [
    ["OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"],
    ["PMI_SIZE", "PMI_RANK"],
    ["SLURM_STEP_NUM_TASKS", "SLURM_PROCID"],
];

/// This process and those that it trains with.
pub enum Processes {
    Alone,
    Many(Mpi),
}

/// What the launcher says.
struct Launched {
    count: usize,
    rank: usize,
}

fn launched() -> Option<Launched> {
    let number = |variable: &str| std::env::var(variable).ok()?.parse().ok();
    LAUNCHERS.iter().find_map(|[count, rank]| Some(Launched { count: number(count)?, rank: number(rank).unwrap_or(0) }))
}

impl Processes {
    /// Meets the others, if the launcher has started any. `None` if there is nothing to do here, for another of them says what is wrong.
    pub fn start() -> Result<Option<Self>> {
        match launched() {
            Some(launched) if launched.count > 1 => match Mpi::start(launched.count) {
                Ok(mpi) => Ok(Some(Self::Many(mpi))),
                Err(error) if launched.rank == 0 => Err(error),
                Err(_) => Ok(None),
            },
            _ => Ok(Some(Self::Alone)),
        }
    }

    /// Whether this is the one that writes and prints.
    pub fn is_first(&self) -> bool {
        match self {
            Self::Alone => true,
            Self::Many(mpi) => mpi.rank() == 0,
        }
    }

    /// The number of threads of each: the settings' word, or one where there are several processes and it has none.
    pub fn threads(&self, settings: &Settings) -> usize {
        match self {
            Self::Alone => settings.threads,
            Self::Many(_) => settings.threads.max(1),
        }
    }

    /// All of them, as a trainer meets them.
    ///
    /// # Errors
    /// If there are more of them than can share a batch.
    pub fn ranks(&self, settings: &Settings) -> Result<Ranks> {
        match self {
            Self::Alone => Ok(Ranks::alone()),
            Self::Many(mpi) => Ok(Ranks::of(mpi.communicator(), settings.shards)?),
        }
    }

    /// Compares what all of them are about to train.
    ///
    /// # Errors
    /// If one has other settings or data than the first.
    pub fn compare(&self, trainer: &Trainer<'_>) -> Result<()> {
        match self {
            Self::Alone => Ok(()),
            Self::Many(mpi) => mpi.compare(&trainer.fingerprints()),
        }
    }

    /// The result of what all of them do, once it is known that it went well everywhere. Where it did not, the first that it failed for
    /// returns the error and the others wait for their end.
    pub fn agree<T, E>(&self, result: std::result::Result<T, E>) -> std::result::Result<T, E> {
        match self {
            Self::Alone => result,
            Self::Many(mpi) => match mpi.first_to_fail(result.is_err()) {
                Some(rank) if rank != mpi.rank() => wait_for_the_end(),
                _ => result,
            },
        }
    }

    /// Who trains, for people; `None` for a process alone.
    pub fn description(&self, settings: &Settings) -> Option<String> {
        match self {
            Self::Alone => None,
            Self::Many(mpi) => {
                let (shards, threads) = (settings.shards, self.threads(settings));
                let rows = settings.batch as f64 / shards as f64;
                let about = if settings.batch.is_multiple_of(shards) { "" } else { "about " };
                Some(format!(
                    "{}; batch {} in {shards} shards of {about}{rows:.0} rows, {} a rank; {threads} thread{} each",
                    mpi.description(),
                    settings.batch,
                    shards / mpi.count(),
                    if threads == 1 { "" } else { "s" },
                ))
            }
        }
    }

    /// Says where a step's time went.
    pub fn say_times(&self, trainer: &Trainer<'_>, settings: &Settings) {
        let Some(times) = trainer.step_time() else { return };
        let [step, exchanging] = times.map(|time| 1e3 * time.as_secs_f64());
        match self {
            Self::Alone => output::detail(format!("step {step:.2} ms")),
            Self::Many(_) => {
                let possible: Vec<String> = Ranks::<f32>::possible(settings.shards).map(|n| n.to_string()).collect();
                let possible = output::alternatives(&possible);
                output::say(format!(
                    "step {step:.1} ms: {:.1} computing, {exchanging:.1} exchanging; the same bits on {possible} ranks",
                    step - exchanging
                ));
                if exchanging > 0.5 * step {
                    output::say(
                        "Warning: more than half of the time is exchange. Fewer ranks or a larger --batch may be as fast; \
                         the units of a study, spread over nodes, pay more.",
                    );
                }
            }
        }
    }

    /// Ends together: all have come to their end, or an error ends all.
    pub fn end(self, result: Result<ExitCode>) -> Result<ExitCode> {
        match self {
            Self::Alone => result,
            Self::Many(mpi) => match result {
                Ok(code) => {
                    mpi.finish();
                    Ok(code)
                }
                Err(error) => {
                    // What went wrong in training went wrong for all, and the first says so, unless it is this one's own.
                    if mpi.rank() > 0 {
                        std::thread::sleep(GRACE);
                    }
                    crate::complain(&error);
                    mpi.abort(1)
                }
            },
        }
    }
}

/// How long the first has to say what went wrong for all.
const GRACE: std::time::Duration = std::time::Duration::from_secs(2);

fn wait_for_the_end() -> ! {
    loop {
        std::thread::sleep(std::time::Duration::from_secs(60));
    }
}
