//! Which process works on which unit: claims by files alone, for file systems whose locks are missing, node-local or stuck.
//!
//! The truth is the unit's own file. A claim saves work, no more: if two processes do one unit after all, they write the same bits.
//!
//! A process has a *worker file*, which it writes again every so often (a heartbeat). A *claim* is a file that is made by exclusive
//! creation and names a worker. It ends when its worker removes it; anybody may take it away when the worker is known to be dead (same
//! machine, no such process) or its heartbeat is older than the *lease*. Ages are differences between times that the file server gave
//! to two files, so no machine's clock has to be right.
//!
//! | file | what it holds |
//! |---|---|
//! | `identity` | a process as others see it |
//! | `worker` | its worker file and heartbeat; ages of files |
//! | `claim` | taking, leaving and taking away a claim |

mod claim;
mod identity;
#[cfg(test)]
mod tests;
mod worker;

pub(super) use claim::Claiming;
pub use identity::process_name;
pub(in crate::mtl::study) use worker::Worker;
