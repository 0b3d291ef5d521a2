//! A measure's value with its noise floor and its reliability.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// The value of a measure for an ordered pair. A value that is not defined is `None`, with the `reason`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The value.
    pub value: Option<f64>,
    /// The noise floor: the largest absolute value under permutation of the partner's labels (or of the texts), 19 permutations for the
    /// measures that need no network (a value beyond the floor has p ≤ 1/20), fewer for the others.
    pub floor: Option<f64>,
    /// From 0 to 1: how far two halves of the texts agree on the value, stepped up to all texts by [`spearman_brown`].
    pub reliability: Option<f64>,
    /// Intermediate results, by name.
    #[serde(flatten)]
    pub details: IndexMap<String, f64>,
    /// Why the value is not defined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Measured {
    /// A value that is not defined for these data.
    pub(super) fn undefined(reason: impl Into<String>) -> Self {
        Self { reason: Some(reason.into()), ..Self::default() }
    }

    /// A value with those under permutation and those of two halves of the texts.
    pub(super) fn new(value: f64, permuted: &[f64], halves: Option<[f64; 2]>) -> Self {
        Self {
            value: Some(value),
            floor: permuted.iter().map(|value| value.abs()).reduce(f64::max),
            reliability: halves.map(agreement_of_halves),
            ..Self::default()
        }
    }

    pub(super) fn with(mut self, name: &str, value: f64) -> Self {
        self.details.insert(name.to_owned(), value);
        self
    }

    /// Whether the absolute value exceeds the floor.
    pub fn is_above_floor(&self) -> bool {
        self.value.zip(self.floor).is_some_and(|(value, floor)| value.abs() > floor)
    }
}

/// The reliability of a whole from the correlation of its halves, 2r/(1 + r) (Spearman 1910, Brown 1910); 0 where halves disagree.
pub fn spearman_brown(r: f64) -> f64 {
    if r <= 0.0 { 0.0 } else { 2.0 * r / (1.0 + r) }
}

/// The agreement of two values about zero, 2xy/(x² + y²): 1 if they are equal, 0 if one is zero, negative if they differ in sign.
/// It is the cosine of two vectors of one number each, made symmetric. Stepped up to all texts.
fn agreement_of_halves([x, y]: [f64; 2]) -> f64 {
    let squares = x * x + y * y;
    if squares == 0.0 { 0.0 } else { spearman_brown(2.0 * x * y / squares) }
}

/// The cosine of the angle between two vectors; 0 if one of them is zero.
pub fn cosine(a: &[f64], b: &[f64]) -> f64 {
    let scale = (dot(a, a) * dot(b, b)).sqrt();
    if scale > 0.0 { (dot(a, b) / scale).clamp(-1.0, 1.0) } else { 0.0 }
}

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

pub(super) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;

    #[test]
    fn half_a_correlation_of_halves_is_two_thirds_of_the_whole() {
        assert_abs_diff_eq!(spearman_brown(0.5), 0.666_666_666_7, epsilon = 1e-9);
        assert_eq!((spearman_brown(1.0), spearman_brown(-0.3)), (1.0, 0.0));
    }

    #[test]
    fn halves_agree_about_zero() {
        assert_eq!([[0.3, 0.3], [0.3, 0.0], [0.3, -0.3], [0.0, 0.0]].map(agreement_of_halves), [1.0, 0.0, 0.0, 0.0]);
        assert!(agreement_of_halves([0.3, 0.2]) > 0.9);
    }

    #[test]
    fn the_floor_is_the_largest_size_under_permutation() {
        let measured = Measured::new(-0.3, &[0.1, -0.2], None);
        assert_eq!((measured.floor, measured.is_above_floor()), (Some(0.2), true));
        assert!(!Measured::undefined("why").is_above_floor());
    }
}
