//! What many studies of one population say of the interval.

use mtlcore::mtl::evaluation::interval::{Interval, Measure, Verdict};

use crate::simulated_study::{Found, MEASURES};

/// Half the width of the region of equivalence.
pub const ROPE: f64 = 0.01;

/// One measure over all studies. In points where not said otherwise.
pub struct Summary {
    pub measure: Measure,
    /// The mean over all trainings of all studies on fresh texts.
    pub truth: f64,
    /// Its standard error.
    pub truth_error: f64,
    /// Shares of the intervals that hold the truth, and that hold the mean of their own networks on fresh texts.
    pub covers: f64,
    pub covers_own: f64,
    /// The median half width, with three seeds and with one.
    pub half_width: f64,
    pub half_width_of_one: f64,
    /// By verdict, how many studies.
    pub verdicts: Vec<(Verdict, usize)>,
    /// Shares of studies with a verdict that the truth contradicts: with three seeds, and when trainings are added while undecided.
    pub wrong: f64,
    pub wrong_sequential: f64,
    /// The stopping rule's mean number of seeds, and share of decided studies.
    pub seeds_used: f64,
    pub decided_sequential: f64,
    /// λ: the variance between studies' networks on fresh texts (their training rows alone), as a multiple of T/k, the texts' part.
    pub lambda: f64,
    /// By source, the mean standard deviation that studies reported.
    pub reported: [f64; 3],
}

pub fn summaries(studies: &[Found]) -> Vec<Summary> {
    MEASURES.iter().enumerate().map(|(place, &measure)| summary(studies, place, measure)).collect()
}

fn summary(studies: &[Found], place: usize, measure: Measure) -> Summary {
    let n = studies.len() as f64;
    let own: Vec<f64> = studies.iter().map(|study| mean(&study.fresh[place].1)).collect();
    let truth = mean(&own);
    let between = variance(&own);
    let three: Vec<&Interval> = studies.iter().map(|study| &study.intervals[place].1).collect();
    let one: Vec<&Interval> = studies.iter().map(|study| &study.intervals[place].2).collect();
    let share = |holds: &dyn Fn(usize) -> bool| (0..studies.len()).filter(|&i| holds(i)).count() as f64 / n;
    let verdicts = Verdict::ALL
        .iter()
        .map(|&verdict| (verdict, three.iter().filter(|interval| interval.verdict(ROPE) == verdict).count()));
    // The stopping rule: one seed more while both questions are open.
    let stopped: Vec<&Interval> = studies
        .iter()
        .map(|study| {
            let more = &study.intervals[place].3;
            more.iter().find(|interval| interval.verdict(ROPE) != Verdict::Undecided).unwrap_or(&more[more.len() - 1])
        })
        .collect();
    // The seeds' part of the spread between studies' means is taken off.
    let trainings = studies[0].fresh[place].1.len() as f64;
    let within = mean(&studies.iter().map(|study| variance(&study.fresh[place].1)).collect::<Vec<_>>());
    let training_rows = (between - within / trainings).max(0.0);
    let texts = mean(&three.iter().map(|interval| interval.variance.texts.powi(2)).collect::<Vec<_>>());
    let reported = |of: &dyn Fn(&Interval) -> f64| 100.0 * mean(&three.iter().map(|i| of(i)).collect::<Vec<_>>());
    Summary {
        measure,
        truth: 100.0 * truth,
        truth_error: 100.0 * (between / n).sqrt(),
        covers: share(&|i| three[i].low <= truth && truth <= three[i].high),
        covers_own: share(&|i| three[i].low <= own[i] && own[i] <= three[i].high),
        half_width: 100.0 * median(three.iter().map(|interval| interval.half_width())),
        half_width_of_one: 100.0 * median(one.iter().map(|interval| interval.half_width())),
        verdicts: verdicts.filter(|(_, count)| *count > 0).collect(),
        wrong: share(&|i| is_wrong(three[i].verdict(ROPE), truth)),
        wrong_sequential: share(&|i| is_wrong(stopped[i].verdict(ROPE), truth)),
        seeds_used: mean(&stopped.iter().map(|interval| interval.seeds as f64).collect::<Vec<_>>()),
        decided_sequential: share(&|i| stopped[i].verdict(ROPE) != Verdict::Undecided),
        lambda: training_rows / texts,
        reported: [
            reported(&|i| i.variance.texts),
            reported(&|i| i.variance.training_rows),
            reported(&|i| i.variance.seeds.unwrap_or(0.0)),
        ],
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
