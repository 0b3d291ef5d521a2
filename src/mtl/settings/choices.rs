//! The fields that choose among a few named ways of doing one thing.

use serde::{Deserialize, Serialize};

/// Declares an enum whose values are words in files and flags, with the list of these words.
macro_rules! choices {
    ($($(#[$doc:meta])* $choice:ident { $($(#[$value_doc:meta])* $value:ident = $word:literal,)+ })+) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub enum $choice {
            $($(#[$value_doc])* #[serde(rename = $word)] $value,)+
        }

        impl $choice {
            /// The words that stand for the values in files and flags.
            pub const WORDS: &[&str] = &[$($word),+];
        }
    )+ };
}

choices! {
    /// The values from which a configuration starts.
    Preset {
        /// What a careful practitioner would choose today.
        Default = "default",
        /// Joshi et al. 2019, and Keras 2.2.5 (August 2019) where the paper is silent.
        Paper = "paper",
    }

    /// What makes tokens of a text.
    Tokenizer {
        /// The preprocessing that the GloVe Twitter vectors were trained with.
        Glove = "glove",
        /// What stands between white space.
        Plain = "plain",
    }

    /// Where the rows of the embedding come from, and whether they learn.
    Embedding {
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

    /// Whether texts are brought to one length with zero vectors that the network sees.
    Padding {
        /// Every text keeps its own length.
        None = "none",
        /// Before the text.
        Pre = "pre",
        /// After the text.
        Post = "post",
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

    /// What follows the convolution.
    ConvActivation {
        /// max(0, x).
        Relu = "relu",
        /// The hyperbolic tangent.
        Tanh = "tanh",
        /// Nothing.
        Linear = "linear",
    }

    /// How a sequence of rows becomes one row.
    Pooling {
        /// Each column's largest value.
        Max = "max",
        /// Each column's mean.
        Mean = "mean",
    }

    /// What of a BiLSTM's states stands for the whole text.
    SentenceVector {
        /// Each direction's last state.
        Last = "last",
        /// Each unit's largest value over time.
        Max = "max",
        /// Each unit's mean over time.
        Mean = "mean",
    }

    /// The squashing function of the LSTM's three gates.
    GateActivation {
        /// 1 / (1 + e⁻ˣ).
        Sigmoid = "sigmoid",
        /// clip(0.2 x + 0.5, 0, 1), as Keras 2 had it.
        HardSigmoid = "hard-sigmoid",
    }

    /// Where Adam adds its ε.
    AdamForm {
        /// To √v̂, after the correction of the bias: Algorithm 1 of Kingma & Ba 2015.
        Kingma = "kingma",
        /// To √v, with the correction of the bias in the learning rate, as Keras 2 had it.
        Keras = "keras",
    }

    /// Which rows of a trained embedding Adam moves in a step.
    EmbeddingUpdates {
        /// All: the moments of absent words decay and still move them.
        Dense = "dense",
        /// Those of the words in the batch.
        Lazy = "lazy",
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

    /// How batches are composed of several tasks' rows.
    BatchComposition {
        /// From the shuffled union of all rows.
        Mixed = "mixed",
        /// From one task's rows at a time, tasks taking turns.
        Alternate = "alternate",
    }
}
