//! Signals that ask a long command to save what it has done and to stop.

use std::sync::{Arc, atomic::AtomicBool};

use anyhow::{Context, Result};
use signal_hook::{consts, flag};

/// Ctrl-C, and the signals by which batch systems announce the end of a job's time. `kill -USR1` does the same.
#[cfg(unix)]
const SIGNALS: [i32; 4] = [consts::SIGINT, consts::SIGTERM, consts::SIGHUP, consts::SIGUSR1];
#[cfg(not(unix))]
const SIGNALS: [i32; 2] = [consts::SIGINT, consts::SIGTERM];

/// A flag that such a signal sets from now on, instead of ending the process.
pub fn flag() -> Result<Arc<AtomicBool>> {
    let interrupted = Arc::new(AtomicBool::new(false));
    for signal in SIGNALS {
        flag::register(signal, interrupted.clone()).with_context(|| format!("signal {signal}"))?;
    }
    Ok(interrupted)
}
