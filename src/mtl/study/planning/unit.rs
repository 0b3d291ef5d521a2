//! A unit of work: one arm in one fold.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Arm, PairData, Seeds, StudySettings};
use crate::mtl::{
    files::hexadecimal,
    settings::{Balance, Settings, Shared},
};

/// Which rules make a unit's outcome from its spec, settings and data. Raised whenever the same unit would give other bits, so
/// that outcomes of other rules are never taken for it; a release that changes none of them finds the units of the one before.
pub const SCHEMA: u32 = 2;

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
    /// Which of the fold's trainings it is, from 0: each has initial weights, an order of rows and dropout of its own.
    pub seed: usize,
}

impl UnitSpec {
    /// Every unit of a study.
    pub fn all(settings: &StudySettings, pairs: &[PairData], seeds: &Seeds) -> Vec<Self> {
        let mut arms = vec![Arm::Stl, Arm::Mtl];
        arms.extend(settings.balance.iter().map(|&balance| Arm::Balanced(balance)));
        arms.extend(settings.controls.iter().map(|&control| Arm::Control(control)));
        let units = pairs.iter().flat_map(|pair| {
            // The n-grams' objective has one minimum, so one training a fold is enough.
            let n_grams = Self::of_arm(settings, pair, None, Arm::NGram, 1);
            n_grams.into_iter().chain(Self::of_layers(settings, pair, &arms, seeds))
        });
        units.collect()
    }

    /// Every unit of the learning curves of a study, with as many trainings in every fold as its settings say; those of 0 and 100 %
    /// are units of the study.
    pub fn of_curves(settings: &StudySettings, pairs: &[PairData]) -> Vec<Self> {
        let arms: Vec<Arm> = settings.fractions.iter().map(|&percent| Arm::with_share(percent)).collect();
        let seeds = Seeds::everywhere(settings.seeds);
        pairs.iter().flat_map(|pair| Self::of_layers(settings, pair, &arms, &seeds)).collect()
    }

    /// Every arm with every shared layer.
    fn of_layers(settings: &StudySettings, pair: &PairData, arms: &[Arm], seeds: &Seeds) -> Vec<Self> {
        let of_layer = |&shared: &Shared| {
            let seeds = seeds.of(&pair.name, shared);
            arms.iter().flat_map(move |&arm| Self::of_arm(settings, pair, Some(shared), arm, seeds))
        };
        settings.shared.iter().flat_map(of_layer).collect()
    }

    fn of_arm(settings: &StudySettings, pair: &PairData, shared: Option<Shared>, arm: Arm, seeds: usize) -> Vec<Self> {
        let tasks = match arm.is_joint() {
            true => vec![None],
            false => pair.dataset.tasks.iter().cloned().map(Some).collect(),
        };
        let of_task = |task: Option<String>| {
            settings.places().flat_map(move |(repeat, fold)| {
                let (pair, task) = (pair.name.clone(), task.clone());
                (0..seeds).map(move |seed| Self {
                    pair: pair.clone(),
                    shared,
                    arm,
                    task: task.clone(),
                    repeat,
                    fold,
                    seed,
                })
            })
        };
        tasks.into_iter().flat_map(of_task).collect()
    }

    /// What it is called: `pair.layer.arm.task.repeat.fold.seed`, without what it does not have.
    pub fn name(&self) -> String {
        let Self { pair, shared, arm, task, repeat, fold, seed } = self;
        let shared = shared.map_or(String::new(), |shared| format!(".{}", shared.word()));
        let task = task.as_ref().map_or(String::new(), |task| format!(".{task}"));
        format!("{pair}{shared}.{}{task}.{repeat}.{fold}.{seed}", arm.word())
    }

    /// The settings of the unit: everything that determines its network and training.
    pub(in crate::mtl::study) fn settings(&self, study: &StudySettings, pair: &PairData) -> Settings {
        let shared = self.shared.unwrap_or(study.base.shared);
        let seed = pair.seed_of(self.repeat, self.fold, self.seed);
        let balance = match self.arm {
            Arm::Balanced(balance) => balance,
            _ => Balance::Equal,
        };
        Settings { seed, shared, balance, ..study.base.clone() }
    }

    /// A hash of all that determines the outcome: schema, spec, settings, data and folds.
    pub(in crate::mtl::study) fn key(&self, study: &StudySettings, pair: &PairData) -> String {
        // What does not change a bit of the outcome is left out.
        let neutral = Settings::preset(study.base.preset);
        let settings = Settings {
            out: neutral.out,
            threads: neutral.threads,
            threshold: neutral.threshold,
            probe: None,
            // The content of files counts, and is part of the pair's hash; not where it stands or how it is read.
            vectors: None,
            text_column: neutral.text_column,
            positive: neutral.positive,
            negative: neutral.negative,
            delimiter: neutral.delimiter,
            input_format: neutral.input_format,
            group: neutral.group,
            ..self.settings(study, pair)
        };
        let mut hash = Sha256::new();
        hash.update(SCHEMA.to_le_bytes());
        hash.update(serde_json::to_string(self).expect("a spec is plain data"));
        // By name, so that the order in which fields are declared does not count.
        let mut values: BTreeMap<String, toml::Value> = settings.to_table().into_iter().collect();
        if settings.shards == 1 {
            values.remove("shards"); // one is what there was before it could be said
        }
        hash.update(serde_json::to_string(&values).expect("settings are plain data"));
        if study.tune > 1 {
            let (Settings { seed, threshold, .. }, measure) = (&study.base, study.measure.word());
            hash.update(format!("{} trials from {seed}, chosen by {measure} at {threshold}", study.tune));
        }
        hash.update(&pair.sha256);
        for fold in &pair.folds[self.repeat] {
            hash.update(fold.map_or(u64::MAX, |fold| fold as u64).to_le_bytes());
        }
        hexadecimal(&hash.finalize())
    }

    /// How long it will take, roughly: only comparisons count.
    pub(in crate::mtl::study) fn cost(&self, pair: &PairData) -> usize {
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mtl::settings::Preset;

    fn key(preset: Preset, arm: Arm) -> String {
        let settings = StudySettings { scale: 0.02, ..StudySettings::preset(preset) };
        let mut pair = PairData::all(&settings).unwrap().swap_remove(0);
        (pair.sha256, pair.folds) = ("rows".into(), vec![vec![Some(0), Some(1), None]]);
        let (name, shared) = (pair.name.clone(), Some(Shared::Conv));
        UnitSpec { pair: name, shared, arm, task: None, repeat: 0, fold: 1, seed: 0 }.key(&settings, &pair)
    }

    #[test]
    fn only_what_changes_the_outcome_changes_the_key() {
        let settings = StudySettings { scale: 0.02, ..StudySettings::preset(Preset::Default) };
        let pair = PairData::all(&settings).unwrap().swap_remove(0);
        let spec = UnitSpec::all(&settings, std::slice::from_ref(&pair), &Seeds::everywhere(1)).pop().unwrap();
        let key = |change: fn(&mut Settings)| {
            let mut changed = settings.clone();
            change(&mut changed.base);
            spec.key(&changed, &pair)
        };
        let same = key(|_| ());
        assert_eq!(key(|base| (base.threads, base.threshold, base.out) = (3, 0.3, "elsewhere".into())), same);
        // How files are read shows in the rows, and counts there.
        assert_eq!(key(|base| (base.text_column, base.vectors) = ("tweet".into(), Some("elsewhere".into()))), same);
        let words = |base: &mut Settings| (base.positive, base.negative) = (Some("yes".into()), Some("no".into()));
        assert_eq!(key(words), same);
        let others = [
            key(|base| base.shards = 4),
            key(|base| base.epochs += 1),
            key(|base| base.dropout = 0.5),
            key(|base| base.units += 1),
        ];
        assert!(others.iter().all(|other| *other != same), "{others:?}");
    }

    #[test]
    fn a_balanced_unit_has_a_key_of_its_own() {
        let keys = [Arm::Mtl, Arm::Balanced(Balance::PcGrad), Arm::Balanced(Balance::Mgda)];
        let keys: std::collections::BTreeSet<String> = keys.map(|arm| key(Preset::Default, arm)).into();
        assert_eq!(keys.len(), 3);
    }
}
