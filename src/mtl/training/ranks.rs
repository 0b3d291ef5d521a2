//! The processes that train one network together.

use std::time::{Duration, Instant};

use crate::tensor::{Real, pointwise};
use crate::{Error, Result};

/// A communicator, in the sense of MPI: the processes that train together, as one of them reaches the others.
pub trait Communicator<F>: Send {
    /// The number of this process, from 0.
    fn rank(&self) -> usize;

    /// How many there are.
    fn count(&self) -> usize;

    /// Sends `own` to the process `partner`, and fills `theirs` with as many numbers from it. Both do so at the same time.
    fn swap(&mut self, partner: usize, own: &[F], theirs: &mut [F]);
}

/// All processes that train one network, each with a copy of it; this process is one of them.
///
/// Each computes an aligned block of a batch's shards, and [`sum`](Self::sum) goes on with the tree in which they are added: at each
/// level two blocks become one (*recursive doubling*). So the bits are those of one process, which a sum of the usual kind
/// (`MPI_Allreduce`) does not promise.
pub struct Ranks<F = f32> {
    /// `None` for a process alone.
    communicator: Option<Box<dyn Communicator<F>>>,
    theirs: Vec<F>,
    exchanging: Duration,
}

impl<F: Real> Ranks<F> {
    /// This process alone.
    pub fn alone() -> Self {
        Self { communicator: None, theirs: Vec::new(), exchanging: Duration::ZERO }
    }

    /// The processes of a communicator, which share the `shards` shards of every batch.
    ///
    /// # Errors
    /// [`Error::Config`] with the numbers of processes that are possible, if theirs is no power of two or does not divide the shards.
    pub fn of(communicator: impl Communicator<F> + 'static, shards: usize) -> Result<Self> {
        let count = communicator.count();
        if !count.is_power_of_two() || !shards.is_multiple_of(count) {
            let possible: Vec<String> = Self::possible(shards).map(|count| count.to_string()).collect();
            let shards_of = if shards == 1 { "1 shard".to_owned() } else { format!("{shards} shards") };
            let message = match &possible[..] {
                [_] => format!("a batch of {shards_of} is for 1 rank, and there are {count}; say --shards"),
                [others @ .., last] => {
                    let others = others.join(", ");
                    format!("a batch of {shards_of} can be shared by {others} or {last} ranks, and there are {count}")
                }
                [] => unreachable!("one rank is always possible"),
            };
            return Err(Error::config("shards", message));
        }
        Ok(Self { communicator: Some(Box::new(communicator)), ..Self::alone() })
    }

    /// The numbers of ranks that can share `shards` shards, rising.
    pub fn possible(shards: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(Some(1), |count| Some(2 * count)).take_while(move |&count| count <= shards)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.communicator.as_ref().map_or(1, |communicator| communicator.count())
    }

    /// The number of this one, from 0.
    pub fn rank(&self) -> usize {
        self.communicator.as_ref().map_or(0, |communicator| communicator.rank())
    }

    /// How long it has waited for the others and their numbers.
    pub fn exchanging(&self) -> Duration {
        self.exchanging
    }

    /// Adds to each number those of all other ranks, in the order of the tree. Every rank must call it, with as many numbers.
    pub fn sum(&mut self, numbers: &mut [F]) {
        let Some(communicator) = &mut self.communicator else { return };
        let begun = Instant::now();
        self.theirs.resize(numbers.len().max(self.theirs.len()), F::ZERO);
        let theirs = &mut self.theirs[..numbers.len()];
        let mut step = 1;
        while step < communicator.count() {
            communicator.swap(communicator.rank() ^ step, numbers, theirs);
            pointwise::add(numbers, theirs); // b + a has the bits of a + b
            step *= 2;
        }
        self.exchanging += begun.elapsed();
    }
}
