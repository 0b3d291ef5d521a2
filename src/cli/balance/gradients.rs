//! The gradients to look at.

use std::path::Path;

use anyhow::{Result, anyhow, bail};
use mtlcore::mtl::{
    balancing::Gram,
    model::EmbeddingInit,
    prepare::Prepared,
    run::RunDirectory,
    settings::{EmbeddingSource, Preset, Settings},
    training::{Flow, NextStep, Trainer},
};

use crate::subject::note_other_version;

/// Two tasks' gradients or more.
pub struct Gradients {
    /// Where they come from, in words.
    pub origin: String,
    pub tasks: Vec<String>,
    pub losses: Vec<f64>,
    pub gram: Gram,
    /// The numbers themselves, if they were given.
    pub numbers: Option<Vec<Vec<f64>>>,
    /// The root of random weights.
    pub seed: u64,
}

impl Gradients {
    /// `-4,1,1;6,1,1`: rows between semicolons.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = |message: String| anyhow!("--gradients: {message}");
        let mut rows: Vec<Vec<f64>> = Vec::new();
        for (place, row) in (1..).zip(text.split(';')) {
            let number = |cell: &str| match cell.trim().parse::<f64>() {
                Ok(number) if number.is_finite() => Ok(number),
                _ => Err(wrong(format!("found {:?} in gradient {place}, expected a number", cell.trim()))),
            };
            let row: Vec<f64> = row.split(',').map(number).collect::<Result<_>>()?;
            if let Some(first) = rows.first().filter(|first| first.len() != row.len()) {
                let (found, expected) = (row.len(), first.len());
                return Err(wrong(format!("gradient {place} has {found} numbers, and the first has {expected}")));
            }
            rows.push(row);
        }
        if rows.len() < 2 {
            return Err(wrong(
                "found one gradient, expected one of each of two tasks or more, with `;` between them".into(),
            ));
        }
        Ok(Self {
            origin: "Given gradients, each with a loss of 1".into(),
            tasks: (1..=rows.len()).map(|task| format!("task {task}")).collect(),
            losses: vec![1.0; rows.len()],
            gram: Gram::of(&rows),
            numbers: Some(rows),
            seed: Settings::preset(Preset::Default).seed,
        })
    }

    /// Those of a step of a run, whose training is made again up to there.
    pub fn of_step(path: &Path, step: u64) -> Result<Self> {
        let run = RunDirectory::open(path)?;
        let (settings, manifest) = (run.settings()?, run.manifest()?);
        if let [only] = &manifest.tasks.keys().collect::<Vec<_>>()[..] {
            bail!("{}: it has one task, `{only}`; balancing needs two or more", path.display());
        }
        note_other_version(&manifest.version);
        // A frozen embedding is in the run as it was; one that was trained has to begin again.
        let (prepared, table) = if settings.embedding == EmbeddingSource::Frozen {
            let table = EmbeddingInit::of_weight(&settings, run.table()?, manifest.vectors.is_some());
            (Prepared::without_vectors(&settings)?, table)
        } else {
            let prepared = Prepared::new(&settings)?;
            let table = prepared.table(&settings);
            (prepared, table)
        };
        manifest.check_sources(&prepared.corpus)?;
        let threads = rayon::ThreadPoolBuilder::new().num_threads(settings.threads).build()?;
        // What measures the training is not needed again.
        let settings = Settings { probe: None, ..settings };
        let mut trainer = Trainer::new(&settings, &prepared.dataset, &prepared.split, &table);
        let next = threads.install(|| -> Result<Option<NextStep>> {
            if step > 1 {
                let stop = |steps: u64| if steps + 1 >= step { Flow::Stop } else { Flow::Continue };
                trainer.run(|trainer, _| Ok(stop(trainer.steps_in_all())))?;
            }
            Ok(trainer.next_step())
        })?;
        let made = trainer.steps_in_all();
        let Some(NextStep { tasks, losses, gram }) = next.filter(|_| made + 1 == step) else {
            bail!("{}: its training has {made} steps, so there is no step {step}", path.display());
        };
        if let [only] = &tasks[..] {
            bail!(
                "{}: the batch of step {step} has labels of one task, `{only}`; balancing needs two or more",
                path.display()
            );
        }
        let origin = format!("Step {step} of {}: gradients with respect to the shared parameters", path.display());
        Ok(Self { origin, tasks, losses, gram, numbers: None, seed: settings.seed })
    }

    /// Σ wᵢ gᵢ, if the numbers are known.
    pub fn combined(&self, weights: &[f64]) -> Option<Vec<f64>> {
        let numbers = self.numbers.as_ref()?;
        let element = |at: usize| numbers.iter().zip(weights).map(|(gradient, weight)| weight * gradient[at]).sum();
        Some((0..numbers[0].len()).map(element).collect())
    }
}
