//! The parts of the variance, and the interval that they make.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, FisherSnedecor, Normal, StudentsT};
use statrs::statistics::Statistics;

/// The level of the test that asks whether folds differ more than texts and seeds explain.
const GUARD_LEVEL: f64 = 0.95;

/// A difference with its 95 % interval, as shares.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The estimate.
    pub difference: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
    /// The measure of the arm that is compared with.
    pub base: f64,
    /// The measure of the other arm.
    pub other: f64,
    /// Standard error of the estimate: half the width is this times a quantile of Student's t.
    pub standard_error: f64,
    /// Degrees of freedom (Satterthwaite 1946).
    pub degrees_of_freedom: f64,
    /// Where the standard error comes from.
    pub variance: Variance,
    /// Whether folds differed more than texts and seeds explain, so that the interval was widened.
    pub guarded: bool,
    /// Trainings in every fold.
    pub seeds: usize,
    pub(super) components: Components,
}

/// Three sources of an estimate's variance, each as a standard deviation: their squares add up to that of the standard error, unless
/// the interval was widened.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Variance {
    /// The sample of test texts.
    pub texts: f64,
    /// The sample of training rows: a bound, since the folds' training rows overlap.
    pub training_rows: f64,
    /// Initial weights, order of rows and dropout. Absent with one training a fold: there it is part of what folds differ by, and
    /// counted among the texts.
    pub seeds: Option<f64>,
}

/// The estimated parts, before they are put together.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Components {
    pub folds: f64,
    pub repeats: f64,
    pub seeds: f64,
    /// T: the variance of one fold's difference over samples of its test texts.
    pub texts: f64,
    /// W: the variance of T itself.
    pub variance_of_texts: f64,
    /// s²_w: the variance of one training's difference over seeds, within a fold.
    pub within: f64,
    /// s²_b: the variance of the folds' differences.
    pub between: f64,
}

/// What the components are estimated from.
pub(super) struct Design {
    /// Texts of a group stand or fall together, such as duplicates and posts of one author: the influence difference of each group,
    /// inside its own fold.
    pub groups: Vec<Vec<Vec<f64>>>, // [repeats][seeds][groups]
    /// The difference of each training.
    pub differences: Vec<Vec<Vec<f64>>>, // [repeats][folds][seeds]
}

impl Design {
    /// The parts of the variance.
    ///
    /// # Panics
    /// Without two folds.
    pub fn components(&self) -> Components {
        let (r, k, s) = (self.differences.len(), self.differences[0].len(), self.differences[0][0].len());
        assert!(k >= 2, "an interval needs two folds or more");
        let (repeats, folds, seeds) = (r as f64, k as f64, s as f64);
        let units: Vec<&Vec<f64>> = self.differences.iter().flatten().collect(); // [repeats·folds][seeds]
        let within = if s > 1 { units.iter().map(|of_fold| of_fold.iter().variance()).mean() } else { 0.0 };
        let between = units.iter().map(|of_fold| of_fold.iter().mean()).variance();
        let (texts, variance_of_texts) = self.texts(repeats, folds, seeds);
        Components { folds, repeats, seeds, texts, variance_of_texts, within, between }
    }

    /// T and W. Where there are hardly more groups than folds, influences tell nothing: then what folds differ by beyond their
    /// trainings stands for T.
    fn texts(&self, repeats: f64, folds: f64, seeds: f64) -> (f64, f64) {
        let groups = self.groups[0][0].len();
        let g = groups as f64;
        if g < 2.0 * folds {
            let units: Vec<&Vec<f64>> = self.differences.iter().flatten().collect();
            let within = if seeds > 1.0 { units.iter().map(|of_fold| of_fold.iter().variance()).mean() } else { 0.0 };
            let between = units.iter().map(|of_fold| of_fold.iter().mean()).variance();
            let texts = (between - within / seeds).max(0.0);
            return (texts, 2.0 * texts * texts / (folds * repeats - 1.0));
        }
        // Per fold: a sum over the groups of a fold, with the factor n/(n − 1) for the mean that was taken off.
        let scale = g / folds / (g / folds - 1.0) / folds;
        let mut of_group = vec![0.0; groups]; // t_c
        for (c, t) in of_group.iter_mut().enumerate() {
            let all = || self.groups.iter().flat_map(|seeds| seeds.iter().map(|groups| groups[c]));
            let mean = all().sum::<f64>() / (repeats * seeds);
            if seeds < 2.0 {
                *t = mean * mean;
                continue;
            }
            let squares = all().map(|x| x * x).sum::<f64>() / (repeats * seeds);
            // What the seeds of a repeat share: the product of two different trainings' influences, as a mean over such pairs.
            let shared = self.groups.iter().map(|of_seeds| {
                let mean = of_seeds.iter().map(|groups| groups[c]).sum::<f64>() / seeds;
                let squares = of_seeds.iter().map(|groups| groups[c] * groups[c]).sum::<f64>() / seeds;
                (seeds * mean * mean - squares) / (seeds - 1.0)
            });
            *t = mean * mean - (squares - shared.sum::<f64>() / repeats) / (repeats * seeds);
        }
        let sum: f64 = of_group.iter().sum();
        let mean = sum / g;
        let spread = g / (g - 1.0) * of_group.iter().map(|t| (t - mean).powi(2)).sum::<f64>();
        let least = 2.0 * sum * sum / (g - folds);
        ((scale * sum).max(0.0), scale * scale * spread.max(least))
    }
}

impl Components {
    /// The share of T that test texts and overlapping training rows bring into the estimate: 1/k and 1/(k − 1).
    pub fn texts_factor(&self) -> f64 {
        1.0 / self.folds + 1.0 / (self.folds - 1.0)
    }

    fn trainings(&self) -> f64 {
        self.folds * self.repeats * self.seeds
    }

    /// Variance and degrees of freedom with several seeds, without the guard.
    pub fn with_seeds(&self) -> (f64, f64) {
        let (c, b) = (self.texts_factor(), self.within / self.trainings());
        let of_seeds = self.folds * self.repeats * (self.seeds - 1.0);
        let variance = c * self.texts + b;
        let spread = c * c * self.variance_of_texts / 2.0 + b * b / of_seeds;
        (variance, self.degrees(variance, spread))
    }

    /// With one seed, which cannot be told from the rest: what folds differ by, and the texts' part once more for the training rows.
    fn with_one_seed(&self) -> (f64, f64) {
        let units = self.folds * self.repeats;
        let (of_folds, overlap) = (self.between / units, self.texts / (self.folds - 1.0));
        let variance = of_folds + overlap;
        let spread = of_folds * of_folds / (units - 1.0) + self.variance_of_texts / (2.0 * (self.folds - 1.0).powi(2));
        (variance, self.degrees(variance, spread))
    }

    /// Satterthwaite's, at least those of the folds.
    fn degrees(&self, variance: f64, spread: f64) -> f64 {
        let least = self.folds * self.repeats - 1.0;
        if spread > 0.0 { (variance * variance / spread).max(least) } else { least }
    }

    /// If the folds differ more than texts and seeds explain: the variance by what they differ by.
    fn guard(&self) -> Option<(f64, f64)> {
        if self.repeats > 1.0 || self.seeds < 2.0 {
            return None;
        }
        let (of_seeds, left) = (self.within / self.seeds, self.folds - 1.0);
        let expected = self.texts + of_seeds;
        let spread = self.variance_of_texts / 2.0 + of_seeds * of_seeds / (self.folds * (self.seeds - 1.0));
        if expected <= 0.0 || spread <= 0.0 {
            return None;
        }
        let fisher = FisherSnedecor::new(left, expected * expected / spread).ok()?;
        (self.between > fisher.inverse_cdf(GUARD_LEVEL) * expected).then(|| self.by_folds())
    }

    /// Variance and degrees of freedom by what folds differ by, and the texts' part once more for the training rows.
    pub fn by_folds(&self) -> (f64, f64) {
        let (of_folds, left) = (self.between / self.folds, self.folds - 1.0);
        let variance = of_folds + self.texts / left;
        let spread = of_folds * of_folds / left + self.variance_of_texts / (2.0 * left * left);
        (variance, self.degrees(variance, spread))
    }

    /// The interval around an estimate.
    pub fn interval(self, [base, other]: [f64; 2], difference: f64) -> Interval {
        let seeds = (self.seeds >= 2.0).then(|| (self.within / self.trainings()).sqrt());
        let training_rows = (self.texts / (self.folds - 1.0)).sqrt();
        let texts = match seeds {
            Some(_) => (self.texts / self.folds).sqrt(),
            None => (self.between / (self.folds * self.repeats)).sqrt(),
        };
        let plain = if seeds.is_some() { self.with_seeds() } else { self.with_one_seed() };
        let guard = self.guard();
        let (variance, degrees_of_freedom) = guard.filter(|guard| guard.0 > plain.0).unwrap_or(plain);
        let standard_error = variance.sqrt();
        let half = half_width(standard_error, degrees_of_freedom);
        Interval {
            difference,
            low: difference - half,
            high: difference + half,
            base,
            other,
            standard_error,
            degrees_of_freedom,
            variance: Variance { texts, training_rows, seeds },
            guarded: guard.is_some(),
            seeds: self.seeds as usize,
            components: self,
        }
    }
}

impl Interval {
    /// Half the width.
    pub fn half_width(&self) -> f64 {
        (self.high - self.low) / 2.0
    }

    /// One-sided p of "the true difference is at most `bound`".
    pub fn p_above(&self, bound: f64) -> f64 {
        self.upper_tail(self.difference - bound)
    }

    /// One-sided p of "the true difference is at least `bound`".
    pub fn p_below(&self, bound: f64) -> f64 {
        self.upper_tail(bound - self.difference)
    }

    fn upper_tail(&self, distance: f64) -> f64 {
        if self.standard_error == 0.0 {
            return if distance > 0.0 { 0.0 } else { 1.0 };
        }
        student(self.degrees_of_freedom).sf(distance / self.standard_error)
    }
}

/// Of a 95 % interval.
pub(super) fn half_width(standard_error: f64, degrees_of_freedom: f64) -> f64 {
    quantile(degrees_of_freedom) * standard_error
}

/// The .975 quantile of Student's t.
pub(super) fn quantile(degrees_of_freedom: f64) -> f64 {
    // Beyond, statrs loses digits, and the first terms of the expansion about the normal quantile are exact to 1e-8.
    if degrees_of_freedom > 2e4 {
        let z = Normal::standard().inverse_cdf(0.975);
        return z + (z.powi(3) + z) / (4.0 * degrees_of_freedom);
    }
    student(degrees_of_freedom).inverse_cdf(0.975)
}

fn student(degrees_of_freedom: f64) -> StudentsT {
    StudentsT::new(0.0, 1.0, degrees_of_freedom).expect("at least one degree of freedom")
}
