//! The n-gram baseline: logistic regression on TF-IDF weights of words and pairs of words, trained on the same engine as the
//! networks (tape, row-sparse gradients, Adam).
//!
//! Weights: term count times ln((1 + n)/(1 + df)) + 1, each text scaled to length 1. Objective, as in scikit-learn's
//! `LogisticRegression(C, class_weight="balanced")`: ½‖w‖² + C·Σᵢ cᵢ·ℓᵢ with cᵢ = n/(2·n_class). Its mean over the n rows is
//! estimated by each batch, where a weight's share of ½‖w‖²/(C·n) is divided by the probability that the batch shows it.

use std::{collections::HashMap, sync::Arc};

use crate::autograd::{Adam, AdamSettings, Gradients, Mode, ParamId, ParamStore, RowUpdates, Tape, Var};
use crate::mtl::streams::{Streams, split_mix};
use crate::tensor::{Pool, Real, Segments, Tensor};

/// Passes over the training rows.
pub(super) const EPOCHS: usize = 20;
const BATCH: usize = 64;
/// Of the first epoch; it falls in a straight line to a tenth of it.
const LEARNING_RATE: f64 = 0.05;

/// A word (with nothing after it) or a pair of words.
type NGram = (u32, Option<u32>);

/// A trained baseline.
pub(super) struct NGrams {
    /// Row of the weights, and inverse document frequency, of each n-gram of the training texts.
    known: HashMap<NGram, (u32, f32)>,
    weights: ParamId, // [n-grams, 1]
    bias: ParamId,    // [1]
    params: ParamStore<f32>,
}

/// One text: its n-grams as rows of the weights, ascending, and their TF-IDF weights.
struct Features {
    rows: Vec<u32>,
    values: Vec<f32>,
}

impl NGrams {
    /// Trains on texts of ids with their labels, with the inverse strength of regularisation `c`; also returns the number of steps.
    pub fn train(texts: &[(Vec<u32>, bool)], c: f64, seed: u64) -> (Self, usize) {
        let mut known: HashMap<NGram, (u32, f32)> = HashMap::new();
        let mut document_frequency: Vec<u32> = Vec::new();
        for (ids, _) in texts {
            let mut of_text: Vec<NGram> = n_grams(ids).collect();
            of_text.sort_unstable();
            of_text.dedup();
            for n_gram in of_text {
                let next = document_frequency.len() as u32;
                let row = known.entry(n_gram).or_insert((next, 0.0)).0;
                if row == next {
                    document_frequency.push(0);
                }
                document_frequency[row as usize] += 1;
            }
        }
        let n = texts.len() as f64;
        for (row, idf) in known.values_mut() {
            *idf = (((1.0 + n) / (1.0 + f64::from(document_frequency[*row as usize]))).ln() + 1.0) as f32;
        }

        let mut params = ParamStore::new();
        let weights = params.add("weights", Tensor::zeros([known.len().max(1), 1]));
        let bias = params.add("bias", Tensor::zeros([1]));
        let mut model = Self { known, weights, bias, params };
        let features: Vec<Features> = texts.iter().map(|(ids, _)| model.features(ids)).collect();
        // What each weight's square counts in a batch that shows it.
        let penalty: Vec<f32> = document_frequency
            .iter()
            .map(|&df| 1.0 / (c * n * (1.0 - (1.0 - f64::from(df) / n).powi(BATCH as i32))))
            .map(|penalty| penalty as f32)
            .collect();
        let steps = model.fit(&features, texts, &penalty, seed);
        (model, steps)
    }

    fn fit(&mut self, features: &[Features], texts: &[(Vec<u32>, bool)], penalty: &[f32], seed: u64) -> usize {
        let n = texts.len() as f64;
        let positives = texts.iter().filter(|(_, label)| *label).count() as f64;
        let class_weights = [(true, n / (2.0 * positives)), (false, n / (2.0 * (n - positives)))];
        // Momentum and long memory carry a weight that is met once an epoch far beyond its optimum.
        let (beta1, beta2, row_updates) = (0.0, 0.99, RowUpdates::Lazy);
        let mut adam = Adam::new(AdamSettings { beta1, beta2, row_updates, ..AdamSettings::default() });
        let mut pool = Pool::new();
        let mut steps = 0;
        let all_steps = EPOCHS * texts.len().div_ceil(BATCH);
        for epoch in 0..EPOCHS {
            let key = Streams::new(seed).key("order of n-gram rows", epoch as u64);
            let mut order: Vec<usize> = (0..texts.len()).collect();
            order.sort_by_cached_key(|&text| split_mix(key, text as u64));
            for batch in order.chunks(BATCH) {
                adam.set_learning_rate(LEARNING_RATE * (1.0 - 0.9 * steps as f64 / all_steps as f64));
                let mut tape = Tape::new(&self.params, &mut pool, Mode::Evaluate);
                let shown: Vec<&Features> = batch.iter().map(|&text| &features[text]).collect();
                let (logits, distinct) = self.forward(&mut tape, &shown);
                let of_class =
                    |class: bool| batch.iter().map(move |&text| Some(texts[text].1).filter(|&label| label == class));
                let [of_true, of_false] = class_weights.map(|(class, weight)| {
                    let labels: Vec<Option<bool>> = of_class(class).collect();
                    tape.masked_bce(logits, labels, (batch.len() as f64 / weight) as f32)
                });
                let total = tape.add(of_true, of_false);
                let mut gradients = tape.backward(total);
                self.add_penalty(&mut gradients, &distinct, penalty, &mut pool);
                adam.step(&mut self.params, &gradients);
                gradients.give_to(&mut pool);
                steps += 1;
            }
        }
        steps
    }

    /// The gradient of Σ ½·penalty·w² over the weights of a batch.
    fn add_penalty(&self, gradients: &mut Gradients<f32>, rows: &[u32], penalty: &[f32], pool: &mut Pool<f32>) {
        let weights = self.params.value(self.weights);
        let gradient = rows.iter().map(|&row| penalty[row as usize] * weights.data()[row as usize]).collect();
        gradients.add_rows(self.weights, weights.shape(), rows, &Tensor::new([rows.len(), 1], gradient), pool);
    }

    /// The logits `[texts, 1]`, and the distinct rows of the weights that made them.
    fn forward(&self, tape: &mut Tape<'_, f32>, texts: &[&Features]) -> (Var, Arc<[u32]>) {
        let mut distinct: Vec<u32> = texts.iter().flat_map(|text| text.rows.iter().copied()).collect();
        distinct.sort_unstable();
        distinct.dedup();
        let place = |row: &u32| distinct.binary_search(row).expect("every row is among the distinct ones") as u32;
        let places: Vec<u32> = texts.iter().flat_map(|text| text.rows.iter().map(place)).collect();
        let segments = Arc::new(Segments::from_lengths(texts.iter().map(|text| text.rows.len())));
        // A mean over n numbers that were multiplied by n is a sum.
        let values = texts.iter().flat_map(|text| text.values.iter().map(|value| value * text.rows.len() as f32));
        let values: Vec<f32> = values.collect();
        let distinct: Arc<[u32]> = distinct.into();

        let all = tape.param(self.weights);
        let weights = tape.gather_rows(all, distinct.clone()); // [U, 1]
        let shown = tape.gather_rows(weights, places); // [N, 1]
        let values = tape.constant(Tensor::new([values.len(), 1], values)); // [N, 1]
        let products = tape.mul(shown, values);
        let sums = tape.segment_mean(products, &segments); // [texts, 1]
        let bias = tape.param(self.bias);
        (tape.add(sums, bias), distinct)
    }

    /// How probably a text of ids is true.
    pub fn probability(&self, ids: &[u32]) -> f64 {
        let Features { rows, values } = self.features(ids);
        let weights = self.params.value(self.weights).data();
        let sum: f64 = rows.iter().zip(&values).map(|(&row, &value)| f64::from(weights[row as usize] * value)).sum();
        (sum + f64::from(self.params.value(self.bias).item())).sigmoid()
    }

    fn features(&self, ids: &[u32]) -> Features {
        let mut known: Vec<(u32, f32)> = n_grams(ids).filter_map(|n_gram| self.known.get(&n_gram).copied()).collect();
        known.sort_unstable_by_key(|&(row, _)| row);
        let (mut rows, mut values): (Vec<u32>, Vec<f32>) = (Vec::new(), Vec::new());
        for (row, idf) in known {
            match (rows.last(), values.last_mut()) {
                (Some(&last), Some(value)) if last == row => *value += idf,
                _ => {
                    rows.push(row);
                    values.push(idf);
                }
            }
        }
        let norm = values.iter().map(|value| value * value).sum::<f32>().sqrt();
        values.iter_mut().for_each(|value| *value /= norm);
        Features { rows, values }
    }
}

/// The words of a text and its neighbouring pairs.
fn n_grams(words: &[u32]) -> impl Iterator<Item = NGram> + '_ {
    words.iter().map(|&word| (word, None)).chain(words.windows(2).map(|pair| (pair[0], Some(pair[1]))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_scaled_to_length_one_and_know_their_pairs() {
        let texts = [(vec![2, 3], true), (vec![3, 2, 2], false), (vec![4], true)];
        let (model, _) = NGrams::train(&texts, 1.0, 1);
        // 2, 3, 4, and the pairs 2 3, 3 2, 2 2.
        assert_eq!(model.known.len(), 6);
        let features = model.features(&[2, 3, 9]);
        assert_eq!(features.rows.len(), 3);
        approx::assert_relative_eq!(features.values.iter().map(|v| v * v).sum::<f32>(), 1.0, max_relative = 1e-6);
        assert_eq!(model.features(&[]).rows.len(), 0);
    }

    /// Expected values: scikit-learn's TfidfVectorizer (smooth_idf, l2) has idf ln(4/3) + 1 for two of three texts.
    #[test]
    fn rare_words_weigh_more() {
        let texts = [(vec![2, 3], true), (vec![2], false), (vec![4], true)];
        let (model, _) = NGrams::train(&texts, 1.0, 1);
        let idf = |id: u32| model.known[&(id, None)].1;
        approx::assert_relative_eq!(idf(2), 1.287_682, max_relative = 1e-6);
        approx::assert_relative_eq!(idf(3), 1.693_147_2, max_relative = 1e-6);
    }

    /// The order of words decides: no single word does.
    #[test]
    fn pairs_of_words_are_learnt() {
        let text = |i: usize| if i.is_multiple_of(4) { (vec![2, 3, 4], true) } else { (vec![3, 2, 4], false) };
        let texts: Vec<(Vec<u32>, bool)> = (0..200).map(text).collect();
        let (model, _) = NGrams::train(&texts, 1.0, 1);
        assert!(model.probability(&[2, 3, 4]) > 0.6);
        assert!(model.probability(&[3, 2, 4]) < 0.4);
    }
}
