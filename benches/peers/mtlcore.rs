//! Trains like the Python peers beside this file, and says how long each epoch took: see `compare.py`.

use std::{path::PathBuf, time::Instant};

use clap::Parser;
use mtlcore::mtl::{
    data::TaskSource,
    prepare::Prepared,
    settings::{EmbeddingSource, EmbeddingUpdates, Preset, Settings, Shared},
    training::{Event, Flow, Trainer},
};

#[derive(Parser)]
struct Arguments {
    #[arg(long)]
    layer: String,
    #[arg(long)]
    posts: PathBuf,
    #[arg(long)]
    vectors: PathBuf,
    #[arg(long, default_value_t = 4)]
    epochs: usize,
    #[arg(long, default_value_t = 1)]
    threads: usize,
    #[arg(long, default_value_t = 25)]
    units: usize,
    #[arg(long, default_value_t = 32)]
    batch: usize,
    /// Train the word vectors further, those in the batch.
    #[arg(long)]
    fine_tuned: bool,
    /// Said by `cargo bench`.
    #[arg(long)]
    bench: bool,
}

fn main() -> mtlcore::Result<()> {
    let arguments = Arguments::parse();
    let shared = match arguments.layer.as_str() {
        "B" => Shared::Bilstm,
        "C" => Shared::Conv,
        _ => Shared::BilstmConv,
    };
    let task = |name: &str| TaskSource::new(name, &arguments.posts);
    let settings = Settings {
        shared,
        units: arguments.units,
        batch: arguments.batch,
        epochs: arguments.epochs,
        tasks: ["task1", "task2"].map(task).into(),
        vectors: Some(arguments.vectors.clone()),
        embedding: if arguments.fine_tuned { EmbeddingSource::FineTuned } else { EmbeddingSource::Frozen },
        embedding_updates: EmbeddingUpdates::Lazy,
        validation: 0.0,
        ..Settings::preset(Preset::Default)
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(arguments.threads).build().expect("threads");
    pool.install(|| train(&settings))
}

fn train(settings: &Settings) -> mtlcore::Result<()> {
    let prepared = Prepared::new(settings)?;
    let table = prepared.table(settings);
    let mut trainer = Trainer::new(settings, &prepared.dataset, &prepared.split, &table);
    let (mut seconds, mut begin) = (Vec::new(), Instant::now());
    trainer.run(|_, event| {
        if let Event::Epoch(_) = event {
            seconds.push(begin.elapsed().as_secs_f64());
            begin = Instant::now();
        }
        Ok(Flow::Continue)
    })?;
    let report = trainer.reports().last().expect("at least one epoch");
    let (sum, rows) = report.tasks.iter().fold((0.0, 0), |(sum, rows), (name, task)| {
        let slot = prepared.dataset.tasks.iter().position(|task| task == name).expect("a task of the data");
        let labelled = prepared.dataset.examples.iter().filter(|example| example.labels[slot].is_some()).count();
        (sum + task.loss * labelled as f64, rows + labelled)
    });
    let peer = format!("mtlcore {}", env!("CARGO_PKG_VERSION"));
    let said = serde_json::json!({ "peer": peer, "seconds": seconds, "loss": sum / rows as f64, "mib": peak_mib() });
    println!("{said}");
    Ok(())
}

/// The most memory that the process has had, where the system tells it.
fn peak_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? / 1024)
}
