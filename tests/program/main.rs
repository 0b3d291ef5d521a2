//! The program as a user runs it: each command from its words to its output, files and exit code.

mod audit;
mod balance;
mod cluster;
mod common;
mod config;
mod curve;
mod data;
mod determinism;
mod errors;
mod evaluate;
mod explain;
mod gradcheck;
#[cfg(feature = "hydrate")]
mod hydrate;
mod predict;
mod probe;
mod readme;
mod real_data;
mod report;
mod shell;
mod study;
mod trace;
mod train;
