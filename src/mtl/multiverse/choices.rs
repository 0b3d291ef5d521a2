//! The open choices: what Joshi et al. 2019 leave unsaid, and other papers too. Each level sets some fields of a study.

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::mtl::{
    settings::{EmbeddingSource, Shared},
    study::StudySettings,
};

/// A choice that has to be made to get any result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// What is chosen.
    pub name: String,
    /// The ways to choose, two or more.
    pub levels: Vec<Level>,
    /// Which of them the starting point has.
    pub start: usize,
}

/// One way to choose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Level {
    /// What it is called in tables.
    pub label: String,
    /// The fields of a study that it sets.
    pub sets: Table,
}

/// For which studies a choice is open.
#[derive(Clone, Copy)]
enum Open {
    Always,
    /// With word vectors.
    Vectors,
    /// With a random embedding.
    NoVectors,
    /// With a convolution among the shared layers.
    Conv,
    /// With a BiLSTM among them.
    Bilstm,
}

/// Name, when it is open, and (label, fields in TOML) of each level. The first that is the starting point's counts as its level.
type Declared = (&'static str, Open, &'static [(&'static str, &'static str)]);

const CHOICES: &[Declared] = &[
    (
        "epochs",
        Open::Always,
        &[
            ("5", "epochs = 5\npatience = 0\nkeep = 'last'"),
            ("10", "epochs = 10\npatience = 0\nkeep = 'last'"),
            ("30", "epochs = 30\npatience = 0\nkeep = 'last'"),
            ("until inner loss rises", "epochs = 60\npatience = 3\nkeep = 'best'"),
        ],
    ),
    (
        "learning rate",
        Open::Always,
        &[("0.0003", "learning-rate = 0.0003"), ("0.001", "learning-rate = 0.001"), ("0.003", "learning-rate = 0.003")],
    ),
    ("batch size", Open::Always, &[("16", "batch = 16"), ("32", "batch = 32"), ("64", "batch = 64")]),
    (
        "width",
        Open::Always,
        &[("12", "units = 12\nfilters = 12"), ("25", "units = 25\nfilters = 25"), ("50", "units = 50\nfilters = 50")],
    ),
    ("dropout", Open::Always, &[("0", "dropout = 0.0"), ("0.25", "dropout = 0.25"), ("0.5", "dropout = 0.5")]),
    ("longest text", Open::Always, &[("as it is", ""), ("20 tokens", "max-length = 20")]),
    ("padding", Open::Always, &[("none", "padding = 'none'"), ("before", "padding = 'pre'")]),
    ("tokens", Open::Always, &[("GloVe's rules", "tokenizer = 'glove-2'"), ("white space", "tokenizer = 'plain'")]),
    ("embedding", Open::Vectors, &[("frozen", "embedding = 'frozen'"), ("fine-tuned", "embedding = 'fine-tuned'")]),
    ("unknown words", Open::Vectors, &[("zero", "unknown = 'zero'"), ("mean", "unknown = 'mean'")]),
    ("embedding's columns", Open::NoVectors, &[("25", "embedding-dim = 25"), ("100", "embedding-dim = 100")]),
    ("threshold", Open::Always, &[("0.5", "measure = 'f1'"), ("tuned", "measure = 'f1-tuned'")]),
    (
        "loss normaliser",
        Open::Always,
        &[("batch", "loss-normaliser = 'batch'"), ("labelled", "loss-normaliser = 'labelled'")],
    ),
    ("batches", Open::Always, &[("mixed", "batches = 'mixed'"), ("alternate", "batches = 'alternate'")]),
    ("absent head", Open::Always, &[("decays", "absent-head = 'decay'"), ("skipped", "absent-head = 'skip'")]),
    ("heads start", Open::Always, &[("each its own way", "heads = 'own'"), ("alike", "heads = 'alike'")]),
    (
        "Adam",
        Open::Always,
        &[("Keras", "adam = 'keras'\nepsilon = 1e-7"), ("Kingma & Ba", "adam = 'kingma'\nepsilon = 1e-8")],
    ),
    (
        "convolution's activation",
        Open::Conv,
        &[("ReLU", "conv-activation = 'relu'"), ("tanh", "conv-activation = 'tanh'")],
    ),
    ("convolution's pooling", Open::Conv, &[("max", "conv-pooling = 'max'"), ("mean", "conv-pooling = 'mean'")]),
    (
        "LSTM's gates",
        Open::Bilstm,
        &[("sigmoid", "gate-activation = 'sigmoid'"), ("hard sigmoid", "gate-activation = 'hard-sigmoid'")],
    ),
    (
        "LSTM's sentence",
        Open::Bilstm,
        &[("last", "sentence = 'last'"), ("max", "sentence = 'max'"), ("mean", "sentence = 'mean'")],
    ),
];

/// The choices that are open in a study, which is the starting point. Where it has none of a choice's levels, its own is one more. With
/// several shared layers, the layer is a choice too.
pub fn open_choices(start: &StudySettings) -> Vec<Choice> {
    let given = start.to_table();
    let has = |layers: [Shared; 2]| start.shared.iter().any(|shared| layers.contains(shared));
    let uses_vectors = start.base.vectors.is_some() && start.base.embedding != EmbeddingSource::Random;
    let is_open = |open: Open| match open {
        Open::Always => true,
        Open::Vectors => uses_vectors,
        Open::NoVectors => !uses_vectors,
        Open::Conv => has([Shared::Conv, Shared::BilstmConv]),
        Open::Bilstm => has([Shared::Bilstm, Shared::BilstmConv]),
    };
    let declared = CHOICES.iter().filter(|(_, open, _)| is_open(*open));
    let mut choices: Vec<Choice> = declared.map(|(name, _, levels)| declared_choice(name, levels, &given)).collect();
    if start.shared.len() > 1 {
        let level = |shared: &Shared| {
            let list = Value::Array(vec![shared.word().into()]);
            Level { label: shared.word().into(), sets: Table::from_iter([("shared".to_owned(), list)]) }
        };
        let levels = start.shared.iter().map(level).collect();
        choices.push(Choice { name: "shared layer".into(), levels, start: 0 });
    }
    choices
}

fn declared_choice(name: &str, levels: &[(&str, &str)], given: &Table) -> Choice {
    let level = |&(label, sets): &(&str, &str)| Level {
        label: label.into(),
        sets: sets.parse().expect("our own levels are TOML"),
    };
    let mut levels: Vec<Level> = levels.iter().map(level).collect();
    let fields: Vec<String> = levels.iter().flat_map(|level| level.sets.keys().cloned()).collect();
    // A field that a level does not set is not set there.
    let is_given = |level: &Level| fields.iter().all(|field| level.sets.get(field) == given.get(field));
    let start = levels.iter().position(is_given).unwrap_or_else(|| {
        let sets: Table = fields.iter().filter_map(|field| Some((field.clone(), given.get(field)?.clone()))).collect();
        let values: Vec<String> = sets.values().map(ToString::to_string).collect();
        levels.push(Level { label: format!("as given ({})", values.join(", ")), sets });
        levels.len() - 1
    });
    Choice { name: name.into(), levels, start }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mtl::settings::Preset;

    #[test]
    fn the_papers_preset_is_where_the_choices_start() {
        let start = StudySettings { shared: vec![Shared::Conv], ..StudySettings::preset(Preset::Paper) };
        let choices = open_choices(&start);
        let label = |name: &str| {
            let choice = choices.iter().find(|choice| choice.name == name).unwrap();
            choice.levels[choice.start].label.as_str()
        };
        for (name, expected) in [
            ("epochs", "10"),
            ("learning rate", "0.001"),
            ("threshold", "0.5"),
            ("padding", "before"),
            ("longest text", "as it is"),
            ("loss normaliser", "batch"),
            ("Adam", "Keras"),
            // Two hundred columns, which are no level of their own.
            ("embedding's columns", "as given (200)"),
        ] {
            assert_eq!(label(name), expected);
        }
        assert!(choices.iter().all(|choice| choice.levels.len() > 1));
        assert!(!choices.iter().any(|choice| choice.name.starts_with("LSTM") || choice.name == "shared layer"));
    }
}
