//! The table of the regression: a row for each ordered pair, with its gain and its columns (sizes, measures, context).

use crate::mtl::relatedness::{
    MEASURES, PairRelatedness, Relatedness,
    context::learning_slope,
    gains::{Gain, Gains},
};
use crate::mtl::settings::Shared;

/// One ordered pair: its gain, and the columns to predict it from.
#[derive(Clone, Debug)]
pub struct Observation {
    /// The main task's index among the tasks.
    pub main: usize,
    /// The partner's index.
    pub partner: usize,
    /// The gain, in points.
    pub gain: f64,
    /// The weight 1/SE², at most ten times that of the median pair: no few pairs decide the fit.
    pub weight: f64,
    /// In the order of [`SIZE_COLUMNS`].
    pub size: Vec<Option<f64>>,
    /// The measures, in the order of [`MEASURES`].
    pub measures: Vec<Option<f64>>,
    /// In the order of [`CONTEXT_COLUMNS`].
    pub context: Vec<Option<f64>>,
}

/// Sizes, and how much there is to learn.
pub const SIZE_COLUMNS: [&str; 4] = ["ln main rows", "ln partner rows / main rows", "own AUROC", "slope of alone"];
/// The rest of the context.
pub const CONTEXT_COLUMNS: [&str; 5] =
    ["main entropy", "partner entropy", "ln main length", "ln partner length", "unknown words"];

impl Observation {
    /// The observations of one layer and size, and the names of their tasks. Pairs without measures or without a gain drop out.
    pub fn of_cell(
        relatedness: &Relatedness,
        gains: &Gains,
        cell: (Shared, &str),
        is_auroc: bool,
    ) -> (Vec<String>, Vec<Self>) {
        let found: Vec<(&Gain, &PairRelatedness)> = gains
            .of(cell)
            .into_iter()
            .filter_map(|gain| Some((gain, relatedness.pair(&gain.main, &gain.partner)?)))
            .collect();
        let mut tasks: Vec<String> = found.iter().flat_map(|(g, _)| [g.main.clone(), g.partner.clone()]).collect();
        tasks.sort();
        tasks.dedup();
        let place = |name: &str| tasks.iter().position(|task| task == name).expect("it is among them");
        let mut weights: Vec<f64> = found.iter().map(|(gain, _)| 1.0 / gain.standard_error.max(1e-6).powi(2)).collect();
        let mut sorted = weights.clone();
        sorted.sort_by(f64::total_cmp);
        let most = sorted.get(sorted.len() / 2).map_or(1.0, |median| 10.0 * median);
        weights.iter_mut().for_each(|weight| *weight = weight.min(most));
        let observations = found.iter().zip(weights).map(|(&(gain, pair), weight)| Self {
            main: place(&gain.main),
            partner: place(&gain.partner),
            gain: gain.by(is_auroc),
            weight,
            size: size_columns(relatedness, gains, gain),
            measures: measure_columns(pair),
            context: context_columns(pair),
        });
        let observations = observations.collect();
        (tasks, observations)
    }

    /// All columns: sizes, measures, context.
    pub fn columns(&self) -> Vec<Option<f64>> {
        [&self.size[..], &self.measures, &self.context].concat()
    }
}

fn size_columns(relatedness: &Relatedness, gains: &Gains, gain: &Gain) -> Vec<Option<f64>> {
    // The learning curve of the main task alone, which is the same beside every partner.
    let same = |other: &&Gain| (&other.main, other.shared) == (&gain.main, gain.shared);
    let curve: Vec<(f64, f64)> = gains.gains.iter().filter(same).map(|g| (g.size as f64, 100.0 * g.alone)).collect();
    let slope = learning_slope(&curve).map(|(_, slope)| slope);
    known_sizes(relatedness, &gain.main, [gain.size, gain.partner_size], slope)
}

/// The values of [`SIZE_COLUMNS`] for a main task and `rows` of it and its partner. `slope`: of its learning curve, if it was measured.
pub(in crate::mtl::relatedness) fn known_sizes(
    relatedness: &Relatedness,
    main: &str,
    rows: [usize; 2],
    slope: Option<f64>,
) -> Vec<Option<f64>> {
    let own = relatedness.tasks.iter().find(|task| task.name == main).map(|task| task.own_auroc);
    let [of_main, of_partner] = rows.map(|rows| rows as f64);
    vec![Some(of_main.ln()), Some((of_partner / of_main).ln()), own, slope]
}

pub(in crate::mtl::relatedness) fn measure_columns(pair: &PairRelatedness) -> Vec<Option<f64>> {
    MEASURES.iter().map(|measure| pair.measures.get(measure.word)?.value).collect()
}

pub(in crate::mtl::relatedness) fn context_columns(pair: &PairRelatedness) -> Vec<Option<f64>> {
    let context = &pair.context;
    let ln = |length: f64| length.max(1.0).ln();
    [
        context.main_entropy,
        context.partner_entropy,
        ln(context.main_length),
        ln(context.partner_length),
        context.unknown_words,
    ]
    .map(Some)
    .to_vec()
}
