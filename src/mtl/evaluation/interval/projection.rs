//! What more seeds or more texts would make of an interval, if the parts of its variance stayed what they are.

use super::{
    Interval,
    components::{Components, half_width},
};

/// The largest number of seeds that is tried.
const MOST_SEEDS: usize = 1_000;

impl Interval {
    /// Half the width with this many trainings in every fold and `times_texts` times as many labelled texts. The seeds' part is taken
    /// not to shrink with the texts; nor does what the folds of a widened interval differ by beyond texts and seeds. Never more than now:
    /// with one seed the folds may by chance differ less than their texts explain, and what is projected is by texts and seeds.
    pub fn half_width_with(&self, seeds: usize, times_texts: f64) -> f64 {
        let mut components = Components { seeds: seeds as f64, ..self.told_apart(times_texts) };
        let plain = components.with_seeds();
        let (variance, degrees_of_freedom) = if self.guarded {
            let all = self.components;
            let unexplained = (all.between - all.texts - all.within / all.seeds).max(0.0);
            components.between = unexplained + components.texts + components.within / components.seeds;
            let by_folds = components.by_folds();
            if by_folds.0 > plain.0 { by_folds } else { plain }
        } else {
            plain
        };
        half_width(variance.sqrt(), degrees_of_freedom).min(self.half_width())
    }

    /// Half the width with any number of trainings: what the texts leave.
    pub fn half_width_limit(&self) -> f64 {
        self.half_width_with(MOST_SEEDS * MOST_SEEDS, 1.0)
    }

    /// How many trainings in every fold give half this width; `None` if no number does.
    pub fn seeds_for(&self, half_width: f64) -> Option<usize> {
        let is_enough = |seeds: usize| self.half_width_with(seeds, 1.0) <= half_width;
        let (mut low, mut high) = (self.seeds, MOST_SEEDS);
        if !is_enough(high) {
            return None;
        }
        while low < high {
            let middle = low.midpoint(high);
            if is_enough(middle) { high = middle } else { low = middle + 1 }
        }
        Some(high)
    }

    /// How many times as many labelled texts give half this width with `seeds` trainings in every fold; infinite if none do.
    pub fn texts_for(&self, half_width: f64, seeds: usize) -> f64 {
        let is_enough = |times: f64| self.half_width_with(seeds, times) <= half_width;
        let (mut low, mut high) = (1.0, 1e6);
        if !is_enough(high) {
            return f64::INFINITY;
        }
        while high / low > 1.01 {
            let middle = f64::sqrt(low * high);
            if is_enough(middle) { high = middle } else { low = middle }
        }
        high
    }

    /// The components with more texts. With one seed, what folds differ by beyond their texts is put down to seeds.
    fn told_apart(&self, times_texts: f64) -> Components {
        let all = self.components;
        let within = if all.seeds >= 2.0 { all.within } else { (all.between - all.texts).max(0.0) };
        Components {
            texts: all.texts / times_texts,
            variance_of_texts: all.variance_of_texts / (times_texts * times_texts),
            within,
            ..all
        }
    }
}
