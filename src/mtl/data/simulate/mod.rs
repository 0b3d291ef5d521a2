//! Tweet-like texts for a pair of boolean tasks whose relatedness is known, since it was put there.
//!
//! Each task gives every word of its vocabulary a weight; a text's score is the sum of its words' weights over the square
//! root of its length, and the highest scores are true. The two tasks' weights over the words that both know have exactly
//! the cosine [`Simulation::relatedness`].

mod files;
mod words;

pub use files::SimulatedFile;
pub use words::SimulatedWord;

use super::{
    corpus::{Corpus, Record, Source},
    format::hexadecimal,
};
use crate::{Error, Result, mtl::streams::Streams};
use rand::{RngExt, seq::SliceRandom};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{path::PathBuf, sync::LazyLock};

/// The names of the two tasks.
pub(crate) const TASKS: [&str; 2] = ["task_a", "task_b"];

/// Words of all texts of a task: some gigabytes of memory.
const MOST_WORDS: usize = 200_000_000;

/// A field of [`Simulation`], as serde names it, and what it says.
#[derive(Debug)]
pub struct SimulationField {
    /// Its name in kebab case.
    pub name: String,
    /// One line of explanation.
    pub doc: &'static str,
}

/// `/// documentation  name: type = default;`
macro_rules! simulation {
    ($($(#[doc = $doc:literal])+ $name:ident: $type:ty = $default:expr;)+) => {
        /// What to simulate. All shares are of 1.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
        pub struct Simulation {
            $($(#[doc = $doc])+ pub $name: $type,)+
        }

        impl Default for Simulation {
            fn default() -> Self {
                Self { $($name: $default,)+ }
            }
        }

        /// Every field of [`Simulation`], in the order of declaration.
        pub static SIMULATION_FIELDS: LazyLock<Vec<SimulationField>> = LazyLock::new(|| vec![$(
            SimulationField { name: stringify!($name).replace('_', "-"), doc: concat!($($doc),+).trim() },
        )+]);
    };
}

simulation! {
    /// The seed of everything.
    seed: u64 = 1;
    /// Rows of each task; of the first alone if rows are doubly labelled.
    rows: [usize; 2] = [600, 1200];
    /// The cosine of the two tasks' weights over their common words, from −1 to 1.
    relatedness: f64 = 0.8;
    /// The share of each task's words that the other task has as well.
    overlap: f64 = 0.8;
    /// Words of each task.
    words: usize = 300;
    /// The share of true labels in each task.
    prevalence: [f64; 2] = [0.4, 0.3];
    /// The share of labels that are wrong: as many made true as made false, so that the prevalence stays.
    noise: f64 = 0.02;
    /// The mean number of words of a text.
    length: usize = 12;
    /// Numbers of a word's vector.
    dim: usize = 25;
    /// One set of rows with both labels, in place of two sets with one label each.
    doubly_labelled: bool = false;
    /// The second label is true only where the first is. Needs doubly labelled rows.
    implication: bool = false;
}

impl Simulation {
    /// Checks the fields.
    ///
    /// # Errors
    /// [`Error::Config`] naming the field that cannot be met.
    pub fn validate(&self) -> Result<()> {
        let share = |field: &str, value: f64, low: f64| match (low..=1.0).contains(&value) {
            true => Ok(()),
            false => Err(Error::config(field, format!("found {value}, expected {low} to 1"))),
        };
        let at_most = |field: &str, value: usize, most: usize| match value <= most {
            true => Ok(()),
            false => Err(Error::config(field, format!("found {value}, expected at most {most}"))),
        };
        self.rows.into_iter().try_for_each(|rows| at_most("rows", rows, 10_000_000))?;
        at_most("words", self.words, 1_000_000)?;
        at_most("length", self.length, 10_000)?;
        at_most("dim", self.dim, 4_096)?;
        if self.rows[0].max(self.rows[1]) * self.length > MOST_WORDS {
            let message = format!("{:?} of {} words are more than {MOST_WORDS} words in all", self.rows, self.length);
            return Err(Error::config("rows", message));
        }
        share("relatedness", self.relatedness, -1.0)?;
        share("overlap", self.overlap, 0.0)?;
        share("noise", self.noise, 0.0)?;
        if self.common_words() == 1 || self.words < 2 {
            return Err(Error::config("words", format!("found {}, expected enough for two common words", self.words)));
        }
        if self.length == 0 {
            return Err(Error::config("length", "found 0, expected at least 1"));
        }
        if self.dim < 2 {
            // One for each of the directions that carry the weights.
            return Err(Error::config("dim", format!("found {}, expected at least 2", self.dim)));
        }
        for (task, prevalence) in self.prevalence.into_iter().enumerate() {
            let (rows, positives) = (self.rows_of(task), self.positives(task));
            if positives == 0 || positives >= rows {
                let message =
                    format!("{positives} of {rows} rows of {} would be true, expected both classes", TASKS[task]);
                return Err(Error::config("prevalence", message));
            }
            share("prevalence", prevalence, 0.0)?;
        }
        if self.implication && !self.doubly_labelled {
            return Err(Error::config("implication", "needs doubly-labelled rows"));
        }
        if self.implication && self.positives(1) > self.positives(0) {
            return Err(Error::config(
                "prevalence",
                "the second task implies the first, so it cannot be true more often",
            ));
        }
        Ok(())
    }

    /// The rows and labels, as if read from [`Simulation::files`], whose path is `<simulated>`.
    ///
    /// # Errors
    /// Those of [`Simulation::validate`].
    pub fn generate(&self) -> Result<Corpus> {
        self.validate()?;
        let words = self.word_list();
        let sets: Vec<Vec<usize>> = if self.doubly_labelled { vec![vec![0, 1]] } else { vec![vec![0], vec![1]] };
        let mut corpus = Corpus { tasks: TASKS.map(str::to_owned).to_vec(), sources: Vec::new(), records: Vec::new() };
        for (source, tasks) in sets.into_iter().enumerate() {
            let texts = self.texts(&tasks, &words);
            let mut records: Vec<Record> = texts
                .iter()
                .zip(2..)
                .map(|(text, line)| Record {
                    source: source as u32,
                    line,
                    text: text.text.clone(),
                    labels: vec![None; 2],
                    validation: false,
                    group: None,
                })
                .collect();
            for &task in &tasks {
                let labels = self.labels(task, &texts, &records);
                for (record, label) in records.iter_mut().zip(labels) {
                    record.labels[task] = Some(label);
                }
            }
            corpus.sources.push(Source {
                path: PathBuf::from("<simulated>"),
                text: "text".into(),
                tasks: tasks.iter().map(|&task| TASKS[task].to_owned()).collect(),
                sha256: hexadecimal(&Sha256::digest(files::table(&tasks, &records))),
                rows: records.len(),
                validation: false,
                attrition: None,
            });
            corpus.records.append(&mut records);
        }
        Ok(corpus)
    }

    fn common_words(&self) -> usize {
        (self.overlap * self.words as f64).round() as usize
    }

    fn rows_of(&self, task: usize) -> usize {
        self.rows[if self.doubly_labelled { 0 } else { task }]
    }

    fn positives(&self, task: usize) -> usize {
        (self.prevalence[task] * self.rows_of(task) as f64).round() as usize
    }

    /// Texts of the words that one of `tasks` has, frequent and rare ones as Zipf's law has it.
    fn texts(&self, tasks: &[usize], words: &[SimulatedWord]) -> Vec<Text> {
        let mut rng = Streams::new(self.seed).rng(&format!("simulated texts {tasks:?}"), 0);
        let mut known: Vec<&SimulatedWord> =
            words.iter().filter(|word| tasks.iter().any(|&task| word.known[task])).collect();
        known.shuffle(&mut Streams::new(self.seed).rng("simulated frequencies", 0));
        let mut sum = 0.0;
        let cumulative: Vec<f64> = (0..known.len())
            .map(|rank| {
                sum += 1.0 / (rank as f64 + 10.0);
                sum
            })
            .collect();
        let range = self.length.div_ceil(2)..=self.length + self.length / 2;
        (0..self.rows_of(tasks[0]))
            .map(|_| {
                let length = rng.random_range(range.clone());
                let mut text = String::new();
                let mut scores = [0.0; 2];
                if rng.random_bool(0.2) {
                    text.push_str("@someone ");
                }
                for place in 0..length {
                    let draw = rng.random::<f64>() * sum;
                    let word = known[cumulative.partition_point(|&bound| bound <= draw).min(known.len() - 1)];
                    for (score, weight) in scores.iter_mut().zip(word.weights) {
                        *score += weight / (length as f64).sqrt();
                    }
                    let before = match () {
                        () if place == 0 => "",
                        () if rng.random_bool(0.05) => ", ",
                        () if rng.random_bool(0.03) => " #",
                        () => " ",
                    };
                    text.push_str(before);
                    text.push_str(&word.word);
                }
                text.push_str(["", "", "", ".", "!!!", " http://t.co/x"][rng.random_range(0..6)]);
                Text { text, scores }
            })
            .collect()
    }

    /// The highest scores are true, then the noise flips equally many labels of each kind.
    fn labels(&self, task: usize, texts: &[Text], records: &[Record]) -> Vec<bool> {
        let implied = |row: usize| !(self.implication && task == 1) || records[row].labels[0] == Some(true);
        let mut order: Vec<usize> = (0..texts.len()).filter(|&row| implied(row)).collect();
        order.sort_by(|&a, &b| texts[b].scores[task].total_cmp(&texts[a].scores[task]).then(a.cmp(&b)));
        let (positive, negative) = order.split_at_mut(self.positives(task));
        let mut rng = Streams::new(self.seed).rng(&format!("simulated noise {task}"), 0);
        positive.shuffle(&mut rng);
        negative.shuffle(&mut rng);
        let wrong = (self.noise * texts.len() as f64 / 2.0).round() as usize;
        let wrong = wrong.min(positive.len()).min(negative.len());
        let mut labels = vec![false; texts.len()];
        for &row in positive[wrong..].iter().chain(&negative[..wrong]) {
            labels[row] = true;
        }
        labels
    }
}

/// A text and its score in each task.
struct Text {
    text: String,
    scores: [f64; 2],
}

#[cfg(test)]
mod tests;
