//! Processes that exchange numbers by MPI. Nothing else knows of it.

use std::panic;

use anyhow::{Result, bail, ensure};
use mpi::{
    Threading,
    environment::{self, Universe},
    point_to_point,
    topology::SimpleCommunicator,
    traits::{Communicator as _, CommunicatorCollectives},
};
use mtlcore::mtl::training::Communicator;

/// What a process that panicked returns, as elsewhere.
const PANICKED: i32 = 101;

/// Bytes of a node's name that count.
const NAME: usize = 64;

/// This process among all.
pub struct Mpi {
    universe: Universe,
}

/// The same, for a trainer.
struct MpiWorld;

fn world() -> SimpleCommunicator {
    SimpleCommunicator::world()
}

impl Mpi {
    /// Begins as one of `launched` processes. From now on a panic ends all processes.
    pub fn start(launched: usize) -> Result<Self> {
        // One thread at a time exchanges, but it need not be the one that began.
        let begun = environment::initialize_with_threading(Threading::Serialized);
        let (universe, provided) = begun.expect("MPI is initialised once");
        let seen = universe.world().size() as usize;
        ensure!(
            seen == launched,
            "the launcher has started {} processes, and {} sees {seen}; mtlcore was built with another MPI than the \
             launcher's (or srun needs --mpi=pmix)",
            launched,
            library(),
        );
        if provided < Threading::Serialized {
            bail!("{} does not support threads (MPI_THREAD_SERIALIZED)", library());
        }
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            usual(panic);
            world().abort(PANICKED)
        }));
        Ok(Self { universe })
    }

    pub fn rank(&self) -> usize {
        self.universe.world().rank() as usize
    }

    pub fn count(&self) -> usize {
        self.universe.world().size() as usize
    }

    pub fn communicator(&self) -> impl Communicator<f32> + use<> {
        MpiWorld
    }

    /// Ends all processes; the launcher returns `code`.
    pub fn abort(&self, code: i32) -> ! {
        self.universe.world().abort(code)
    }

    /// The end of a process that has nothing more to exchange; it waits for the others to come to theirs.
    pub fn finish(self) {
        drop(self.universe);
    }

    /// The lowest rank that failed, if one has. All must ask.
    pub fn first_to_fail(&self, failed: bool) -> Option<usize> {
        self.gathered(&[u8::from(failed)]).iter().position(|failed| failed == &[1])
    }

    /// Compares what each process has, by name and hash. All must ask.
    ///
    /// # Errors
    /// On every process alike: which one has what of another kind than the first.
    pub fn compare(&self, own: &[(&str, [u8; 32])]) -> Result<()> {
        let bytes: Vec<u8> = own.iter().flat_map(|(_, hash)| *hash).collect();
        let (all, names) = (self.gathered(&bytes), self.nodes());
        for (rank, theirs) in all.iter().enumerate() {
            let differs = |(i, _): &(usize, &(&str, [u8; 32]))| theirs[32 * i..][..32] != all[0][32 * i..][..32];
            if let Some((_, (what, _))) = own.iter().enumerate().find(differs) {
                let (first, other) = (&names[0], &names[rank]);
                bail!(
                    "rank {rank} on {other} has other {what} than rank 0 on {first}; all ranks must read the same files"
                );
            }
        }
        Ok(())
    }

    /// `4 ranks on 2 nodes (node01 ×2, node02 ×2), Open MPI 4.1.4`. All must ask.
    pub fn description(&self) -> String {
        let names = self.nodes();
        let mut nodes: Vec<(&str, usize)> = Vec::new();
        for name in &names {
            match nodes.iter_mut().find(|(node, _)| node == name) {
                Some((_, ranks)) => *ranks += 1,
                None => nodes.push((name, 1)),
            }
        }
        let listed: Vec<String> = nodes.iter().map(|(node, ranks)| format!("{node} ×{ranks}")).collect();
        let plural = if nodes.len() == 1 { "" } else { "s" };
        format!("{} ranks on {} node{plural} ({}), {}", names.len(), nodes.len(), listed.join(", "), library())
    }

    /// The name of each rank's node.
    fn nodes(&self) -> Vec<String> {
        let own = environment::processor_name().unwrap_or_default();
        let mut bytes = [0; NAME];
        let length = own.len().min(NAME);
        bytes[..length].copy_from_slice(&own.as_bytes()[..length]);
        let name = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).trim_end_matches('\0').to_owned();
        self.gathered(&bytes).into_iter().map(name).collect()
    }

    /// What each rank gives, which must be of one length.
    fn gathered(&self, own: &[u8]) -> Vec<Vec<u8>> {
        let mut all = vec![0; own.len() * self.count()];
        self.universe.world().all_gather_into(own, &mut all[..]);
        all.chunks(own.len()).map(<[u8]>::to_vec).collect()
    }
}

impl Communicator<f32> for MpiWorld {
    fn rank(&self) -> usize {
        world().rank() as usize
    }

    fn count(&self) -> usize {
        world().size() as usize
    }

    fn swap(&mut self, partner: usize, own: &[f32], theirs: &mut [f32]) {
        let world = world();
        let partner = world.process_at_rank(partner as i32);
        point_to_point::send_receive_into(own, &partner, theirs, &partner);
    }
}

/// `Open MPI 4.1.4`: the beginning of what the library says of itself.
fn library() -> String {
    let text = environment::library_version().unwrap_or_default();
    let line = text.split([',', '\n', '\0']).next().unwrap_or_default().replace(" v", " ").replace("Version:", " ");
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}
