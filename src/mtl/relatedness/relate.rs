//! Every measure of every ordered pair of tasks, and the results.

use std::sync::atomic::{AtomicUsize, Ordering};

use indexmap::IndexMap;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{
    context::{Context, Side},
    labels::LabelAgreement,
    measured::Measured,
    network::Networks,
    pair::{OrderedPair, TaskProfile},
    tasks::{MOST_TEXTS, Task},
};
use crate::mtl::{
    choices::choices,
    data::{Corpus, Dataset, Vectors, require_both_classes},
    model::EmbeddingInit,
    settings::Settings,
};
use crate::{Error, Result};

choices! {
    /// Which measures to take.
    Extent {
        /// Those that need no network.
        Cheap = "cheap",
        /// Those that train layers too.
        All = "all",
    }
}

/// A measure of relatedness, for tables and files.
pub struct Measure {
    /// Its name in files.
    pub word: &'static str,
    /// Its name for people.
    pub name: &'static str,
    /// The meaning of its values.
    pub meaning: &'static str,
    /// Whether layers are trained for it.
    pub needs_network: bool,
}

const fn measure(word: &'static str, name: &'static str, meaning: &'static str, needs_network: bool) -> Measure {
    Measure { word, name, meaning, needs_network }
}

/// All measures, in the order of tables.
pub const MEASURES: [Measure; 9] = [
    measure(
        "excess_jsd",
        "excess divergence",
        "How differently the tasks choose their words, from 0 (alike, up to chance) to 1 (no word in common).",
        false,
    ),
    measure(
        "a_distance",
        "A-distance",
        "How well a linear model tells the tasks' texts apart, from 0 (not at all) to 2 (always).",
        false,
    ),
    measure(
        "word_weight_cosine",
        "word weights ρ̂",
        "Whether the same words speak for the true class: 1 the same words, 0 unrelated, below 0 the opposite.",
        false,
    ),
    measure(
        "zero_shot_ratio",
        "zero-shot ratio",
        "What a linear model of the partner knows of the main task, as a share of what its own model learns.",
        false,
    ),
    measure(
        "gradient_cosine",
        "gradient cosine",
        "Whether both tasks pull a shared layer into one direction, once their heads are fitted.",
        true,
    ),
    measure(
        "lookahead",
        "lookahead",
        "By which share a small step for the partner makes the main task's loss smaller, on other texts.",
        true,
    ),
    measure(
        "representation",
        "representation",
        "How much more of the main label a layer trained on the partner carries than an untrained one (R²).",
        true,
    ),
    measure(
        "fisher",
        "Fisher embedding",
        "Whether both tasks are sensitive to the same parameters of a layer: 1 the same, 0 others.",
        true,
    ),
    measure("cka", "CKA", "Whether layers trained on either task represent texts alike: 1 alike, about 0 not.", true),
];

/// The measures of all ordered pairs of some tasks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Relatedness {
    /// The version of mtlcore that measured.
    pub version: String,
    /// Which measures were taken.
    pub measures: Extent,
    /// The root of all random numbers.
    pub seed: u64,
    /// The largest number of texts in a task's sample.
    pub most_texts: usize,
    /// The tasks, sorted by name.
    pub tasks: Vec<TaskFacts>,
    /// Every ordered pair, sorted by main task, then by partner.
    pub pairs: Vec<PairRelatedness>,
}

/// The data of one task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskFacts {
    /// Its name.
    pub name: String,
    /// Labelled texts.
    pub texts: usize,
    /// True ones.
    pub positives: usize,
    /// The area under the ROC curve of its own linear model, cross-validated: how much there is to learn.
    pub own_auroc: f64,
}

/// An ordered pair.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairRelatedness {
    /// The task that is to profit.
    pub main: String,
    /// The task that it is learnt with.
    pub partner: String,
    /// The share of the main task's texts that the partner has too.
    pub shared_texts: f64,
    /// By the words of [`MEASURES`].
    pub measures: IndexMap<String, Measured>,
    /// Sizes, prevalence, lengths.
    pub context: Context,
    /// Labels against labels, if some texts carry both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<LabelAgreement>,
}

impl Relatedness {
    /// A pair by its names.
    pub fn pair(&self, main: &str, partner: &str) -> Option<&PairRelatedness> {
        self.pairs.iter().find(|pair| (pair.main.as_str(), pair.partner.as_str()) == (main, partner))
    }
}

/// Measures every ordered pair of the tasks of a corpus, on the threads of the current pool; `progress` gets (done, all) steps.
///
/// # Errors
/// [`Error::Config`] for fewer than two tasks, [`Error::Task`] for a task with too few texts of a class; a layer's training that diverges.
pub fn relate(
    settings: &Settings,
    corpus: &Corpus,
    extent: Extent,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Relatedness> {
    if corpus.tasks.len() < 2 {
        let message = format!("found {}, expected two or more: relatedness is of two tasks", corpus.tasks.len());
        return Err(Error::config("task", message));
    }
    require_both_classes(corpus)?;
    Dataset::require_room(corpus, settings.tokenizer, settings.max_length, settings.padding)?;
    let dataset = Dataset::new(corpus, settings.tokenizer, settings.max_length, settings.padding);
    let tasks: Vec<Task<'_>> =
        (0..dataset.tasks.len()).map(|slot| Task::new(&dataset, slot, settings.seed)).collect::<Result<_>>()?;
    let networks = match extent {
        Extent::Cheap => None,
        Extent::All => {
            let vocabulary = &dataset.encoder.vocabulary;
            let vectors = settings.vectors.as_ref().map(|path| Vectors::read(path, vocabulary)).transpose()?;
            crate::mtl::prepare::coverage(settings, &dataset, vectors.as_ref())?;
            let table = EmbeddingInit::new(settings, vocabulary, vectors.as_ref());
            Some(Networks::new(settings, &dataset, table))
        }
    };
    let (n, done) = (tasks.len(), AtomicUsize::new(0));
    let all = n + n * (n - 1);
    let step = || progress(done.fetch_add(1, Ordering::Relaxed) + 1, all);
    let profiles: Vec<TaskProfile<'_>> = tasks
        .into_par_iter()
        .map(|task| {
            let profile = TaskProfile::new(task, settings.seed, networks.as_ref());
            step();
            profile
        })
        .collect::<Result<_>>()?;
    let places: Vec<(usize, usize)> =
        (0..n).flat_map(|main| (0..n).map(move |partner| (main, partner))).filter(|(a, b)| a != b).collect();
    let pairs = places
        .into_par_iter()
        .map(|(main, partner)| {
            let pair = OrderedPair { main: &profiles[main], partner: &profiles[partner], seed: settings.seed };
            let measured = measured(&pair, networks.as_ref());
            step();
            measured
        })
        .collect();
    Ok(Relatedness {
        version: env!("CARGO_PKG_VERSION").into(),
        measures: extent,
        seed: settings.seed,
        most_texts: MOST_TEXTS,
        tasks: profiles.iter().map(facts).collect(),
        pairs,
    })
}

fn facts(profile: &TaskProfile<'_>) -> TaskFacts {
    let Task { name, all, positives, .. } = &profile.task;
    TaskFacts { name: (*name).to_owned(), texts: all.len(), positives: *positives, own_auroc: profile.linear.own_area }
}

fn measured(pair: &OrderedPair<'_, '_>, networks: Option<&Networks<'_>>) -> PairRelatedness {
    let (main, partner) = (pair.main, pair.partner);
    let shared = pair.shared();
    let examples = &main.task.dataset.examples;
    let common = main.task.all.iter().filter(|&&row| shared.contains(&examples[row].group)).count();
    let mut measures = vec![pair.divergence(), pair.a_distance(), pair.word_weights(), pair.zero_shot(&shared)];
    if let Some(networks) = networks {
        measures.extend(pair.gradients(networks).into_iter().flatten());
        measures.extend([pair.representation(networks), pair.fisher(), pair.cka(networks)]);
    }
    let both = |&row: &usize| main_and_partner(&examples[row].labels, main.task.slot, partner.task.slot);
    let labels: Vec<(bool, bool)> = main.task.all.iter().filter_map(both).collect();
    PairRelatedness {
        main: main.task.name.to_owned(),
        partner: partner.task.name.to_owned(),
        shared_texts: common as f64 / main.task.all.len() as f64,
        measures: MEASURES.iter().map(|measure| measure.word.to_owned()).zip(measures).collect(),
        context: Context::of(
            &side(main, &main.task.texts(), &|word| main.has_word(word)),
            &side(partner, &partner.task.texts(), &|word| partner.has_word(word)),
        ),
        labels: LabelAgreement::of(&labels),
    }
}

fn main_and_partner(labels: &[Option<bool>], main: usize, partner: usize) -> Option<(bool, bool)> {
    labels[main].zip(labels[partner])
}

fn side<'t>(profile: &TaskProfile<'_>, tokens: &'t [&'t [u32]], has: &'t dyn Fn(usize) -> bool) -> Side<'t> {
    Side { texts: profile.task.all.len(), prevalence: profile.task.prevalence(), tokens, has }
}
