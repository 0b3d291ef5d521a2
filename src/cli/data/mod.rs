//! `mtlcore data`: what is in files of labelled texts, and files whose truth is known.

mod check;
mod simulate;

use anyhow::Result;
use clap::{Args, Subcommand};

/// Look at data before learning from it, or simulate some
#[derive(Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Check(check::Arguments),
    Simulate(simulate::Arguments),
}

pub fn run(arguments: &Arguments) -> Result<()> {
    match &arguments.command {
        Command::Check(arguments) => check::run(arguments),
        Command::Simulate(arguments) => simulate::run(arguments),
    }
}
