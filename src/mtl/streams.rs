//! Named streams of random numbers from one seed.
//!
//! Each consumer has its own stream, by a name and an index: `("shuffle", epoch)`, `("dropout", step)`,
//! `("initialise heads.flu.kernel", 0)`. The stream depends on these and on the seed alone. So a new consumer never
//! shifts the numbers of another one, the order of asking does not matter, and a run that was interrupted goes on with
//! the same numbers.

use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use sha2::{Digest, Sha256};

pub use crate::tensor::split_mix;

/// The source of all randomness of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Streams {
    seed: u64,
}

impl Streams {
    /// Streams from a root seed.
    pub fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// The generator of stream `name`, number `index`: ChaCha8, keyed by the SHA-256 hash of seed and index (eight bytes
    /// each, little endian) and name (UTF-8).
    pub fn rng(&self, name: &str, index: u64) -> ChaCha8Rng {
        ChaCha8Rng::from_seed(self.hash(name, index))
    }

    /// A key for [`split_mix`], where a generator for every row would cost too much: the first eight bytes (little endian) of
    /// the hash that keys [`Streams::rng`]. Use a name for one of the two only.
    pub fn key(&self, name: &str, index: u64) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.hash(name, index);
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    }

    /// The name comes last, behind two numbers of fixed length, so no two streams hash the same bytes.
    fn hash(&self, name: &str, index: u64) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.seed.to_le_bytes());
        hash.update(index.to_le_bytes());
        hash.update(name.as_bytes());
        hash.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::rand_core::Rng;

    use super::*;

    /// Expected: Python's `hashlib.sha256(struct.pack("<QQ", seed, index) + name.encode())`.
    #[test]
    fn keys_are_the_start_of_sha256() {
        assert_eq!(Streams::new(1).key("shuffle", 0), 0xa99d_2be5_4121_5f8f);
        assert_eq!(Streams::new(1).key("shuffle", 1), 0xd14d_5fc8_087a_1b8b);
        assert_eq!(Streams::new(1).key("dropout", 0), 0x8823_3eaf_51d3_7e73);
        assert_eq!(Streams::new(u64::MAX).key("größe", 7), 0x7af0_01d8_0122_264d);
    }

    /// Expected: ChaCha with 8 rounds, written in Python from RFC 8439 and checked against the published key stream of
    /// the zero key (3e00ef2f 895f40d6 …), under that hash.
    #[test]
    fn generators_are_chacha8_under_the_hash() {
        let mut rng = Streams::new(1).rng("shuffle", 0);
        let drawn = [rng.next_u64(), rng.next_u64(), rng.next_u64()];
        assert_eq!(drawn, [0x1ddd_969d_2afb_5cf1, 0x24ef_34ca_9d61_ba24, 0xee2e_00e5_cdbc_6409]);
        let zero = ChaCha8Rng::from_seed([0; 32]).next_u64();
        assert_eq!(zero.to_le_bytes(), [0x3e, 0x00, 0xef, 0x2f, 0x89, 0x5f, 0x40, 0xd6]);
    }
}
