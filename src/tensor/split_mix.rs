//! Random numbers without state: a number for each key and index.

/// Number `index` (from 0) of the SplitMix64 sequence that starts at `key`: the finaliser of key + (index + 1)·⌊2⁶⁴/φ⌋
/// (Steele, Lea & Flood 2014). For two indices, nest: `split_mix(split_mix(key, row), column)`.
pub fn split_mix(key: u64, index: u64) -> u64 {
    const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut z = key.wrapping_add(GOLDEN.wrapping_mul(index.wrapping_add(1)));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected: the test vector of SplitMix64 with seed 1234567 that its implementations share.
    #[test]
    fn it_is_splitmix64() {
        let expected = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
            4_593_380_528_125_082_431,
            16_408_922_859_458_223_821,
        ];
        assert_eq!([0, 1, 2, 3, 4].map(|index| split_mix(1_234_567, index)), expected);
    }
}
