//! Texts packed for the network.

use std::sync::Arc;

use crate::tensor::{Segments, prefetch};

/// Some texts, one after the other, and the labels of each.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// The distinct ids of all texts, in order of first occurrence: sums over them must not depend on how words are numbered, which
    /// depends on the other texts of the data.
    pub distinct: Arc<[u32]>,
    /// For each token, where its id stands in `distinct`.
    pub rows: Arc<[u32]>,
    /// Which tokens belong to which text.
    pub segments: Arc<Segments>,
    /// One list a task, with a label or none for each text; no list at all to predict.
    pub labels: Vec<Arc<[Option<bool>]>>,
}

/// Packs batches. It knows how many ids there are, so that it finds the distinct ones without hashing.
#[derive(Clone, Debug)]
pub struct Packer {
    /// Where each id stands in the current batch; [`ABSENT`] between batches.
    place: Vec<u32>,
}

const ABSENT: u32 = u32::MAX;

impl Packer {
    /// A packer for ids below `vocabulary`.
    pub fn new(vocabulary: usize) -> Self {
        Self { place: vec![ABSENT; vocabulary] }
    }

    /// Packs texts of ids.
    ///
    /// # Panics
    /// If an id is not below the size of the vocabulary.
    pub fn pack<'t>(&mut self, texts: impl Iterator<Item = &'t [u32]> + Clone) -> Batch {
        // Prefetch: texts in random order are not in a cache.
        let total = texts.clone().inspect(|text| prefetch(text)).map(<[u32]>::len).sum();
        let (mut distinct, mut rows) = (vec![0; total], Vec::with_capacity(total));
        let mut count = 0;
        for &id in texts.clone().flatten() {
            // Without a branch: a processor cannot predict which words are new. The id of one that is not is overwritten by the next.
            let place = &mut self.place[id as usize];
            let is_new = *place == ABSENT;
            *place = if is_new { count as u32 } else { *place };
            rows.push(*place);
            distinct[count] = id;
            count += usize::from(is_new);
        }
        distinct.truncate(count);
        for &id in &distinct {
            self.place[id as usize] = ABSENT;
        }
        let segments = Arc::new(Segments::from_lengths(texts.map(<[u32]>::len)));
        Batch { distinct: distinct.into(), rows: rows.into(), segments, labels: Vec::new() }
    }

    /// Packs texts of ids with their labels, one slot a task.
    ///
    /// # Panics
    /// If an id is not below the size of the vocabulary, or a text has fewer slots than there are tasks.
    pub fn pack_labelled<'t>(
        &mut self,
        texts: impl Iterator<Item = (&'t [u32], &'t [Option<bool>])> + Clone,
        tasks: usize,
    ) -> Batch {
        let labels = (0..tasks).map(|task| texts.clone().map(|(_, labels)| labels[task]).collect()).collect();
        Batch { labels, ..self.pack(texts.map(|(ids, _)| ids)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_point_at_the_distinct_ids() {
        let texts: [&[u32]; 3] = [&[7, 2, 7], &[], &[2, 9]];
        let mut packer = Packer::new(10);
        let batch = packer.pack(texts.into_iter());
        assert_eq!(*batch.distinct, [7, 2, 9]);
        assert_eq!(*batch.rows, [0, 1, 0, 1, 2]);
        assert_eq!(batch.segments.iter().map(|range| range.len()).collect::<Vec<_>>(), [3, 0, 2]);
        assert_eq!(batch, packer.pack(texts.into_iter()), "the packer is as before");
    }
}
