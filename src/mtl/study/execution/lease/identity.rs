//! Who works: a process as others see it.

use std::{fmt, process};

use serde::{Deserialize, Serialize};

use crate::mtl::files::system;

/// Who works, as others see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identity {
    /// The machine's name.
    pub host: String,
    /// The process.
    pub pid: u32,
    /// Since which tick of its machine it runs, so that a later process of the same number is another one; none where that is unknown.
    pub(super) started: Option<u64>,
    /// The boot of the machine and the space of process numbers, within which `pid` means something.
    pub(super) machine: Option<String>,
}

impl Identity {
    /// This process.
    pub fn own() -> Self {
        let (host, pid) = (system::host(), process::id());
        Self { host, pid, started: system::started(pid), machine: system::machine() }
    }

    /// Whether it is a process of this machine that is there no more. Of other machines nothing is known.
    pub fn has_ended(&self) -> bool {
        self.machine.is_some()
            && self.machine == system::machine()
            && self.started.is_some()
            && system::started(self.pid) != self.started
    }
}

impl fmt::Display for Identity {
    /// `host.pid`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.host, self.pid)
    }
}

/// This process as others see it: `host.pid`.
pub fn process_name() -> String {
    Identity::own().to_string()
}
