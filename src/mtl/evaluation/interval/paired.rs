//! From two arms' predictions to the interval of their difference.

use std::collections::HashMap;

use super::{
    Interval, Measure,
    components::Design,
    influence::{FCounts, accuracy, auroc, average_precision},
};

/// One training of both arms, tested on the same texts.
#[derive(Clone, Copy, Debug)]
pub struct PairedUnit<'a> {
    /// The repeat, from 0.
    pub repeat: usize,
    /// The fold, from 0.
    pub fold: usize,
    /// The training of the fold, from 0.
    pub seed: usize,
    /// The rows that are tested, rising; the same for all trainings of a fold.
    pub rows: &'a [usize],
    /// What each row of the data belongs to; rows of a group are in one fold.
    pub groups: &'a [u64],
    /// The labels of `rows`.
    pub truths: &'a [bool],
    /// What is compared with.
    pub base: Side<'a>,
    /// What is compared.
    pub other: Side<'a>,
}

/// The predictions of one arm.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    /// How probably each row is true.
    pub probabilities: &'a [f64],
    /// Predicted true means a probability above it.
    pub threshold: f64,
}

impl Side<'_> {
    fn decisions(&self) -> Vec<bool> {
        self.probabilities.iter().map(|&p| p > self.threshold).collect()
    }
}

/// The interval of `other` − `base` in a measure. F is pooled: of counts that are added up over folds, as means over trainings
/// (Forman & Scholz 2010); the other measures are means over folds.
///
/// `None` for fewer than two folds.
///
/// # Panics
/// If the units are not every training of every fold of every repeat.
pub fn paired_interval(measure: Measure, units: &[PairedUnit<'_>]) -> Option<Interval> {
    let count = |of: fn(&PairedUnit<'_>) -> usize| units.iter().map(of).max().map_or(0, |last| last + 1);
    let (repeats, folds, seeds) = (count(|u| u.repeat), count(|u| u.fold), count(|u| u.seed));
    if folds < 2 {
        return None;
    }
    assert_eq!(units.len(), repeats * folds * seeds, "every fold of every repeat has as many trainings");
    let arms = match measure {
        Measure::F1Tuned | Measure::F1 => [pooled_f(units, folds, |u| u.base), pooled_f(units, folds, |u| u.other)],
        Measure::Accuracy => [by_fold(units, |u| u.base, decided), by_fold(units, |u| u.other, decided)],
        Measure::AveragePrecision => [by_fold(units, |u| u.base, ranked), by_fold(units, |u| u.other, ranked)],
        Measure::Auroc => [by_fold(units, |u| u.base, area), by_fold(units, |u| u.other, area)],
    };
    Some(interval_of(units, [repeats, folds, seeds], &arms))
}

/// One arm by a measure.
pub(super) struct Arm {
    /// Over all units.
    pub level: f64,
    /// Of each unit.
    pub levels: Vec<f64>, // [units]
    /// Of each text of each unit, inside its fold.
    pub influences: Vec<Vec<f64>>, // [units][texts]
}

/// A measure with the texts' influences.
type Measured = fn(&Side<'_>, &[bool]) -> (f64, Vec<f64>);

fn decided(side: &Side<'_>, truths: &[bool]) -> (f64, Vec<f64>) {
    accuracy(&side.decisions(), truths)
}

fn ranked(side: &Side<'_>, truths: &[bool]) -> (f64, Vec<f64>) {
    average_precision(side.probabilities, truths)
}

fn area(side: &Side<'_>, truths: &[bool]) -> (f64, Vec<f64>) {
    auroc(side.probabilities, truths)
}

/// A mean over units.
pub(super) fn by_fold<'a>(units: &[PairedUnit<'a>], side: fn(&PairedUnit<'a>) -> Side<'a>, measured: Measured) -> Arm {
    let (levels, influences): (Vec<f64>, Vec<Vec<f64>>) =
        units.iter().map(|unit| measured(&side(unit), unit.truths)).unzip();
    Arm { level: levels.iter().sum::<f64>() / levels.len() as f64, levels, influences }
}

/// F of counts over all folds, as means over repeats and trainings. A fold's difference is the whole's, moved by its own texts.
pub(super) fn pooled_f<'a>(units: &[PairedUnit<'a>], folds: usize, side: fn(&PairedUnit<'a>) -> Side<'a>) -> Arm {
    let k = folds as f64;
    let decisions: Vec<Vec<bool>> = units.iter().map(|unit| side(unit).decisions()).collect();
    let mut pooled = FCounts::default();
    for (unit, decisions) in units.iter().zip(&decisions) {
        let counts = FCounts::of(decisions, unit.truths);
        pooled.true_positives += counts.true_positives;
        pooled.predicted_and_true += counts.predicted_and_true;
    }
    let runs = units.len() as f64 / k;
    pooled.true_positives /= runs;
    pooled.predicted_and_true /= runs;
    let influence = |(unit, decisions): (&PairedUnit<'_>, &Vec<bool>)| -> Vec<f64> {
        let texts = decisions.iter().zip(unit.truths);
        texts.map(|(&decision, &truth)| k * pooled.influence(decision, truth)).collect()
    };
    let influences: Vec<Vec<f64>> = units.iter().zip(&decisions).map(influence).collect();
    let levels = influences.iter().map(|texts| pooled.f() + texts.iter().sum::<f64>()).collect();
    Arm { level: pooled.f(), levels, influences }
}

/// The interval of the second arm − the first.
pub(super) fn interval_of(units: &[PairedUnit<'_>], shape: [usize; 3], arms: &[Arm; 2]) -> Interval {
    let [base, other] = arms;
    design(units, shape, arms).components().interval([base.level, other.level], other.level - base.level)
}

/// Differences of units, and of groups of texts.
pub(super) fn design(
    units: &[PairedUnit<'_>],
    [repeats, folds, seeds]: [usize; 3],
    [base, other]: &[Arm; 2],
) -> Design {
    let mut places: HashMap<u64, usize> = HashMap::new();
    for unit in units {
        for &row in unit.rows {
            let next = places.len();
            places.entry(unit.groups[row]).or_insert(next);
        }
    }
    let mut groups = vec![vec![vec![0.0; places.len()]; seeds]; repeats];
    let mut differences = vec![vec![vec![0.0; seeds]; folds]; repeats];
    for (i, unit) in units.iter().enumerate() {
        let PairedUnit { repeat, fold, seed, .. } = *unit;
        differences[repeat][fold][seed] = other.levels[i] - base.levels[i];
        let influences = other.influences[i].iter().zip(&base.influences[i]).map(|(other, base)| other - base);
        for (&row, influence) in unit.rows.iter().zip(influences) {
            groups[repeat][seed][places[&unit.groups[row]]] += influence;
        }
    }
    Design { groups, differences }
}
