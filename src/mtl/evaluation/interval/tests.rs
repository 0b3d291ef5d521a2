//! Every step against an independent computation (Python, double precision): 48 texts, 4 folds, 3 seeds, 16 groups, ties.

use approx::assert_relative_eq;
use proptest::prelude::*;
use serde_json::Value;

use super::{
    Interval, Measure, PairedUnit, Side,
    components::{Design, quantile},
    influence::{FCounts, accuracy, auroc, average_precision},
    paired::{Arm, by_fold, design, interval_of, paired_interval, pooled_f},
};

struct Oracle {
    json: Value,
    groups: Vec<u64>,
    rows: Vec<Vec<usize>>,           // [folds]
    truths: Vec<Vec<bool>>,          // [folds]
    scores: Vec<Vec<Vec<Vec<f64>>>>, // [seeds][arms][folds]
    thresholds: Vec<Vec<Vec<f64>>>,  // [folds][seeds][arms]
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

impl Oracle {
    fn new() -> Self {
        let json: Value = serde_json::from_str(include_str!("../../../../tests/data/interval_oracle.json")).unwrap();
        let (fold, y) = (numbers(&json["fold"]), numbers(&json["y"]));
        let rows: Vec<Vec<usize>> = (0..4).map(|f| (0..48).filter(|&text| fold[text] == f as f64).collect()).collect();
        let truths = rows.iter().map(|rows| rows.iter().map(|&row| y[row] == 1.0).collect()).collect();
        let of_folds = |all: Vec<f64>| rows.iter().map(|rows| rows.iter().map(|&row| all[row]).collect()).collect();
        let arms = |seed: &Value| seed.as_array().unwrap().iter().map(|arm| of_folds(numbers(arm))).collect();
        let scores = json["score"].as_array().unwrap().iter().map(arms).collect();
        let seeds = |fold: &Value| fold.as_array().unwrap().iter().map(numbers).collect();
        let thresholds = json["threshold"].as_array().unwrap().iter().map(seeds).collect();
        let groups = numbers(&json["group"]).into_iter().map(|group| group as u64).collect();
        Self { groups, rows, truths, scores, thresholds, json }
    }

    /// The first `seeds` trainings of each fold.
    fn units(&self, seeds: usize) -> Vec<PairedUnit<'_>> {
        let unit = |fold: usize, seed: usize| {
            // There a score at the threshold is true.
            let side = |arm: usize| Side {
                probabilities: &self.scores[seed][arm][fold],
                threshold: self.thresholds[fold][seed][arm].next_down(),
            };
            PairedUnit {
                repeat: 0,
                fold,
                seed,
                rows: &self.rows[fold],
                groups: &self.groups,
                truths: &self.truths[fold],
                base: side(0),
                other: side(1),
            }
        };
        (0..4).flat_map(|fold| (0..seeds).map(move |seed| (fold, seed))).map(|(fold, seed)| unit(fold, seed)).collect()
    }

    fn arms(name: &str, units: &[PairedUnit<'_>]) -> [Arm; 2] {
        let f = |side: &Side<'_>, truths: &[bool]| {
            let decisions: Vec<bool> = side.probabilities.iter().map(|&p| p > side.threshold).collect();
            let counts = FCounts::of(&decisions, truths);
            (counts.f(), decisions.iter().zip(truths).map(|(&d, &t)| counts.influence(d, t)).collect())
        };
        let measured: fn(&Side<'_>, &[bool]) -> (f64, Vec<f64>) = match name {
            "F1_pooled" => return [pooled_f(units, 4, |u| u.base), pooled_f(units, 4, |u| u.other)],
            "F1" => f,
            "AP" => |side, truths| average_precision(side.probabilities, truths),
            _ => |side, truths| {
                let decisions: Vec<bool> = side.probabilities.iter().map(|&p| p > side.threshold).collect();
                accuracy(&decisions, truths)
            },
        };
        [by_fold(units, |u| u.base, measured), by_fold(units, |u| u.other, measured)]
    }
}

fn assert_close(found: &[f64], expected: &[f64], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() <= 1e-12 + 1e-9 * expected.abs(), "{what}: {found}, expected {expected}");
    }
}

#[test]
fn every_step_has_the_value_of_the_oracle() {
    let oracle = Oracle::new();
    for name in ["F1", "F1_pooled", "AP", "Acc"] {
        let expected = &oracle.json[name];
        let number = |key: &str| expected[key].as_f64().unwrap();
        let units = oracle.units(3);
        let arms = Oracle::arms(name, &units);
        let made: Design = design(&units, [1, 4, 3], &arms);
        let all_differences: Vec<f64> = expected["unit_diff"].as_array().unwrap().iter().flat_map(numbers).collect();
        assert_close(&made.differences[0].concat(), &all_differences, &format!("{name}: differences"));
        // Groups are numbered as they are met, fold by fold: here sorted.
        let mut mean_influences: Vec<f64> =
            (0..16).map(|c| made.groups[0].iter().map(|seed| seed[c]).sum::<f64>() / 3.0).collect();
        let mut expected_influences = numbers(&expected["group_IF_mean_over_seeds"]);
        mean_influences.sort_by(f64::total_cmp);
        expected_influences.sort_by(f64::total_cmp);
        assert_close(&mean_influences, &expected_influences, &format!("{name}: influences of groups"));

        let parts = made.components();
        let found = [parts.texts, parts.variance_of_texts, parts.within, parts.between];
        let keys = ["T_text", "W_T", "s2_seed_within", "s2_between_folds"];
        assert_close(&found, &keys.map(number), &format!("{name}: components"));

        let interval = interval_of(&units, [1, 4, 3], &arms);
        let of = &expected["text_x_NB"];
        let number = |key: &str| of[key].as_f64().unwrap();
        let found =
            [interval.difference, interval.standard_error, interval.degrees_of_freedom, interval.low, interval.high];
        let estimate = expected["estimate"].as_f64().unwrap();
        let wanted = [estimate, number("se"), number("df"), number("lo"), number("hi")];
        assert_close(&found, &wanted, &format!("{name}: interval"));
        assert_eq!(interval.guarded, expected["guard"]["fires"].as_bool().unwrap());
        let parts = [interval.variance.texts, interval.variance.training_rows];
        assert_relative_eq!(parts.iter().map(|sd| sd * sd).sum::<f64>(), number("var_text_term"), max_relative = 1e-9);
        assert_relative_eq!(interval.variance.seeds.unwrap().powi(2), number("var_seed_term"), max_relative = 1e-9);

        if let Some(of) = expected.get("S1_first_seed_only") {
            let units = oracle.units(1);
            let interval = interval_of(&units, [1, 4, 1], &Oracle::arms(name, &units));
            let number = |key: &str| of[key].as_f64().unwrap();
            let found = [interval.difference, interval.degrees_of_freedom, interval.low, interval.high];
            assert_close(&found, &["est", "df", "lo", "hi"].map(number), &format!("{name}: one seed"));
            assert_eq!(interval.variance.seeds, None);
        }
    }
}

#[test]
fn influences_of_single_texts_have_the_values_of_the_oracle() {
    let oracle = Oracle::new();
    let units = oracle.units(1);
    for (name, key, scale) in
        [("F1", "/IF_seed0_diff/F1", 1.0), ("AP", "/IF_seed0_diff/AP", 1.0), ("Acc", "/IF_seed0_diff/Acc", 1.0)]
    {
        let [base, other] = Oracle::arms(name, &units);
        let mut found = vec![0.0; 48];
        for (i, unit) in units.iter().enumerate() {
            for (place, &row) in unit.rows.iter().enumerate() {
                found[row] = scale * (other.influences[i][place] - base.influences[i][place]);
            }
        }
        assert_close(&found, &numbers(oracle.json.pointer(key).unwrap()), name);
    }
}

/// Each measure of texts with weights, written down plainly.
mod weighted {
    pub fn f(decisions: &[bool], truths: &[bool], w: &[f64]) -> f64 {
        let sum = |is: &dyn Fn(usize) -> bool| (0..w.len()).filter(|&i| is(i)).map(|i| w[i]).sum::<f64>();
        2.0 * sum(&|i| decisions[i] && truths[i]) / (sum(&|i| decisions[i]) + sum(&|i| truths[i]))
    }

    pub fn accuracy(decisions: &[bool], truths: &[bool], w: &[f64]) -> f64 {
        (0..w.len()).filter(|&i| decisions[i] == truths[i]).map(|i| w[i]).sum::<f64>() / w.iter().sum::<f64>()
    }

    pub fn average_precision(scores: &[f64], truths: &[bool], w: &[f64]) -> f64 {
        let at_least = |score: f64, only_true: bool| {
            (0..w.len()).filter(|&j| scores[j] >= score && (truths[j] || !only_true)).map(|j| w[j]).sum::<f64>()
        };
        let of_true = |i: usize| w[i] * at_least(scores[i], true) / at_least(scores[i], false);
        let truths_at = || (0..w.len()).filter(|&i| truths[i]);
        truths_at().map(of_true).sum::<f64>() / truths_at().map(|i| w[i]).sum::<f64>()
    }

    pub fn auroc(scores: &[f64], truths: &[bool], w: &[f64]) -> f64 {
        let (mut won, mut all) = (0.0, 0.0);
        for i in (0..w.len()).filter(|&i| truths[i]) {
            for j in (0..w.len()).filter(|&j| !truths[j]) {
                let wins = if scores[i] > scores[j] {
                    1.0
                } else if scores[i] == scores[j] {
                    0.5
                } else {
                    0.0
                };
                won += w[i] * w[j] * wins;
                all += w[i] * w[j];
            }
        }
        won / all
    }
}

/// Up to forty texts with ties, both classes among them.
fn texts() -> impl Strategy<Value = (Vec<f64>, Vec<bool>)> {
    let rows = prop::collection::vec((0..8u8, any::<bool>()), 6..40);
    let scores = rows.prop_map(|rows| rows.into_iter().map(|(p, t)| (f64::from(p) / 8.0, t)).unzip());
    scores.prop_filter("both classes", |(_, truths): &(Vec<f64>, Vec<bool>)| {
        truths.contains(&true) && truths.contains(&false)
    })
}

proptest! {
    #[test]
    fn influences_are_derivatives_and_sum_to_zero((scores, truths) in texts(), threshold in 0.0..1.0f64) {
        let decisions: Vec<bool> = scores.iter().map(|&p| p > threshold).collect();
        let counts = FCounts::of(&decisions, &truths);
        let f = (counts.f(), decisions.iter().zip(&truths).map(|(&d, &t)| counts.influence(d, t)).collect::<Vec<f64>>());
        type Weighted<'t> = Box<dyn Fn(&[f64]) -> f64 + 't>;
        let all: Vec<((f64, Vec<f64>), Weighted)> = vec![
            (f, Box::new(|w| weighted::f(&decisions, &truths, w))),
            (accuracy(&decisions, &truths), Box::new(|w| weighted::accuracy(&decisions, &truths, w))),
            (average_precision(&scores, &truths), Box::new(|w| weighted::average_precision(&scores, &truths, w))),
            (auroc(&scores, &truths), Box::new(|w| weighted::auroc(&scores, &truths, w))),
        ];
        for ((level, influences), weighted) in all {
            let ones = vec![1.0; scores.len()];
            prop_assert!((level - weighted(&ones)).abs() < 1e-12);
            prop_assert!(influences.iter().sum::<f64>().abs() < 1e-12);
            for (text, influence) in influences.iter().enumerate() {
                let moved = |by: f64| {
                    let mut weights = ones.clone();
                    weights[text] += by;
                    weighted(&weights)
                };
                let derivative = (moved(1e-5) - moved(-1e-5)) / 2e-5;
                prop_assert!((influence - derivative).abs() < 1e-7, "{influence} against {derivative}");
            }
        }
    }
}

fn swapped<'a>(units: &[PairedUnit<'a>]) -> Vec<PairedUnit<'a>> {
    units.iter().map(|unit| PairedUnit { base: unit.other, other: unit.base, ..*unit }).collect()
}

#[test]
fn swapping_the_arms_mirrors_the_interval() {
    let oracle = Oracle::new();
    let units = oracle.units(3);
    for &measure in Measure::ALL {
        let plain = paired_interval(measure, &units).unwrap();
        let mirrored = paired_interval(measure, &swapped(&units)).unwrap();
        let close = |a: f64, b: f64| assert_relative_eq!(a, b, max_relative = 1e-9, epsilon = 1e-15);
        close(plain.low, -mirrored.high);
        close(plain.high, -mirrored.low);
        close(plain.base, mirrored.other);
        close(plain.other - plain.base, plain.difference);
        close(plain.p_above(0.01), mirrored.p_below(-0.01));
    }
}

#[test]
fn an_arm_against_itself_differs_by_nothing_for_sure() {
    let oracle = Oracle::new();
    let units: Vec<_> = oracle.units(3).into_iter().map(|unit| PairedUnit { other: unit.base, ..unit }).collect();
    for &measure in Measure::ALL {
        let Interval { difference, low, high, .. } = paired_interval(measure, &units).unwrap();
        assert_eq!((difference, low, high), (0.0, 0.0, 0.0));
    }
}

#[test]
fn one_fold_has_no_interval() {
    let oracle = Oracle::new();
    let units: Vec<_> = oracle.units(3).into_iter().filter(|unit| unit.fold == 0).collect();
    assert!(paired_interval(Measure::F1, &units).is_none());
}

#[test]
fn more_seeds_and_more_texts_narrow_down_to_what_the_other_leaves() {
    let oracle = Oracle::new();
    for (measure, seeds) in [(Measure::F1, 3), (Measure::AveragePrecision, 3), (Measure::Accuracy, 1)] {
        let interval = paired_interval(measure, &oracle.units(seeds)).unwrap();
        if seeds > 1 {
            assert_relative_eq!(interval.half_width_with(seeds, 1.0), interval.half_width(), max_relative = 1e-9);
        }
        let widths = [seeds.max(2), 5, 10, 100].map(|seeds| interval.half_width_with(seeds, 1.0));
        // Degrees of freedom fall towards those of the texts, which may take back a little.
        assert!(widths.windows(2).all(|pair| pair[1] <= 1.01 * pair[0]), "{widths:?}");
        let limit = interval.half_width_limit();
        assert!(limit <= 1.01 * widths[3]);
        if measure == Measure::AveragePrecision {
            continue; // Its seeds bring next to nothing here.
        }
        let wanted = limit.midpoint(widths[0]);
        let needed = interval.seeds_for(wanted).unwrap();
        assert!(interval.half_width_with(needed, 1.0) <= wanted);
        assert!(needed == seeds || interval.half_width_with(needed - 1, 1.0) > wanted);
        assert_eq!(interval.seeds_for(0.9 * limit), None);
        let times = interval.texts_for(0.9 * interval.half_width_with(seeds.max(2), 1.0), seeds);
        assert!(times > 1.0);
        if measure == Measure::F1 {
            // What the seeds leave takes more seeds as well as more texts.
            let little = 0.5 * interval.half_width_with(seeds, 1e6);
            assert_eq!(interval.texts_for(little, seeds), f64::INFINITY);
            assert!(interval.texts_for(little, 100 * seeds).is_finite());
        }
    }
}

/// Folds that differ by ten times what texts and seeds explain: no number of seeds takes that away.
#[test]
fn seeds_do_not_narrow_what_only_folds_explain() {
    let components = super::components::Components {
        folds: 5.0,
        repeats: 1.0,
        seeds: 3.0,
        texts: 1e-4,
        variance_of_texts: 1e-10,
        within: 3e-5,
        between: 1.1e-3,
    };
    let interval = components.interval([0.6, 0.61], 0.01);
    assert!(interval.guarded);
    assert_relative_eq!(interval.half_width_with(3, 1.0), interval.half_width(), max_relative = 1e-9);
    assert!(interval.half_width_limit() > 0.98 * interval.half_width());
    assert_eq!(interval.seeds_for(0.9 * interval.half_width()), None);
}

/// One seed, and two folds that differ less than their texts explain: the interval is by the folds, the projection by the texts.
#[test]
fn no_projection_is_wider_than_the_interval() {
    let components = super::components::Components {
        folds: 2.0,
        repeats: 1.0,
        seeds: 1.0,
        texts: 4e-4,
        variance_of_texts: 1e-9,
        within: 0.0,
        between: 1e-5,
    };
    let interval = components.interval([0.64, 0.67], 0.03);
    for (seeds, times) in [(2, 1.0), (1_000, 1.0), (1, 1.1), (3, 2.0)] {
        assert!(interval.half_width_with(seeds, times) <= interval.half_width(), "{seeds} seeds, {times} × texts");
    }
    assert!(interval.half_width_limit() <= interval.half_width());
}

/// Expected values: mpmath 1.3, the regularised incomplete beta function to 40 digits.
#[test]
fn quantiles_hold_for_few_and_for_millions_of_degrees_of_freedom() {
    let expected = [
        (1.0, 12.706204736174705),
        (4.2, 2.725072722592375),
        (137.3, 1.9773927142563996),
        (2500.7, 1.960913078922636),
        (19_999.9, 1.9600826057512765),
        (123_456.7, 1.9599832001362327),
        (3e6, 1.9599647752974446),
    ];
    for (degrees_of_freedom, expected) in expected {
        assert_relative_eq!(quantile(degrees_of_freedom), expected, max_relative = 1e-8);
    }
}
