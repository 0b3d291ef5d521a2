//! `mtlcore data`: what is in files of labelled texts, and files whose truth is known, and posts by their ids.

pub mod attrition;
mod check;
#[cfg(feature = "hydrate")]
mod hydrate;
mod simulate;

use anyhow::Result;
use clap::{Args, Subcommand};

/// Look at data before learning from it, simulate some, or fetch posts by their ids
#[derive(Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Check(check::Arguments),
    Simulate(simulate::Arguments),
    #[cfg(feature = "hydrate")]
    Hydrate(hydrate::Arguments),
}

pub fn run(arguments: &Arguments) -> Result<()> {
    match &arguments.command {
        Command::Check(arguments) => check::run(arguments),
        Command::Simulate(arguments) => simulate::run(arguments),
        #[cfg(feature = "hydrate")]
        Command::Hydrate(arguments) => hydrate::run(arguments),
    }
}
