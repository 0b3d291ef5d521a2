//! `mtlcore completions` and `mtlcore man`: what a shell and a manual know of the command line, made from its declaration.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};
use clap::{Args, Command, CommandFactory};
use clap_complete::Shell;
use mtlcore::mtl::files::write_atomically;

use crate::{CommandLine, output};

const NAME: &str = "mtlcore";

/// Print completions of commands, options and their words for a shell
#[derive(Args)]
#[command(after_help = COMPLETIONS)]
pub struct CompletionsArguments {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

const COMPLETIONS: &str = "\
Examples:
  mtlcore completions bash > ~/.local/share/bash-completion/completions/mtlcore
  mtlcore completions zsh > \"${fpath[1]}/_mtlcore\"
  mtlcore completions fish > ~/.config/fish/completions/mtlcore.fish";

pub fn completions(arguments: &CompletionsArguments) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut CommandLine::command(), NAME, &mut script);
    output::print(&String::from_utf8(script).context("completions")?)
}

/// Write manual pages, one a command, into a directory
#[derive(Args)]
#[command(after_help = MANUAL)]
pub struct ManArguments {
    /// The directory; made if it is not there
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

const MANUAL: &str = "\
Examples:
  mtlcore man ~/.local/share/man/man1   then: man mtlcore-train";

pub fn man(arguments: &ManArguments) -> Result<()> {
    let directory = &arguments.directory;
    fs::create_dir_all(directory).with_context(|| directory.display().to_string())?;
    let mut command = CommandLine::command();
    command.build(); // names the pages of sub-commands
    let mut pages = Vec::new();
    collect_pages(&command, &mut pages)?;
    for (name, page) in &pages {
        write_atomically(&directory.join(name), |output| output.write_all(page))?;
    }
    output::print(&format!("{} pages are in {}.\n", pages.len(), directory.display()))
}

/// The page of a command and of each of its sub-commands, with the files' names.
fn collect_pages(command: &Command, pages: &mut Vec<(String, Vec<u8>)>) -> Result<()> {
    let manual = clap_mangen::Man::new(command.clone());
    let mut page = Vec::new();
    manual.render(&mut page).context("manual page")?;
    pages.push((manual.get_filename(), page));
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        collect_pages(sub, pages)?;
    }
    Ok(())
}
