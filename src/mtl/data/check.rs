//! What was understood of the data, for people to compare with what they meant.

use super::{
    corpus::{Corpus, Source},
    coverage::{self, Coverage},
    dataset::Dataset,
    vectors::Vectors,
};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// How many first rows of each source are shown.
const SHOWN_ROWS: usize = 3;

/// A description of a [`Corpus`].
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Check {
    /// Each file.
    pub sources: Vec<SourceCheck>,
    /// Each task.
    pub tasks: Vec<TaskCheck>,
    /// Rows in all.
    pub rows: usize,
    /// Different texts, as tokens.
    pub distinct_texts: usize,
    /// Different texts that occur in more than one source.
    pub shared_texts: usize,
    /// The words.
    pub vocabulary: VocabularyCheck,
}

/// A description of a file.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct SourceCheck {
    /// The file, its tasks and its rows.
    #[serde(flatten)]
    pub source: Source,
    /// Rows without any token.
    pub empty_texts: usize,
    /// Rows whose tokens were those of an earlier row.
    pub duplicates: usize,
    /// Tokens a row: arithmetic mean.
    pub mean_length: f64,
    /// Tokens a row: median (of the two middle ones the smaller).
    pub median_length: usize,
    /// Tokens a row: the 95th percentile.
    pub length_95: usize,
    /// Tokens in the longest row.
    pub max_length: usize,
    /// The first rows.
    pub first_rows: Vec<FirstRow>,
}

/// A row as the model sees it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct FirstRow {
    /// Its line in the file.
    pub line: u64,
    /// Its tokens.
    pub tokens: Vec<String>,
    /// Its label for each of the file's tasks.
    pub labels: Vec<Option<bool>>,
}

/// A description of a task.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct TaskCheck {
    /// Its name.
    pub task: String,
    /// Rows of its files.
    pub rows: usize,
    /// Rows with a label.
    pub labelled: usize,
    /// Rows of its files without a label.
    pub missing: usize,
    /// Rows labelled true.
    pub positive: usize,
    /// Rows labelled true among the labelled.
    pub positive_share: f64,
    /// Labelled rows whose tokens were those of an earlier labelled row.
    pub duplicates: usize,
    /// Different texts that are labelled both true and false.
    pub conflicting_texts: usize,
}

/// A description of the words.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct VocabularyCheck {
    /// Different tokens.
    pub types: usize,
    /// Tokens in all.
    pub tokens: u64,
    /// How many of them have a vector, if there are vectors.
    pub coverage: Option<Coverage>,
}

impl Check {
    /// Describes `corpus`, its tokens as in `dataset`, and how far `vectors` cover them.
    ///
    /// # Panics
    /// If `dataset` was not made of `corpus`, or `vectors` were not read for its vocabulary.
    pub fn new(corpus: &Corpus, dataset: &Dataset, vectors: Option<&Vectors>) -> Self {
        assert_eq!(corpus.records.len(), dataset.examples.len(), "a data set of other rows");
        let mut sources_of: BTreeMap<u64, BTreeSet<u32>> = BTreeMap::new(); // by group
        for example in &dataset.examples {
            sources_of.entry(example.group).or_default().insert(example.source);
        }
        Self {
            sources: (0..corpus.sources.len()).map(|index| SourceCheck::new(index, corpus, dataset)).collect(),
            tasks: (0..corpus.tasks.len()).map(|slot| TaskCheck::new(slot, corpus, dataset)).collect(),
            rows: corpus.records.len(),
            distinct_texts: sources_of.len(),
            shared_texts: sources_of.values().filter(|sources| sources.len() > 1).count(),
            vocabulary: VocabularyCheck::new(dataset, vectors),
        }
    }
}

impl SourceCheck {
    fn new(index: usize, corpus: &Corpus, dataset: &Dataset) -> Self {
        let source = &corpus.sources[index];
        let examples: Vec<_> = dataset.examples.iter().filter(|example| example.source as usize == index).collect();
        let mut lengths: Vec<usize> = examples.iter().map(|example| example.tokens.len()).collect();
        lengths.sort_unstable();
        let quantile = |share: f64| {
            let rank = (share * lengths.len() as f64).ceil() as usize;
            lengths.get(rank.saturating_sub(1)).copied().unwrap_or(0)
        };
        let slots: Vec<usize> =
            source.tasks.iter().filter_map(|task| corpus.tasks.iter().position(|known| known == task)).collect();
        let first_rows = examples.iter().take(SHOWN_ROWS).map(|example| FirstRow {
            line: example.line,
            tokens: example.tokens.iter().map(|&id| dataset.encoder.vocabulary.word(id as usize).to_owned()).collect(),
            labels: slots.iter().map(|&slot| example.labels[slot]).collect(),
        });
        Self {
            source: source.clone(),
            empty_texts: lengths.iter().filter(|&&length| length == 0).count(),
            duplicates: examples.len() - examples.iter().map(|example| example.group).collect::<BTreeSet<_>>().len(),
            mean_length: lengths.iter().sum::<usize>() as f64 / lengths.len().max(1) as f64,
            median_length: quantile(0.5),
            length_95: quantile(0.95),
            max_length: quantile(1.0),
            first_rows: first_rows.collect(),
        }
    }
}

impl TaskCheck {
    fn new(slot: usize, corpus: &Corpus, dataset: &Dataset) -> Self {
        let task = &corpus.tasks[slot];
        let rows = corpus.sources.iter().filter(|source| source.tasks.contains(task)).map(|source| source.rows).sum();
        let mut labels_of: BTreeMap<u64, BTreeSet<bool>> = BTreeMap::new(); // by group
        let (mut labelled, mut positive) = (0, 0);
        for example in &dataset.examples {
            if let Some(label) = example.labels[slot] {
                labelled += 1;
                positive += usize::from(label);
                labels_of.entry(example.group).or_default().insert(label);
            }
        }
        Self {
            task: task.clone(),
            rows,
            labelled,
            missing: rows - labelled,
            positive,
            positive_share: positive as f64 / labelled.max(1) as f64,
            duplicates: labelled - labels_of.len(),
            conflicting_texts: labels_of.values().filter(|labels| labels.len() > 1).count(),
        }
    }
}

impl VocabularyCheck {
    fn new(dataset: &Dataset, vectors: Option<&Vectors>) -> Self {
        let counts = coverage::counts(dataset);
        Self {
            types: counts.iter().filter(|&&count| count > 0).count(),
            tokens: counts.iter().sum(),
            coverage: vectors.map(|vectors| Coverage::new(dataset, vectors)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mtl::data::{Padding, TaskSource, Tokenizer, read};

    #[test]
    fn counts_are_those_of_a_small_case_done_by_hand() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, content: &str| {
            let path = directory.path().join(name);
            std::fs::write(&path, content).unwrap();
            path
        };
        let one = write("one.tsv", "text\tlabel\nflu shot\t1\nflu  shot\t0\nflu\t0\n\t\n");
        let two = write("two.tsv", "text\tlabel\nflu\t1\nday\t0\n");
        let vectors = write("v.txt", "flu 1 2\nnight 3 4\n");
        let corpus = read(&[TaskSource::new("b", one), TaskSource::new("a", two)]).unwrap();
        let dataset = Dataset::new(&corpus, Tokenizer::Glove, None, Padding::None);
        let vectors = Vectors::read(&vectors, &dataset.encoder.vocabulary).unwrap();
        let check = Check::new(&corpus, &dataset, Some(&vectors));

        assert_eq!((check.rows, check.distinct_texts, check.shared_texts), (6, 4, 1));
        let [a, b] = &check.tasks[..] else { panic!("two tasks") };
        assert_eq!((a.rows, a.labelled, a.missing, a.positive, a.duplicates, a.conflicting_texts), (2, 2, 0, 1, 0, 0));
        assert_eq!((b.rows, b.labelled, b.missing, b.positive, b.duplicates, b.conflicting_texts), (4, 3, 1, 1, 1, 1));
        let source = &check.sources[1];
        assert_eq!((source.empty_texts, source.duplicates, source.max_length), (1, 1, 2));
        assert_eq!((source.mean_length, source.median_length, source.length_95), (1.25, 1, 2));
        assert_eq!(source.first_rows[0].tokens, ["flu", "shot"]);
        let coverage = check.vocabulary.coverage.unwrap();
        assert_eq!((check.vocabulary.types, check.vocabulary.tokens), (3, 7));
        assert_eq!((coverage.vectors, coverage.dim, coverage.types, coverage.tokens), (2, 2, 1, 4));
        assert_eq!(coverage.missing, [("shot".to_owned(), 2), ("day".to_owned(), 1)]);
    }
}
