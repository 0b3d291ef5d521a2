//! The simulated words: how they are spelt, what they weigh in each task, and the vectors that tell so.

use super::Simulation;
use crate::mtl::streams::Streams;
use rand::{Rng, RngExt};
use std::fmt::Write;

/// A word with the weight that each task gives it; 0 in the task that does not have it.
#[derive(Clone, Debug, PartialEq)]
pub struct SimulatedWord {
    /// Its spelling: small Latin letters.
    pub word: String,
    /// Whether each task has it.
    pub known: [bool; 2],
    /// Its weight in each task.
    pub weights: [f64; 2],
}

impl Simulation {
    /// The words and their weights: first those of both tasks, then those of the first, then those of the second alone.
    pub fn word_list(&self) -> Vec<SimulatedWord> {
        let (common, own) = (self.common_words(), self.words - self.common_words());
        let mut rng = Streams::new(self.seed).rng("simulated weights", 0);
        let first = gaussians(&mut rng, common);
        let mut beyond = gaussians(&mut rng, common);
        let size = norm(&first);
        remove_part_along(&mut beyond, &first);
        scale_to(&mut beyond, size);
        let (along, across) = (self.relatedness, (1.0 - self.relatedness * self.relatedness).sqrt());
        let shared = (0..common).map(|i| ([true; 2], [first[i], along * first[i] + across * beyond[i]]));
        let only_first = gaussians(&mut rng, own).into_iter().map(|weight| ([true, false], [weight, 0.0]));
        let only_second = gaussians(&mut rng, own).into_iter().map(|weight| ([false, true], [0.0, weight]));
        let words = shared.chain(only_first).chain(only_second).enumerate();
        words.map(|(index, (known, weights))| SimulatedWord { word: spelling(index), known, weights }).collect()
    }

    /// Vectors for the simulated words and the tokens between them, in GloVe's text format.
    ///
    /// Two orthogonal directions carry the weights (that of the first task, and what the second has beyond it), all
    /// directions Gaussian noise: a model can learn from them what they mean, but must find the directions first.
    pub fn vectors(&self) -> String {
        let dim = self.dim;
        let mut rng = Streams::new(self.seed).rng("simulated vectors", 0);
        let mut directions = [gaussians(&mut rng, dim), gaussians(&mut rng, dim)];
        let [first, second] = &mut directions;
        remove_part_along(second, first);
        for direction in &mut directions {
            scale_to(direction, 1.0);
        }
        let between = [",", ".", "!", "<user>", "<url>", "<hashtag>", "<repeat>"];
        let extra = between.map(|word| SimulatedWord { word: word.into(), known: [false; 2], weights: [0.0; 2] });
        let mut text = String::new();
        for word in self.word_list().iter().chain(&extra) {
            text.push_str(&word.word);
            let noise = gaussians(&mut rng, dim);
            for i in 0..dim {
                let signal: f64 = (0..2).map(|task| word.weights[task] * directions[task][i]).sum();
                write!(text, " {:.5}", signal + 0.3 * noise[i]).expect("a String takes any text");
            }
            text.push('\n');
        }
        text
    }
}

/// Word number `index` in syllables: pronounceable, of small letters, and no tokenizer finds more in it than a word.
fn spelling(index: usize) -> String {
    const CONSONANTS: &[u8; 16] = b"bdfghjklmnprstvz";
    let mut rest = index + 80; // at least two syllables
    let mut word = String::new();
    while rest > 0 {
        word.push(char::from(CONSONANTS[rest / 5 % 16]));
        word.push(char::from(b"aeiou"[rest % 5]));
        rest /= 80;
    }
    word
}

/// Standard normal numbers, by the method of Box and Muller.
fn gaussians(rng: &mut impl Rng, count: usize) -> Vec<f64> {
    let mut gaussian = || {
        let radius = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt();
        radius * (std::f64::consts::TAU * rng.random::<f64>()).cos()
    };
    (0..count).map(|_| gaussian()).collect()
}

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

pub(super) fn norm(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}

fn remove_part_along(a: &mut [f64], direction: &[f64]) {
    if direction.is_empty() {
        return;
    }
    let part = dot(a, direction) / dot(direction, direction);
    a.iter_mut().zip(direction).for_each(|(a, d)| *a -= part * d);
}

fn scale_to(a: &mut [f64], size: f64) {
    let factor = size / norm(a);
    a.iter_mut().for_each(|a| *a *= factor);
}
