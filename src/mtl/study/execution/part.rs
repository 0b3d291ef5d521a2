//! Which units of a study a process works on: all that it can claim, a shard of them, or one.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// What a process does of a study.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// Which units it may work on.
    pub units: Units,
    /// Whether it stays until the units are finished that others work on.
    pub wait: bool,
}

/// Which units a process may work on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Units {
    /// Every one without a live claim.
    #[default]
    All,
    /// Those that are dealt to a shard.
    Shard(Shard),
    /// The one of this name.
    Only(String),
}

/// The `i`th of `n` parts of a study, of about equal cost. Which units these are depends on the study alone, so shards need no common
/// directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// Which, from 1.
    pub i: usize,
    /// Of how many.
    pub n: usize,
}

impl Part {
    /// The whole study, to its end.
    pub fn whole() -> Self {
        Self { units: Units::All, wait: true }
    }
}

impl Shard {
    /// Whether the shard has the unit of this place in the order of cost, the dearest first. They are dealt to and fro (1 2 3 3 2 1 …),
    /// so that no shard has the dearer one every time.
    pub(super) fn has(self, place: usize) -> bool {
        let (round, seat) = (place / self.n, place % self.n);
        let seat = if round.is_multiple_of(2) { seat } else { self.n - 1 - seat };
        seat + 1 == self.i
    }
}

impl FromStr for Shard {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let numbers = text.split_once('/').and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
        match numbers {
            Some((i, n)) if (1..=n).contains(&i) => Ok(Self { i, n }),
            _ => {
                let message = format!("found {text:?}, expected a part and their number, from 1/4 to 4/4 for instance");
                Err(Error::config("shard", message))
            }
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.i, self.n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_counted_from_one() {
        assert_eq!("2/3".parse::<Shard>().unwrap(), Shard { i: 2, n: 3 });
        for wrong in ["0/4", "5/4", "1/0", "1", "a/b", "-1/2", "1/2/3", ""] {
            let error = wrong.parse::<Shard>().unwrap_err().to_string();
            assert!(error.contains("from 1/4 to 4/4"), "{error}");
        }
    }

    /// Every unit is in one shard, and with costs that fall by the same amount two rounds are of equal cost.
    #[test]
    fn units_are_dealt_to_and_fro() {
        for n in 1..6 {
            let places = |i| (0..60).filter(move |&place| Shard { i, n }.has(place));
            let mut all: Vec<usize> = (1..=n).flat_map(places).collect();
            all.sort_unstable();
            assert_eq!(all, (0..60).collect::<Vec<_>>());
            if 60 % (2 * n) == 0 {
                let costs: Vec<usize> = (1..=n).map(|i| places(i).map(|place| 60 - place).sum()).collect();
                assert!(costs.iter().all(|cost| *cost == costs[0]), "{costs:?}");
            }
        }
    }
}
