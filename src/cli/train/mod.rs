//! `mtlcore train`: learns the tasks together and writes a run directory, as one process or as several.
//!
//! Who the others are and what they must agree in stands in `processes.rs`; how numbers get to them, in `mpi.rs`.

#[cfg_attr(not(feature = "mpi"), path = "without_mpi.rs")]
mod mpi;
mod pace;
mod processes;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result, bail};
use clap::Args;
use mtlcore::mtl::{
    model::EmbeddingInit,
    prepare::Prepared,
    run::{Epochs, Manifest, RunDirectory},
    settings::Settings,
    training::{Event, Flow, Outcome, Ranks, Trainer},
};
use rayon::{ThreadPool, ThreadPoolBuilder};

use pace::Pace;
use processes::Processes;

use crate::{
    interrupt,
    output::{self, Column},
    progress::TrainingProgress,
    settings::SettingsArguments,
    subject,
};

/// Learn tasks together, or one alone, and write a run directory
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    settings: SettingsArguments,
    /// Go on with a training that was stopped; no other argument is needed
    #[arg(long, value_name = "RUN", exclusive = true)]
    resume: Option<PathBuf>,
    /// Replace the run that --out names
    #[arg(long)]
    force: bool,
}

const EXAMPLES: &str = "\
Examples:
  mtlcore train                                     a small simulated pair, in seconds
  mtlcore train --task flu=flu.tsv --task vaccine=vaccine.tsv:relevant --vectors glove.twitter.27B.200d.txt
  mtlcore train --task flu=flu.tsv --out flu-alone  the single-task twin
  mtlcore train study.toml --shared conv --epochs 20 --patience 3 --out conv
  mtlcore train --probe gradients --balance pcgrad  where the tasks disagree, step by step, and what is done about it
  mtlcore train --resume conv                       after Ctrl-C, or after the machine went down
  mpirun -n 4 mtlcore train wide.toml --batch 512 --shards 8
                                                    four processes, each a block of the shards (needs a build with --features mpi)

Several processes are for one wide model and a batch of 128 rows or more. Ten epochs of the paper's model take seconds on one core, and
the units of a study, spread over machines, exchange nothing.";

/// What shells expect of a program that Ctrl-C ended.
const INTERRUPTED: u8 = 130;

pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let Some(processes) = Processes::start()? else { return Ok(ExitCode::SUCCESS) };
    if !processes.is_first() {
        output::leave_the_word();
    }
    let result = train(arguments, &processes);
    processes.end(result)
}

fn train(arguments: &Arguments, processes: &Processes) -> Result<ExitCode> {
    let Some(path) = &arguments.resume else {
        let settings = processes.agree(arguments.settings.load())?;
        let ranks = processes.agree(processes.ranks(&settings))?;
        return threads(&settings, processes)?.install(|| begin(&settings, arguments.force, processes, ranks));
    };
    let (run, manifest, settings) = processes.agree(opened(path, processes))?;
    if manifest.finished {
        output::say(format!("{} is finished already.", path.display()));
        return Ok(ExitCode::SUCCESS);
    }
    let ranks = processes.agree(processes.ranks(&settings))?;
    threads(&settings, processes)?.install(|| resume(&settings, &run, &manifest, processes, ranks))
}

/// A run that may be resumed, or is finished.
fn opened(path: &Path, processes: &Processes) -> Result<(RunDirectory, Manifest, Settings)> {
    let run = RunDirectory::open(path)?;
    let run = if processes.is_first() { run.claimed()? } else { run };
    let manifest = run.manifest()?;
    if !manifest.finished && !run.checkpoint().exists() {
        bail!("{}: it was stopped before training began; begin again, with --force", path.display());
    }
    let settings = run.settings()?;
    Ok((run, manifest, settings))
}

fn threads(settings: &Settings, processes: &Processes) -> Result<ThreadPool> {
    ThreadPoolBuilder::new().num_threads(processes.threads(settings)).build().context("threads")
}

fn begin(settings: &Settings, force: bool, processes: &Processes, ranks: Ranks) -> Result<ExitCode> {
    if settings.tasks.is_empty() {
        output::say("No task is named: learning a small simulated pair. See `mtlcore train --help` for your own.");
    }
    let prepared = processes.agree(Prepared::new(settings))?;
    let table = prepared.table(settings);
    if let Some(group) = prepared.dominant_group() {
        output::say(format!("Warning: {group}."));
    }
    let Prepared { corpus, dataset, split, vectors, coverage } = prepared;
    if let Some(coverage) = coverage {
        output::say(format!("Word vectors: {coverage}."));
    }
    let trainer = Trainer::new(settings, &dataset, &split, &table).with_ranks(ranks);
    processes.agree(processes.compare(&trainer))?;
    let trained = trainer.params().trainable_count();
    if !settings.holds_rows_out() {
        output::say(format!(
            "No rows are held out, so nothing tells which epoch is the best: all {} are run and the last is kept.",
            settings.epochs
        ));
    }
    let manifest = Manifest::new(settings, &corpus, &dataset, &split, vectors.as_ref(), trained);
    describe(&manifest);
    drop((corpus, vectors, table)); // The texts are ids now, and the parameters hold the vectors.
    let create = || {
        let run = RunDirectory::create(&settings.out, force, settings, &dataset, &split, &manifest, trainer.params())?;
        trainer.checkpoint(&run.checkpoint())?;
        mtlcore::Result::Ok(run)
    };
    let run = processes.agree(processes.is_first().then(create).transpose())?;
    finish(trainer, run.as_ref(), settings, processes)
}

/// What is learnt from, for who wants to know more.
fn describe(manifest: &Manifest) {
    use output::{count, detail};
    for (name, task) in &manifest.tasks {
        let side = |rows: usize, positive: usize| format!("{} rows ({} true)", count(rows), count(positive));
        let (learnt, held_out) = (side(task.train, task.train_positive), side(task.held_out, task.held_out_positive));
        detail(format!("{name}: {learnt} to learn from, {held_out} held out"));
    }
    detail(format!("{} words, {} numbers to train", count(manifest.vocabulary), count(manifest.trained_parameters)));
    if let Some(vectors) = &manifest.vectors {
        let share = output::share(vectors.found as f64 / manifest.vocabulary.max(1) as f64);
        detail(format!("{share} of the words have a vector of {} numbers", vectors.dim));
    }
}

fn resume(
    settings: &Settings,
    run: &RunDirectory,
    manifest: &Manifest,
    processes: &Processes,
    ranks: Ranks,
) -> Result<ExitCode> {
    subject::note_without_checksums(manifest);
    let read = || {
        run.vocabulary()?; // checks the file; the vocabulary itself is made anew below
        // The embedding as it was saved; the vectors' file is not needed any more.
        let table = EmbeddingInit::of_weight(settings, run.table()?, manifest.vectors.is_some());
        let prepared = Prepared::without_vectors(settings)?;
        manifest.check_sources(&prepared.corpus)?;
        mtlcore::Result::Ok((table, prepared))
    };
    let (table, prepared) = processes.agree(read())?;
    let mut trainer = Trainer::new(settings, &prepared.dataset, &prepared.split, &table).with_ranks(ranks);
    drop(table); // The parameters hold it now.
    processes.agree(trainer.restore(&run.checkpoint()))?;
    processes.agree(processes.compare(&trainer))?;
    finish(trainer, processes.is_first().then_some(run), settings, processes)
}

/// Trains to the end, or until Ctrl-C, with checkpoints after epochs. A process without the run makes steps and nothing else.
fn finish(
    mut trainer: Trainer<'_>,
    run: Option<&RunDirectory>,
    settings: &Settings,
    processes: &Processes,
) -> Result<ExitCode> {
    trainer.stop_when(interrupt::flag()?);
    if let Some(description) = processes.description(settings) {
        output::say(description);
    }
    let flow = |trainer: &Trainer<'_>| if trainer.is_to_stop() { Flow::Stop } else { Flow::Continue };
    let Some(run) = run else {
        return Ok(match trainer.run(|trainer, _| Ok(flow(trainer)))? {
            Outcome::Stopped => ExitCode::from(INTERRUPTED),
            Outcome::Finished => ExitCode::SUCCESS,
        });
    };

    let mut probe = run.probe_log(settings, trainer.steps_in_all())?;
    let mut progress = TrainingProgress::new(&trainer, settings);
    let mut pace = Pace::new();
    let outcome = trainer.run(|trainer, event| {
        progress.update(trainer);
        if let (Some(probe), Some(measurement)) = (&mut probe, trainer.measured()) {
            probe.append(measurement)?;
        }
        let due = match event {
            Event::Epoch(_) => pace.is_due(),
            Event::Step => settings.checkpoint_steps.is_some_and(|steps| trainer.steps_done() % steps == 0),
        };
        if let Event::Epoch(report) = event {
            progress.epoch(trainer, report);
            run.write_metrics(trainer.reports())?;
        }
        if due || trainer.is_to_stop() {
            if let Some(probe) = &probe {
                probe.sync()?;
            }
            pace.save(trainer, run)?;
        }
        Ok(flow(trainer))
    })?;
    progress.finish();
    if probe.is_some() {
        crate::probe::write(run)?;
    }
    if outcome == Outcome::Stopped {
        let path = run.path().display();
        output::insist(format!("Stopped after {}; go on with\n  mtlcore train --resume {path}", position(&trainer)));
        return Ok(ExitCode::from(INTERRUPTED));
    }
    let epochs = Epochs { run: trainer.reports().len(), chosen: trainer.chosen_epoch() };
    run.write_metrics(trainer.reports())?;
    let mut manifest = Manifest { balance: trainer.balance(), ..run.manifest()? };
    for (task, threshold) in manifest.tasks.values_mut().zip(trainer.tuned_thresholds()?) {
        task.tuned_threshold = threshold;
    }
    run.write_manifest(&manifest)?;
    run.finish(trainer.params(), epochs)?;
    output::print(&summary(&trainer, run))?;
    processes.say_times(&trainer, settings);
    Ok(ExitCode::SUCCESS)
}

fn position(trainer: &Trainer<'_>) -> String {
    match trainer.steps_done() {
        0 => format!("epoch {}", trainer.reports().len()),
        steps => format!("step {steps} of epoch {}", trainer.reports().len() + 1),
    }
}

/// The chosen epoch's figures on the held-out rows, and what to do next.
fn summary(trainer: &Trainer<'_>, run: &RunDirectory) -> String {
    let epoch = trainer.chosen_epoch();
    let report = &trainer.reports()[epoch - 1];
    let columns = ["loss", "held-out loss", "held out", "true", "accuracy", "precision", "recall", "F1", "AUROC"]
        .map(Column::Number);
    let columns: Vec<Column> = std::iter::once(Column::Text("task")).chain(columns).collect();
    let percent = |x: f64| format!("{:.1}", 100.0 * x);
    let rows = report.tasks.iter().map(|(name, task)| {
        let mut row = vec![name.clone(), format!("{:.4}", task.loss)];
        match &task.validation {
            Some(m) => row.extend([
                format!("{:.4}", m.log_loss),
                m.n.to_string(),
                m.positives.to_string(),
                percent(m.accuracy),
                percent(m.precision),
                percent(m.recall),
                percent(m.f1),
                m.auroc.map_or("-".into(), percent),
            ]),
            None => row.extend(std::iter::repeat_n("-".to_owned(), 8)),
        }
        row
    });
    let path = run.path().display();
    format!(
        "{}\nKept epoch {epoch} of {}{}; the run is in {path}.\n  mtlcore evaluate {path}\n  mtlcore predict {path} posts.tsv\n",
        output::table(&columns, rows),
        trainer.reports().len(),
        why_kept(epoch, trainer.best_epoch()),
    )
}

fn why_kept(kept: usize, best: Option<usize>) -> String {
    match best {
        None => ", the last".into(),
        Some(best) if best == kept => ", where the held-out loss is the smallest".into(),
        Some(best) => format!(", the last (the held-out loss is the smallest after epoch {best}; --keep best)"),
    }
}
