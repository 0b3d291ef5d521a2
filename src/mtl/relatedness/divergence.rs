//! Excess vocabulary divergence: how differently two tasks choose their words, beyond what samples of their sizes differ by anyway.
//!
//! JSD₂(P_A, P_B) − mean of JSD₂ over re-splits of the pooled texts at the same sizes. The divergence is that of Lin 1991; its value for
//! two samples of one law is far from 0 (0.099 at 2,000 tokens each), which is what the re-splits take away.

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::measured::mean;
use crate::mtl::evaluation::relatedness::jensen_shannon_divergence;

/// How often the pooled texts are split anew.
pub const RE_SPLITS: usize = 20;

/// The divergence of two sets of texts, with and without the floor.
#[derive(Clone, Debug)]
pub struct Excess {
    /// The divergence less its floor.
    pub value: f64,
    /// The Jensen–Shannon divergence, in bits.
    pub raw: f64,
    /// The divergence of each re-split less the floor.
    pub re_splits: Vec<f64>,
}

/// The excess of two sets of texts of word ids below `vocabulary`.
pub fn excess_divergence(a: &[&[u32]], b: &[&[u32]], vocabulary: usize, rng: &mut ChaCha8Rng) -> Excess {
    let counts = |texts: &[&[u32]]| {
        let mut counts = vec![0.0; vocabulary];
        texts.iter().flat_map(|text| text.iter()).for_each(|&id| counts[id as usize] += 1.0);
        counts
    };
    let raw = jensen_shannon_divergence(&counts(a), &counts(b));
    let mut pooled: Vec<&[u32]> = a.iter().chain(b).copied().collect();
    let re_split = || {
        pooled.shuffle(rng);
        let (first, second) = pooled.split_at(a.len());
        jensen_shannon_divergence(&counts(first), &counts(second))
    };
    let re_splits: Vec<f64> = std::iter::repeat_with(re_split).take(RE_SPLITS).collect();
    let floor = mean(&re_splits);
    Excess { value: raw - floor, raw, re_splits: re_splits.into_iter().map(|raw| raw - floor).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mtl::streams::Streams;
    use approx::assert_abs_diff_eq;

    /// Expected value: SciPy 1.17, `jensenshannon(p, q, base=2)²` of the counts (50 30 20 0) and (2 6 4 8).
    #[test]
    fn the_raw_divergence_is_scipys() {
        let text = |counts: [usize; 4]| -> Vec<u32> {
            counts.iter().zip(0..).flat_map(|(&count, id)| std::iter::repeat_n(id, count)).collect()
        };
        let (a, b) = (text([50, 30, 20, 0]), text([2, 6, 4, 8]));
        let found = excess_divergence(&[&a], &[&b], 4, &mut Streams::new(1).rng("t", 0));
        assert_abs_diff_eq!(found.raw, 0.304_993_273_5, epsilon = 1e-9);
    }

    /// Two samples of one law diverge by much and in excess by nothing; of disjoint words, by all.
    #[test]
    fn samples_of_one_law_have_no_excess() {
        let mut rng = Streams::new(1).rng("law", 0);
        let mut text = |from: u32| -> Vec<u32> {
            (0..20).map(|_| from + (500.0 * rand::RngExt::random::<f64>(&mut rng).powi(3)) as u32).collect()
        };
        let texts: Vec<Vec<u32>> = (0..200).map(|_| text(0)).collect();
        let elsewhere: Vec<Vec<u32>> = (0..100).map(|_| text(500)).collect();
        let texts: Vec<&[u32]> = texts.iter().map(Vec::as_slice).collect();
        let elsewhere: Vec<&[u32]> = elsewhere.iter().map(Vec::as_slice).collect();
        let (a, b) = texts.split_at(100);
        let mut rng = Streams::new(1).rng("t", 0);
        let same = excess_divergence(a, b, 1000, &mut rng);
        assert!(same.raw > 0.03 && same.value.abs() < 0.01, "{} {}", same.raw, same.value);
        let disjoint = excess_divergence(a, &elsewhere, 1000, &mut rng);
        assert_abs_diff_eq!(disjoint.raw, 1.0, epsilon = 1e-9);
        assert!(disjoint.value > 0.7, "{}", disjoint.value);
    }
}
