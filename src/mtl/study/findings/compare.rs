//! A paired difference over folds, with all that is asked of it.

use super::results::{Comparison, Spread, Test};
use crate::mtl::{
    evaluation::statistics::{corrected_resampled_t, correlated_t, holm, paired_t, smallest_effect, wilcoxon},
    study::planning::StudySettings,
};

impl Comparison {
    /// Tests `differences`, one a fold, in points. The corrections for overlapping training sets are those of k folds:
    /// n_test/n_train = 1/(k − 1), and correlation 1/k.
    pub fn new(differences: Vec<f64>, settings: &StudySettings) -> Self {
        let folds = settings.folds as f64;
        let spread = Spread::of(differences.iter().copied());
        let posterior = correlated_t(&differences, 1.0 / folds, settings.rope);
        Self {
            spread,
            paired_t: paired_t(&differences).map(Test::from),
            corrected_t: corrected_resampled_t(&differences, 1.0 / (folds - 1.0)).map(Test::from),
            holm_p: None,
            posterior,
            wilcoxon: wilcoxon(&differences),
            smallest_effect: smallest_effect(settings.folds, settings.repeats, spread.sd),
            differences,
        }
    }

    /// Holm's correction of the corrected tests of several comparisons.
    pub(super) fn correct_together(comparisons: &mut [&mut Self]) {
        let tested: Vec<&mut &mut Self> = comparisons.iter_mut().filter(|c| c.corrected_t.is_some()).collect();
        let p: Vec<f64> = tested.iter().filter_map(|c| c.corrected_t).map(|test| test.p).collect();
        for (comparison, p) in tested.into_iter().zip(holm(&p)) {
            comparison.holm_p = Some(p);
        }
    }
}

impl Spread {
    /// Of one value a fold. No value gives 0.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let values: Vec<f64> = values.into_iter().collect();
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n.max(1.0);
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        Self { mean, sd: (squares / (n - 1.0).max(1.0)).sqrt() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mtl::settings::Preset;
    use approx::assert_abs_diff_eq;

    /// The test vector of ten folds whose values came from SciPy and baycomp.
    #[test]
    fn ten_folds_give_the_published_values() {
        let d = vec![3.1, -0.4, 2.2, 5.0, 1.7, 0.3, -1.1, 4.2, 2.9, 1.0];
        let c = Comparison::new(d, &StudySettings::preset(Preset::Default));
        let close = |found: f64, expected: f64| assert_abs_diff_eq!(found, expected, epsilon = 1e-6);
        close(c.spread.mean, 1.89);
        close(c.spread.sd.powi(2), 3.903_222_2);
        close(c.paired_t.unwrap().p, 0.014_358_501_3);
        close(c.corrected_t.unwrap().t.unwrap(), 2.082_066_610_6);
        close(c.corrected_t.unwrap().p, 0.067_040_215_9);
        let posterior = c.posterior.unwrap();
        close(posterior.below, 0.005_559_3);
        close(posterior.above, 0.823_757_1);
        assert_abs_diff_eq!(posterior.low, -0.163_48, epsilon = 1e-5);
        assert_abs_diff_eq!(posterior.high, 3.943_48, epsilon = 1e-5);
        close(c.wilcoxon.p, 0.027_343_75);
        assert_abs_diff_eq!(c.smallest_effect.unwrap(), 1.445 * c.spread.sd, epsilon = 0.001 * c.spread.sd);
    }

    #[test]
    fn holm_counts_all_comparisons() {
        let settings = StudySettings::preset(Preset::Default);
        let comparison = |shift: f64| {
            Comparison::new((0..10).map(|i| shift + [0.0, 1.0, -1.0, 2.0, -2.0][i % 5]).collect(), &settings)
        };
        let (mut sure, mut unsure) = (comparison(3.0), comparison(0.1));
        Comparison::correct_together(&mut [&mut sure, &mut unsure]);
        let p = |c: &Comparison| c.corrected_t.unwrap().p;
        assert_eq!(sure.holm_p, Some(2.0 * p(&sure)));
        assert_eq!(unsure.holm_p, Some(p(&unsure)));
    }
}
