//! The program as a user runs it: each command from its words to its output, files and exit code.

mod answers;
mod audit;
mod balance;
mod bounds;
mod cluster;
mod common;
mod config;
mod curve;
mod damage;
mod data;
mod determinism;
mod errors;
mod evaluate;
mod explain;
mod gains;
mod gradcheck;
mod groups;
#[cfg(feature = "hydrate")]
mod hydrate;
mod multiverse;
mod phase_map;
mod predict;
mod probe;
#[cfg(feature = "mpi")]
mod ranks;
mod readme;
mod real_data;
mod relate;
mod report;
mod shell;
mod study;
mod trace;
mod train;
