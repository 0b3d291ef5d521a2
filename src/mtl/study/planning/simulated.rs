//! The embedded study: pairs of simulated tasks in the shape of the paper's three.

use crate::Result;
use crate::mtl::data::{Corpus, Simulation};

/// A pair whose sizes, prevalences, missing labels and implication are those of a pair of Joshi et al. 2019.
#[derive(Clone, Debug)]
pub struct SimulatedPair {
    /// The pair's name.
    pub name: &'static str,
    tasks: [&'static str; 2],
    /// What makes its texts and labels.
    pub simulation: Simulation,
}

impl SimulatedPair {
    /// The three pairs, with `scale` times the paper's rows. The paper does not say how related its tasks are; these are chosen so
    /// that the answers differ. In the first pair nearly the same words mean the same, and learning together helps the small task. In
    /// the second texts are full of a few words that mean unrelated things, and it hurts the smaller task: a layer of 25 units has not
    /// the room for two meanings of each word. The third is easy, and its tasks are two thresholds on one score, so it makes no
    /// difference.
    ///
    /// They have no word vectors. Vectors that carry the words' weights would give away what a partner could teach: a few
    /// hundred rows are enough to read them, and learning together then brings nothing even at a relatedness of 1.
    pub fn all(scale: f64, seed: u64) -> [Self; 3] {
        let pair = |name, tasks, rows: [usize; 2], positives: [usize; 2], relatedness| {
            let prevalence = [0, 1].map(|task| positives[task] as f64 / rows[task] as f64);
            let rows = rows.map(|rows| (scale * rows as f64).round() as usize);
            let simulation =
                Simulation { seed, rows, relatedness, overlap: 1.0, prevalence, length: 15, ..Simulation::default() };
            Self { name, tasks, simulation }
        };
        let second = pair("simulated-2", ["vaccine-use", "drug-use"], [5_751, 13_409], [1_692, 3_167], 0.0);
        let crowded = Simulation { noise: 0.0, words: 60, length: 20, ..second.simulation };
        let third = pair("simulated-3", ["relevance", "intent"], [10_688, 10_688], [9_517, 3_097], 1.0);
        let easy = Simulation { noise: 0.0, words: 12, length: 4, ..third.simulation };
        let both_labels = Simulation { doubly_labelled: true, implication: true, ..easy };
        [
            pair("simulated-1", ["influenza", "symptoms"], [2_661, 9_006], [1_304, 2_306], 0.95),
            Self { simulation: crowded, ..second },
            Self { simulation: both_labels, ..third },
        ]
    }

    /// Its rows. Slots are in the order of the tasks' names, as everywhere.
    ///
    /// # Errors
    /// If the scale leaves a task without rows of one class.
    pub fn corpus(&self) -> Result<Corpus> {
        let mut corpus = self.simulation.generate()?;
        let renamed = |name: &String| {
            let slot = corpus.tasks.iter().position(|task| task == name).expect("a source names tasks of its corpus");
            self.tasks[slot].to_owned()
        };
        let sources: Vec<Vec<String>> = corpus.sources.iter().map(|s| s.tasks.iter().map(renamed).collect()).collect();
        for (source, mut tasks) in corpus.sources.iter_mut().zip(sources) {
            tasks.sort();
            source.tasks = tasks;
        }
        corpus.tasks = self.tasks.map(str::to_owned).to_vec();
        if !corpus.tasks.is_sorted() {
            corpus.tasks.reverse();
            corpus.records.iter_mut().for_each(|record| record.labels.reverse());
        }
        Ok(corpus)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The counts of section 1 of the paper's description.
    #[test]
    fn the_full_size_is_the_papers() {
        let counts: Vec<Vec<(String, usize, usize)>> = SimulatedPair::all(1.0, 1)
            .iter()
            .map(|pair| {
                let corpus = pair.corpus().unwrap();
                let labels = |slot: usize| corpus.records.iter().filter_map(move |record| record.labels[slot]);
                let count = |(slot, task): (usize, &String)| {
                    (task.clone(), labels(slot).count(), labels(slot).filter(|&label| label).count())
                };
                corpus.tasks.iter().enumerate().map(count).collect()
            })
            .collect();
        let expected = |task: &str, rows, positives| (task.to_owned(), rows, positives);
        assert_eq!(counts[0], [expected("influenza", 2_661, 1_304), expected("symptoms", 9_006, 2_306)]);
        assert_eq!(counts[1], [expected("drug-use", 13_409, 3_167), expected("vaccine-use", 5_751, 1_692)]);
        assert_eq!(counts[2], [expected("intent", 10_688, 3_097), expected("relevance", 10_688, 9_517)]);
    }

    #[test]
    fn sources_carry_the_renamed_tasks() {
        let corpus = SimulatedPair::all(0.1, 1)[1].corpus().unwrap();
        for record in &corpus.records {
            let labelled: Vec<&String> =
                corpus.tasks.iter().zip(&record.labels).filter_map(|(task, label)| label.map(|_| task)).collect();
            assert_eq!(labelled, corpus.sources[record.source as usize].tasks.iter().collect::<Vec<_>>());
        }
    }
}
