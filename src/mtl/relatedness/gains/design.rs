//! The design of the experiment: which pairs are compared, and which rows each fold learns from.
//!
//! A fold learns from a fixed number of rows of the main task and is tested on all rows that it holds out, so that small sizes are
//! measured as precisely as large ones. It draws the same rows of the main task beside every partner, so that learning alone is
//! trained once for all partners.

use std::{collections::HashSet, fmt, str::FromStr};

use super::LeftOut;
use crate::mtl::{
    data::{Corpus, Dataset, TaskSource, read, require_both_classes},
    settings::Settings,
    study::{PairData, StudySettings, assign},
};
use crate::{Error, Result};

/// The largest share of common texts: a pair with more is left out, and of a pair with fewer the partner loses them.
pub const MOST_SHARED: f64 = 0.01;

/// A number of rows to learn from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Size {
    /// This number.
    Rows(usize),
    /// All that a fold has.
    All,
}

impl Size {
    fn limit(self) -> usize {
        match self {
            Self::Rows(rows) => rows,
            Self::All => usize::MAX,
        }
    }
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let rows = text.parse().ok().filter(|&rows: &usize| rows >= 20).map(Self::Rows);
        match text {
            "all" => Ok(Self::All),
            _ => rows.ok_or_else(|| format!("found {text:?}, expected a number of rows from 20 on, or `all`")),
        }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rows(rows) => write!(f, "{rows}"),
            Self::All => f.write_str("all"),
        }
    }
}

/// The settings of an experiment.
#[derive(Clone, Debug)]
pub struct GainSettings {
    /// Folds, seeds, layers, training: those of a study. Its one pair holds all tasks.
    pub study: StudySettings,
    /// Rows of the main task that a fold learns from.
    pub sizes: Vec<Size>,
    /// Rows of the partner that a fold learns from.
    pub partner_size: Size,
}

/// The rows of one task.
pub(super) struct TaskRows {
    pub name: String,
    corpus: Corpus,
    /// Of each record: equal tokens are one group.
    groups: Vec<u64>,
    /// Rows that a fold can learn from.
    room: usize,
}

impl TaskRows {
    /// The tasks in the order of their names.
    pub fn all(settings: &GainSettings) -> Result<Vec<Self>> {
        let mut sources: Vec<TaskSource> =
            settings.study.pairs.iter().flat_map(|pair| pair.tasks.iter().cloned()).collect();
        sources.sort_by(|a, b| a.name.cmp(&b.name));
        if sources.len() < 2 {
            let message = format!("found {}, expected two or more", sources.len());
            return Err(Error::config("task", message));
        }
        sources.iter().map(|source| Self::read(settings, source)).collect()
    }

    fn read(settings: &GainSettings, source: &TaskSource) -> Result<Self> {
        let mut corpus = read(std::slice::from_ref(source))?;
        require_both_classes(&corpus)?;
        corpus.records.retain(|record| record.labels[0].is_some());
        let Settings { tokenizer, max_length, padding, .. } = settings.study.base;
        Dataset::require_room(&corpus, tokenizer, max_length, padding)?;
        let dataset = Dataset::new(&corpus, tokenizer, max_length, padding);
        let folds = settings.study.folds;
        // Refuses tasks with too few rows of a class, before anything is trained.
        assign(&dataset.tasks, &dataset.examples, folds, 0, settings.study.base.seed)?;
        let groups: Vec<u64> = dataset.examples.iter().map(|example| example.group).collect();
        let room = groups.len() * (folds - 1) / folds;
        Ok(Self { name: source.name.clone(), corpus, groups, room })
    }

    /// Whether a fold can learn from `size` rows.
    pub fn has(&self, size: Size) -> bool {
        matches!(size, Size::All) || self.room >= size.limit()
    }

    /// Rows that a fold learns from at this size.
    pub fn learnt_from(&self, size: Size) -> usize {
        self.room.min(size.limit())
    }

    /// The reason to leave a pair out; `None` for a pair that is compared.
    pub fn left_out(&self, partner: &Self) -> Option<LeftOut> {
        let (of_main, of_partner) = (self.distinct(), partner.distinct());
        let common = of_main.intersection(&of_partner).count();
        let share = common as f64 / of_main.len().min(of_partner.len()).max(1) as f64;
        (share > MOST_SHARED).then(|| {
            let reason = format!("they share {common} texts");
            LeftOut { main: self.name.clone(), partner: partner.name.clone(), size: None, reason }
        })
    }

    fn distinct(&self) -> HashSet<u64> {
        self.groups.iter().copied().collect()
    }

    /// The data of learning alone, with `size` rows in a fold.
    pub fn alone(&self, settings: &GainSettings, size: Size) -> Result<PairData> {
        let name = format!("{}.{size}", self.name);
        Ok(PairData::new(&settings.study, &name, self.corpus.clone())?.limited(vec![size.limit()]))
    }

    /// The data of learning together; texts that both tasks have are removed from the partner.
    pub fn with_partner(&self, settings: &GainSettings, size: Size, partner: &Self) -> Result<PairData> {
        let own = self.distinct();
        let mut tasks = [self.name.clone(), partner.name.clone()];
        tasks.sort();
        let mut sides = [(self, None), (partner, Some(&own))];
        sides.sort_by(|a, b| a.0.name.cmp(&b.0.name));
        let mut corpus = Corpus { tasks: tasks.to_vec(), sources: Vec::new(), records: Vec::new() };
        for (slot, (side, without)) in sides.iter().enumerate() {
            let source = corpus.sources.len() as u32;
            corpus.sources.extend(side.corpus.sources.iter().cloned());
            for (record, group) in side.corpus.records.iter().zip(&side.groups) {
                if without.is_some_and(|own: &HashSet<u64>| own.contains(group)) {
                    continue;
                }
                let mut record = record.clone();
                record.source += source;
                let mut labels = vec![None; 2];
                labels[slot] = record.labels[0];
                record.labels = labels;
                corpus.records.push(record);
            }
        }
        let name = format!("{}.{}.{size}", self.name, partner.name);
        let mut pair = PairData::new(&settings.study, &name, corpus)?;
        let limits = sides.map(|(side, without)| match without {
            None => size.limit(),
            Some(_) => side.learnt_from(settings.partner_size),
        });
        pair = pair.limited(limits.to_vec());
        // Both tasks' folds as if each were alone, so that the main task's are those of learning alone.
        for (repeat, folds) in pair.folds.iter_mut().enumerate() {
            for (slot, task) in tasks.iter().enumerate() {
                let rows: Vec<usize> = (0..pair.dataset.examples.len())
                    .filter(|&row| pair.dataset.examples[row].labels[slot].is_some())
                    .collect();
                let examples: Vec<_> = rows
                    .iter()
                    .map(|&row| {
                        let mut example = pair.dataset.examples[row].clone();
                        example.labels = vec![example.labels[slot]];
                        example
                    })
                    .collect();
                let (count, seed) = (settings.study.folds, settings.study.base.seed);
                let assigned = assign(std::slice::from_ref(task), &examples, count, repeat, seed)?;
                rows.iter().zip(assigned).for_each(|(&row, fold)| folds[row] = fold);
            }
        }
        Ok(pair)
    }
}
