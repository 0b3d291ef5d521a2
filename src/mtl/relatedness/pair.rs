//! All measures of one ordered pair: values, floors, reliabilities, details.

use std::collections::HashSet;

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::{
    a_distance::a_distance,
    cka::debiased_cka,
    divergence::excess_divergence,
    fisher,
    gradient_cosine::{self, Halves, random_deviation, share_in_conflict},
    measured::{Measured, cosine, mean},
    network::{Layer, Networks, PairGradients, REFITS, RETRAININGS, Union, texts_to_compare},
    representation::{adjusted_r2, leep, log_me},
    tasks::{Linear, PERMUTATIONS, Task},
    word_weights::{ClassCounts, common_words, disattenuated, reliability},
    zero_shot::{area_of_chance, transfer_ratio},
};
use crate::Result;
use crate::mtl::streams::Streams;

/// Random splits into halves, over which the reliability of word weights is averaged.
const WEIGHT_HALVES: u64 = 5;
/// The smallest reliability for which a cosine is disattenuated: division by a number near 0 would magnify noise.
const LEAST_RELIABILITY: f64 = 0.2;

/// A task with everything that is computed once for all of its pairs.
pub(super) struct TaskProfile<'d> {
    pub task: Task<'d>,
    pub groups: HashSet<u64>,
    pub linear: Linear,
    counts: ClassCounts,
    counts_of_halves: Vec<[ClassCounts; 2]>,
    permuted_counts: Vec<ClassCounts>,
    pub network: Option<NetworkProfile>,
}

/// What the network measures need of a task.
pub(super) struct NetworkProfile {
    /// Of its texts, by the untrained layer.
    features: Vec<Vec<f64>>,
    trained: Layer,
    halves: [Layer; 2],
    permuted: Vec<Layer>,
    /// Of all texts and of two halves.
    fisher: [Vec<f64>; 3],
    permuted_fisher: Vec<Vec<f64>>,
}

impl<'d> TaskProfile<'d> {
    pub fn new(task: Task<'d>, seed: u64, networks: Option<&Networks<'_>>) -> Result<Self> {
        let permuted = |index| task.counts_with(&task.permuted_labels(seed, index));
        Ok(Self {
            groups: task.groups(),
            linear: Linear::new(&task, seed),
            counts: task.counts(),
            counts_of_halves: (0..WEIGHT_HALVES)
                .map(|index| task.random_halves(seed, index).each_ref().map(Task::counts))
                .collect(),
            permuted_counts: (0..PERMUTATIONS as u64).map(permuted).collect(),
            network: networks.map(|networks| NetworkProfile::new(&task, seed, networks)).transpose()?,
            task,
        })
    }

    pub fn has_word(&self, word: usize) -> bool {
        self.counts.has(word)
    }
}

impl NetworkProfile {
    fn new(task: &Task<'_>, seed: u64, networks: &Networks<'_>) -> Result<Self> {
        let features = networks.features(networks.fresh(), &task.texts());
        let [first, second] = task.halves();
        let train = |task: &Task<'_>, labels: &[bool]| networks.train(task, labels);
        let permuted = |index: usize| train(task, &task.permuted_labels(seed, index as u64));
        let permuted_fisher = (0..RETRAININGS as u64).map(|index| {
            let [whole, ..] = networks.fisher(task, &features, &task.permuted_labels(seed, index));
            whole
        });
        Ok(Self {
            trained: train(task, &task.labels)?,
            halves: [train(&first, &first.labels)?, train(&second, &second.labels)?],
            permuted: (0..RETRAININGS).map(permuted).collect::<Result<_>>()?,
            fisher: networks.fisher(task, &features, &task.labels),
            permuted_fisher: permuted_fisher.collect(),
            features,
        })
    }
}

/// An ordered pair of tasks, of which every measure can be taken.
pub(super) struct OrderedPair<'p, 'd> {
    pub main: &'p TaskProfile<'d>,
    pub partner: &'p TaskProfile<'d>,
    pub seed: u64,
}

impl OrderedPair<'_, '_> {
    fn rng(&self, what: &str, index: u64) -> ChaCha8Rng {
        let name = format!("{what} {} {}", self.main.task.name, self.partner.task.name);
        Streams::new(self.seed).rng(&name, index)
    }

    /// Groups of equal texts that both tasks have.
    pub fn shared(&self) -> HashSet<u64> {
        self.main.groups.intersection(&self.partner.groups).copied().collect()
    }

    pub fn divergence(&self) -> Measured {
        let (a, b) = (&self.main.task, &self.partner.task);
        let of = |a: &Task<'_>, b: &Task<'_>, index| {
            excess_divergence(&a.texts(), &b.texts(), a.vocabulary(), &mut self.rng("re-splits", index))
        };
        let whole = of(a, b, 0);
        let (halves_a, halves_b) = (a.halves(), b.halves());
        let halves = [0, 1].map(|i| of(&halves_a[i], &halves_b[i], 1 + i as u64).value);
        Measured::new(whole.value, &whole.re_splits, Some(halves)).with("raw", whole.raw)
    }

    pub fn a_distance(&self) -> Measured {
        let (a, b) = (&self.main.task, &self.partner.task);
        let of = |a: &Task<'_>, b: &Task<'_>, permuted, index| {
            a_distance(&a.texts(), &b.texts(), permuted, &mut self.rng("a-distance", index))
        };
        let permuted: Vec<f64> = (0..PERMUTATIONS as u64).map(|index| of(a, b, true, 10 + index)).collect();
        let (halves_a, halves_b) = (a.halves(), b.halves());
        let halves = [0, 1].map(|i| of(&halves_a[i], &halves_b[i], false, 1 + i as u64));
        Measured::new(of(a, b, false, 0), &permuted, Some(halves))
    }

    pub fn word_weights(&self) -> Measured {
        let (a, b) = (self.main, self.partner);
        let words = common_words(&a.counts, &b.counts);
        if words.is_empty() {
            return Measured::undefined("the tasks have no word in common");
        }
        let weights_a = a.counts.weights(&words);
        let of = |counts: &ClassCounts| cosine(&weights_a, &counts.weights(&words));
        let reliabilities = [a, b].map(|profile| reliability(&profile.counts_of_halves, &words));
        let plain = of(&b.counts);
        let is_reliable = |&r: &f64| r >= LEAST_RELIABILITY;
        let value = disattenuated(plain, reliabilities).filter(|_| reliabilities.iter().all(is_reliable));
        let Some(value) = value else {
            let reason =
                "the words that both have tell hardly anything of the labels of one of them: its halves disagree";
            return Measured::undefined(reason).with("cosine", plain).with("common_words", words.len() as f64);
        };
        let permuted: Vec<f64> = b.permuted_counts.iter().map(|counts| of(counts) * value / plain).collect();
        let [r_a, r_b] = reliabilities;
        let mut measured = Measured::new(value, &permuted, None);
        measured.reliability = Some((r_a * r_b).sqrt());
        measured.with("cosine", plain).with("common_words", words.len() as f64)
    }

    pub fn zero_shot(&self, shared: &HashSet<u64>) -> Measured {
        if shared.is_empty() {
            return zero_shot(&self.main.task, &self.main.linear, &self.partner.linear);
        }
        let (Some(main), Some(partner)) = (self.main.task.without(shared), self.partner.task.without(shared)) else {
            return Measured::undefined("without the texts that both have, too few are left");
        };
        zero_shot(&main, &Linear::new(&main, self.seed), &Linear::new(&partner, self.seed))
    }

    /// Both gradient measures.
    pub fn gradients(&self, networks: &Networks<'_>) -> Option<[Measured; 2]> {
        let (a, b) = (self.main, self.partner);
        let (of_a, of_b) = (a.network.as_ref()?, b.network.as_ref()?);
        let sides = [(&a.task, &of_a.features[..]), (&b.task, &of_b.features[..])];
        let models = [&a.linear, &b.linear];
        let mut union = networks.union(sides, |task, texts| models[task].scores(texts));
        let found = networks.gradients(&union, true);
        let permuted: Vec<PairGradients> = (0..REFITS as u64)
            .map(|index| {
                let labels: &mut Union<'_> = &mut union;
                labels.labels[1].shuffle(&mut self.rng("permuted union", index));
                networks.gradients(&union, false)
            })
            .collect();
        Some([self.gradient_cosine(&found, &permuted), lookahead(&found, &permuted)])
    }

    fn gradient_cosine(&self, found: &PairGradients, permuted: &[PairGradients]) -> Measured {
        let halves = halves_of(found);
        let sum = |task: usize| -> Vec<f64> {
            let [first, second] = halves[task];
            first.iter().zip(second).map(|(x, y)| x + y).collect()
        };
        let plain = cosine(&sum(0), &sum(1));
        let details = |measured: Measured| {
            measured
                .with("cosine", plain)
                .with("share_negative", share_in_conflict(&found.batches))
                .with("random_deviation", random_deviation(halves[0][0].len()))
        };
        let reliability = gradient_cosine::reliability(halves);
        let value = gradient_cosine::disattenuated(halves).filter(|_| reliability >= LEAST_RELIABILITY);
        let Some(value) = value else {
            let reason = "a task's gradients on two halves of the texts have hardly a direction in common";
            return details(Measured::undefined(reason));
        };
        let permuted: Vec<f64> =
            permuted.iter().filter_map(|found| gradient_cosine::disattenuated(halves_of(found))).collect();
        let mut measured = Measured::new(value, &permuted, None);
        measured.reliability = Some(reliability);
        details(measured)
    }

    pub fn representation(&self, networks: &Networks<'_>) -> Measured {
        let (Some(of_main), Some(of_partner)) = (&self.main.network, &self.partner.network) else {
            return Measured::undefined("no network was trained");
        };
        let task = &self.main.task;
        let of = |layer: &Layer, task: &Task<'_>, untrained: &[Vec<f64>]| {
            let trained = networks.features(layer, &task.texts());
            Some(adjusted_r2(&trained, &task.labels)? - adjusted_r2(untrained, &task.labels)?)
        };
        let Some(value) = of(&of_partner.trained, task, &of_main.features) else {
            return Measured::undefined("there are fewer texts than the layer has units");
        };
        let permuted: Vec<f64> =
            of_partner.permuted.iter().filter_map(|layer| of(layer, task, &of_main.features)).collect();
        let halves = task.halves();
        let of_half = |half: usize| {
            let part = &halves[half];
            of(&of_partner.halves[half], part, &networks.features(networks.fresh(), &part.texts()))
        };
        let halves = of_half(0).zip(of_half(1)).map(|(first, second)| [first, second]);
        let features = networks.features(&of_partner.trained, &task.texts());
        let source = networks.probabilities(&of_partner.trained, &task.texts());
        Measured::new(value, &permuted, halves)
            .with("leep", leep(&source, &task.labels))
            .with("log_me", log_me(&features, &task.labels))
    }

    pub fn fisher(&self) -> Measured {
        let (Some(a), Some(b)) = (&self.main.network, &self.partner.network) else {
            return Measured::undefined("no network was trained");
        };
        let of = |part: usize| fisher::similarity(&a.fisher[part], &b.fisher[part]);
        let permuted: Vec<f64> = b.permuted_fisher.iter().map(|f| fisher::similarity(&a.fisher[0], f)).collect();
        Measured::new(of(0), &permuted, Some([of(1), of(2)]))
    }

    pub fn cka(&self, networks: &Networks<'_>) -> Measured {
        let (Some(a), Some(b)) = (&self.main.network, &self.partner.network) else {
            return Measured::undefined("no network was trained");
        };
        let texts = texts_to_compare(&self.main.task, &self.partner.task);
        let of = |a: &Layer, b: &Layer| debiased_cka(&networks.features(a, &texts), &networks.features(b, &texts));
        let Some(value) = of(&a.trained, &b.trained) else {
            return Measured::undefined("a layer represents all texts alike");
        };
        let (x, mut y) = (networks.features(&a.trained, &texts), networks.features(&b.trained, &texts));
        let permuted = (0..PERMUTATIONS as u64).filter_map(|index| {
            y.shuffle(&mut self.rng("permuted representations", index));
            debiased_cka(&x, &y)
        });
        let permuted: Vec<f64> = permuted.collect();
        let halves = of(&a.halves[0], &b.halves[0]).zip(of(&a.halves[1], &b.halves[1]));
        Measured::new(value, &permuted, halves.map(|(first, second)| [first, second]))
    }
}

fn zero_shot(main: &Task<'_>, own: &Linear, partner: &Linear) -> Measured {
    let positives = main.labels.iter().filter(|&&label| label).count();
    let (value, halves, permuted) = partner.areas(main);
    let areas = |measured: Measured| measured.with("auroc", value).with("own_auroc", own.own_area);
    if own.own_area <= area_of_chance(positives, main.labels.len() - positives) {
        let reason = "the main task's own linear model ranks its texts by chance";
        return areas(Measured::undefined(reason));
    }
    let ratio = |area: f64| transfer_ratio(area, own.own_area);
    let permuted: Vec<f64> = permuted.into_iter().map(ratio).collect();
    areas(Measured::new(ratio(value), &permuted, Some(halves.map(ratio))))
}

fn halves_of(found: &PairGradients) -> Halves<'_> {
    [0, 1].map(|task| [0, 1].map(|half: usize| &found.halves[half][task][..]))
}

fn lookahead(found: &PairGradients, permuted: &[PairGradients]) -> Measured {
    let permuted: Vec<f64> = permuted.iter().map(|found| mean(&found.lookahead)).collect();
    let value = mean(&found.lookahead);
    let by_rate = if found.rate > 0.0 { value / found.rate } else { 0.0 };
    Measured::new(value, &permuted, Some(found.lookahead)).with("rate", found.rate).with("by_rate", by_rate)
}
