//! The answer in a word.

use super::Posterior;
use serde::{Deserialize, Serialize};
use std::fmt;

/// How probable one of the three answers must be before it is given.
const SURE: f64 = 0.95;

/// Does multi-task learning help this task?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// P(difference > +rope) > 0.95.
    Helps,
    /// P(−rope ≤ difference ≤ +rope) > 0.95.
    Equivalent,
    /// P(difference < −rope) > 0.95.
    Hurts,
    /// None of the three is that probable: these folds cannot tell.
    Undecided,
}

impl Posterior {
    /// The answer in a word, by the decision rule of Benavoli et al. 2017.
    pub fn verdict(&self) -> Verdict {
        match self {
            p if p.above > SURE => Verdict::Helps,
            p if p.inside > SURE => Verdict::Equivalent,
            p if p.below > SURE => Verdict::Hurts,
            _ => Verdict::Undecided,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Helps => "helps",
            Self::Equivalent => "equivalent",
            Self::Hurts => "hurts",
            Self::Undecided => "undecided",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{correlated_t, tests::DIFFERENCES};
    use super::*;

    fn verdict(shift: f64, spread: f64) -> Verdict {
        let d: Vec<f64> = DIFFERENCES.iter().map(|x| (x - 1.89) * spread + shift).collect();
        correlated_t(&d, 0.1, 1.0).unwrap().verdict()
    }

    #[test]
    fn each_answer_is_given_when_it_is_sure() {
        assert_eq!(verdict(1.89, 1.0), Verdict::Undecided); // P(above) is .82
        assert_eq!(verdict(5.0, 1.0), Verdict::Helps);
        assert_eq!(verdict(-5.0, 1.0), Verdict::Hurts);
        assert_eq!(verdict(0.0, 0.1), Verdict::Equivalent);
    }

    #[test]
    fn the_word_in_json_is_the_word_on_the_screen() {
        for verdict in [Verdict::Helps, Verdict::Equivalent, Verdict::Hurts, Verdict::Undecided] {
            assert_eq!(serde_json::to_string(&verdict).unwrap(), format!("\"{verdict}\""));
        }
    }
}
