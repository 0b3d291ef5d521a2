//! What a map says of a pair: between its cells, by their means and variances.
//!
//! The sign of a relation does not matter where each task has a head that starts from values of its own. Such a map is read at |ρ|, and
//! its cells at ρ and −ρ are one. Where all heads start alike, it is read at ρ.

use serde::{Deserialize, Serialize};

use super::{
    Cell, Distribution, PhaseMap, Regime,
    distribution::{probability_beyond, quantile},
};
use crate::mtl::{
    relatedness::Outlook,
    settings::{HeadStart, Shared},
};

/// The measure that puts a pair on a map.
pub const AXIS: &str = "word_weight_cosine";

/// Quantiles of ρ over which an uncertain relatedness is averaged.
const QUANTILES: usize = 21;

/// A pair, as a map sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    /// The shared layer.
    pub shared: Shared,
    /// The estimated cosine of the tasks' word weights.
    pub relatedness: f64,
    /// Its standard error; 0 if it is known.
    pub error: f64,
    /// Rows of the main task, and of the partner.
    pub rows: [usize; 2],
}

/// What a map says of a place.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// The expected gain, in points.
    pub gain: f64,
    /// Lower end of the 95 % interval for a single pair that is trained once.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// The probability that the gain exceeds the region of equivalence.
    pub helps: f64,
    /// The probability that the cost exceeds it.
    pub hurts: f64,
    /// What that says.
    pub says: Outlook,
}

/// Mean and variance of another pair's gain.
#[derive(Clone, Copy)]
struct Moments {
    mean: f64,
    variance: f64,
}

/// A place on an axis: between two of its values, with the weight of the second.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Between {
    ends: [f64; 2],
    weight: f64,
}

impl PhaseMap {
    /// What the map says of a place, in one regime.
    ///
    /// # Errors
    /// Why it cannot tell, in words: the layer, or a size beyond the map.
    pub fn read_at(&self, place: &Place, regime: Regime) -> Result<Reading, String> {
        if !self.shared.contains(&place.shared) {
            let layers: Vec<&str> = self.shared.iter().map(|shared| shared.word()).collect();
            return Err(format!("the map was measured with {} only", layers.join(", ")));
        }
        let [main, partner] = place.rows.map(|rows| rows as f64);
        let sizes: Vec<f64> = self.grid.sizes.iter().map(|&size| size as f64).collect();
        let size = Between::of(&sizes, main, f64::ln).ok_or_else(|| {
            let [first, last] = ends(&sizes);
            format!("the map reaches from {first} to {last} rows of the main task")
        })?;
        let ratio = Between::of(&self.grid.ratios, partner / main, f64::ln).ok_or_else(|| {
            let [first, last] = ends(&self.grid.ratios);
            format!("the map reaches from {first} to {last} rows of the partner for each of the main task")
        })?;
        let mut relations: Vec<f64> = self.grid.relatedness.iter().map(|&value| self.folded(value)).collect();
        relations.sort_by(f64::total_cmp);
        relations.dedup();
        // An estimate may exceed 1.
        let of_value = |value: f64| {
            let relation = Between::of(&relations, self.folded(value.clamp(-1.0, 1.0)), |x| x).ok_or_else(|| {
                let [first, last] = ends(&relations);
                format!("the map reaches from {first} to {last} of {}", self.axis())
            })?;
            Ok::<_, String>(self.moments(place.shared, regime, [relation, size, ratio]))
        };
        let drawn: Vec<Moments> = (0..QUANTILES)
            .map(|i| normal_quantile((i as f64 + 0.5) / QUANTILES as f64))
            .map(|deviate| of_value(place.relatedness + place.error * deviate))
            .collect::<Result<_, _>>()?;
        Ok(self.reading(&drawn))
    }

    /// The mixture over the drawn values of ρ: its variance is the mean variance and the variance of the means.
    fn reading(&self, drawn: &[Moments]) -> Reading {
        let mean = |of: &dyn Fn(&Moments) -> f64| drawn.iter().map(of).sum::<f64>() / drawn.len() as f64;
        let gain = mean(&|moments| moments.mean);
        let variance = mean(&|moments| moments.variance + (moments.mean - gain).powi(2));
        let freedom = (self.grid.replicates - 1) as f64;
        let half = quantile(freedom) * variance.sqrt();
        let [helps, hurts] = [1.0, -1.0].map(|sign| {
            mean(&|moments| probability_beyond(self.rope - sign * moments.mean, moments.variance, freedom))
        });
        Reading { gain, low: gain - half, high: gain + half, helps, hurts, says: Outlook::new(helps, hurts) }
    }

    /// Linear in |ρ| and the logarithms of size and ratio, from the eight cells around.
    fn moments(&self, shared: Shared, regime: Regime, axes: [Between; 3]) -> Moments {
        let mut sum = Moments { mean: 0.0, variance: 0.0 };
        for corner in 0..8_usize {
            let side = [corner & 1, corner >> 1 & 1, corner >> 2];
            let weight: f64 = axes.iter().zip(side).map(|(axis, side)| axis.weight_of(side)).product();
            if weight > 0.0 {
                let corner = [0, 1, 2].map(|axis: usize| axes[axis].ends[side[axis]]);
                let cell = self.of_corner(shared, regime, corner);
                sum.mean += weight * cell.mean;
                sum.variance += weight * cell.variance_of_another();
            }
        }
        sum
    }

    /// A relatedness on the axis that the map is read at.
    pub fn folded(&self, relatedness: f64) -> f64 {
        match self.heads {
            HeadStart::Alike => relatedness,
            HeadStart::Own => relatedness.abs(),
        }
    }

    /// What the axis is called.
    pub fn axis(&self) -> &'static str {
        match self.heads {
            HeadStart::Alike => "ρ",
            HeadStart::Own => "|ρ|",
        }
    }

    /// The cell there; at ρ and −ρ they are one where the map is folded.
    fn of_corner(&self, shared: Shared, regime: Regime, [relation, size, ratio]: [f64; 3]) -> Distribution {
        let is_meant =
            |cell: &&Cell| self.folded(cell.relatedness) == relation && cell.size as f64 == size && cell.ratio == ratio;
        let mut worlds: Vec<Vec<f64>> = vec![Vec::new(); self.grid.replicates];
        for cell in self.of(shared, regime).filter(is_meant) {
            worlds.iter_mut().zip(&cell.gains).for_each(|(world, &gain)| world.push(gain));
        }
        Distribution::new(&worlds, self.rope)
    }
}

impl Between {
    /// `None` beyond the axis. Linear in `scale` of the values.
    fn of(axis: &[f64], value: f64, scale: fn(f64) -> f64) -> Option<Self> {
        if let Some(&known) = axis.iter().find(|known| **known == value) {
            return Some(Self { ends: [known; 2], weight: 0.0 });
        }
        let ends = axis.windows(2).find(|ends| ends[0] < value && value < ends[1])?;
        let weight = (scale(value) - scale(ends[0])) / (scale(ends[1]) - scale(ends[0]));
        Some(Self { ends: [ends[0], ends[1]], weight })
    }

    fn weight_of(self, side: usize) -> f64 {
        if side == 1 { self.weight } else { 1.0 - self.weight }
    }
}

fn ends(axis: &[f64]) -> [f64; 2] {
    [axis[0], axis[axis.len() - 1]]
}

fn normal_quantile(share: f64) -> f64 {
    use statrs::distribution::{ContinuousCDF, Normal};
    Normal::standard().inverse_cdf(share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_lies_between_its_neighbours() {
        let axis = [100.0, 400.0, 1600.0];
        assert_eq!(Between::of(&axis, 400.0, f64::ln).unwrap(), Between { ends: [400.0; 2], weight: 0.0 });
        let middle = Between::of(&axis, 200.0, f64::ln).unwrap();
        assert_eq!(middle.ends, [100.0, 400.0]);
        assert!((middle.weight - 0.5).abs() < 1e-12, "{middle:?}");
        assert_eq!([99.9, 1600.1].map(|beyond| Between::of(&axis, beyond, f64::ln)), [None; 2]);
    }
}
