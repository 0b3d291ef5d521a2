//! The configuration of a study: that of a run, flat, and what makes a study of runs.

mod own;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use super::Control;
use crate::mtl::{
    data::TaskSource,
    evaluation::interval::Measure,
    files,
    settings::{Balance, Kind, Preset, Schema, Settings, Shared, Tables, explained, from_value},
};
use crate::{Error, Result};

pub use own::fields;
use own::{NOT_IN_A_STUDY, OWN_FIELDS, Own};

/// Where a study of simulated pairs goes, unless something else is said.
const DEMONSTRATION: &str = "demonstration";

/// Columns of the embedding of simulated pairs, unless something else is said: they have a few hundred words.
const SIMULATED_EMBEDDING_DIM: i64 = 25;

/// Folds of simulated pairs, likewise: half the time of ten folds, for an interval that is hardly wider.
const SIMULATED_FOLDS: i64 = 5;

/// Trainings of one arm at most: the plan of a study holds each of them.
const MOST_TRAININGS: usize = 100_000;

/// A hundred times the paper's rows are some 4 million texts.
const MOST_SCALE: f64 = 100.0;

/// What a study does. As a file:
///
/// ```toml
/// preset = "paper"
/// vectors = "glove.twitter.27B.200d.txt"
/// shared = ["bilstm", "conv"]
/// controls = ["shuffled", "matched-steps"]
/// folds = 10
///
/// [[pair]]
/// name = "vaccination"
/// [[pair.task]]
/// name = "relevance"
/// file = "vaccination.tsv"
/// [[pair.task]]
/// name = "intent"
/// file = "vaccination.tsv"
/// ```
///
/// Every field of [`Settings`] may stand there too, except `validation` (here [`inner`](Self::inner)),
/// `checkpoint-steps` (a unit of a study is saved every five minutes), `balance` (here a
/// [list](Self::balance)), `balance-weights` and `probe`.
#[derive(Clone, Debug, PartialEq)]
pub struct StudySettings {
    /// What holds for every unit; `shared` and the tasks are the unit's own, `validation` is the inner share.
    pub base: Settings,
    /// Folds of the cross-validation.
    pub folds: usize,
    /// How often the folds are drawn anew.
    pub repeats: usize,
    /// Trainings in every fold, which differ in initial weights, order of rows and dropout.
    pub seeds: usize,
    /// What the verdicts are about.
    pub measure: Measure,
    /// Trials of hyper-parameters in every training, of which the inner rows choose; 1 trains with the settings as they are.
    pub tune: usize,
    /// The shared layers to study.
    pub shared: Vec<Shared>,
    /// The controls to run beside STL and MTL.
    pub controls: Vec<Control>,
    /// The balancing methods to run beside plain MTL.
    pub balance: Vec<Balance>,
    /// Half the width of the region of practical equivalence, in points of the measure.
    pub rope: f64,
    /// Share of each unit's training rows on which thresholds are tuned and the epoch to stop at is chosen.
    pub inner: f64,
    /// Size of the simulated pairs, as a share of the paper's.
    pub scale: f64,
    /// The points of the learning curves: percentages of the other tasks' training data, rising.
    pub fractions: Vec<u8>,
    /// The pairs to study; none means the simulated ones.
    pub pairs: Vec<Pair>,
}

/// Tasks that are learnt together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pair {
    /// The pair's name: letters, digits, `_` and `-`.
    pub name: String,
    /// Its tasks, two or more.
    #[serde(rename = "task", default)]
    pub tasks: Vec<TaskSource>,
}

impl StudySettings {
    /// The values from which a configuration starts, without a pair.
    pub fn preset(preset: Preset) -> Self {
        let own = Own::preset(preset);
        let base = Settings { validation: own.inner, out: "study".into(), ..Settings::preset(preset) };
        Self::of(base, own, Vec::new())
    }

    fn of(base: Settings, own: Own, pairs: Vec<Pair>) -> Self {
        let Own { folds, repeats, seeds, measure, tune, rope, inner, scale, mut fractions, .. } = own;
        fractions.sort_unstable();
        fractions.dedup();
        let (shared, mut controls, balance) = (distinct(own.shared), distinct(own.controls), distinct(own.balance));
        // Where every arm runs a fixed number of epochs, MTL takes more steps than STL: only this control tells that from a gain.
        if base.patience == 0 && !controls.contains(&Control::MatchedSteps) {
            controls.push(Control::MatchedSteps);
        }
        Self {
            base,
            folds,
            repeats,
            seeds,
            measure,
            tune,
            shared,
            controls,
            balance,
            rope,
            inner,
            scale,
            fractions,
            pairs,
        }
    }

    /// The preset's values, replaced by those of the file, replaced by `overrides` (the flags of the command line).
    /// Tasks outside any pair are one pair and take the place of all others. Simulated pairs have an embedding of 25 columns
    /// and five folds, unless something else is said.
    ///
    /// # Errors
    /// As [`Settings::load`]; a pair with fewer than two tasks.
    pub fn load(path: Option<&Path>, overrides: Table) -> Result<Self> {
        let tables = vec![Tables::of::<Pair>("pair"), Tables::of::<TaskSource>("task")];
        let mut given = Schema { fields: fields().collect(), tables }.given(path, overrides)?;
        let pairs = given.remove("pair").map_or_else(|| Ok(Vec::new()), |pairs| from_value(pairs, "pair"))?;
        let tasks = given.remove("task").map_or_else(|| Ok(Vec::new()), |tasks| from_value(tasks, "task"))?;

        let preset = match given.get("preset").and_then(Value::as_str) {
            Some(word) => Preset::ALL.iter().copied().find(|preset| preset.word() == word).unwrap_or(Preset::Default),
            None => Preset::Default,
        };
        let pairs = if tasks.is_empty() { pairs } else { vec![Pair::of(tasks)] };
        let mut own = Table::try_from(Own::preset(preset)).expect("defaults are plain data");
        if pairs.is_empty() {
            own.insert("folds".into(), SIMULATED_FOLDS.into());
            given.entry("embedding-dim").or_insert_with(|| SIMULATED_EMBEDDING_DIM.into());
        }
        for field in OWN_FIELDS.iter() {
            if let Some(value) = given.remove(&field.name) {
                own.insert(field.name.clone(), field.listed(value));
            }
        }
        let own: Own = from_value(Value::Table(own), "study")?;
        given.insert("validation".into(), own.inner.into());
        // So that the demonstration is never in the way of a study of one's own.
        given.entry("out").or_insert_with(|| if pairs.is_empty() { DEMONSTRATION } else { "study" }.into());
        if own.inner == 0.0 && given.get("patience").and_then(Value::as_integer).is_some_and(|epochs| epochs > 0) {
            return Err(Error::config("patience", "stopping early needs inner rows, and `inner` is 0"));
        }
        let base = Settings::load(None, given)?;
        let settings = Self::of(base, own, pairs);
        settings.check_together()?;
        Ok(settings.completed())
    }

    /// With what holds for all tasks in each task that says nothing itself.
    pub(in crate::mtl::study) fn completed(mut self) -> Self {
        for task in self.pairs.iter_mut().flat_map(|pair| &mut pair.tasks) {
            *task = self.base.completed(task.clone());
        }
        self
    }

    fn check_together(&self) -> Result<()> {
        if self.shared.is_empty() {
            let message = format!("found none, expected some of: {}", Shared::WORDS.join(", "));
            return Err(Error::config("shared", message));
        }
        if self.fractions.is_empty() {
            let message = format!("found none, expected {}", Kind::Percentages.expected());
            return Err(Error::config("fractions", message));
        }
        if self.base.group.is_some() && self.pairs.is_empty() {
            let message =
                "the simulated pairs have no such column; name files of your own with --task or [[pair.task]]";
            return Err(Error::config("group", message));
        }
        if self.measure == Measure::F1Tuned && self.inner == 0.0 {
            let message =
                "f1-tuned needs inner rows to tune the threshold on, and `inner` is 0; choose another measure";
            return Err(Error::config("measure", message));
        }
        if self.tune > 1 && self.inner == 0.0 {
            return Err(Error::config("tune", "trials are chosen on inner rows, and `inner` is 0"));
        }
        let trainings = self.folds * self.repeats * self.seeds;
        if trainings > MOST_TRAININGS {
            let Self { folds, repeats, seeds, .. } = self;
            let message =
                format!("{folds} folds × {repeats} repeats × {seeds} seeds are {trainings} trainings of an arm");
            return Err(Error::config("folds", format!("{message}, expected at most {MOST_TRAININGS}")));
        }
        if self.scale > MOST_SCALE {
            let message =
                format!("found {}, expected at most {MOST_SCALE}: more rows than that are no quick look", self.scale);
            return Err(Error::config("scale", message));
        }
        if self.rope < 0.0 {
            return Err(Error::config("rope", format!("found {}, expected at least 0", self.rope)));
        }
        let mut names = BTreeSet::new();
        for pair in &self.pairs {
            pair.check()?;
            if !names.insert(&pair.name) {
                return Err(Error::config(
                    "pair",
                    format!("two pairs are called `{}`; each needs its own name", pair.name),
                ));
            }
        }
        Ok(())
    }

    /// Whether every training runs the same number of epochs, so that MTL takes more steps than STL.
    pub fn epochs_are_fixed(&self) -> bool {
        self.base.patience == 0
    }

    /// Every (repeat, fold), repeat by repeat: the test sets.
    pub fn places(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let folds = self.folds;
        (0..self.repeats).flat_map(move |repeat| (0..folds).map(move |fold| (repeat, fold)))
    }

    /// The fields that are set, by name, without the pairs.
    ///
    /// # Panics
    /// As [`Settings::to_table`].
    pub fn to_table(&self) -> Table {
        let mut table = self.base.to_table();
        table.remove("task");
        for name in NOT_IN_A_STUDY {
            table.remove(name);
        }
        let Self { folds, repeats, seeds, measure, tune, rope, inner, scale, .. } = *self;
        let Self { shared, controls, balance, fractions, .. } = self.clone();
        let own =
            Own { folds, repeats, seeds, measure, tune, shared, controls, balance, rope, inner, scale, fractions };
        table.extend(Table::try_from(own).expect("plain data"));
        table
    }

    /// SHA-256 of all settings but those that determine no result: threads, and the directory.
    pub fn sha256(&self) -> String {
        let neutral = Settings { threads: 0, out: PathBuf::new(), ..self.base.clone() };
        files::sha256_of(Self { base: neutral, ..self.clone() }.to_toml().as_bytes())
    }

    /// The configuration file of these settings: every field under its explanation. [`StudySettings::load`] reads it back.
    ///
    /// # Panics
    /// As [`Settings::to_table`].
    pub fn to_toml(&self) -> String {
        let mut text = "# A study of mtlcore. File names are relative to the working directory.\n".to_owned();
        text += &explained(fields(), &self.to_table());
        if !self.pairs.is_empty() {
            let pairs = Value::try_from(&self.pairs).expect("paths are UTF-8");
            text += &format!("\n## Pairs\n\n{}", Table::from_iter([("pair".to_owned(), pairs)]));
        }
        text
    }
}

impl Pair {
    /// A pair that is called like its tasks.
    fn of(tasks: Vec<TaskSource>) -> Self {
        let names: Vec<&str> = tasks.iter().map(|task| task.name.as_str()).collect();
        Self { name: names.join("-"), tasks }
    }

    fn check(&self) -> Result<()> {
        let wrong = |message: String| Err(Error::config("pair", message));
        let fits = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
        if self.name.is_empty() || !self.name.chars().all(fits) {
            return wrong(format!("found the name {:?}, expected letters, digits, `_` and `-`", self.name));
        }
        match &self.tasks[..] {
            [] => return wrong(format!("`{}` has no task; it needs two or more, each a [[pair.task]]", self.name)),
            [one] => {
                let message =
                    format!("`{}` has one task, `{}`; to learn together takes two or more", self.name, one.name);
                return wrong(message);
            }
            _ => {}
        }
        let mut names = BTreeSet::new();
        for task in &self.tasks {
            task.validate()?;
            if !names.insert(&task.name) {
                return Err(Error::task(&task.name, format!("two tasks of the pair `{}` have this name", self.name)));
            }
            if task.validation.is_some() {
                return Err(Error::task(
                    &task.name,
                    "a study measures on its own folds, so it takes no validation file",
                ));
            }
        }
        Ok(())
    }
}

/// Each once, in the order of its first occurrence.
fn distinct<T: PartialEq>(all: Vec<T>) -> Vec<T> {
    all.into_iter().fold(Vec::new(), |mut kept, item| {
        if !kept.contains(&item) {
            kept.push(item);
        }
        kept
    })
}

#[cfg(test)]
mod tests;
