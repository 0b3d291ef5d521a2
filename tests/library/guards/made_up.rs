//! Outcomes that nobody trained: each probability is said by a function, so that what the figures must be is known.

use mtlcore::mtl::{
    data::Simulation,
    evaluation::metrics::{Metrics, best_threshold},
    study::{
        Arm, Control, InnerPredictions, Outcomes, PairData, Predictions, Results, Seeds, StudySettings, UnitOutcome,
        UnitSpec, analyse, results::TaskResult,
    },
    training::{EpochReport, TaskReport},
};

use super::simulated;

/// A text of which a unit says how probably it is true.
pub struct Text<'a> {
    pub spec: &'a UnitSpec,
    pub task: &'a str,
    pub row: usize,
    pub truth: bool,
    /// An inner row, not a test row.
    pub is_inner: bool,
}

/// A number of [0, 1) that follows from `key`.
pub fn random(key: &[usize]) -> f64 {
    let mix = |state: u64, &part: &usize| {
        // The finaliser of SplitMix64.
        let z = (state ^ part as u64).wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    (key.iter().fold(1, mix) >> 11) as f64 / (1_u64 << 53) as f64
}

/// A probability that lies on the right side of ½ with the probability `skill`.
pub fn guess(truth: bool, skill: f64, key: &[usize]) -> f64 {
    let is_right = random(key) < skill;
    let within = 0.3 * random(&[key, &[7]].concat());
    if is_right == truth { 0.6 + within } else { 0.1 + within }
}

impl Text<'_> {
    /// Right with the probability `skill`; the same for all arms and trainings.
    pub fn guess(&self, skill: f64) -> f64 {
        guess(self.truth, skill, &[self.row, usize::from(self.is_inner)])
    }

    /// Likewise, but each arm and training has texts of its own that it gets wrong.
    pub fn own_guess(&self, skill: f64) -> f64 {
        let arm = self.spec.arm.word().bytes().map(usize::from).sum();
        let layer = self.spec.shared.map_or(0, |shared| 1 + shared as usize);
        guess(self.truth, skill, &[self.row, usize::from(self.is_inner), arm, layer, self.spec.seed])
    }

    pub fn is(&self, arm: Arm) -> bool {
        self.spec.arm == arm
    }

    pub fn is_control(&self, control: Control) -> bool {
        self.is(Arm::Control(control))
    }
}

/// A pair whose tasks have as many rows each; enough that a ranking is told from chance.
pub fn pair(settings: &StudySettings) -> PairData {
    simulated(settings, &Simulation { rows: [240, 240], prevalence: [0.4, 0.4], ..Simulation::default() })
}

/// The outcome of a unit that says `say` of each text.
pub fn outcome(spec: &UnitSpec, pair: &PairData, say: &dyn Fn(&Text) -> f64) -> UnitOutcome {
    let rows = pair.rows(spec.repeat, spec.fold).unwrap();
    let of_task = |task: &String| {
        let slot = pair.slot(task);
        let side = |side: &[usize], is_inner: bool| -> (Vec<usize>, Vec<bool>, Vec<f64>) {
            let labelled = side.iter().filter_map(|&row| Some((row, pair.dataset.examples[row].labels[slot]?)));
            let said = labelled.map(|(row, truth)| (row, truth, say(&Text { spec, task, row, truth, is_inner })));
            let (mut rows, mut truths, mut probabilities) = (Vec::new(), Vec::new(), Vec::new());
            for (row, truth, probability) in said {
                rows.push(row);
                truths.push(truth);
                probabilities.push(probability);
            }
            (rows, truths, probabilities)
        };
        let (_, truths, probabilities) = side(&rows.inner, true);
        let tuned_threshold = best_threshold(&probabilities, &truths);
        let inner = Some(InnerPredictions { truths, probabilities, tuned_threshold });
        let (rows, truths, probabilities) = side(&rows.test, false);
        (task.clone(), Predictions { rows, truths, probabilities, inner })
    };
    let tasks = pair.dataset.tasks.iter().filter(|task| spec.task.as_ref().is_none_or(|of| of == *task));
    UnitOutcome {
        tasks: tasks.map(of_task).collect(),
        epochs: Vec::new(),
        chosen_epoch: 1,
        steps: 1,
        trials: Vec::new(),
        seconds: 0.0,
    }
}

/// The outcomes of a whole study.
pub fn outcomes(settings: &StudySettings, pairs: &[PairData], say: impl Fn(&Text) -> f64) -> Outcomes {
    let pair_of = |spec: &UnitSpec| pairs.iter().find(|pair| pair.name == spec.pair).unwrap();
    let specs = UnitSpec::all(settings, pairs, &Seeds::everywhere(settings.seeds));
    specs.into_iter().map(|spec| (spec.clone(), outcome(&spec, pair_of(&spec), &say))).collect()
}

/// What a study of one pair finds in them.
pub fn results(settings: &StudySettings, pair: &PairData, say: impl Fn(&Text) -> f64) -> Results {
    let pairs = std::slice::from_ref(pair);
    analyse(settings, pairs, &outcomes(settings, pairs, say))
}

/// All comparisons.
pub fn comparisons(results: &Results) -> impl Iterator<Item = &TaskResult> {
    results.pairs.iter().flat_map(|pair| &pair.layers).flat_map(|layer| &layer.tasks)
}

/// Epochs with these losses on the inner rows.
pub fn epochs(tasks: impl Iterator<Item = String> + Clone, inner_losses: &[f64]) -> Vec<EpochReport> {
    let report = |(epoch, &log_loss): (usize, &f64)| {
        let validation = Some(Metrics { log_loss, ..Metrics::new(&[0.9, 0.1], &[true, false], 0.5) });
        let task = TaskReport { loss: 0.5, validation };
        EpochReport { epoch: epoch + 1, steps: 1, tasks: tasks.clone().map(|name| (name, task.clone())).collect() }
    };
    inner_losses.iter().enumerate().map(report).collect()
}
