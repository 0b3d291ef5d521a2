//! The texts of a batch, like those of a pair of tweet data sets.

use std::sync::Arc;

use mtlcore::tensor::Segments;
use rand::Rng;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use rand_distr::{Distribution, Normal, Zipf};

/// Word types.
pub const VOCABULARY: usize = 20_000;
/// Texts of a batch.
pub const TEXTS: usize = 32;

/// 32 texts of normal(16, 7) words, between 3 and 40, from Zipf's law.
pub struct Texts {
    /// The distinct words, ascending.
    pub distinct: Arc<[u32]>,
    /// The place of each word among them.
    pub rows: Arc<[u32]>,
    pub segments: Arc<Segments>,
}

impl Texts {
    pub fn draw(rng: &mut impl Rng) -> Self {
        let (length, word) = (Normal::new(16.0_f64, 7.0).unwrap(), Zipf::new(VOCABULARY as f64, 1.0).unwrap());
        let lengths: Vec<usize> = (0..TEXTS).map(|_| length.sample(rng).round().clamp(3.0, 40.0) as usize).collect();
        let segments = Arc::new(Segments::from_lengths(lengths));
        let ids: Vec<u32> = (0..segments.total()).map(|_| word.sample(rng) as u32 - 1).collect();
        let mut distinct = ids.clone();
        distinct.sort_unstable();
        distinct.dedup();
        let rows = ids.iter().map(|id| distinct.binary_search(id).unwrap() as u32).collect();
        Self { distinct: distinct.into(), rows, segments }
    }

    /// Texts of 512 words.
    pub fn typical() -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        std::iter::repeat_with(|| Self::draw(&mut rng)).find(|texts| texts.rows.len() == 512).unwrap()
    }
}
