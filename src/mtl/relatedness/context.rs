//! Covariates of a pair that compare no labels: sizes, prevalence, lengths. A measure of relatedness must predict better than these.

use serde::{Deserialize, Serialize};

use super::{labels::binary_entropy, measured::mean};

/// The context of an ordered pair.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Context {
    /// Texts of the main task.
    pub main_texts: usize,
    /// Texts of the partner.
    pub partner_texts: usize,
    /// The share of true texts of the main task.
    pub main_prevalence: f64,
    /// The share of true texts of the partner.
    pub partner_prevalence: f64,
    /// The entropy of the main task's labels, in bits.
    pub main_entropy: f64,
    /// The entropy of the partner's labels, in bits.
    pub partner_entropy: f64,
    /// The mean number of tokens of the main task's texts.
    pub main_length: f64,
    /// The mean number of tokens of the partner's texts.
    pub partner_length: f64,
    /// The share of the main task's tokens whose word the partner does not have.
    pub unknown_words: f64,
}

/// One task of the pair.
pub(super) struct Side<'t> {
    /// All of its labelled texts, not only those that are measured on.
    pub texts: usize,
    pub prevalence: f64,
    pub tokens: &'t [&'t [u32]],
    /// Whether the task has a word, by its id.
    pub has: &'t dyn Fn(usize) -> bool,
}

impl Context {
    pub(super) fn of(main: &Side<'_>, partner: &Side<'_>) -> Self {
        let length = |side: &Side<'_>| mean(&side.tokens.iter().map(|text| text.len() as f64).collect::<Vec<_>>());
        let all = main.tokens.iter().flat_map(|text| text.iter());
        let unknown = all.clone().filter(|&&id| !(partner.has)(id as usize)).count();
        Self {
            main_texts: main.texts,
            partner_texts: partner.texts,
            main_prevalence: main.prevalence,
            partner_prevalence: partner.prevalence,
            main_entropy: binary_entropy(main.prevalence),
            partner_entropy: binary_entropy(partner.prevalence),
            main_length: length(main),
            partner_length: length(partner),
            unknown_words: unknown as f64 / all.count().max(1) as f64,
        }
    }
}

/// The least-squares line F = a + b·ln n of a learning curve, as (a, b): how much a task still gains of more texts of its own.
/// `None` for fewer than two sizes.
pub fn learning_slope(points: &[(f64, f64)]) -> Option<(f64, f64)> {
    let x: Vec<f64> = points.iter().map(|(n, _)| n.ln()).collect();
    let (middle, height) = (mean(&x), mean(&points.iter().map(|(_, f)| *f).collect::<Vec<_>>()));
    let spread: f64 = x.iter().map(|x| (x - middle).powi(2)).sum();
    let together: f64 = x.iter().zip(points).map(|(x, (_, f))| (x - middle) * (f - height)).sum();
    (spread > 0.0).then(|| {
        let slope = together / spread;
        (height - slope * middle, slope)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;

    /// Expected values: NumPy's `polyfit` on ln n.
    #[test]
    fn the_slope_of_a_learning_curve() {
        let (a, b) = learning_slope(&[(200.0, 52.0), (400.0, 57.0), (800.0, 61.0), (1600.0, 64.0)]).unwrap();
        assert_abs_diff_eq!(b, 5.770_780_163_6, epsilon = 1e-9);
        assert_abs_diff_eq!(a, 21.924_575_240_9, epsilon = 1e-9);
        assert_eq!(learning_slope(&[(200.0, 52.0)]), None);
    }
}
