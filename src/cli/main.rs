//! The command line: each sub-command is a file, and sees only what the library makes public.

mod answer;
mod audit;
mod balance;
mod config;
mod curve;
mod data;
mod errors;
mod evaluate;
mod explain;
mod gains;
mod gradcheck;
mod interrupt;
mod multiverse;
mod output;
mod page;
mod phase_map;
mod predict;
mod probe;
mod progress;
mod relate;
mod report;
mod settings;
mod shell;
mod study;
mod subject;
mod tables;
mod threshold;
mod trace;
mod train;

use std::{io::ErrorKind, process::ExitCode, time::Instant};

use clap::{Parser, Subcommand};
use mtlcore::tensor::Simd;
use output::Verbosity;

fn main() -> ExitCode {
    match run() {
        Err(error) if !output_closed_early(&error) => {
            complain(&error);
            ExitCode::FAILURE
        }
        Err(_) => ExitCode::SUCCESS,
        Ok(code) => code,
    }
}

/// Says what went wrong.
fn complain(error: &anyhow::Error) {
    output::insist(format!("error: {}", one_line(error)));
}

fn run() -> anyhow::Result<ExitCode> {
    let begun = Instant::now();
    let line = CommandLine::parse();
    output::set_verbosity(line.verbosity());
    Simd::chosen().map_err(anyhow::Error::msg)?;
    let code = run_command(line.command)?;
    output::detail(format!("{:.1} s", begun.elapsed().as_secs_f64()));
    Ok(code)
}

fn run_command(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Study(arguments) => return study::run(&arguments),
        Command::Curve(arguments) => return curve::run(&arguments),
        Command::Gains(arguments) => return gains::run(&arguments),
        Command::PhaseMap(arguments) => return phase_map::run(&arguments),
        Command::Multiverse(arguments) => return multiverse::run(&arguments),
        Command::Report(arguments) => report::run(&arguments)?,
        Command::Errors(arguments) => errors::run(&arguments)?,
        Command::Relate(arguments) => relate::run(&arguments)?,
        Command::Train(arguments) => return train::run(&arguments),
        Command::Evaluate(arguments) => evaluate::run(&arguments)?,
        Command::Predict(arguments) => predict::run(&arguments)?,
        Command::Explain(arguments) => explain::run(&arguments)?,
        Command::Trace(arguments) => trace::run(&arguments)?,
        Command::Data(arguments) => data::run(&arguments)?,
        Command::Config(arguments) => config::run(&arguments)?,
        Command::Gradcheck(arguments) => gradcheck::run(&arguments)?,
        Command::Audit(arguments) => audit::run(&arguments)?,
        Command::Balance(arguments) => balance::run(&arguments)?,
        Command::Completions(arguments) => shell::completions(&arguments)?,
        Command::Man(arguments) => shell::man(&arguments)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Does multi-task learning help my tasks? Text classifiers, trained alone and together, with evidence.
#[derive(Parser)]
#[command(version, max_term_width = 120, after_help = EXAMPLES)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
    /// Say nothing on standard error but errors
    #[arg(short, long, global = true, help_heading = "Messages", conflicts_with = "verbose")]
    quiet: bool,
    /// Say more on standard error: what was read, every unit of a study, how long it took
    #[arg(short, long, global = true, help_heading = "Messages")]
    verbose: bool,
}

impl CommandLine {
    fn verbosity(&self) -> Verbosity {
        match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (_, true) => Verbosity::Verbose,
            _ => Verbosity::Usual,
        }
    }
}

const EXAMPLES: &str = "\
Examples:
  mtlcore study                                        single-task against multi-task, on three simulated pairs
  mtlcore study --task a=a.tsv --task b=b.tsv          the same question about your own tasks
  mtlcore curve                                        how much of the other task's data does it take?
  mtlcore errors study                                 where the two err, and a sample of errors to sort by hand
  mtlcore relate --task a=a.tsv --task b=b.tsv         how related are these tasks?
  mtlcore gains folder                                 what does each gain of each other?
  mtlcore phase-map                                    where does learning together help at all?
  mtlcore multiverse                                   what if every open choice were made otherwise?
  mtlcore train                                        learn a small simulated pair of tasks
  mtlcore data check --task flu=posts.tsv              what is understood of a file of labelled texts
  mtlcore train --task flu=posts.tsv --out flu         learn your own
  mtlcore evaluate flu                                 how good it is on the rows that were held out
  mtlcore predict flu new-posts.tsv > predicted.tsv    a probability and a decision for each row
  mtlcore explain flu \"my arm is sore\"                 what the network does with a text, as a page to read
  mtlcore trace flu \"my arm is sore\"                   the same, operation by operation
  mtlcore config --preset paper > paper.toml           a configuration file to edit
  mtlcore gradcheck                                    proof that every gradient is right
  mtlcore balance                                      what each balancing method makes of two gradients
  mtlcore audit                                        which figures of Joshi et al. 2019 cannot be true

`mtlcore COMMAND --help` shows more of them.";

#[derive(Subcommand)]
enum Command {
    Study(study::Arguments),
    Curve(curve::Arguments),
    Report(report::Arguments),
    Errors(errors::Arguments),
    Relate(relate::Arguments),
    Gains(gains::Arguments),
    PhaseMap(phase_map::Arguments),
    Multiverse(multiverse::Arguments),
    Train(train::Arguments),
    Evaluate(evaluate::Arguments),
    Predict(predict::Arguments),
    Explain(explain::Arguments),
    Trace(trace::Arguments),
    Data(data::Arguments),
    Config(config::Arguments),
    Gradcheck(gradcheck::Arguments),
    Audit(audit::Arguments),
    Balance(balance::Arguments),
    Completions(shell::CompletionsArguments),
    Man(shell::ManArguments),
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
    match line.char_indices().nth(LONGEST_ERROR) {
        Some((end, _)) => line[..end].to_owned() + "…",
        None => line,
    }
}

/// The longest error, in characters: a file's content may be part of the message of a library.
const LONGEST_ERROR: usize = 1000;
