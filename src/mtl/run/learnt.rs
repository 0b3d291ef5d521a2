//! Which texts a run learnt from, so that an evaluation can tell them from new ones.

use std::path::Path;

use sha2::{Digest, Sha256};

use crate::mtl::data::{Dataset, Split};
use crate::{Error, Result};

/// Hashes of the texts that a run learnt from. Texts that its network cannot tell apart count as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LearntTexts {
    /// Rising, each once.
    hashes: Vec<u64>,
}

impl LearntTexts {
    /// The texts of the training rows.
    pub fn new(dataset: &Dataset, split: &Split) -> Self {
        let mut hashes: Vec<u64> = split.train.iter().map(|&row| hash(&dataset.examples[row].tokens)).collect();
        hashes.sort_unstable();
        hashes.dedup();
        Self { hashes }
    }

    /// Whether a text with these ids, made by the run's encoder, was learnt from. (Two of 2⁶⁴ hashes are taken for different.)
    pub fn contains(&self, ids: &[u32]) -> bool {
        self.hashes.binary_search(&hash(ids)).is_ok()
    }

    /// Eight bytes a text, little endian.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        self.hashes.iter().flat_map(|hash| hash.to_le_bytes()).collect()
    }

    pub(super) fn from_bytes(bytes: &[u8], path: &Path) -> Result<Self> {
        let (hashes, rest) = bytes.as_chunks::<8>();
        let hashes: Vec<u64> = hashes.iter().map(|bytes| u64::from_le_bytes(*bytes)).collect();
        if !rest.is_empty() || !hashes.is_sorted_by(|a, b| a < b) {
            return Err(Error::file(path, "it is damaged: expected hashes of eight bytes, rising"));
        }
        Ok(Self { hashes })
    }
}

/// The first eight bytes of the ids' SHA-256.
fn hash(ids: &[u32]) -> u64 {
    let mut hash = Sha256::new();
    ids.iter().for_each(|id| hash.update(id.to_le_bytes()));
    let digest: [u8; 32] = hash.finalize().into();
    u64::from_le_bytes(digest[..8].try_into().expect("eight bytes"))
}
