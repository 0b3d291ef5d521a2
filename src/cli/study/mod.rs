//! `mtlcore study`: STL against MTL over folds.

mod merge;
mod plan;
mod slurm;
mod tables;

use std::{path::PathBuf, process::ExitCode, sync::atomic::AtomicBool, time::Duration};

use anyhow::{Result, bail};
use clap::{ArgMatches, Args, Command, FromArgMatches, Subcommand, ValueEnum};
use mtlcore::mtl::{
    settings::Preset,
    study::{Ended, Event, Part, Rest, Results, Shard, Study, StudyRun, StudySettings, Units, fields, require_study},
};
use toml::Table;

use crate::{interrupt, output, progress::StudyProgress, settings};

/// Does learning together help? Each task alone and together, every shared layer, folds, verdicts
#[derive(Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Subcommands>,
    #[command(flatten)]
    settings: StudyArguments,
    /// Say what the study would take and what it could decide, and train nothing
    #[arg(long, conflicts_with_all = ["until_decided", "budget"])]
    plan: bool,
    /// Replace the study that --out names
    #[arg(long, conflicts_with = "plan")]
    force: bool,
    /// Add trainings to the comparisons that are undecided until they are decided, or cannot be
    #[arg(long)]
    until_decided: bool,
    /// Add no more trainings than fit into this time: 90s, 30m, 2h
    #[arg(long, value_name = "TIME", value_parser = duration, requires = "until_decided")]
    budget: Option<Duration>,
    /// Work on the i-th of n parts of equal cost only, from 1/n to n/n; parts need no common directory (see `study merge`)
    #[arg(long, value_name = "I/N", value_parser = shard, conflicts_with = "until_decided", help_heading = "Many processes")]
    shard: Option<Shard>,
    /// Run this unit only; `--plan --format tsv` lists them
    #[arg(long, value_name = "UNIT", conflicts_with_all = ["until_decided", "shard", "wait"], help_heading = "Many processes")]
    only: Option<String>,
    /// Stay until the units are finished that other processes work on; usual without --shard outside of a job array
    #[arg(long, help_heading = "Many processes")]
    wait: bool,
    /// Print a batch script for Slurm that runs this study as a job array, and do nothing
    #[arg(long, conflicts_with_all = ["plan", "only", "shard", "force"], help_heading = "Many processes")]
    slurm: bool,
    /// Tables for people, JSON with every number (as in results.json), or with --plan its units as TSV
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Subcommand)]
enum Subcommands {
    Merge(merge::Arguments),
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Json,
    Tsv,
}

const EXAMPLES: &str = "\
Examples:
  mtlcore study                                       three simulated pairs in the shape of the paper's
  mtlcore study --scale 1 --out full                  as many rows as the paper has
  mtlcore study --task reddit=reddit.tsv --task forum=forum.tsv --vectors glove.twitter.27B.200d.txt
  mtlcore study study.toml --preset paper --out paper several pairs: a [[pair]] table each, with [[pair.task]] tables
  mtlcore study study.toml --controls shuffled,matched-steps   what else could explain a gain? (adds to the study)
  mtlcore study study.toml --plan                     what it takes, and the smallest effect that it can decide
  mtlcore study study.toml --until-decided --budget 30m   more trainings where a comparison is undecided
  mtlcore study study.toml --tune 8                   every arm with the best of eight trials of its hyper-parameters
  mtlcore study study.toml --slurm > study.sbatch     a job array of processes that share the work; see docs/cluster.md
  mtlcore study study.toml --shard 2/8 --out part2    the second of eight parts; `mtlcore study merge` joins them

Any number of processes may run the same command on one --out at once: they share its units.
The same command goes on where it was stopped and runs only what is missing; so does `mtlcore study DIR/study.toml`.";

/// What shells expect of a program that Ctrl-C ended.
pub const INTERRUPTED: u8 = 130;

/// `[STUDY.toml] [--task NAME=FILE[:LABEL_COLUMN]]... [--<field> VALUE]...`
pub struct StudyArguments {
    pub file: Option<PathBuf>,
    pub flags: Table,
}

impl StudyArguments {
    /// The effective settings: the flags over the file, the file over the preset.
    pub fn load(&self) -> Result<StudySettings> {
        if let Some(directory) = self.file.as_deref().filter(|file| file.is_dir()) {
            require_study(directory)?;
            let path = directory.join("study.toml");
            bail!("{}: it is a directory; did you mean {}?", directory.display(), path.display());
        }
        let settings = StudySettings::load(self.file.as_deref(), self.flags.clone())?;
        settings::refuse_contradictions(&self.flags, &settings.base)?;
        Ok(settings)
    }
}

impl FromArgMatches for StudyArguments {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self { file: settings::file(matches), flags: settings::flags(matches, fields())? })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for StudyArguments {
    fn augment_args(command: Command) -> Command {
        let presets = [Preset::Default, Preset::Paper].map(|preset| StudySettings::preset(preset).to_table());
        settings::augment(command, "STUDY.toml", fields(), &presets)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    if let Some(Subcommands::Merge(arguments)) = &arguments.command {
        return merge::run(arguments);
    }
    let settings = arguments.settings.load()?;
    if arguments.slurm {
        return slurm::print(&settings).map(|()| ExitCode::SUCCESS);
    }
    say_if_simulated(&settings, "study");
    if arguments.plan {
        let study = Study::beside(settings)?;
        match arguments.format {
            Format::Tsv => plan::print_units(&study)?,
            format => plan::print(&study.plan()?, format == Format::Json)?,
        }
        return Ok(ExitCode::SUCCESS);
    }
    if arguments.format == Format::Tsv {
        bail!("--format tsv is for the units of a plan: add --plan (a study's figures are in results.csv)");
    }
    let mut study = if arguments.force { Study::begin_anew(settings)? } else { Study::begin(settings)? };
    say_dominant_groups(&study);
    say_coverage(&study);
    let mut ended = None;
    let ran = watched_part(|interrupted, observe| match arguments.until_decided {
        false => study.run_part(&arguments.part(), interrupted, observe),
        true => {
            let outcome = study.run_until_decided(arguments.budget, interrupted, observe)?;
            Ok(outcome.map_or(StudyRun::Interrupted, |(results, how)| {
                ended = Some(how);
                StudyRun::Finished(Box::new(results))
            }))
        }
    })?;
    match ran {
        StudyRun::Interrupted => Ok(ExitCode::from(INTERRUPTED)),
        StudyRun::Part(rest) => {
            output::say(left(&rest, &study));
            Ok(ExitCode::SUCCESS)
        }
        StudyRun::Finished(_) if arguments.only.is_some() => Ok(ExitCode::SUCCESS),
        StudyRun::Finished(results) => present(&study, &results, ended, arguments.format).map(|()| ExitCode::SUCCESS),
    }
}

impl Arguments {
    /// What this process does. Of an array's elements, those that have nothing to do give their processors back.
    fn part(&self) -> Part {
        let units = match (self.shard, &self.only) {
            (Some(shard), _) => Units::Shard(shard),
            (None, Some(unit)) => Units::Only(unit.clone()),
            (None, None) => Units::All,
        };
        let is_one_of_many = self.shard.is_some() || std::env::var_os("SLURM_ARRAY_TASK_ID").is_some();
        Part { units, wait: self.wait || !is_one_of_many }
    }
}

/// What is left of a study, and with whom.
fn left(rest: &Rest, study: &Study) -> String {
    let Rest { finished, all, with } = rest;
    let holders: String = with.iter().map(|(holder, units)| format!("; {holder} works on {units}")).collect();
    let directory = study.directory().display();
    format!("{finished} of {all} units are finished{holders}; `mtlcore report {directory}` when all are")
}

/// Prints what was found and draws the page.
fn present(study: &Study, results: &Results, ended: Option<Ended>, format: Format) -> Result<()> {
    if format == Format::Json {
        crate::report::write(results, study.directory())?;
        return output::print(&output::json(results)?);
    }
    output::print(&tables::all(results))?;
    output::print(match ended {
        None => "",
        Some(Ended::Decided) => "No comparison is undecided.\n",
        Some(Ended::TextsLimit) => "What is still undecided, no number of trainings decides: the texts are too few.\n",
        Some(Ended::Budget) => "The time is spent; the same command goes on.\n",
    })?;
    crate::report::write(results, study.directory())?;
    let page = study.directory().join("report.html");
    output::print(&format!("The study is in {}; read {}.\n", study.directory().display(), page.display()))
}

/// Says that the data are simulated, and where to read how to study one's own.
pub fn say_if_simulated(settings: &StudySettings, command: &str) {
    if settings.pairs.is_empty() {
        let scale = settings.scale;
        output::say(format!(
            "No pair is named: studying simulated pairs of {scale} times the paper's sizes. \
             See `mtlcore {command} --help` for your own."
        ));
    }
}

/// Warns of groups, such as a placeholder for many authors, that keep most rows of a pair in one fold.
fn say_dominant_groups(study: &Study) {
    for pair in &study.pairs {
        if let Some(group) = pair.dominant_group() {
            output::say(format!("Warning: {}: {group}.", pair.name));
        }
    }
}

/// Says how far the word vectors cover the texts of each pair.
pub fn say_coverage(study: &Study) {
    for (pair, coverage) in study.coverage() {
        output::say(format!("Word vectors of {pair}: {coverage}."));
    }
}

/// Runs units under a bar of progress. `None`, with a word how to go on, if Ctrl-C ended it.
pub fn watched<T>(
    run: impl FnOnce(&AtomicBool, &(dyn Fn(Event) + Sync)) -> mtlcore::Result<Option<T>>,
) -> Result<Option<T>> {
    let outcome = under_progress(run)?;
    if outcome.is_none() {
        say_stopped();
    }
    Ok(outcome)
}

/// As [`watched`], of a part of a study.
fn watched_part(
    run: impl FnOnce(&AtomicBool, &(dyn Fn(Event) + Sync)) -> mtlcore::Result<StudyRun>,
) -> Result<StudyRun> {
    let ran = under_progress(run)?;
    if ran == StudyRun::Interrupted {
        say_stopped();
    }
    Ok(ran)
}

fn say_stopped() {
    output::insist("Stopped; finished units are kept, and begun ones go on where they were. The same command goes on.");
}

fn under_progress<T>(run: impl FnOnce(&AtomicBool, &(dyn Fn(Event) + Sync)) -> mtlcore::Result<T>) -> Result<T> {
    let interrupted = interrupt::flag()?;
    let progress = StudyProgress::new();
    let outcome = run(&interrupted, &|event| match event {
        Event::Progress { done, all } => progress.update(done, all),
        Event::Finished { unit, seconds } => progress.finished(&unit, seconds),
        Event::Damaged(what) => progress.say(&format!("{what}; it is run again")),
    });
    progress.finish();
    Ok(outcome?)
}

fn shard(text: &str) -> Result<Shard, String> {
    text.parse().map_err(|_| "expected a part and their number, from 1/4 to 4/4 for instance".to_owned())
}

/// `90s`, `30m`, `2h`, or a number of seconds.
fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = match text.strip_suffix(['s', 'm', 'h']) {
        Some(number) => (number, &text[number.len()..]),
        None => (text, "s"),
    };
    let seconds = match unit {
        "h" => 3600.0,
        "m" => 60.0,
        _ => 1.0,
    };
    let number: Option<f64> = number.trim().parse().ok().filter(|number| (0.0..1e6).contains(number));
    let wrong = || "expected a time such as 90s, 30m or 2h".to_owned();
    Duration::try_from_secs_f64(number.ok_or_else(wrong)? * seconds).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        let seconds = |text: &str| duration(text).map(|time| time.as_secs_f64());
        assert_eq!(["90", "90s", "1.5m", "2h"].map(seconds), [90.0, 90.0, 90.0, 7200.0].map(Ok));
        for wrong in ["", "m", "-3s", "3d", "nan", "inf", "1e300h"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
