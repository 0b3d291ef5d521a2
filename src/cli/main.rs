//! The command line: each sub-command is a file, and sees only what the library makes public.

mod config;
mod output;
mod progress;
mod settings;
mod study;
mod train;

use std::{io::ErrorKind, process::ExitCode};

use clap::{Parser, Subcommand};

fn main() -> ExitCode {
    match run() {
        Err(error) if !output_closed_early(&error) => {
            eprintln!("error: {}", one_line(&error));
            ExitCode::FAILURE
        }
        Err(_) => ExitCode::SUCCESS,
        Ok(code) => code,
    }
}

fn run() -> anyhow::Result<ExitCode> {
    match CommandLine::parse().command {
        Command::Config(arguments) => config::run(&arguments)?,
        Command::Train(arguments) => return train::run(&arguments),
        Command::Study(arguments) => return study::run(&arguments),
    }
    Ok(ExitCode::SUCCESS)
}

/// Does multi-task learning help my tasks? Text classifiers, trained alone and together, with evidence.
#[derive(Parser)]
#[command(version, max_term_width = 120, after_help = EXAMPLES)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  mtlcore study                               alone or together? Three simulated pairs, with verdicts
  mtlcore config                              every knob, explained, with its value
  mtlcore config --preset paper > paper.toml  a configuration file to edit

`mtlcore COMMAND --help` shows more of them.";

#[derive(Subcommand)]
enum Command {
    Train(train::Arguments),
    Study(study::Arguments),
    Config(config::Arguments),
}

/// Whoever reads our output has seen enough of it (`mtlcore … | head`): that is no failure.
fn output_closed_early(error: &anyhow::Error) -> bool {
    let closed = |cause: &std::io::Error| cause.kind() == ErrorKind::BrokenPipe;
    error.chain().filter_map(|cause| cause.downcast_ref()).any(closed)
}

/// An error and its causes, except those that it quotes already.
fn one_line(error: &anyhow::Error) -> String {
    let mut line = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if line.is_empty() {
            line = cause;
        } else if !line.ends_with(&cause) {
            line += &format!(": {cause}");
        }
    }
    line
}
