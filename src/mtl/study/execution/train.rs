//! Training and testing one unit.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Instant,
};

use indexmap::IndexMap;

use super::{
    Predictions, UnitOutcome,
    n_gram::{self, NGrams},
};
use crate::Result;
use crate::mtl::{
    data::Vocabulary,
    evaluation::metrics::best_threshold,
    settings::Settings,
    study::planning::{Arm, ArmData, Control, FoldRows, PairData, StudySettings, UnitSpec},
    training::{Event, Flow, Outcome, Predictor, Trainer},
};

impl UnitSpec {
    /// Trains and tests, on the threads of the current pool. `None` if `interrupted` was set on the way.
    ///
    /// # Errors
    /// A training that diverges; a fold whose inner rows would lack a class.
    pub fn run(&self, study: &StudySettings, pair: &PairData, interrupted: &AtomicBool) -> Result<Option<UnitOutcome>> {
        self.run_on(study, pair, &pair.rows(self.repeat, self.fold)?, interrupted)
    }

    /// As [`run`](Self::run), on some of the rows of the fold only.
    ///
    /// # Errors
    /// A training that diverges.
    pub fn run_on(
        &self,
        study: &StudySettings,
        pair: &PairData,
        rows: &FoldRows,
        interrupted: &AtomicBool,
    ) -> Result<Option<UnitOutcome>> {
        let begin = Instant::now();
        let settings = self.settings(study, pair);
        let slot = self.task.as_ref().map(|task| pair.slot(task));
        let outcome = match (self.arm, slot) {
            (Arm::NGram, Some(slot)) => Some(n_gram_unit(&settings, pair, slot, rows)),
            _ => self.network(settings, pair, slot, rows, interrupted)?,
        };
        Ok(outcome.map(|outcome| UnitOutcome { seconds: begin.elapsed().as_secs_f64(), ..outcome }))
    }

    fn network(
        &self,
        mut settings: Settings,
        pair: &PairData,
        slot: Option<usize>,
        rows: &FoldRows,
        interrupted: &AtomicBool,
    ) -> Result<Option<UnitOutcome>> {
        let data = ArmData::new(pair, self.arm, slot, rows, settings.seed);
        let split = data.split(rows);
        let table = pair.table(&settings);
        let most_steps = (self.arm == Arm::Control(Control::MatchedSteps)).then(|| {
            let together = ArmData::new(pair, Arm::Mtl, None, rows, settings.seed);
            let steps = |data: &ArmData| {
                let split = data.split(rows);
                Trainer::new(&settings, &data.dataset, &split, &table).steps_per_epoch()
            };
            let (together, alone) = (steps(&together), steps(&data));
            let most = settings.epochs * together;
            (most, most.div_ceil(alone.max(1)))
        });
        if let Some((_, epochs)) = most_steps {
            settings.epochs = epochs;
        }
        let mut trainer = Trainer::new(&settings, &data.dataset, &split, &table);
        let mut steps = 0;
        let outcome = trainer.run(|_, _: Event<'_>| {
            steps += 1;
            let enough = most_steps.is_some_and(|(most, _)| steps >= most);
            Ok(if enough || interrupted.load(Ordering::Relaxed) { Flow::Stop } else { Flow::Continue })
        })?;
        if outcome == Outcome::Stopped && interrupted.load(Ordering::Relaxed) {
            return Ok(None);
        }

        let predict = |rows: &[usize], head: usize| -> Vec<f64> {
            let texts: Vec<&[u32]> = rows.iter().map(|&row| &pair.dataset.examples[row].tokens[..]).collect();
            let vocabulary = pair.dataset.encoder.vocabulary.len();
            let all = Predictor::new(trainer.model(), trainer.params(), vocabulary).probabilities(&texts);
            all.into_iter().map(|of_heads| of_heads[head]).collect()
        };
        let heads = data.heads.iter().enumerate().flat_map(|(head, slots)| slots.iter().map(move |&slot| (head, slot)));
        let of_task = |(head, slot): (usize, usize)| {
            let predictions = test(pair, slot, rows, |rows| predict(rows, head));
            (pair.dataset.tasks[slot].clone(), predictions)
        };
        let mut tasks: IndexMap<String, Predictions> = heads.map(of_task).collect();
        tasks.sort_keys();
        Ok(Some(UnitOutcome {
            tasks,
            epochs: trainer.reports().to_vec(),
            chosen_epoch: trainer.chosen_epoch().max(1),
            steps,
            seconds: 0.0,
        }))
    }
}

fn n_gram_unit(settings: &Settings, pair: &PairData, slot: usize, rows: &FoldRows) -> UnitOutcome {
    // As in scikit-learn: what has fewer than two letters or digits, such as punctuation, is no word.
    let is_word = |word: &str| word.chars().filter(|c| c.is_alphanumeric()).count() >= 2;
    let known: Vec<bool> = pair.dataset.encoder.vocabulary.words().map(is_word).collect();
    let words = |row: usize| -> Vec<u32> {
        let tokens = pair.dataset.examples[row].tokens.iter().copied();
        tokens.filter(|&id| id != Vocabulary::PAD && known[id as usize]).collect()
    };
    let texts = labelled(pair, slot, &rows.train).into_iter().map(|(row, label)| (words(row), label));
    let (model, steps) = NGrams::train(&texts.collect::<Vec<_>>(), settings.seed);
    let predict = |rows: &[usize]| -> Vec<f64> { rows.iter().map(|&row| model.probability(&words(row))).collect() };
    let predictions = test(pair, slot, rows, predict);
    let tasks = IndexMap::from([(pair.dataset.tasks[slot].clone(), predictions)]);
    UnitOutcome { tasks, epochs: Vec::new(), chosen_epoch: n_gram::EPOCHS, steps, seconds: 0.0 }
}

/// The predictions on the test rows, and the threshold that the inner rows ask for.
fn test(pair: &PairData, slot: usize, rows: &FoldRows, predict: impl Fn(&[usize]) -> Vec<f64>) -> Predictions {
    let side = |rows: &[usize]| -> (Vec<usize>, Vec<bool>) { labelled(pair, slot, rows).into_iter().unzip() };
    let (inner, inner_truths) = side(&rows.inner);
    let tuned_threshold = (!inner.is_empty()).then(|| best_threshold(&predict(&inner), &inner_truths));
    let (rows, truths) = side(&rows.test);
    Predictions { probabilities: predict(&rows), rows, truths, tuned_threshold }
}

/// The rows that have a label of the task, with it.
fn labelled(pair: &PairData, slot: usize, rows: &[usize]) -> Vec<(usize, bool)> {
    rows.iter().filter_map(|&row| Some((row, pair.dataset.examples[row].labels[slot]?))).collect()
}
