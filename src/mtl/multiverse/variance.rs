//! How much of the variance of the gains each choice explains.

use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use crate::mtl::streams::Streams;

/// The part of one choice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Share {
    /// The choice.
    pub choice: String,
    /// The first-order share: the variance between the means of its levels over that of all gains (η²; with equally many universes a
    /// level, the estimate of Sobol's first-order index). From 0 to 1.
    pub share: f64,
    /// The share that chance makes: the mean where the levels are permuted among universes.
    pub by_chance: f64,
    /// The share of permutations with as large a share, (1 + #)/(draws + 1).
    pub p: f64,
    /// The mean gain of each level, in points; absent where no universe has it.
    pub means: Vec<Option<f64>>,
}

/// The first-order share of one choice: `levels` of each universe, and its value. 0 where all values are equal.
pub fn first_order(levels: &[usize], values: &[f64]) -> f64 {
    let middle = values.iter().sum::<f64>() / values.len() as f64;
    let total: f64 = values.iter().map(|value| (value - middle).powi(2)).sum();
    if total == 0.0 {
        return 0.0;
    }
    let between = |(count, mean): (usize, Option<f64>)| mean.map_or(0.0, |mean| count as f64 * (mean - middle).powi(2));
    means(levels, values).into_iter().map(between).sum::<f64>() / total
}

/// Number of universes and mean value of each level.
fn means(levels: &[usize], values: &[f64]) -> Vec<(usize, Option<f64>)> {
    let count = levels.iter().max().map_or(0, |last| last + 1);
    let of_level = |level: usize| {
        let own: Vec<f64> =
            levels.iter().zip(values).filter(|(of, _)| **of == level).map(|(_, value)| *value).collect();
        (own.len(), (!own.is_empty()).then(|| own.iter().sum::<f64>() / own.len() as f64))
    };
    (0..count).map(of_level).collect()
}

/// The share of every choice, the largest first. `design` is `// [universes][choices]`.
pub fn shares(names: &[&str], design: &[Vec<usize>], values: &[f64], draws: usize, seed: u64) -> Vec<Share> {
    let of_choice = |(choice, name): (usize, &&str)| {
        let levels: Vec<usize> = design.iter().map(|universe| universe[choice]).collect();
        let share = first_order(&levels, values);
        let mut rng = Streams::new(seed).rng("permuted levels", choice as u64);
        let mut permuted = levels.clone();
        let drawn: Vec<f64> = (0..draws)
            .map(|_| {
                permuted.shuffle(&mut rng);
                first_order(&permuted, values)
            })
            .collect();
        let as_large = drawn.iter().filter(|drawn| **drawn >= share - 1e-12).count();
        Share {
            choice: (*name).to_owned(),
            share,
            by_chance: drawn.iter().sum::<f64>() / draws.max(1) as f64,
            p: (1 + as_large) as f64 / (draws + 1) as f64,
            means: means(&levels, values).into_iter().map(|(_, mean)| mean).collect(),
        }
    };
    let mut shares: Vec<Share> = names.iter().enumerate().map(of_choice).collect();
    shares.sort_by(|a, b| b.share.total_cmp(&a.share));
    shares
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;

    /// A full table of two choices whose effects add up, (0, 2) and (0, 1, 5): variances 1 and 14/3 of 17/3.
    #[test]
    fn shares_of_an_additive_table_are_those_of_its_effects() {
        let design: Vec<Vec<usize>> = (0..6).map(|i| vec![i % 2, i / 2]).collect();
        let values: Vec<f64> = design.iter().map(|at| [0.0, 2.0][at[0]] + [0.0, 1.0, 5.0][at[1]]).collect();
        let found = shares(&["a", "b"], &design, &values, 99, 1);
        assert_eq!([&found[0].choice, &found[1].choice], ["b", "a"]);
        assert_abs_diff_eq!(found[0].share, 14.0 / 17.0, epsilon = 1e-12);
        assert_abs_diff_eq!(found[1].share, 3.0 / 17.0, epsilon = 1e-12);
        assert_eq!(found[0].means, [Some(1.0), Some(2.0), Some(6.0)]);
    }

    /// Of L levels among N universes chance explains (L − 1)/(N − 1).
    #[test]
    fn chance_explains_what_it_should_and_a_decisive_choice_is_found() {
        let design: Vec<Vec<usize>> = (0..40).map(|i| vec![i % 4, (i / 4) % 2]).collect();
        let values: Vec<f64> =
            design.iter().enumerate().map(|(i, at)| at[1] as f64 + ((i * i) as f64 * 1.7).sin() * 0.2).collect();
        let found = shares(&["idle", "decisive"], &design, &values, 999, 1);
        assert_eq!(found[0].choice, "decisive");
        assert_eq!(found[0].p, 0.001);
        assert!(found[1].p > 0.05, "{found:?}");
        assert_abs_diff_eq!(found[1].by_chance, 3.0 / 39.0, epsilon = 0.01);
    }

    #[test]
    fn equal_values_leave_nothing_to_explain() {
        assert_eq!(first_order(&[0, 1, 0, 1], &[2.0; 4]), 0.0);
    }
}
