//! The words of results.json as people say them. Templates look them up by the word that stands in the file.

use mtlcore::mtl::{
    evaluation::interval::Measure,
    study::results::{BaselineResult, PairResult, Summary},
};

/// Words in the file and what a report says.
pub type Words = &'static [(&'static str, &'static str)];

pub const LAYERS: Words = &[("bilstm", "BiLSTM"), ("conv", "convolution"), ("bilstm-conv", "BiLSTM + convolution")];

/// As in the paper's tables.
pub const LAYERS_SHORT: Words = &[("bilstm", "B"), ("conv", "C"), ("bilstm-conv", "B+C")];

/// Verdicts as people say them.
pub const VERDICTS: Words = &[
    ("helps", "helps"),
    ("hurts", "hurts"),
    ("equivalent", "equivalent"),
    ("does-not-hurt", "does not hurt"),
    ("does-not-help", "does not help"),
    ("undecided", "undecided"),
    ("not-learnt", "not learnt"),
];

/// A mark beside a verdict, so that a table can be skimmed.
pub const MARKS: Words = &[
    ("helps", "▲"),
    ("hurts", "▼"),
    ("equivalent", "≈"),
    ("does-not-hurt", "△"),
    ("does-not-help", "▽"),
    ("undecided", "?"),
    ("not-learnt", "∅"),
];

/// The marks of verdicts in LaTeX.
pub const MARKS_LATEX: Words = &[
    ("helps", r"$\uparrow$"),
    ("hurts", r"$\downarrow$"),
    ("equivalent", r"$\approx$"),
    ("does-not-hurt", r"$\geq$"),
    ("does-not-help", r"$\leq$"),
    ("undecided", "?"),
    ("not-learnt", r"$\emptyset$"),
];

pub const BASELINES: Words =
    &[("majority", "majority class"), ("always-true", "always true"), ("n-gram", "n-grams (logistic regression)")];

/// How an arm shows that it has learnt nothing.
pub const NOTHING_LEARNT: Words = &[
    ("one-class", "predicts one class"),
    ("no-better-than-always-true", "no better than always true"),
    ("ranks-by-chance", "ranks by chance"),
];

pub const CONTROLS: Words = &[
    ("shuffled", "partner's labels shuffled"),
    ("masked", "partner's labels hidden"),
    ("unrelated", "partner with an unrelated task"),
    ("matched-steps", "alone, with as many steps"),
    ("pooled", "one head for all tasks"),
];

pub const CONTROL_MEANINGS: Words = &[
    ("shuffled", "More texts and steps, but nothing to learn from their labels."),
    ("masked", "The partner's texts only thin out the batches."),
    ("unrelated", "The partner's texts with labels of another task, as frequent and as learnable."),
    ("matched-steps", "No partner, but as much training."),
    ("pooled", "All texts as if they were of one task, without a head for each."),
];

pub const METRICS: Words = &[
    ("accuracy", "accuracy"),
    ("precision", "precision"),
    ("recall", "recall"),
    ("f1", "F"),
    ("macro_f1", "macro F"),
    ("mcc", "MCC"),
    ("share_predicted_true", "predicted true"),
    ("average_precision", "average precision"),
    ("auroc", "AUROC"),
    ("brier_score", "Brier score"),
    ("log_loss", "log loss"),
];

pub const FEATURES: Words = &[
    ("length", "length"),
    ("negation", "negation"),
    ("lengthened-words", "lengthened words"),
    ("first-person", "first person"),
    ("unknown-words", "unknown words"),
];

pub const ERROR_KINDS: Words = &[
    ("stl-wrong", "STL wrong"),
    ("mtl-wrong", "MTL wrong"),
    ("only-mtl-right", "STL wrong, MTL right"),
    ("only-stl-right", "STL right, MTL wrong"),
];

/// What a pair is called: by its name, or where that is of its tasks, by these.
pub fn pair(pair: &PairResult) -> String {
    let tasks: Vec<&str> = pair.tasks.iter().map(|task| task.name.as_str()).collect();
    if pair.relatedness.is_some() { tasks.join(" and ") } else { pair.name.clone() }
}

/// A baseline's figure of a measure, a share; none where the measure does not exist for it. F is of counts pooled over folds, as that
/// of the arms.
pub fn baseline_score(measure: Measure, baseline: &BaselineResult, task: &str) -> Option<f64> {
    let tuned = baseline.tuned.as_ref().and_then(|tuned| tuned.get(task));
    level(measure, baseline.tasks.get(task)?, tuned)
}

/// The figure of a measure, a share, as intervals have it: F of the counts of all folds together, else the mean over folds. `tuned`
/// is at the tuned thresholds, if there is anything to tune.
pub fn level(measure: Measure, fixed: &Summary, tuned: Option<&Summary>) -> Option<f64> {
    let mean = |metric: &str| Some(fixed.metrics.get(metric)?.mean);
    match measure {
        Measure::F1Tuned => Some(tuned.unwrap_or(fixed).f_over_folds.pooled),
        Measure::F1 => Some(fixed.f_over_folds.pooled),
        Measure::AveragePrecision => mean("average_precision"),
        Measure::Auroc => mean("auroc"),
        Measure::Accuracy => mean("accuracy"),
    }
}

/// What is said for `word`; a word without an entry stands for itself.
pub fn said(words: Words, word: &str) -> &str {
    words.iter().find(|(key, _)| *key == word).map_or(word, |(_, said)| said)
}
