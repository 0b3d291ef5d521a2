//! What an interval says: does it gain, does it cost?

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Interval;
use crate::mtl::choices::choices;

choices! {
    /// Two questions answered from one interval: is the gain larger than the region of equivalence, is the cost larger? Each is yes
    /// where the whole interval lies beyond the region's end, no where none of it does, else open.
    Verdict {
        /// It gains more.
        Helps = "helps",
        /// It costs more.
        Hurts = "hurts",
        /// It neither gains nor costs more.
        Equivalent = "equivalent",
        /// It costs no more; whether it gains more is open.
        DoesNotHurt = "does-not-hurt",
        /// It gains no more; whether it costs more is open.
        DoesNotHelp = "does-not-help",
        /// Both are open.
        Undecided = "undecided",
        /// No verdict, since there was nothing to compare: an arm has learnt nothing.
        NotLearnt = "not-learnt",
    }
}

impl Verdict {
    /// Of an interval from `low` to `high` and the region from −`rope` to `rope`, all in one unit.
    pub fn of(low: f64, high: f64, rope: f64) -> Self {
        let (gains, gains_not) = (low > rope, high <= rope);
        let (costs, costs_not) = (high < -rope, low >= -rope);
        match (gains, costs, gains_not, costs_not) {
            (true, ..) => Self::Helps,
            (_, true, ..) => Self::Hurts,
            (_, _, true, true) => Self::Equivalent,
            (_, _, false, true) => Self::DoesNotHurt,
            (_, _, true, false) => Self::DoesNotHelp,
            (_, _, false, false) => Self::Undecided,
        }
    }

    /// Whether one of the questions is open.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Undecided | Self::DoesNotHurt | Self::DoesNotHelp)
    }
}

impl Interval {
    /// What it says of the region from −`rope` to `rope`, in shares.
    pub fn verdict(&self, rope: f64) -> Verdict {
        Verdict::of(self.low, self.high, rope)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.word().replace('-', " "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_of_the_interval_has_its_word() {
        for (low, high, expected) in [
            (1.1, 4.0, Verdict::Helps),
            (-4.0, -1.1, Verdict::Hurts),
            (-1.0, 1.0, Verdict::Equivalent),
            (0.2, 0.8, Verdict::Equivalent),
            (-0.6, 2.2, Verdict::DoesNotHurt),
            (1.0, 3.0, Verdict::DoesNotHurt),
            (-2.2, 0.6, Verdict::DoesNotHelp),
            (-3.0, -1.0, Verdict::DoesNotHelp),
            (-2.0, 2.0, Verdict::Undecided),
        ] {
            assert_eq!(Verdict::of(low, high, 1.0), expected, "[{low}, {high}]");
        }
    }

    #[test]
    fn without_a_region_the_sign_decides() {
        assert_eq!(Verdict::of(0.1, 2.0, 0.0), Verdict::Helps);
        assert_eq!(Verdict::of(0.0, 0.0, 0.0), Verdict::Equivalent);
        assert_eq!(Verdict::of(-1.0, 2.0, 0.0), Verdict::Undecided);
    }

    #[test]
    fn people_read_words_apart() {
        assert_eq!(Verdict::DoesNotHurt.to_string(), "does not hurt");
    }
}
