//! Batches to train on.

use std::sync::Arc;

use rand::{Rng, RngExt};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

use crate::texts::{TEXTS, Texts};

/// Texts of which each has a label for one of two tasks.
pub struct Batch {
    pub texts: Texts,
    pub labels: [Arc<[Option<bool>]>; 2],
    pub row_keys: Vec<u64>,
}

impl Batch {
    fn of(texts: Texts, rng: &mut impl Rng) -> Self {
        let tasks: Vec<usize> = (0..TEXTS).map(|_| usize::from(rng.random_bool(0.77))).collect();
        let labels = [0, 1].map(|task| tasks.iter().map(|&t| (t == task).then(|| rng.random_bool(0.5))).collect());
        let row_keys = (0..TEXTS).map(|_| rng.random()).collect();
        Self { texts, labels, row_keys }
    }

    /// The batches of an epoch of 11,667 texts.
    pub fn epoch() -> Vec<Self> {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        (0..365).map(|_| Self::of(Texts::draw(&mut rng), &mut rng)).collect()
    }

    /// A batch of 512 words.
    pub fn typical() -> Self {
        Self::of(Texts::typical(), &mut ChaCha8Rng::seed_from_u64(3))
    }
}
