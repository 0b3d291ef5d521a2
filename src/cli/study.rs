//! `mtlcore study`: STL against MTL over folds.

use std::{
    path::PathBuf,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::{Context, Result};
use clap::{ArgMatches, Args, Command, FromArgMatches};
use mtlcore::mtl::{
    settings::Preset,
    study::{
        Event, Results, Study, StudySettings, fields,
        results::{Baseline, PairResult, Summary, TaskResult},
        word,
    },
};
use toml::Table;

use crate::{
    output::{self, Column},
    progress::StudyProgress,
    settings,
};

/// Does learning together help? Each task alone and together, every shared layer, folds, verdicts
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    settings: StudyArguments,
}

const EXAMPLES: &str = "\
Examples:
  mtlcore study                                       three simulated pairs in the shape of the paper's
  mtlcore study --scale 1 --out full                  as many rows as the paper has
  mtlcore study --task reddit=reddit.tsv --task forum=forum.tsv --vectors glove.twitter.27B.200d.txt
  mtlcore study study.toml --preset paper --out paper several pairs: a [[pair]] table each, with [[pair.task]] tables
  mtlcore study study.toml --controls shuffled,matched-steps   what else could explain a gain? (adds to the study)

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
    let settings = arguments.settings.load()?;
    say_if_simulated(&settings, "study");
    let study = Study::begin(settings)?;
    say_coverage(&study);
    let outcome = watched(|interrupted, observe| study.run(interrupted, observe))?;
    let Some(results) = outcome else { return Ok(ExitCode::from(INTERRUPTED)) };
    crate::report::write(&results, study.directory())?;
    output::print(&tables(&results))?;
    let page = study.directory().join("report.html");
    output::print(&format!("The study is in {}; read {}.\n", study.directory().display(), page.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// Says that nobody's own data are studied, and where to read how they would be.
pub fn say_if_simulated(settings: &StudySettings, command: &str) {
    if settings.pairs.is_empty() {
        let scale = settings.scale;
        output::say(format!(
            "No pair is named: studying simulated pairs of {scale} times the paper's sizes. \
             See `mtlcore {command} --help` for your own."
        ));
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
    let interrupted = Arc::new(AtomicBool::new(false));
    let seen = interrupted.clone();
    ctrlc::set_handler(move || seen.store(true, Ordering::Relaxed)).context("Ctrl-C")?;
    let progress = StudyProgress::new();
    let outcome = run(&interrupted, &|event| match event {
        Event::Progress { done, all } => progress.update(done, all),
        Event::Damaged(what) => progress.say(&format!("{what}; it is run again")),
    });
    progress.finish();
    let outcome = outcome?;
    if outcome.is_none() {
        output::say("Stopped; finished units are kept. The same command goes on.");
    }
    Ok(outcome)
}

/// A table and a sentence for each pair.
fn tables(results: &Results) -> String {
    let mut text = format!(
        "F1 of the true class in % (mean over {} folds{}) and its difference in points with a 95 % interval; \
         the verdict takes ±{} for no difference.\n\n",
        results.folds,
        match results.repeats {
            1 => String::new(),
            repeats => format!(" × {repeats}"),
        },
        results.rope
    );
    for pair in &results.pairs {
        text += &format!("{}\n{}{}\n\n", heading(pair), table(pair), pair.answer);
    }
    text
}

fn heading(pair: &PairResult) -> String {
    let tasks = pair.tasks.iter().map(|task| format!("{} {} of {} true", task.name, task.positives, task.rows));
    let tasks = tasks.collect::<Vec<_>>().join(", ");
    let relatedness = pair.relatedness.map_or(String::new(), |cosine| format!("; simulated, relatedness {cosine}"));
    format!("{} ({tasks}{relatedness})", pair.name)
}

fn table(pair: &PairResult) -> String {
    let numbers = ["STL acc", "MTL acc", "STL F1", "MTL F1", "Δ F1", "95 %", "p", "Holm"].map(Column::Number);
    let mut columns = vec![Column::Text("task"), Column::Text("shared")];
    columns.extend(numbers);
    let has_controls = pair.layers.iter().flat_map(|layer| &layer.tasks).any(|task| task.real_gain.is_some());
    if has_controls {
        columns.push(Column::Number("real gain"));
    }
    columns.push(Column::Text("verdict"));
    let mut rows = Vec::new();
    for facts in &pair.tasks {
        for baseline in &pair.baselines {
            let name = match baseline.baseline {
                Baseline::Majority => "(majority)",
                Baseline::AlwaysTrue => "(always true)",
                Baseline::NGram => "(n-grams)",
            };
            let summary = &baseline.tasks[&facts.name];
            let mut row = vec![facts.name.clone(), name.into(), percent(summary, "accuracy"), String::new()];
            row.push(percent(summary, "f1"));
            row.resize(columns.len(), String::new());
            rows.push(row);
        }
        for layer in &pair.layers {
            let task = layer.tasks.iter().find(|task| task.task == facts.name).expect("every layer has every task");
            rows.push(row(&word(&layer.shared), task, has_controls));
        }
    }
    output::table(&columns, rows)
}

fn row(shared: &str, task: &TaskResult, has_controls: bool) -> Vec<String> {
    let p = |p: Option<f64>| p.map_or("-".into(), |p| format!("{p:.3}"));
    let mut row = vec![
        task.task.clone(),
        shared.to_owned(),
        percent(&task.stl.summary, "accuracy"),
        percent(&task.mtl.summary, "accuracy"),
        percent(&task.stl.summary, "f1"),
        percent(&task.mtl.summary, "f1"),
        format!("{:+.2}", task.f1.spread.mean),
        task.f1.posterior.map_or("-".into(), |posterior| format!("[{:+.1}, {:+.1}]", posterior.low, posterior.high)),
        p(task.f1.corrected_t.map(|test| test.p)),
        p(task.f1.holm_p),
    ];
    if has_controls {
        row.push(task.real_gain.as_ref().map_or("-".into(), |gain| format!("{:+.2}", gain.f1.spread.mean)));
    }
    row.push(task.f1.verdict.to_string());
    row
}

fn percent(summary: &Summary, metric: &str) -> String {
    summary.metrics.get(metric).map_or("-".into(), |spread| format!("{:.2}", 100.0 * spread.mean))
}
