//! `mtlcore study merge`: one study of the directories of its shards.

use std::{path::PathBuf, process::ExitCode, sync::atomic::AtomicBool};

use anyhow::Result;
use clap::Args;
use mtlcore::mtl::study::Study;

use crate::output::{self, count};

/// Join the directories of a study's shards into the first of them, and draw its results
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// Directories of the same study; the first takes over the units of the others, which stay as they are
    #[arg(value_name = "DIR", required = true, num_args = 2..)]
    directories: Vec<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  mtlcore study study.toml --shard 1/2 --out part1      on one machine
  mtlcore study study.toml --shard 2/2 --out part2      on another
  mtlcore study merge part1 part2                       the whole study is in part1";

pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let (first, others) = arguments.directories.split_first().expect("two or more");
    let study = Study::open(first)?;
    let taken = study.merge(others)?;
    output::say(format!("{} units taken over into {}", count(taken), first.display()));
    // What is missing is an error here, not something to train.
    study.outcomes()?;
    let never = AtomicBool::new(false);
    let results = study.run(&never, &|_| {})?.expect("nothing interrupts it");
    super::present(&study, &results, None, super::Format::Table).map(|()| ExitCode::SUCCESS)
}
