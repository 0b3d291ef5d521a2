//! The fields that choose among a few named ways of doing one thing.

use serde::{Deserialize, Serialize};

use crate::mtl::choices::choices;

choices! {
    /// The values from which a configuration starts.
    Preset {
        /// What a careful practitioner would choose today.
        Default = "default",
        /// Joshi et al. 2019, and Keras 2.2.5 (August 2019) where the paper is silent.
        Paper = "paper",
    }

    /// Where the rows of the embedding come from, and whether they learn.
    EmbeddingSource {
        /// Word vectors that stay as they are.
        Frozen = "frozen",
        /// Word vectors that are trained with the rest.
        FineTuned = "fine-tuned",
        /// Random rows that are trained with the rest.
        Random = "random",
    }

    /// The row of a word that has no vector.
    UnknownWord {
        /// Zeros.
        Zero = "zero",
        /// The mean of all vectors in use.
        Mean = "mean",
    }

    /// The layer that all tasks share.
    Shared {
        /// A bidirectional LSTM.
        Bilstm = "bilstm",
        /// A convolution over time.
        Conv = "conv",
        /// A convolution over the states of a bidirectional LSTM.
        BilstmConv = "bilstm-conv",
    }

    /// What each task's head starts from.
    HeadStart {
        /// Values of its own, as in Keras: at the start tasks neither agree nor disagree, and the sign of their relation does not matter.
        Own = "own",
        /// The same values for all tasks, so that a task and its copy stay equal at every step. Tasks that agree then start together, and
        /// tasks that disagree start in conflict: the sign of their relation matters.
        Alike = "alike",
    }

    /// What a step does to the head of a task that has no label in the batch.
    AbsentHead {
        /// Nothing.
        Skip = "skip",
        /// A step with gradient zero: its moments decay and still move it.
        Decay = "decay",
    }

    /// What the sum of a head's losses over the labelled rows of a batch is divided by.
    LossNormaliser {
        /// The number of labelled rows.
        Labelled = "labelled",
        /// The number of rows, labelled for this task or not.
        Batch = "batch",
    }

    /// Which epoch's parameters a training ends with.
    Keep {
        /// Those after the epoch with the smallest loss on the held-out rows, summed over the tasks.
        Best = "best",
        /// Those after the last epoch.
        Last = "last",
    }

    /// Which rows of a trained embedding Adam moves.
    EmbeddingUpdates {
        /// All at every step, as published, or those of the words in the batch where the vocabulary is large.
        Auto = "auto",
        /// All at every step.
        Dense = "dense",
        /// Those of the words in the batch.
        Lazy = "lazy",
    }

    /// How batches are composed of several tasks' rows.
    BatchComposition {
        /// From the shuffled union of all rows.
        Mixed = "mixed",
        /// From one task's rows at a time, tasks taking turns.
        Alternate = "alternate",
    }

    /// How the tasks' losses or gradients are weighed against each other. See [`balancing`](crate::mtl::balancing).
    Balance {
        /// All alike: the sum of the losses.
        Equal = "equal",
        /// By weights that are given.
        Static = "static",
        /// By the noise of each task, learnt with the network.
        Uncertainty = "uncertainty",
        /// By how fast each task's loss has been falling.
        DynamicWeightAverage = "dynamic-weight-average",
        /// As the geometric mean of the losses does.
        Geometric = "geometric",
        /// At random, at every step anew: a placebo.
        Random = "random",
        /// So that the gradients' lengths suit how fast each task learns.
        GradNorm = "gradnorm",
        /// By the shortest vector in the convex hull of the gradients.
        Mgda = "mgda",
        /// By taking from each gradient what goes against another.
        PcGrad = "pcgrad",
        /// By the direction near the mean in which the worst-off task gains most.
        CaGrad = "cagrad",
        /// So that the projection on every gradient is the same.
        ImtlG = "imtl-g",
        /// By projecting each gradient onto what harms no task.
        UpGrad = "upgrad",
        /// By a bargain between the tasks.
        NashMtl = "nash-mtl",
        /// By making the gradients orthogonal.
        AlignedMtl = "aligned-mtl",
    }
}

/// The words of the choices that are defined elsewhere: by the engine, the layers and the data.
pub(super) mod words {
    pub const ADAM: &[&str] = &["kingma", "keras"];
    pub const CONV_ACTIVATION: &[&str] = &["relu", "tanh", "linear"];
    pub const CONV_POOLING: &[&str] = &["max", "mean"];
    pub const FORMAT: &[&str] = &["tsv", "csv", "jsonl"];
    pub const GATE_ACTIVATION: &[&str] = &["sigmoid", "hard-sigmoid"];
    pub const PADDING: &[&str] = &["none", "pre", "post"];
    pub const SENTENCE: &[&str] = &["last", "max", "mean"];
    pub const TOKENIZER: &[&str] = &["glove-2", "glove", "plain"];
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::fmt::Debug;

    use serde::de::DeserializeOwned;

    use super::words;
    use crate::autograd::{
        AdamForm,
        ops::{
            conv::{ConvActivation, TimePooling},
            lstm::GateActivation,
        },
    };
    use crate::layers::SentenceVector;
    use crate::mtl::data::{Format, Padding, Tokenizer};

    fn assert_values<T: DeserializeOwned + Debug>(words: &[&str]) {
        let value = |word: &&str| toml::Value::from(*word).try_into::<T>().map(|value| format!("{value:?}"));
        let values: HashSet<String> = words.iter().map(|word| value(word).expect("the word has a value")).collect();
        assert_eq!(values.len(), words.len());
    }

    #[test]
    fn each_word_stands_for_a_value_of_its_own() {
        assert_values::<AdamForm>(words::ADAM);
        assert_values::<ConvActivation>(words::CONV_ACTIVATION);
        assert_values::<TimePooling>(words::CONV_POOLING);
        assert_values::<Format>(words::FORMAT);
        assert_values::<GateActivation>(words::GATE_ACTIVATION);
        assert_values::<Padding>(words::PADDING);
        assert_values::<SentenceVector>(words::SENTENCE);
        assert_values::<Tokenizer>(words::TOKENIZER);
    }
}
