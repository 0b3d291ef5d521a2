//! The fields that a study has beside those of a run.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::mtl::{
    evaluation::{interval::Measure, statistics::DEFAULT_ROPE},
    settings::{Balance, FIELDS, Field, Kind, Preset, Shared},
    study::planning::Control,
};

/// The fields that only a study has.
#[derive(Serialize, Deserialize)]
pub(super) struct Own {
    pub folds: usize,
    pub repeats: usize,
    pub seeds: usize,
    pub measure: Measure,
    pub tune: usize,
    pub shared: Vec<Shared>,
    pub controls: Vec<Control>,
    pub balance: Vec<Balance>,
    pub rope: f64,
    pub inner: f64,
    pub scale: f64,
    pub fractions: Vec<u8>,
}

impl Own {
    pub fn preset(preset: Preset) -> Self {
        Self {
            folds: 10,
            repeats: 1,
            seeds: 3,
            measure: match preset {
                Preset::Default => Measure::F1Tuned,
                Preset::Paper => Measure::F1,
            },
            tune: 1,
            shared: vec![Shared::Bilstm, Shared::Conv, Shared::BilstmConv],
            controls: Vec::new(),
            balance: Vec::new(),
            rope: DEFAULT_ROPE,
            inner: 0.1,
            scale: 0.5,
            fractions: (0..=100).step_by(10).collect(),
        }
    }
}

/// Fields of a run that are not those of a study.
pub(super) const NOT_IN_A_STUDY: [&str; 6] =
    ["shared", "validation", "checkpoint-steps", "balance", "balance-weights", "probe"];

/// Methods that a study can compare with plain MTL: all but plain MTL itself, and fixed weights, which have no setting here.
static BALANCE: LazyLock<Vec<&str>> = LazyLock::new(|| {
    Balance::WORDS
        .iter()
        .copied()
        .filter(|word| ![Balance::Equal, Balance::Static].map(Balance::word).contains(word))
        .collect()
});

pub(super) static OWN_FIELDS: LazyLock<Vec<Field>> = LazyLock::new(|| {
    let field = |name: &str, kind: Kind, doc: &'static str| Field { name: name.into(), doc, group: "Study", kind };
    vec![
        field("folds", Kind::Whole { least: 2, most: 1_000 }, "Folds of the cross-validation."),
        field("repeats", Kind::Whole { least: 1, most: 1_000 }, "How often the folds are drawn anew."),
        field(
            "seeds",
            Kind::Whole { least: 1, most: 1_000 },
            "Trainings in every fold: other initial weights, order of rows, dropout.",
        ),
        field("measure", Kind::Choice(Measure::WORDS), "What the verdicts are about."),
        field(
            "tune",
            Kind::Whole { least: 1, most: 1_000 },
            "Trials of hyper-parameters of every arm, chosen on inner rows; 1 is none.",
        ),
        field("shared", Kind::List(Shared::WORDS), "The shared layers to study."),
        field("controls", Kind::List(Control::WORDS), "Placebos to run beside STL and MTL."),
        field("balance", Kind::List(&BALANCE), "Balancing methods to run beside plain MTL."),
        field("rope", Kind::Number, "Half the width of the region of practical equivalence, in points of the measure."),
        field("inner", Kind::Share, "Share of each unit's training rows that choose thresholds and when to stop."),
        field("scale", Kind::Positive, "Size of the simulated pairs, as a share of the paper's."),
        field("fractions", Kind::Percentages, "Points of the curves: percentages of the other tasks' training data."),
    ]
});

/// Every field of a study except pairs and tasks: its own, then those of [`Settings`](crate::mtl::settings::Settings).
pub fn fields() -> impl Iterator<Item = &'static Field> {
    OWN_FIELDS.iter().chain(FIELDS.iter().filter(|field| !NOT_IN_A_STUDY.contains(&field.name.as_str())))
}
