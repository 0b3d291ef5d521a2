//! A batch, cut into shards: parts whose gradients are computed alone, by one process or by several.

use std::ops::Range;

use smallvec::{SmallVec, smallvec};

use crate::mtl::{
    model::{Batch, PerTask},
    settings::LossNormaliser,
};

/// Some consecutive rows of a batch, packed.
#[derive(Clone, Copy)]
pub(super) struct Shard<'b> {
    pub batch: &'b Batch,
    /// A dropout key for each row.
    pub row_keys: &'b [u64],
}

/// A batch, cut into shards.
pub(super) struct Cut<'b> {
    /// Those of this rank. A shard may be empty.
    pub shards: SmallVec<[Shard<'b>; 1]>,
    /// Rows of the whole batch.
    pub rows: usize,
    /// Rows of the whole batch with a label, for each task.
    pub labelled: PerTask<usize>,
    /// The distinct words of the whole batch, ascending; only where there are several shards and the embedding is trained.
    pub words: &'b [u32],
}

impl<'b> Cut<'b> {
    /// A batch in one piece.
    pub fn whole(batch: &'b Batch, row_keys: &'b [u64]) -> Self {
        let labelled = batch.labels.iter().map(|labels| labels.iter().flatten().count()).collect();
        Self { shards: smallvec![Shard { batch, row_keys }], rows: row_keys.len(), labelled, words: &[] }
    }

    /// What the sum of each task's losses is divided by.
    pub fn denominators(&self, normaliser: LossNormaliser) -> PerTask<usize> {
        match normaliser {
            LossNormaliser::Labelled => self.labelled.clone(),
            LossNormaliser::Batch => self.labelled.iter().map(|_| self.rows).collect(),
        }
    }
}

/// The shards of a rank: an aligned block, which has a tree of its own.
pub(super) fn shards_of(rank: usize, ranks: usize, shards: usize) -> Range<usize> {
    let block = shards / ranks;
    rank * block..(rank + 1) * block
}

/// One of several consecutive parts of some rows, of which all have as many to one; some may have none.
pub(super) fn part(number: usize, parts: usize, rows: usize) -> Range<usize> {
    number * rows / parts..(number + 1) * rows / parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_in_one_shard_and_every_shard_of_one_rank() {
        for shards in [1, 2, 8, 64] {
            for rows in [1, 2, 7, 31, 32, 33, 1000] {
                let cut: Vec<usize> = (0..shards).flat_map(|shard| part(shard, shards, rows)).collect();
                assert!(cut.into_iter().eq(0..rows), "{rows} rows in {shards} shards");
                let sizes: Vec<usize> = (0..shards).map(|shard| part(shard, shards, rows).len()).collect();
                assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1, "{sizes:?}");
            }
            for ranks in [1, 2, 8, 64].into_iter().filter(|&ranks| ranks <= shards) {
                assert!((0..ranks).flat_map(|rank| shards_of(rank, ranks, shards)).eq(0..shards));
            }
        }
    }
}
