//! The linear model of the measures that need no network: logistic regression on TF-IDF weights of words and pairs of words, classes balanced.
//!
//! Weights and objective are those of scikit-learn's `TfidfVectorizer(ngram_range=(1, 2))` and `LogisticRegression(class_weight="balanced")`.
//! A measure fits dozens of these, on permuted labels and on halves, so it is solved by Newton steps with conjugate gradients (Lin, Weng &
//! Keerthi 2008), which take milliseconds where stochastic training takes seconds.

use std::collections::HashMap;

use super::measured::dot;
use crate::tensor::Real;

/// Columns and their values, columns rising.
pub type Features = Vec<(u32, f64)>;

/// A word, or a word and the next one.
type NGram = (u32, Option<u32>);

/// The n-grams of some texts with their inverse document frequencies.
#[derive(Clone, Debug)]
pub struct TfIdf {
    known: HashMap<NGram, (u32, f64)>,
}

impl TfIdf {
    /// Of texts of word ids: idf = ln((1 + n)/(1 + df)) + 1.
    pub fn of(texts: &[&[u32]]) -> Self {
        let mut known: HashMap<NGram, (u32, f64)> = HashMap::new();
        for text in texts {
            let mut of_text: Vec<NGram> = n_grams(text).collect();
            of_text.sort_unstable();
            of_text.dedup();
            for n_gram in of_text {
                let next = known.len() as u32;
                known.entry(n_gram).or_insert((next, 0.0)).1 += 1.0;
            }
        }
        let n = texts.len() as f64;
        known.values_mut().for_each(|(_, df)| *df = ((1.0 + n) / (1.0 + *df)).ln() + 1.0);
        Self { known }
    }

    /// How many n-grams there are.
    pub fn columns(&self) -> usize {
        self.known.len()
    }

    /// TF-IDF: a text's counts times idf, scaled to length 1. N-grams that were not in the texts of [`TfIdf::of`] are left out.
    pub fn features(&self, text: &[u32]) -> Features {
        let mut met: Features = n_grams(text).filter_map(|n_gram| self.known.get(&n_gram).copied()).collect();
        met.sort_unstable_by_key(|&(column, _)| column);
        met.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 += next.1;
            }
            same
        });
        let length = met.iter().map(|(_, value)| value * value).sum::<f64>().sqrt();
        met.iter_mut().for_each(|(_, value)| *value /= length);
        met
    }
}

fn n_grams(words: &[u32]) -> impl Iterator<Item = NGram> + '_ {
    words.iter().map(|&word| (word, None)).chain(words.windows(2).map(|pair| (pair[0], Some(pair[1]))))
}

/// Dense features, such as those of a layer, in the form of sparse ones.
pub fn dense(row: &[f64]) -> Features {
    (0..).zip(row.iter().copied()).collect()
}

/// A fitted model: weight a column, and the intercept last.
#[derive(Clone, Debug)]
pub struct Logistic {
    weights: Vec<f64>, // [columns + 1]
}

/// Newton steps and conjugate gradients at most, and how much smaller the gradient must become. No measure needs more digits.
const NEWTON_STEPS: usize = 30;
const CONJUGATE_STEPS: usize = 50;
const TOLERANCE: f64 = 1e-4;

impl Logistic {
    /// The minimum of ½‖w‖² + Σ cᵢ·ℓᵢ with cᵢ = n/(2·n_class); the intercept is not penalised.
    pub fn fit(rows: &[Features], labels: &[bool], columns: usize) -> Self {
        let problem = Problem::new(rows, labels);
        let mut weights = vec![0.0; columns + 1];
        let mut gradient = problem.gradient(&weights);
        let first = dot(&gradient, &gradient).sqrt();
        let mut value = problem.value(&weights);
        for _ in 0..NEWTON_STEPS {
            if dot(&gradient, &gradient).sqrt() <= TOLERANCE * first {
                break;
            }
            let step = problem.newton_step(&weights, &gradient);
            let slope = dot(&gradient, &step);
            let mut rate = 1.0;
            // Armijo's rule: the step is one of descent, so some part of it makes the objective smaller.
            let (next, lower) = loop {
                let next: Vec<f64> = weights.iter().zip(&step).map(|(w, s)| w + rate * s).collect();
                let lower = problem.value(&next);
                if lower <= value + 1e-4 * rate * slope || rate < 1e-6 {
                    break (next, lower);
                }
                rate /= 2.0;
            };
            (weights, value) = (next, lower);
            gradient = problem.gradient(&weights);
        }
        Self { weights }
    }

    /// The logit of a text.
    pub fn score(&self, row: &Features) -> f64 {
        score(&self.weights, row)
    }

    /// The weights of the columns, and the intercept.
    pub fn parts(&self) -> (&[f64], f64) {
        let (intercept, weights) = self.weights.split_last().expect("there is an intercept");
        (weights, *intercept)
    }
}

fn score(weights: &[f64], row: &Features) -> f64 {
    row.iter().map(|&(column, value)| weights[column as usize] * value).sum::<f64>() + weights[weights.len() - 1]
}

/// Labelled rows with their weights.
struct Problem<'p> {
    rows: &'p [Features],
    labels: &'p [bool],
    costs: [f64; 2],
}

impl<'p> Problem<'p> {
    fn new(rows: &'p [Features], labels: &'p [bool]) -> Self {
        let n = rows.len() as f64;
        let positives = labels.iter().filter(|&&label| label).count() as f64;
        let cost = |of_class: f64| n / (2.0 * of_class.max(1.0));
        Self { rows, labels, costs: [cost(n - positives), cost(positives)] }
    }

    fn cost(&self, i: usize) -> f64 {
        self.costs[usize::from(self.labels[i])]
    }

    fn value(&self, weights: &[f64]) -> f64 {
        let penalty = dot(&weights[..weights.len() - 1], &weights[..weights.len() - 1]) / 2.0;
        let loss = |(i, row): (usize, &Features)| {
            let z = score(weights, row);
            let margin = if self.labels[i] { z } else { -z };
            // ln(1 + e^−m) without overflow.
            self.cost(i) * ((-margin.abs()).exp().ln_1p() + (-margin).max(0.0))
        };
        penalty + self.rows.iter().enumerate().map(loss).sum::<f64>()
    }

    fn gradient(&self, weights: &[f64]) -> Vec<f64> {
        let of_row = |i: usize, row: &Features| {
            let p = score(weights, row).sigmoid();
            self.cost(i) * (p - f64::from(u8::from(self.labels[i])))
        };
        self.penalty_and(weights, of_row)
    }

    /// w (0 for the intercept) + Σ factor(i)·xᵢ.
    fn penalty_and(&self, weights: &[f64], factor: impl Fn(usize, &Features) -> f64) -> Vec<f64> {
        let mut sum = weights.to_vec();
        let last = sum.len() - 1;
        sum[last] = 0.0;
        for (i, row) in self.rows.iter().enumerate() {
            let factor = factor(i, row);
            row.iter().for_each(|&(column, value)| sum[column as usize] += factor * value);
            sum[last] += factor;
        }
        sum
    }

    /// −H⁻¹g by conjugate gradients, as far as it pays.
    fn newton_step(&self, weights: &[f64], gradient: &[f64]) -> Vec<f64> {
        let curvature: Vec<f64> = self
            .rows
            .iter()
            .enumerate()
            .map(|(i, row)| {
                let p = score(weights, row).sigmoid();
                self.cost(i) * p * (1.0 - p)
            })
            .collect();
        let times = |v: &[f64]| self.penalty_and(v, |i, row| curvature[i] * score(v, row));
        let mut step = vec![0.0; gradient.len()];
        let mut residual: Vec<f64> = gradient.iter().map(|g| -g).collect();
        let mut direction = residual.clone();
        let mut size = dot(&residual, &residual);
        let enough = 1e-4 * size;
        for _ in 0..CONJUGATE_STEPS {
            if size <= enough {
                break;
            }
            let product = times(&direction);
            let bend = dot(&direction, &product);
            if bend <= 0.0 {
                break;
            }
            let rate = size / bend;
            step.iter_mut().zip(&direction).for_each(|(s, d)| *s += rate * d);
            residual.iter_mut().zip(&product).for_each(|(r, p)| *r -= rate * p);
            let next = dot(&residual, &residual);
            direction.iter_mut().zip(&residual).for_each(|(d, r)| *d = r + next / size * *d);
            size = next;
        }
        step
    }
}

/// Scores of all rows, each by a model that was fitted without its fold. `folds` is the fold of each row, from 0.
pub fn cross_validated(texts: &[&[u32]], labels: &[bool], folds: &[usize]) -> Vec<f64> {
    let mut scores = vec![0.0; texts.len()];
    for fold in 0..=folds.iter().copied().max().unwrap_or(0) {
        let (held_out, learnt): (Vec<usize>, Vec<usize>) = (0..texts.len()).partition(|&i| folds[i] == fold);
        let known: Vec<&[u32]> = learnt.iter().map(|&i| texts[i]).collect();
        let tf_idf = TfIdf::of(&known);
        let rows: Vec<Features> = known.iter().map(|text| tf_idf.features(text)).collect();
        let truths: Vec<bool> = learnt.iter().map(|&i| labels[i]).collect();
        let model = Logistic::fit(&rows, &truths, tf_idf.columns());
        for i in held_out {
            scores[i] = model.score(&tf_idf.features(texts[i]));
        }
    }
    scores
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;
    use proptest::prelude::*;

    /// Expected values: scikit-learn's TfidfVectorizer (smooth_idf, l2) has idf ln(4/3) + 1 for two of three texts.
    #[test]
    fn rare_words_weigh_more() {
        let texts: [&[u32]; 3] = [&[2, 3], &[2], &[4]];
        let tf_idf = TfIdf::of(&texts);
        assert_abs_diff_eq!(tf_idf.known[&(2, None)].1, 1.287_682_072, epsilon = 1e-9);
        assert_abs_diff_eq!(tf_idf.known[&(3, None)].1, 1.693_147_181, epsilon = 1e-9);
        let features = tf_idf.features(&[3, 2, 2, 9]);
        assert_eq!(features.len(), 2, "no pair of these was met, nor 9");
        assert_abs_diff_eq!(features.iter().map(|(_, v)| v * v).sum::<f64>(), 1.0, epsilon = 1e-12);
        assert!(tf_idf.features(&[9]).is_empty());
    }

    proptest! {
        /// Only the minimum of a convex function has no slope.
        #[test]
        fn the_fit_is_the_minimum(
            rows in prop::collection::vec((prop::array::uniform3(-2.0..2.0f64), any::<bool>()), 6..30)
        ) {
            let labels: Vec<bool> = rows.iter().map(|row| row.1).collect();
            prop_assume!(labels.contains(&true) && labels.contains(&false));
            let features: Vec<Features> = rows.iter().map(|row| dense(&row.0)).collect();
            let model = Logistic::fit(&features, &labels, 3);
            let problem = Problem::new(&features, &labels);
            let (first, last) = (problem.gradient(&[0.0; 4]), problem.gradient(&model.weights));
            prop_assert!(dot(&last, &last) <= 1e-7 * dot(&first, &first).max(1e-12), "{:?}", last);
        }
    }

    #[test]
    fn words_that_tell_the_classes_apart_are_found_on_texts_that_were_held_out() {
        let texts: Vec<Vec<u32>> = (0..100).map(|i| vec![2 + i % 2, 4 + i % 7, 11 + i % 5]).collect();
        let texts: Vec<&[u32]> = texts.iter().map(Vec::as_slice).collect();
        let labels: Vec<bool> = (0..100).map(|i| i % 2 == 1).collect();
        let folds: Vec<usize> = (0..100).map(|i| i / 2 % 5).collect();
        let scores = cross_validated(&texts, &labels, &folds);
        assert!(scores.iter().zip(&labels).all(|(score, label)| (*score > 0.0) == *label));
    }
}
