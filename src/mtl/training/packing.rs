//! From the rows of a batch to what the network reads.

use super::{
    BatchPlan, Trainer,
    cut::{Cut, Shard, part, shards_of},
};
use crate::mtl::{
    model::{Batch, PerTask},
    streams::{Streams, split_mix},
};

/// What a [`Cut`] borrows.
pub(super) struct Packed {
    shards: Vec<(Batch, Vec<u64>)>,
    rows: usize,
    labelled: PerTask<usize>,
    words: Vec<u32>,
}

impl Packed {
    pub fn cut(&self) -> Cut<'_> {
        let shards = self.shards.iter().map(|(batch, row_keys)| Shard { batch, row_keys }).collect();
        Cut { shards, rows: self.rows, labelled: self.labelled.clone(), words: &self.words }
    }
}

impl Trainer<'_> {
    /// Packs the shards of this rank, and counts what is in the whole batch.
    pub(super) fn packed(&mut self, plan: &BatchPlan) -> Packed {
        let (rows, shards) = (plan.rows.len(), self.settings.shards);
        let own = shards_of(self.ranks.rank(), self.ranks.count(), shards);
        let shard = |shard| {
            let part = BatchPlan { rows: plan.rows[part(shard, shards, rows)].to_vec(), task: plan.task };
            (self.pack(&part), self.row_keys(&part))
        };
        let packed = own.map(shard).collect();
        let counts = |row: &&usize, task: usize| {
            plan.task.is_none_or(|only| only == task) && self.dataset.examples[**row].labels[task].is_some()
        };
        let labelled = |task: usize| plan.rows.iter().filter(|row| counts(row, task)).count();
        let labelled = (0..self.dataset.tasks.len()).map(labelled).collect();
        let mut words = Vec::new();
        if shards > 1 && self.params.is_trainable(self.model.embedding().weight) {
            words.extend(plan.rows.iter().flat_map(|&row| &self.dataset.examples[row].tokens[..]));
            words.sort_unstable();
            words.dedup();
        }
        Packed { shards: packed, rows, labelled, words }
    }

    pub(super) fn pack(&mut self, plan: &BatchPlan) -> Batch {
        let examples = plan.rows.iter().map(|&row| &self.dataset.examples[row]);
        let texts = examples.map(|example| (&example.tokens[..], &example.labels[..]));
        let mut batch = self.packer.pack_labelled(texts, self.dataset.tasks.len());
        if let Some(only) = plan.task {
            for labels in batch.labels.iter_mut().enumerate().filter(|(task, _)| *task != only).map(|(_, l)| l) {
                *labels = vec![None; labels.len()].into();
            }
        }
        batch
    }

    /// The dropout key of each row, from the seed, the epoch and the row itself.
    pub(super) fn row_keys(&self, plan: &BatchPlan) -> Vec<u64> {
        let key = Streams::new(self.settings.seed).key("dropout", self.state.epochs as u64);
        plan.rows.iter().map(|&row| split_mix(key, self.dataset.examples[row].key)).collect()
    }
}
