//! Random errors of each kind.

use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use super::{Decision, TaskDecisions};
use crate::mtl::{choices::choices, settings::Shared, streams::Streams};

choices! {
    /// What there is to sample.
    ErrorKind {
        /// STL is wrong, whatever MTL is.
        StlWrong = "stl-wrong",
        /// MTL is wrong, whatever STL is.
        MtlWrong = "mtl-wrong",
        /// STL is wrong and MTL right.
        OnlyMtlRight = "only-mtl-right",
        /// STL is right and MTL wrong.
        OnlyStlRight = "only-stl-right",
    }
}

impl ErrorKind {
    /// Whether a decision is of this kind.
    pub fn holds(self, decision: &Decision) -> bool {
        match self {
            Self::StlWrong => !decision.stl_right,
            Self::MtlWrong => !decision.mtl_right,
            Self::OnlyMtlRight => !decision.stl_right && decision.mtl_right,
            Self::OnlyStlRight => decision.stl_right && !decision.mtl_right,
        }
    }
}

/// One error of a sample: a row of `errors.csv`, whose last column is `category`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SampledError {
    /// The pair.
    pub pair: String,
    /// The shared layer.
    pub shared: Shared,
    /// The task.
    pub task: String,
    /// What it was sampled as.
    pub kind: ErrorKind,
    /// Who is wrong: `stl`, `mtl` or `both`.
    pub wrong: &'static str,
    /// The file of the text.
    pub file: String,
    /// The line of the file where its row begins.
    pub line: u64,
    /// The text.
    pub text: String,
    /// Its label.
    pub truth: bool,
    /// How probably it is true, says STL.
    pub p_stl: f64,
    /// How probably it is true, says MTL.
    pub p_mtl: f64,
}

impl TaskDecisions<'_> {
    /// Up to `size` random errors of each kind, in the order in which they were drawn: a smaller sample of the same seed is
    /// the beginning of a larger one. What is drawn for one task, layer and kind does not depend on the others.
    pub fn sample(&self, size: usize, seed: u64) -> Vec<SampledError> {
        let of_kind = |kind: ErrorKind| {
            let mut errors: Vec<&Decision> = self.decisions.iter().filter(|decision| kind.holds(decision)).collect();
            let stream =
                format!("sampled errors {} {} {} {}", self.pair.name, self.shared.word(), self.task, kind.word());
            errors.shuffle(&mut Streams::new(seed).rng(&stream, 0));
            errors.truncate(size);
            errors.into_iter().map(move |decision| self.sampled(kind, decision))
        };
        ErrorKind::ALL.iter().copied().flat_map(of_kind).collect()
    }

    fn sampled(&self, kind: ErrorKind, decision: &Decision) -> SampledError {
        let (record, source) = self.record(decision);
        SampledError {
            pair: self.pair.name.clone(),
            shared: self.shared,
            task: self.task.to_owned(),
            kind,
            wrong: match (decision.stl_right, decision.mtl_right) {
                (false, false) => "both",
                (false, true) => "stl",
                (true, _) => "mtl",
            },
            file: source.path.display().to_string(),
            line: record.line,
            text: record.text.clone(),
            truth: decision.truth,
            p_stl: decision.p_stl,
            p_mtl: decision.p_mtl,
        }
    }
}
