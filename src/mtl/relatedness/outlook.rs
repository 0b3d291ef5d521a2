//! An expected gain in one word.

use serde::{Deserialize, Serialize};

/// The answer with a probability of more than a half.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outlook {
    /// The gain exceeds the region of equivalence.
    Helps,
    /// So does the cost.
    Hurts,
    /// The gain lies in the region.
    NoDifference,
    /// None of the three has it.
    CannotTell,
}

impl Outlook {
    /// From the probabilities that the gain, and that the cost, exceeds the region.
    pub fn new(helps: f64, hurts: f64) -> Self {
        match [helps, hurts, 1.0 - helps - hurts].map(|probability| probability > 0.5) {
            [true, ..] => Self::Helps,
            [_, true, _] => Self::Hurts,
            [.., true] => Self::NoDifference,
            _ => Self::CannotTell,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_that_is_likelier_than_not_is_said() {
        let outlooks = [(0.6, 0.1), (0.1, 0.6), (0.2, 0.2), (0.3, 0.3), (0.5, 0.0), (0.0, 0.5)];
        assert_eq!(
            outlooks.map(|(helps, hurts)| Outlook::new(helps, hurts)),
            [
                Outlook::Helps,
                Outlook::Hurts,
                Outlook::NoDifference,
                Outlook::CannotTell,
                Outlook::CannotTell,
                Outlook::CannotTell
            ]
        );
    }
}
