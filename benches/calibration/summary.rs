//! What many studies of one population say of the interval.

use mtlcore::mtl::evaluation::interval::{Interval, Measure, Verdict};

use crate::simulated_study::{Found, MEASURES, Study};

/// Half the width of the region of equivalence.
pub const ROPE: f64 = 0.01;

/// One measure over all studies, as a mean over their cells. In points where not said otherwise.
pub struct Summary {
    pub measure: Measure,
    /// The mean over all trainings of all studies on fresh texts, and its standard error: of the cell whose truth is largest.
    pub truth: f64,
    pub truth_error: f64,
    /// Shares of the intervals that hold the truth, that hold it where both arms have learnt, and that hold the mean of their own
    /// networks on fresh texts.
    pub covers: f64,
    pub covers_learnt: f64,
    pub covers_own: f64,
    /// The median half width, with three seeds and with one.
    pub half_width: f64,
    pub half_width_of_one: f64,
    /// By verdict, how many cells.
    pub verdicts: Vec<(Verdict, usize)>,
    /// Studies that say "helps" or "hurts" of any cell, with three seeds, and when trainings are added while undecided.
    pub claim: usize,
    pub claim_sequential: usize,
    /// Studies with a verdict that the truth contradicts in any cell, likewise.
    pub wrong: usize,
    pub wrong_sequential: usize,
    /// The stopping rule's mean number of seeds, and share of cells that it decides.
    pub seeds_used: f64,
    pub decided_sequential: f64,
    /// λ: the variance between studies' networks on fresh texts (their training rows alone), as a multiple of T/k, the texts' part.
    pub lambda: f64,
    /// By source, the mean standard deviation that studies reported.
    pub reported: [f64; 3],
}

pub fn summaries(studies: &[Study]) -> Vec<Summary> {
    MEASURES.iter().enumerate().map(|(place, &measure)| summary(studies, place, measure)).collect()
}

/// One cell over all studies.
struct Cell<'s> {
    found: Vec<&'s Found>,
    /// The mean of each study's own networks on fresh texts.
    own: Vec<f64>,
    truth: f64,
}

impl<'s> Cell<'s> {
    fn new(found: Vec<&'s Found>) -> Self {
        let own: Vec<f64> = found.iter().map(|found| mean(&found.fresh)).collect();
        let truth = mean(&own);
        Self { found, own, truth }
    }

    /// The variance between studies' networks from which the seeds' part is taken off.
    fn training_rows(&self) -> f64 {
        let trainings = self.found[0].fresh.len() as f64;
        let within = mean(&self.found.iter().map(|found| variance(&found.fresh)).collect::<Vec<_>>());
        (variance(&self.own) - within / trainings).max(0.0)
    }
}

fn summary(studies: &[Study], place: usize, measure: Measure) -> Summary {
    let n = studies.len();
    let of_cell = |cell: usize| Cell::new(studies.iter().map(|study| &study[place][cell]).collect());
    let cells: Vec<Cell> = (0..studies[0][place].len()).map(of_cell).collect();
    let all =
        || cells.iter().flat_map(|cell| cell.found.iter().zip(&cell.own).map(move |(found, own)| (cell, *found, *own)));
    let share = |holds: &dyn Fn(&Cell, &Found, f64) -> Option<bool>| {
        let held: Vec<bool> = all().filter_map(|(cell, found, own)| holds(cell, found, own)).collect();
        held.iter().filter(|&&held| held).count() as f64 / held.len() as f64
    };
    let within = |interval: &Interval, value: f64| interval.low <= value && value <= interval.high;
    let any = |holds: &dyn Fn(&Cell, &Found) -> bool| {
        (0..n).filter(|&study| cells.iter().any(|cell| holds(cell, cell.found[study]))).count()
    };
    let is_claim = |verdict: Verdict| matches!(verdict, Verdict::Helps | Verdict::Hurts);
    let verdicts: Vec<Verdict> = all().map(|(_, found, _)| found.verdict(&found.three)).collect();
    let count = |of: Verdict| verdicts.iter().filter(|verdict| **verdict == of).count();
    let largest = cells.iter().max_by(|a, b| a.truth.abs().total_cmp(&b.truth.abs())).expect("a cell");
    let texts = mean(&all().map(|(_, found, _)| found.three.variance.texts.powi(2)).collect::<Vec<_>>());
    let reported =
        |of: &dyn Fn(&Interval) -> f64| 100.0 * mean(&all().map(|(_, found, _)| of(&found.three)).collect::<Vec<_>>());
    Summary {
        measure,
        truth: 100.0 * largest.truth,
        truth_error: 100.0 * (variance(&largest.own) / n as f64).sqrt(),
        covers: share(&|cell, found, _| Some(within(&found.three, cell.truth))),
        covers_learnt: share(&|cell, found, _| (!found.not_learnt).then(|| within(&found.three, cell.truth))),
        covers_own: share(&|_, found, own| Some(within(&found.three, own))),
        half_width: 100.0 * median(all().map(|(_, found, _)| found.three.half_width())),
        half_width_of_one: 100.0 * median(all().map(|(_, found, _)| found.one.half_width())),
        verdicts: Verdict::ALL.iter().map(|&v| (v, count(v))).filter(|(_, count)| *count > 0).collect(),
        claim: any(&|_, found| is_claim(found.verdict(&found.three))),
        claim_sequential: any(&|_, found| is_claim(found.verdict(found.stopped()))),
        wrong: any(&|cell, found| is_wrong(found.verdict(&found.three), cell.truth)),
        wrong_sequential: any(&|cell, found| is_wrong(found.verdict(found.stopped()), cell.truth)),
        seeds_used: mean(&all().map(|(_, found, _)| found.stopped().seeds as f64).collect::<Vec<_>>()),
        decided_sequential: share(&|_, found, _| Some(found.verdict(found.stopped()) != Verdict::Undecided)),
        lambda: mean(&cells.iter().map(Cell::training_rows).collect::<Vec<_>>()) / texts,
        reported: [
            reported(&|i| i.variance.texts),
            reported(&|i| i.variance.training_rows),
            reported(&|i| i.variance.seeds.unwrap_or(0.0)),
        ],
    }
}

impl Found {
    /// As a study gives it.
    fn verdict(&self, interval: &Interval) -> Verdict {
        if self.not_learnt { Verdict::NotLearnt } else { interval.verdict(ROPE) }
    }

    /// The interval at which the rule "a training more in every fold while both questions are open" stops.
    fn stopped(&self) -> &Interval {
        let decided = |interval: &&Interval| interval.verdict(ROPE) != Verdict::Undecided;
        self.more.iter().find(decided).unwrap_or(&self.more[self.more.len() - 1])
    }
}

/// Whether the truth contradicts a verdict.
fn is_wrong(verdict: Verdict, truth: f64) -> bool {
    match verdict {
        Verdict::Helps => truth <= ROPE,
        Verdict::Hurts => truth >= -ROPE,
        Verdict::Equivalent => truth.abs() > ROPE,
        Verdict::DoesNotHurt => truth < -ROPE,
        Verdict::DoesNotHelp => truth > ROPE,
        Verdict::Undecided | Verdict::NotLearnt => false,
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn variance(values: &[f64]) -> f64 {
    let mean = mean(values);
    values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (values.len() as f64 - 1.0)
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}
