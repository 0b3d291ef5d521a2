//! Proxy A-distance: how well a linear model tells the two tasks' texts apart, 2(1 − 2ε) with its error ε (Ben-David et al. 2007).
//!
//! Over five folds, as many texts of either task; links and names of users are one word each in what the tokenizer makes, so that they
//! give nothing away but that they are there.

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::linear::cross_validated;
use crate::mtl::evaluation::relatedness::proxy_a_distance;

/// Texts of each task at most: an error of some percent needs no more.
const MOST_TEXTS: usize = 300;
const FOLDS: usize = 5;

/// The distance; with `permuted`, of texts that were dealt to the two tasks at random.
pub fn a_distance(a: &[&[u32]], b: &[&[u32]], permuted: bool, rng: &mut ChaCha8Rng) -> f64 {
    let n = a.len().min(b.len()).min(MOST_TEXTS);
    let mut draw = |texts: &[&'_ [u32]]| -> Vec<usize> {
        let mut places: Vec<usize> = (0..texts.len()).collect();
        places.shuffle(rng);
        places.truncate(n);
        places
    };
    let (of_a, of_b) = (draw(a), draw(b));
    let texts: Vec<&[u32]> = of_a.iter().map(|&i| a[i]).chain(of_b.iter().map(|&i| b[i])).collect();
    let mut labels: Vec<bool> = (0..2 * n).map(|i| i < n).collect();
    if permuted {
        labels.shuffle(rng);
    }
    // Every fold has as many of either.
    let mut met = [0; 2];
    let fold = |&label: &bool| {
        met[usize::from(label)] += 1;
        met[usize::from(label)] % FOLDS
    };
    let folds: Vec<usize> = labels.iter().map(fold).collect();
    let scores = cross_validated(&texts, &labels, &folds);
    let wrong = scores.iter().zip(&labels).filter(|(score, label)| (**score > 0.0) != **label).count();
    proxy_a_distance(wrong as f64 / labels.len().max(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mtl::streams::Streams;
    use approx::assert_abs_diff_eq;

    #[test]
    fn an_error_of_a_tenth_is_a_distance_of_eight_fifths() {
        assert_abs_diff_eq!(proxy_a_distance(0.1), 1.6, epsilon = 1e-9);
        assert_abs_diff_eq!(proxy_a_distance(0.25), 1.0, epsilon = 1e-9);
    }

    #[test]
    fn texts_of_one_law_are_near_and_of_other_words_far() {
        let text = |i: u32, from: u32| vec![from + i * 7 % 11, from + i * 5 % 13, from + i % 17];
        let texts = |from: u32, first: u32| (first..first + 120).map(|i| text(i, from)).collect::<Vec<_>>();
        let (a, b, c) = (texts(0, 0), texts(0, 1_000), texts(50, 0));
        let refs = |texts: &'static [Vec<u32>]| texts.iter().map(Vec::as_slice).collect::<Vec<&[u32]>>();
        let [a, b, c] = [a, b, c].map(|texts| refs(texts.leak()));
        let of = |a: &[&[u32]], b: &[&[u32]]| a_distance(a, b, false, &mut Streams::new(1).rng("t", 0));
        assert_eq!(of(&a, &c), 2.0);
        assert!(of(&a, &b) < 0.6, "{}", of(&a, &b));
        let dealt = a_distance(&a, &c, true, &mut Streams::new(1).rng("t", 0));
        assert!(dealt < 0.6, "{dealt}");
    }
}
