//! The words of results.json as people say them. Templates look them up by the word that stands in the file.

use mtlcore::mtl::{
    evaluation::interval::Measure,
    study::results::{BaselineResult, PairResult},
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
    &[("majority", "majority class"), ("always-true", "always true"), ("n-gram", "n-gram logistic regression")];

pub const CONTROLS: Words = &[
    ("shuffled", "partner's labels shuffled"),
    ("masked", "partner's labels hidden"),
    ("unrelated", "partner with an unrelated task"),
    ("matched-steps", "STL with as many steps as MTL"),
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
    let tuned = baseline.tuned.as_ref().filter(|_| measure == Measure::F1Tuned);
    let summary = tuned.unwrap_or(&baseline.tasks).get(task)?;
    let metric = match measure {
        Measure::F1Tuned | Measure::F1 => return Some(summary.f_over_folds.pooled),
        Measure::AveragePrecision => "average_precision",
        Measure::Auroc => "auroc",
        Measure::Accuracy => "accuracy",
    };
    Some(summary.metrics.get(metric)?.mean)
}

/// What is said for `word`; a word without an entry stands for itself.
pub fn said(words: Words, word: &str) -> &str {
    words.iter().find(|(key, _)| *key == word).map_or(word, |(_, said)| said)
}
