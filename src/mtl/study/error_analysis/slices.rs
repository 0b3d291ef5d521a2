//! Kinds of texts, and how often each arm errs on them.

use serde::{Deserialize, Serialize};

use super::{McNemar, TaskDecisions, features::TextFeatures};
use crate::mtl::{
    choices::choices, data::Vocabulary, evaluation::statistics::benjamini_hochberg, study::planning::PairData,
};

choices! {
    /// What tells kinds of texts apart. Each sorts every text into exactly one kind.
    Feature {
        /// Tokens that the networks read, in thirds of the task's texts.
        Length = "length",
        /// Whether a word denies; English.
        Negation = "negation",
        /// Whether there is a word like `sooo`.
        LengthenedWords = "lengthened-words",
        /// Whether the text speaks of who writes it; English.
        FirstPerson = "first-person",
        /// The share of tokens without a vector, in thirds of the task's texts; in a study without vectors, of those that no
        /// text has from which STL learnt.
        UnknownWords = "unknown-words",
    }
}

/// The texts of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slice {
    /// What tells them from others.
    pub feature: Feature,
    /// Which they are, in words: `short (up to 12 tokens)`.
    pub texts: String,
    holds: Vec<bool>, // [rows of the pair]
}

impl Slice {
    /// Whether it holds a row of the pair.
    pub fn holds(&self, row: usize) -> bool {
        self.holds[row]
    }
}

/// How often both arms err on the texts of one kind.
///
/// The test is McNemar's inside the slice: does MTL err on other texts of this kind than STL, and more often or less? Slices
/// that are merely hard for both arms do not stand out by it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SliceResult {
    /// What tells these texts from others.
    pub feature: Feature,
    /// Which texts they are, in words: `short (up to 12 tokens)`.
    pub texts: String,
    /// How many there are.
    pub rows: u64,
    /// The share of them on which STL errs.
    pub stl_error: f64,
    /// The share of them on which MTL errs.
    pub mtl_error: f64,
    /// On which of them only one arm errs, and the p-value of that.
    pub mcnemar: McNemar,
    /// That p-value after the correction of Benjamini and Hochberg over all slices of all tasks, layers and pairs.
    pub adjusted_p: f64,
}

/// The slices of a task's labelled texts. Kinds without a text are left out, and features by which all texts are of one kind.
///
/// # Panics
/// If the folds of the study cannot be made; then no unit was run either.
pub fn slices(pair: &PairData, task: &str) -> Vec<Slice> {
    let slot = pair.slot(task);
    let examples = pair.dataset.examples.iter().enumerate();
    let rows: Vec<usize> = examples.filter(|(_, e)| e.labels[slot].is_some()).map(|(row, _)| row).collect();
    let features: Vec<TextFeatures> =
        rows.iter().map(|&row| TextFeatures::of(&pair.corpus.records[row].text)).collect();
    let lengths: Vec<f64> = rows.iter().map(|&row| tokens(pair, row).count() as f64).collect();
    let unknown: Vec<f64> = unknown_shares(pair, slot, &rows).into_iter().map(|share| 100.0 * share).collect();

    let mut slices = Vec::new();
    let mut add = |feature: Feature, kinds: &[String], kind_of: &dyn Fn(usize) -> usize| {
        let mut holds = vec![vec![false; pair.dataset.examples.len()]; kinds.len()];
        for (place, &row) in rows.iter().enumerate() {
            holds[kind_of(place)][row] = true;
        }
        let kinds = kinds.iter().zip(holds).filter(|(_, holds)| holds.contains(&true));
        let kinds: Vec<Slice> = kinds.map(|(texts, holds)| Slice { feature, texts: texts.clone(), holds }).collect();
        if kinds.len() > 1 {
            slices.extend(kinds);
        }
    };
    let [short, medium] = thirds(&lengths);
    let kinds = [
        format!("short (up to {short} tokens)"),
        format!("medium ({} to {medium} tokens)", short + 1.0),
        format!("long (over {medium} tokens)"),
    ];
    add(Feature::Length, &kinds, &|place| third_of(lengths[place], [short, medium]));
    let mut with_and_without = |feature: Feature, what: &str, has: fn(&TextFeatures) -> bool| {
        add(feature, &[format!("with {what}"), format!("without {what}")], &|place| {
            usize::from(!has(&features[place]))
        });
    };
    with_and_without(Feature::Negation, "negation", |features| features.negation);
    with_and_without(Feature::LengthenedWords, "lengthened words", |features| features.lengthened);
    with_and_without(Feature::FirstPerson, "first person", |features| features.first_person);
    let [few, some] = thirds(&unknown);
    let kinds =
        [format!("few (up to {few:.1} %)"), format!("some (up to {some:.1} %)"), format!("many (over {some:.1} %)")];
    add(Feature::UnknownWords, &kinds, &|place| third_of(unknown[place], [few, some]));
    slices
}

/// The ids that the networks read of a row, without padding.
fn tokens(pair: &PairData, row: usize) -> impl Iterator<Item = u32> + '_ {
    pair.dataset.examples[row].tokens.iter().copied().filter(|&id| id != Vocabulary::PAD)
}

/// The largest value of the lowest third and of the middle one, where each third has as many values as equal ones allow.
fn thirds(values: &[f64]) -> [f64; 2] {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    [1, 2].map(|third| sorted.get((third * sorted.len()).div_ceil(3).saturating_sub(1)).copied().unwrap_or(0.0))
}

/// In which third a value lies, from 0.
fn third_of(value: f64, bounds: [f64; 2]) -> usize {
    bounds.into_iter().filter(|&bound| value > bound).count()
}

/// The share of unknown tokens of each row; 0 for a text without tokens.
fn unknown_shares(pair: &PairData, slot: usize, rows: &[usize]) -> Vec<f64> {
    let share = |row: usize, known: &[bool]| {
        let unknown = tokens(pair, row).filter(|&id| !known[id as usize]).count();
        unknown as f64 / tokens(pair, row).count().max(1) as f64
    };
    if let Some(vectors) = &pair.vectors {
        return rows.iter().map(|&row| share(row, &vectors.found)).collect();
    }
    let folds = pair.folds[0].iter().flatten().max().map_or(0, |last| last + 1);
    let learnt_in_fold = |fold: usize| {
        let mut known = vec![false; pair.dataset.encoder.vocabulary.len()];
        let learnt = pair.rows(0, fold).expect("the units of this fold were run").train.into_iter();
        for row in learnt.filter(|&row| pair.dataset.examples[row].labels[slot].is_some()) {
            tokens(pair, row).for_each(|id| known[id as usize] = true);
        }
        known
    };
    let known: Vec<Vec<bool>> = (0..folds).map(learnt_in_fold).collect();
    rows.iter().map(|&row| pair.folds[0][row].map_or(0.0, |fold| share(row, &known[fold]))).collect()
}

impl SliceResult {
    /// How both arms do on each slice of a task. The p-values are not corrected yet.
    pub(in crate::mtl::study) fn of(slices: &[Slice], task: &TaskDecisions<'_>) -> Vec<Self> {
        let of_slice = |slice: &Slice| {
            let mcnemar = McNemar::of(task.decisions.iter().filter(|decision| slice.holds(decision.row)));
            Self {
                feature: slice.feature,
                texts: slice.texts.clone(),
                rows: mcnemar.rows(),
                stl_error: mcnemar.stl_error(),
                mtl_error: mcnemar.mtl_error(),
                mcnemar,
                adjusted_p: mcnemar.p,
            }
        };
        slices.iter().map(of_slice).collect()
    }

    /// Benjamini and Hochberg's correction of the tests of many slices.
    pub(in crate::mtl::study) fn correct_together(slices: &mut [&mut Self]) {
        let p: Vec<f64> = slices.iter().map(|slice| slice.mcnemar.p).collect();
        for (slice, p) in slices.iter_mut().zip(benjamini_hochberg(&p)) {
            slice.adjusted_p = p;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mtl::{
        data::TaskSource,
        settings::Preset,
        study::{Pair, StudySettings},
    };
    use approx::assert_abs_diff_eq;

    /// Two tasks with these texts (the second in other words), every other one true; two folds, nothing held out inside.
    fn pair(texts: &[&str], vectors: Option<&str>) -> PairData {
        let directory = tempfile::tempdir().unwrap();
        let task = |name: &str, rename: fn(&str) -> String| {
            let path = directory.path().join(format!("{name}.tsv"));
            let rows = texts.iter().enumerate().map(|(i, text)| format!("{}\t{}\n", rename(text), i % 2));
            std::fs::write(&path, "text\tlabel\n".to_owned() + &rows.collect::<String>()).unwrap();
            TaskSource::new(name, path)
        };
        let tasks = vec![task("a", str::to_owned), task("b", |text| format!("other {text}"))];
        let mut settings = StudySettings::preset(Preset::Default);
        (settings.folds, settings.inner) = (2, 0.0);
        settings.pairs = vec![Pair { name: "p".into(), tasks }];
        settings.base.vectors = vectors.map(|vectors| {
            let path = directory.path().join("vectors.txt");
            std::fs::write(&path, vectors).unwrap();
            path
        });
        PairData::all(&settings).unwrap().remove(0)
    }

    fn found(pair: &PairData, feature: Feature) -> Vec<(String, Vec<usize>)> {
        let slices = slices(pair, "a").into_iter().filter(|slice| slice.feature == feature);
        let rows = |slice: &Slice| (0..pair.dataset.examples.len()).filter(|&row| slice.holds(row)).collect();
        slices.map(|slice| (slice.texts.clone(), rows(&slice))).collect()
    }

    #[test]
    fn every_feature_sorts_every_text_into_one_kind() {
        let texts =
            ["i am not well", "we are sooo well", "all is well here", "no fever", "a b c d e", "f g h", "k", "l m"];
        let pair = pair(&texts, None);
        let expected = |texts: &str, rows: &[usize]| (texts.to_owned(), rows.to_vec());
        let length = [
            expected("short (up to 2 tokens)", &[3, 6, 7]),
            expected("medium (3 to 4 tokens)", &[0, 2, 5]),
            expected("long (over 4 tokens)", &[1, 4]), // `<elong>` is a token
        ];
        assert_eq!(found(&pair, Feature::Length), length);
        let negation = [expected("with negation", &[0, 3]), expected("without negation", &[1, 2, 4, 5, 6, 7])];
        assert_eq!(found(&pair, Feature::Negation), negation);
        assert_eq!(found(&pair, Feature::LengthenedWords)[0], expected("with lengthened words", &[1]));
        assert_eq!(found(&pair, Feature::FirstPerson)[0], expected("with first person", &[0, 1]));
        for feature in slices(&pair, "b").iter().map(|slice| slice.feature) {
            for row in 0..16 {
                let kinds = slices(&pair, "b").into_iter().filter(|s| s.feature == feature && s.holds(row));
                assert_eq!(kinds.count(), usize::from(row >= 8), "the rows of b come after those of a");
            }
        }
    }

    #[test]
    fn a_feature_that_tells_no_texts_apart_is_left_out() {
        let pair = pair(&["a b", "c d", "e f", "g h"], Some("a 0\nb 0\nc 0\nd 0\ne 0\nf 0\ng 0\nh 0\n"));
        assert_eq!(slices(&pair, "a"), []);
    }

    #[test]
    fn words_without_a_vector_are_unknown() {
        let ten = "a a a a a a a a a x";
        let pair = pair(&["a b", "a x", ten, ""], Some("a 1.0\nb 2.0\nz 3.0\n"));
        let expected = [
            ("few (up to 0.0 %)".to_owned(), vec![0, 3]),
            ("some (up to 10.0 %)".to_owned(), vec![2]),
            ("many (over 10.0 %)".to_owned(), vec![1]),
        ];
        assert_eq!(found(&pair, Feature::UnknownWords), expected);
    }

    /// `a` stands in every text, the other words in one text each, which its fold tests. That task b has them does not count.
    #[test]
    fn without_vectors_words_that_stl_never_met_are_unknown() {
        let pair = pair(&["a", "a a", "a a a", "a a a a", "a b", "a c", "a d", "a e"], None);
        let expected =
            [("few (up to 0.0 %)".to_owned(), vec![0, 1, 2, 3]), ("some (up to 50.0 %)".to_owned(), vec![4, 5, 6, 7])];
        assert_eq!(found(&pair, Feature::UnknownWords), expected);
    }

    /// Expected: statsmodels' `multipletests(method="fdr_bh")`.
    #[test]
    fn all_slices_are_corrected_together() {
        let slice = |p: f64| SliceResult {
            feature: Feature::Negation,
            texts: String::new(),
            rows: 0,
            stl_error: 0.0,
            mtl_error: 0.0,
            mcnemar: McNemar { both_right: 0, only_stl: 0, only_mtl: 0, both_wrong: 0, p },
            adjusted_p: p,
        };
        let mut slices = [0.5, 0.001, 0.042, 0.039, 0.008, 0.06, 0.041].map(slice);
        SliceResult::correct_together(&mut slices.iter_mut().collect::<Vec<_>>());
        let expected = [0.5, 0.007, 0.0588, 0.0588, 0.028, 0.07, 0.0588];
        assert_abs_diff_eq!(slices.map(|slice| slice.adjusted_p)[..], expected[..], epsilon = 1e-12);
    }
}
