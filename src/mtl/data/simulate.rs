//! Tweet-like texts for a pair of boolean tasks whose relatedness is known, since it was put there.
//!
//! Each task gives every word of its vocabulary a weight; a text's score is the sum of its words' weights over the square
//! root of its length, and the highest scores are true. The two tasks' weights over the words that both know have exactly
//! the cosine [`Simulation::relatedness`].

use super::{
    corpus::{Corpus, Record, Source},
    format::hexadecimal,
    tasks::TaskSource,
};
use crate::{Error, Result, mtl::streams::Streams};
use rand::{Rng, RngExt, seq::SliceRandom};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    fmt::Write,
    path::{Path, PathBuf},
};

/// The names of the two tasks.
const TASKS: [&str; 2] = ["task_a", "task_b"];

/// What to simulate. All shares are of 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Simulation {
    /// The seed of everything.
    pub seed: u64,
    /// Rows of each task; of the first alone if rows are doubly labelled.
    pub rows: [usize; 2],
    /// The cosine of the two tasks' weights over their common words, from −1 to 1.
    pub relatedness: f64,
    /// The share of each task's words that the other task has as well.
    pub overlap: f64,
    /// Words of each task.
    pub words: usize,
    /// The share of true labels in each task.
    pub prevalence: [f64; 2],
    /// The share of labels that are wrong: as many made true as made false, so that the prevalence stays.
    pub noise: f64,
    /// The mean number of words of a text.
    pub length: usize,
    /// One set of rows with both labels, in place of two sets with one label each.
    pub doubly_labelled: bool,
    /// The second label is true only where the first is. Needs doubly labelled rows.
    pub implication: bool,
}

impl Default for Simulation {
    fn default() -> Self {
        Self {
            seed: 1,
            rows: [600, 1200],
            relatedness: 0.8,
            overlap: 0.8,
            words: 300,
            prevalence: [0.4, 0.3],
            noise: 0.02,
            length: 12,
            doubly_labelled: false,
            implication: false,
        }
    }
}

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
    /// Checks the fields.
    ///
    /// # Errors
    /// [`Error::Config`] naming the field that cannot be met.
    pub fn validate(&self) -> Result<()> {
        let share = |field: &str, value: f64, low: f64| match (low..=1.0).contains(&value) {
            true => Ok(()),
            false => Err(Error::config(field, format!("found {value}, expected {low} to 1"))),
        };
        share("relatedness", self.relatedness, -1.0)?;
        share("overlap", self.overlap, 0.0)?;
        share("noise", self.noise, 0.0)?;
        if self.common_words() == 1 || self.words < 2 {
            return Err(Error::config("words", format!("found {}, expected enough for two common words", self.words)));
        }
        if self.length == 0 {
            return Err(Error::config("length", "found 0, expected at least 1"));
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

    /// The rows and labels, as if read from the files that [`Simulation::write`] writes, whose path is `<simulated>`.
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
                sha256: hexadecimal(&Sha256::digest(table(&tasks, &records))),
                rows: records.len(),
                validation: false,
            });
            corpus.records.append(&mut records);
        }
        Ok(corpus)
    }

    /// Writes the rows as TSV into `directory`: `pair.tsv` if they are doubly labelled, else `task_a.tsv` and `task_b.tsv`.
    /// Returns the tasks as one would declare them.
    ///
    /// # Errors
    /// Those of [`Simulation::validate`]; [`Error::Io`] if a file cannot be written.
    pub fn write(&self, directory: &Path) -> Result<Vec<TaskSource>> {
        let corpus = self.generate()?;
        std::fs::create_dir_all(directory).map_err(Error::io(directory))?;
        let mut declared = Vec::new();
        for (index, source) in corpus.sources.iter().enumerate() {
            let tasks: Vec<usize> =
                (0..2).filter(|&task| source.tasks.iter().any(|name| name == TASKS[task])).collect();
            let name = if tasks.len() == 2 { "pair" } else { &source.tasks[0] };
            let path = directory.join(format!("{name}.tsv"));
            let records: Vec<Record> =
                corpus.records.iter().filter(|record| record.source as usize == index).cloned().collect();
            std::fs::write(&path, table(&tasks, &records)).map_err(Error::io(&path))?;
            declared.extend(source.tasks.iter().map(|name| TaskSource::new(name, &path)));
        }
        Ok(declared)
    }

    /// Vectors of `dim` numbers for the simulated words and the tokens between them, in GloVe's text format.
    ///
    /// Two orthogonal directions carry the weights (that of the first task, and what the second has beyond it), all
    /// directions Gaussian noise: a model can learn from them what they mean, but must find the directions first.
    ///
    /// # Panics
    /// If `dim` is less than 2.
    pub fn vectors(&self, dim: usize) -> String {
        assert!(dim >= 2, "vectors of {dim} numbers cannot carry two directions");
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

    /// The highest scores are true, then as many labels of each kind are turned round as the noise asks for.
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

/// A file of rows as TSV.
fn table(tasks: &[usize], records: &[Record]) -> String {
    let header = if tasks.len() == 2 { TASKS.join("\t") } else { "label".into() };
    let mut table = format!("text\t{header}\n");
    for record in records {
        table.push_str(&record.text);
        for &task in tasks {
            table.push_str(match record.labels[task] {
                Some(true) => "\t1",
                Some(false) => "\t0",
                None => "\t",
            });
        }
        table.push('\n');
    }
    table
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

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn norm(a: &[f64]) -> f64 {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mtl::data::{Tokenizer, Vectors, Vocabulary, read};

    #[test]
    fn the_cosine_is_exact() {
        for relatedness in [-1.0, -0.3, 0.0, 0.5, 1.0] {
            let words = Simulation { relatedness, ..Simulation::default() }.word_list();
            let common = |task: usize| -> Vec<f64> {
                words.iter().filter(|word| word.known == [true; 2]).map(|word| word.weights[task]).collect()
            };
            let (a, b) = (common(0), common(1));
            assert!((dot(&a, &b) / (norm(&a) * norm(&b)) - relatedness).abs() < 1e-12);
            assert_eq!(a.len(), 240);
        }
    }

    #[test]
    fn prevalence_and_rows_are_met() {
        let simulation = Simulation { prevalence: [0.25, 0.1], noise: 0.1, ..Simulation::default() };
        let corpus = simulation.generate().unwrap();
        let count =
            |task: usize, label| corpus.records.iter().filter(|record| record.labels[task] == Some(label)).count();
        assert_eq!([count(0, true), count(0, false)], [150, 450]);
        assert_eq!([count(1, true), count(1, false)], [120, 1080]);
        assert_eq!(corpus.records.iter().filter(|record| record.labels.iter().all(Option::is_some)).count(), 0);
    }

    #[test]
    fn noise_turns_labels_round() {
        let clean = Simulation { noise: 0.0, ..Simulation::default() }.generate().unwrap();
        let noisy = Simulation { noise: 0.1, ..Simulation::default() }.generate().unwrap();
        let differ = clean.records.iter().zip(&noisy.records).filter(|(a, b)| a.labels != b.labels).count();
        assert_eq!(differ, 180); // 10 % of 1800
    }

    #[test]
    fn the_second_label_implies_the_first() {
        let simulation = Simulation { doubly_labelled: true, implication: true, noise: 0.1, ..Simulation::default() };
        let corpus = simulation.generate().unwrap();
        assert_eq!(corpus.records.len(), 600);
        assert!(corpus.records.iter().all(|record| record.labels != [Some(false), Some(true)]));
        assert_eq!(corpus.records.iter().filter(|record| record.labels[1] == Some(true)).count(), 180);
    }

    #[test]
    fn relatedness_one_means_one_task() {
        let simulation = Simulation {
            relatedness: 1.0,
            overlap: 1.0,
            doubly_labelled: true,
            noise: 0.0,
            prevalence: [0.3; 2],
            ..Simulation::default()
        };
        assert!(simulation.generate().unwrap().records.iter().all(|record| record.labels[0] == record.labels[1]));
    }

    #[test]
    fn files_say_the_same_as_memory() {
        let directory = tempfile::tempdir().unwrap();
        for doubly_labelled in [false, true] {
            let simulation = Simulation { doubly_labelled, ..Simulation::default() };
            let (memory, files) =
                (simulation.generate().unwrap(), read(&simulation.write(directory.path()).unwrap()).unwrap());
            assert_eq!((&memory.tasks, &memory.records), (&files.tasks, &files.records));
            for (a, b) in memory.sources.iter().zip(&files.sources) {
                assert_eq!((&a.sha256, &a.tasks, a.rows), (&b.sha256, &b.tasks, b.rows));
            }
        }
    }

    #[test]
    fn every_token_has_a_vector() {
        let simulation = Simulation::default();
        let corpus = simulation.generate().unwrap();
        let vocabulary = Vocabulary::of(corpus.records.iter().map(|record| record.text.as_str()), Tokenizer::Glove);
        let text = simulation.vectors(10);
        let vectors = Vectors::from_reader(text.as_bytes(), Path::new("<simulated>"), &vocabulary).unwrap();
        assert!(vectors.found[2..].iter().all(|&found| found));
        assert_eq!(vectors.dim, 10);
    }

    /// A change of the generator would silently change every simulated result.
    #[test]
    fn the_seed_determines_the_texts() {
        let corpus = Simulation::default().generate().unwrap();
        assert_eq!(corpus, Simulation::default().generate().unwrap());
        assert_ne!(corpus, Simulation { seed: 2, ..Simulation::default() }.generate().unwrap());
        assert_eq!(corpus.sources[0].sha256[..16], *"8b67c70eceb33447");
    }

    #[test]
    fn what_cannot_be_met_is_refused() {
        let message = |simulation: Simulation| simulation.generate().unwrap_err().to_string();
        let base = Simulation::default;
        assert_eq!(message(Simulation { relatedness: 1.5, ..base() }), "`relatedness`: found 1.5, expected -1 to 1");
        assert_eq!(message(Simulation { implication: true, ..base() }), "`implication`: needs doubly-labelled rows");
        assert_eq!(
            message(Simulation { prevalence: [0.0, 0.5], ..base() }),
            "`prevalence`: 0 of 600 rows of task_a would be true, expected both classes"
        );
    }
}
