//! How many trainings each comparison has in every fold.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::mtl::settings::Shared;

/// Trainings in every fold: as many as the settings say, and more for the comparisons that were open after them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seeds {
    /// Of every arm with every shared layer.
    pub least: usize,
    /// Of pairs with shared layers that have more, by their words.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub more: BTreeMap<String, BTreeMap<String, usize>>,
}

impl Seeds {
    /// The same number everywhere.
    pub fn everywhere(least: usize) -> Self {
        Self { least, more: BTreeMap::new() }
    }

    /// Of a pair with a shared layer.
    pub fn of(&self, pair: &str, shared: Shared) -> usize {
        let more = self.more.get(pair).and_then(|layers| layers.get(shared.word()));
        more.copied().unwrap_or(0).max(self.least)
    }

    /// Adds one to a pair with a shared layer.
    pub fn add(&mut self, pair: &str, shared: Shared) {
        let next = self.of(pair, shared) + 1;
        self.more.entry(pair.to_owned()).or_default().insert(shared.word().to_owned(), next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_seeds_count_from_the_least_and_survive_it() {
        let mut seeds = Seeds::everywhere(3);
        seeds.add("p", Shared::Conv);
        seeds.add("p", Shared::Conv);
        let of = |seeds: &Seeds| {
            [("p", Shared::Conv), ("p", Shared::Bilstm), ("q", Shared::Conv)].map(|(p, s)| seeds.of(p, s))
        };
        assert_eq!(of(&seeds), [5, 3, 3]);
        assert_eq!(of(&Seeds { least: 4, ..seeds.clone() }), [5, 4, 4]);
        assert_eq!(of(&Seeds { least: 6, ..seeds }), [6, 6, 6]);
    }
}
