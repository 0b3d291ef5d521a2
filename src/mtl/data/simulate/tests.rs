use super::{
    words::{dot, norm},
    *,
};
use crate::mtl::data::{TaskSource, Tokenizer, Vectors, Vocabulary, read};
use std::path::Path;

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
    let count = |task: usize, label| corpus.records.iter().filter(|record| record.labels[task] == Some(label)).count();
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
        let mut tasks = Vec::new();
        for file in simulation.files().unwrap() {
            let path = directory.path().join(&file.name);
            std::fs::write(&path, file.content).unwrap();
            tasks.extend(file.tasks.iter().map(|task| TaskSource::new(task, &path)));
        }
        let (memory, files) = (simulation.generate().unwrap(), read(&tasks).unwrap());
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
    let text = simulation.vectors();
    let vectors = Vectors::from_reader(text.as_bytes(), Path::new("<simulated>"), &vocabulary).unwrap();
    assert!(vectors.found[2..].iter().all(|&found| found));
    assert_eq!(vectors.dim, simulation.dim);
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
    assert_eq!(message(Simulation { dim: 1, ..base() }), "`dim`: found 1, expected at least 2");
    assert_eq!(message(Simulation { implication: true, ..base() }), "`implication`: needs doubly-labelled rows");
    assert_eq!(
        message(Simulation { prevalence: [0.0, 0.5], ..base() }),
        "`prevalence`: 0 of 600 rows of task_a would be true, expected both classes"
    );
}
