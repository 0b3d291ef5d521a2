//! Every knob, declared once.

use std::{path::PathBuf, sync::LazyLock};

use serde::{Deserialize, Serialize};

use super::{
    AbsentHead, Balance, BatchComposition, EmbeddingSource, EmbeddingUpdates, Field, HeadStart, Keep, Kind,
    LossNormaliser, Preset, Probe, Shared, TaskWeights, UnknownWord, choices::words,
};
use crate::autograd::{
    AdamForm,
    ops::{
        conv::{ConvActivation, TimePooling},
        lstm::GateActivation,
    },
};
use crate::layers::SentenceVector;
use crate::mtl::data::{DEFAULT_TEXT_COLUMN, Delimiter, Format, Padding, TaskSource, Tokenizer};

/// More threads than any machine has cores, and few enough to start.
const MOST_THREADS: i64 = 1_024;

/// Four for each of a thousand ranks.
const MOST_SHARDS: i64 = 4_096;

/// `"Group" { /// documentation  name: type as kind => default [, paper value]; … }`
macro_rules! settings {
    ($($group:literal {
        $($(#[doc = $doc:literal])+ $name:ident: $type:ty as $kind:expr => $default:expr $(, paper $paper:expr)?;)+
    })+) => {
        /// The effective value of every field, and the tasks. See the [module](super) for where they come from.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case", deny_unknown_fields)]
        pub struct Settings {
            $($($(#[doc = $doc])+ pub $name: $type,)+)+
            /// The tasks to learn; none means a small simulated pair.
            #[serde(rename = "task", default)]
            pub tasks: Vec<TaskSource>,
        }

        impl Settings {
            /// The values from which a configuration starts, without a task.
            pub fn preset(preset: Preset) -> Self {
                let mut settings = Self { $($($name: $default,)+)+ tasks: Vec::new() };
                if preset == Preset::Paper {
                    $($($(settings.$name = $paper;)?)+)+
                }
                settings
            }
        }

        /// Every field of [`Settings`] except the tasks, in the order of declaration.
        pub static FIELDS: LazyLock<Vec<Field>> = LazyLock::new(|| vec![$($(
            Field {
                name: stringify!($name).replace('_', "-"),
                doc: concat!($($doc),+).trim(),
                group: $group,
                kind: $kind,
            },
        )+)+]);
    };
}

impl Field {
    /// The field of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        FIELDS.iter().find(|field| field.name == name)
    }
}

settings! {
    "Run" {
        /// The values of all fields that nothing else sets: today's usual ones, or those of Joshi et al. 2019.
        preset: Preset as Kind::Choice(Preset::WORDS) => Preset::Default, paper Preset::Paper;
        /// Root of all random numbers: one seed gives one result, to the bit.
        seed: u64 as Kind::Whole { least: 0, most: i64::MAX } => 1;
        /// Threads to compute with, 0 for one a core; the result is the same for any number.
        threads: usize as Kind::Whole { least: 0, most: MOST_THREADS } => 0;
        /// Run directory: what is learnt, and what is needed to learn it again, is written there.
        out: PathBuf as Kind::Path => PathBuf::from("run");
    }
    "Data" {
        /// Share of each task's rows held out for validation where the task names no validation file.
        validation: f64 as Kind::Share => 0.2;
        /// Predict true where the probability is greater than this.
        threshold: f64 as Kind::Share => 0.5;
        /// The column of texts, for tasks that name none.
        text_column: String as Kind::Name => DEFAULT_TEXT_COLUMN.into();
        /// The label that means true, if it is not 1, true or yes; for tasks that name none.
        positive: Option<String> as Kind::Word => None;
        /// The label that means false, if it is not 0, false or no; for tasks that name none.
        negative: Option<String> as Kind::Word => None;
        /// What stands between two columns, if their format and header do not tell; for tasks that name nothing.
        delimiter: Option<Delimiter> as Kind::Delimiter => None;
        /// The format of files whose extension does not tell it; for tasks that name none.
        input_format: Option<Format> as Kind::Choice(words::FORMAT) => None;
        /// Column of the files, such as the author: rows that agree in it are never parted, as exact duplicates are not.
        group: Option<String> as Kind::Name => None;
    }
    "Text" {
        /// What makes tokens of a text: the rules of the GloVe Twitter vectors, or white space alone.
        tokenizer: Tokenizer as Kind::Choice(words::TOKENIZER) => Tokenizer::Glove2;
        /// File of word vectors in GloVe's text format, plain or gzip; without one the embedding is random.
        vectors: Option<PathBuf> as Kind::Path => None;
        /// Word vectors as they are, word vectors trained further, or random rows, trained.
        embedding: EmbeddingSource as Kind::Choice(EmbeddingSource::WORDS) => EmbeddingSource::Frozen;
        /// Columns of a random embedding; word vectors bring their own number.
        embedding_dim: usize as Kind::Whole { least: 1, most: 4_096 } => 200;
        /// The row of a word without a vector: zeros, or the mean of the vectors in use.
        unknown: UnknownWord as Kind::Choice(UnknownWord::WORDS) => UnknownWord::Zero;
        /// Zero vectors, before or after each text, up to the length of the longest; or none.
        padding: Padding as Kind::Choice(words::PADDING) => Padding::None, paper Padding::Pre;
        /// Cut texts to this number of tokens; not set, no text is cut.
        max_length: Option<usize> as Kind::Whole { least: 1, most: 1_000_000 } => None;
    }
    "Model" {
        /// The layer that all tasks share.
        shared: Shared as Kind::Choice(Shared::WORDS) => Shared::Bilstm;
        /// Units of the BiLSTM in each direction; its states are twice as wide.
        units: usize as Kind::Whole { least: 1, most: 4_096 } => 25;
        /// The BiLSTM's sentence vector: last state of each direction, or largest value or mean over time.
        sentence: SentenceVector as Kind::Choice(words::SENTENCE) => SentenceVector::Last;
        /// The squashing function of the LSTM's gates; hard-sigmoid is clip(0.2 x + 0.5, 0, 1).
        gate_activation: GateActivation as Kind::Choice(words::GATE_ACTIVATION)
            => GateActivation::Sigmoid, paper GateActivation::HardSigmoid;
        /// What the bias of the LSTM's forget gate starts from.
        forget_bias: f64 as Kind::Number => 1.0;
        /// Filters of the convolution.
        filters: usize as Kind::Whole { least: 1, most: 16_384 } => 25;
        /// Tokens that a filter of the convolution sees at once.
        kernel_width: usize as Kind::Whole { least: 1, most: 256 } => 3;
        /// What follows the convolution.
        conv_activation: ConvActivation as Kind::Choice(words::CONV_ACTIVATION) => ConvActivation::Relu;
        /// The convolution's sentence vector: largest value or mean over time.
        conv_pooling: TimePooling as Kind::Choice(words::CONV_POOLING) => TimePooling::Max;
        /// What each task's head starts from: values of its own, or the same for all tasks.
        heads: HeadStart as Kind::Choice(HeadStart::WORDS) => HeadStart::Own;
        /// Share of the sentence vector that dropout zeroes in training.
        dropout: f64 as Kind::Share => 0.25;
    }
    "Training" {
        /// Passes over the training rows at most; where no row is held out, 10 unless something else is said.
        epochs: usize as Kind::Whole { least: 1, most: 1_000_000 } => 30, paper 10;
        /// Rows in a batch; the last one of an epoch may have fewer.
        batch: usize as Kind::Whole { least: 1, most: 1_000_000 } => 32;
        /// Parts of a batch whose gradients are computed alone and added in a fixed order: a power of two, for ranks to share.
        shards: usize as Kind::PowerOfTwo { most: MOST_SHARDS } => 1;
        /// Batches of the shuffled union of all tasks' rows, or of one task at a time, taking turns.
        batches: BatchComposition as Kind::Choice(BatchComposition::WORDS) => BatchComposition::Mixed;
        /// What the sum of a head's losses is divided by: the rows labelled for it, or all rows of the batch.
        loss_normaliser: LossNormaliser as Kind::Choice(LossNormaliser::WORDS)
            => LossNormaliser::Labelled, paper LossNormaliser::Batch;
        /// Adam's step size.
        learning_rate: f64 as Kind::Positive => 1e-3;
        /// Adam's decay of the gradient's mean.
        beta1: f64 as Kind::Share => 0.9;
        /// Adam's decay of the gradient's mean square.
        beta2: f64 as Kind::Share => 0.999;
        /// Adam's guard against division by zero.
        epsilon: f64 as Kind::Positive => 1e-8, paper 1e-7;
        /// Adam as Kingma & Ba published it, or as Keras had it: epsilon before the correction of the bias.
        adam: AdamForm as Kind::Choice(words::ADAM) => AdamForm::Kingma, paper AdamForm::Keras;
        /// Rows of a trained embedding that Adam moves: all, those in the batch, or (auto) the latter beyond 10,000 words.
        embedding_updates: EmbeddingUpdates as Kind::Choice(EmbeddingUpdates::WORDS)
            => EmbeddingUpdates::Auto, paper EmbeddingUpdates::Dense;
        /// The head of a task without a label in the batch: left alone, or stepped with gradient zero.
        absent_head: AbsentHead as Kind::Choice(AbsentHead::WORDS) => AbsentHead::Skip, paper AbsentHead::Decay;
        /// Stop after this number of epochs without a smaller held-out loss; 0 runs all epochs.
        patience: usize as Kind::Whole { least: 0, most: 1_000_000 } => 3, paper 0;
        /// End with the parameters of the epoch with the smallest held-out loss, or of the last one.
        keep: Keep as Kind::Choice(Keep::WORDS) => Keep::Best, paper Keep::Last;
        /// Steps between checkpoints, beside those after epochs, which take a twentieth of the time at most.
        checkpoint_steps: Option<usize> as Kind::Whole { least: 1, most: i64::MAX } => None;
        /// How the tasks' losses or gradients are weighed against each other.
        balance: Balance as Kind::Choice(Balance::WORDS) => Balance::Equal;
        /// The weights of `balance = "static"`, as flu=1,vaccine=0.5.
        balance_weights: Option<TaskWeights> as Kind::TaskWeights => None;
        /// Measure each task's gradients every N steps (not set, never; `gradients` alone: every 10).
        probe: Option<Probe> as Kind::Probe => None;
    }
}
