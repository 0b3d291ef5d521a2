//! A unit of work: one arm in one fold.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Instant,
};

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Arm, Control, FoldRows, PairData, StudySettings, arm::ArmData, ngram::NGrams};
use crate::Result;
use crate::mtl::{
    data::Vocabulary,
    evaluation::metrics::best_threshold,
    settings::{Balance, Settings, Shared},
    training::{EpochReport, Event, Flow, Outcome, Predictor, Trainer},
};

/// Which unit it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitSpec {
    /// The pair.
    pub pair: String,
    /// The shared layer; none for the n-gram baseline.
    pub shared: Option<Shared>,
    /// The arm.
    pub arm: Arm,
    /// The task that it is about; none where it is about all of the pair.
    pub task: Option<String>,
    /// The repeat, from 0.
    pub repeat: usize,
    /// The fold whose rows are tested, from 0.
    pub fold: usize,
}

/// What a finished unit leaves behind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UnitOutcome {
    /// Its test predictions, by task.
    pub tasks: IndexMap<String, Predictions>,
    /// A report of every epoch, the inner rows as validation; none for the n-gram baseline.
    pub epochs: Vec<EpochReport>,
    /// The epoch (from 1) whose parameters predicted.
    pub chosen_epoch: usize,
    /// Optimiser steps.
    pub steps: usize,
    /// How long it took. No result depends on it.
    pub seconds: f64,
}

/// What was predicted of one task's test rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Predictions {
    /// The rows of the pair, rising.
    pub rows: Vec<usize>,
    /// Their labels.
    pub truths: Vec<bool>,
    /// How probably each is true.
    pub probabilities: Vec<f64>,
    /// The threshold with the best F1 on the inner rows, if there are any.
    pub tuned_threshold: Option<f64>,
}

impl UnitSpec {
    /// Every unit of a study.
    pub fn all(settings: &StudySettings, pairs: &[PairData]) -> Vec<Self> {
        let mut arms = vec![Arm::Stl, Arm::Mtl];
        arms.extend(settings.balance.iter().map(|&balance| Arm::Balanced(balance)));
        arms.extend(settings.controls.iter().map(|&control| Arm::Control(control)));
        let units = pairs.iter().flat_map(|pair| {
            let n_grams = Self::of_arm(settings, pair, None, Arm::NGram);
            n_grams.into_iter().chain(Self::of_layers(settings, pair, &arms))
        });
        units.collect()
    }

    /// Every unit of the learning curves of a study; those of 0 and 100 % are units of the study.
    pub fn of_curves(settings: &StudySettings, pairs: &[PairData]) -> Vec<Self> {
        let arms: Vec<Arm> = settings.fractions.iter().map(|&percent| Arm::with_share(percent)).collect();
        pairs.iter().flat_map(|pair| Self::of_layers(settings, pair, &arms)).collect()
    }

    fn of_layers(settings: &StudySettings, pair: &PairData, arms: &[Arm]) -> Vec<Self> {
        let of_layer =
            |&shared: &Shared| arms.iter().flat_map(move |&arm| Self::of_arm(settings, pair, Some(shared), arm));
        settings.shared.iter().flat_map(of_layer).collect()
    }

    fn of_arm(settings: &StudySettings, pair: &PairData, shared: Option<Shared>, arm: Arm) -> Vec<Self> {
        let tasks = match arm.is_joint() {
            true => vec![None],
            false => pair.dataset.tasks.iter().cloned().map(Some).collect(),
        };
        let of_task = |task: Option<String>| {
            settings.places().map(move |(repeat, fold)| {
                let (pair, task) = (pair.name.clone(), task.clone());
                Self { pair, shared, arm, task, repeat, fold }
            })
        };
        tasks.into_iter().flat_map(of_task).collect()
    }

    /// The settings of the unit: everything that determines its network and training.
    fn settings(&self, study: &StudySettings, pair: &PairData) -> Settings {
        let shared = self.shared.unwrap_or(study.base.shared);
        let seed = pair.seed_of(self.repeat, self.fold);
        let balance = match self.arm {
            Arm::Balanced(balance) => balance,
            _ => Balance::Equal,
        };
        Settings { seed, shared, balance, ..study.base.clone() }
    }

    /// A hash of all that determines the outcome: version, spec, settings, data and folds.
    pub(super) fn key(&self, study: &StudySettings, pair: &PairData) -> String {
        // What does not change a bit of the outcome is left out.
        let neutral = Settings::preset(study.base.preset);
        let settings = Settings {
            out: neutral.out,
            threads: neutral.threads,
            threshold: neutral.threshold,
            vectors: None, // their content counts, and is part of the pair's hash
            probe: None,
            ..self.settings(study, pair)
        };
        let mut hash = Sha256::new();
        hash.update(env!("CARGO_PKG_VERSION"));
        hash.update(serde_json::to_string(self).expect("a spec is plain data"));
        hash.update(settings.to_hashed());
        hash.update(&pair.sha256);
        for fold in &pair.folds[self.repeat] {
            hash.update(fold.map_or(u64::MAX, |fold| fold as u64).to_le_bytes());
        }
        super::hexadecimal(&hash.finalize())
    }

    /// How long it will take, roughly: only comparisons count.
    pub(super) fn cost(&self, pair: &PairData) -> usize {
        let task = self.task.as_ref().map(|task| pair.slot(task));
        let percent_used = |labels: &[Option<bool>]| match (self.arm, task) {
            (Arm::Share(percent), Some(task)) if labels[task].is_none() => usize::from(percent),
            (Arm::Stl | Arm::NGram, Some(task)) if labels[task].is_none() => 0,
            _ => 100,
        };
        let examples = pair.dataset.examples.iter();
        let tokens: usize = examples.map(|example| example.tokens.len() * percent_used(&example.labels)).sum();
        let weight = match self.shared {
            None => 1,
            Some(Shared::Conv) => 2,
            Some(Shared::Bilstm) => 4,
            Some(Shared::BilstmConv) => 5,
        };
        weight * tokens
    }

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
            (Arm::NGram, Some(slot)) => Some(n_gram(&settings, pair, slot, rows)),
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

fn n_gram(settings: &Settings, pair: &PairData, slot: usize, rows: &FoldRows) -> UnitOutcome {
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
    UnitOutcome { tasks, epochs: Vec::new(), chosen_epoch: super::ngram::EPOCHS, steps, seconds: 0.0 }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mtl::{data::Tokenizer, settings::Preset};

    const KEYS: [(Preset, Arm, &str); 2] = [
        (Preset::Default, Arm::Mtl, "93208608b7bf6a6797d7233e81cfc28cc86f926a1cad24435598eeaba32d91bd"),
        (
            Preset::Paper,
            Arm::Control(Control::Pooled),
            "07376e35c67f763e1ad1d1973c48537db9599a585b7a1b2ddf68ccd79dfcbde3",
        ),
    ];

    fn key(preset: Preset, arm: Arm) -> String {
        let mut settings = StudySettings { scale: 0.02, ..StudySettings::preset(preset) };
        settings.base.tokenizer = Tokenizer::Glove; // what was the default then
        let mut pair = PairData::all(&settings).unwrap().swap_remove(0);
        (pair.sha256, pair.folds) = ("rows".into(), vec![vec![Some(0), Some(1), None]]);
        let (name, shared) = (pair.name.clone(), Some(Shared::Conv));
        UnitSpec { pair: name, shared, arm, task: None, repeat: 0, fold: 1 }.key(&settings, &pair)
    }

    /// Expected: what was computed before there was any balancing. Studies that were finished then are found by these keys.
    #[test]
    fn keys_of_finished_units_stay() {
        for (preset, arm, expected) in KEYS {
            assert_eq!(key(preset, arm), expected, "{preset:?}");
        }
    }

    #[test]
    fn a_balanced_unit_has_a_key_of_its_own() {
        let keys = [Arm::Mtl, Arm::Balanced(Balance::PcGrad), Arm::Balanced(Balance::Mgda)];
        let keys: std::collections::BTreeSet<String> = keys.map(|arm| key(Preset::Default, arm)).into();
        assert_eq!(keys.len(), 3);
    }
}
