//! Word-weight cosine ρ̂: whether the same words speak for the true class in both tasks. It puts a pair on the phase map, whose axis is
//! the cosine of the word weights that a simulation was made with.
//!
//! Each word's weight is its log-odds ratio of true against false texts with a Dirichlet prior, over its standard deviation (Monroe,
//! Colaresi & Quinn 2008, equations 15, 16 and 22): z = δ/√v. The cosine of two tasks' weights is too small, since each is estimated;
//! it is divided by √(r_A r_B), where r is the Spearman–Brown value of the cosine of two halves (Spearman 1904: disattenuation).

use super::measured::{cosine, mean, spearman_brown};

/// The prior's count of each word.
const ALPHA: f64 = 1.0;

/// Occurrences of each word in the true and in the false texts. `// [V]` each
#[derive(Clone, Debug)]
pub struct ClassCounts {
    /// In true texts.
    pub positive: Vec<f64>,
    /// In false texts.
    pub negative: Vec<f64>,
}

impl ClassCounts {
    /// Of texts of word ids below `vocabulary`.
    pub fn of<'t>(texts: impl Iterator<Item = (&'t [u32], bool)>, vocabulary: usize) -> Self {
        let mut counts = Self { positive: vec![0.0; vocabulary], negative: vec![0.0; vocabulary] };
        for (text, label) in texts {
            let side = if label { &mut counts.positive } else { &mut counts.negative };
            text.iter().for_each(|&id| side[id as usize] += 1.0);
        }
        counts
    }

    /// Whether a word occurs at all.
    pub fn has(&self, word: usize) -> bool {
        self.positive[word] + self.negative[word] > 0.0
    }

    /// The weights z of some words, with all counts taken over these words only.
    pub fn weights(&self, words: &[usize]) -> Vec<f64> {
        let all = |side: &[f64]| words.iter().map(|&word| side[word]).sum::<f64>();
        let (n1, n0, alpha0) = (all(&self.positive), all(&self.negative), ALPHA * words.len() as f64);
        let weight = |&word: &usize| {
            let (y1, y0) = (self.positive[word] + ALPHA, self.negative[word] + ALPHA);
            let delta = (y1 / (n1 + alpha0 - y1)).ln() - (y0 / (n0 + alpha0 - y0)).ln();
            delta / (1.0 / y1 + 1.0 / y0).sqrt()
        };
        words.iter().map(weight).collect()
    }
}

/// The words that occur in both tasks.
pub fn common_words(a: &ClassCounts, b: &ClassCounts) -> Vec<usize> {
    (0..a.positive.len()).filter(|&word| a.has(word) && b.has(word)).collect()
}

/// The reliability of a task's weights of some words, from the cosines of halves of its texts.
pub fn reliability(halves: &[[ClassCounts; 2]], words: &[usize]) -> f64 {
    let cosines: Vec<f64> =
        halves.iter().map(|[first, second]| cosine(&first.weights(words), &second.weights(words))).collect();
    spearman_brown(mean(&cosines))
}

/// Disattenuation (Spearman 1904): the cosine of the true weights from that of estimated ones, r/√(r_A r_B). `None` if a reliability is 0.
pub fn disattenuated(cosine: f64, [r_a, r_b]: [f64; 2]) -> Option<f64> {
    let scale = (r_a * r_b).sqrt();
    (scale > 0.0).then(|| cosine / scale)
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;

    /// Expected values: NumPy, by the equations.
    #[test]
    fn weights_and_their_cosine_equal_numpys() {
        let a = ClassCounts { positive: vec![30.0, 10.0, 5.0, 15.0], negative: vec![10.0, 30.0, 5.0, 15.0] };
        let b = ClassCounts { positive: vec![12.0, 6.0, 1.0, 11.0], negative: vec![5.0, 9.0, 8.0, 8.0] };
        let words = common_words(&a, &b);
        let (z_a, z_b) = (a.weights(&words), b.weights(&words));
        let expected_a = [4.302_232_808_4, -4.302_232_808_4, 0.0, 0.0];
        let expected_b = [2.149_480_313_1, -0.962_769_479_7, -2.239_806_743_4, 0.942_300_454_8];
        assert_abs_diff_eq!(z_a[..], expected_a[..], epsilon = 1e-9);
        assert_abs_diff_eq!(z_b[..], expected_b[..], epsilon = 1e-9);
        assert_abs_diff_eq!(cosine(&z_a, &z_b), 0.650_311_639_3, epsilon = 1e-9);
    }

    #[test]
    fn a_cosine_is_divided_by_the_root_of_both_reliabilities() {
        assert_abs_diff_eq!(disattenuated(0.30, [0.64, 0.49]).unwrap(), 0.535_714_285_7, epsilon = 1e-9);
        assert_eq!(disattenuated(0.3, [0.0, 0.5]), None);
    }
}
