//! The network of Joshi et al. 2019: embedding → shared layer → dropout → one head a task.
//!
//! A single-task model is the same model with one task, so that a comparison of the two is fair by construction.

mod batch;
mod checks;
mod embedding_init;
mod loss;
mod projected;
mod shapes;
mod shared_layer;

pub use batch::{Batch, Packer};
pub use checks::checks;
pub use embedding_init::EmbeddingInit;
pub use loss::Losses;
pub use projected::ProjectedWords;
pub use shared_layer::SharedLayer;

use smallvec::SmallVec;

use crate::autograd::{ParamId, ParamStore, Tape, Var};
use crate::layers::{Dense, Dropout, Embedding, Sequence};
use crate::mtl::{
    settings::{HeadStart, Settings},
    streams::Streams,
};
use crate::tensor::Real;

/// A value for each task, in the tasks' order; without an allocation for up to eight tasks.
pub type PerTask<T> = SmallVec<[T; 8]>;

/// The network: ids of parameters that stand in a [`ParamStore`], of either precision.
#[derive(Clone, Debug)]
pub struct Model {
    embedding: Embedding,
    shared: SharedLayer,
    dropout: Dropout,
    heads: Vec<Head>,
}

/// The output layer of one task: shared vector to logit.
#[derive(Clone, Debug)]
pub struct Head {
    /// The task's name.
    pub task: String,
    /// From the sentence vector to one number.
    pub dense: Dense,
}

/// The network's values on a tape.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The vectors of the distinct words, `[U, E]`.
    pub words: Var,
    /// The states of the BiLSTM, `[tokens, 2H]`, if there is one.
    pub states: Option<Var>,
    /// One vector a text, `[texts, width]`, before dropout.
    pub sentence: Var,
    /// The logits of each task, `[texts, 1]`.
    pub logits: PerTask<Var>,
}

impl Model {
    /// Adds the parameters of a fresh network for `tasks` to `params`.
    ///
    /// The initial values of a parameter depend on the seed and on its own part of the network alone: the shared layer starts as in the
    /// single-task model, and a head from values that go with its task's name, or from the same as all others with
    /// [`HeadStart::Alike`]. Either way they are the same alone and beside any other task.
    pub fn new<F: Real>(
        settings: &Settings,
        tasks: &[String],
        table: &EmbeddingInit,
        params: &mut ParamStore<F>,
    ) -> Self {
        let streams = Streams::new(settings.seed);
        let embedding = Embedding::new(params, "embedding", table.weight.cast(), table.trainable);
        let shared = SharedLayer::new(settings, table.weight.cols(), params, &streams);
        let head = |task: &String| {
            let mut rng = match settings.heads {
                HeadStart::Alike => streams.rng("initialise heads", 0),
                HeadStart::Own => streams.rng(&format!("initialise heads.{task}"), 0),
            };
            let dense = Dense::new(params, &format!("heads.{task}"), shared.width(), 1, &mut rng);
            Head { task: task.clone(), dense }
        };
        let heads = tasks.iter().map(head).collect();
        Self { embedding, shared, dropout: Dropout { rate: settings.dropout }, heads }
    }

    /// The table of word vectors.
    pub fn embedding(&self) -> &Embedding {
        &self.embedding
    }

    /// The layer that all tasks share.
    pub fn shared(&self) -> &SharedLayer {
        &self.shared
    }

    /// One head a task, in the tasks' order.
    pub fn heads(&self) -> &[Head] {
        &self.heads
    }

    /// The trained parameters that all tasks share: all but the heads'.
    pub fn shared_params<F: Real>(&self, params: &ParamStore<F>) -> Vec<ParamId> {
        let of_head = |id: ParamId| self.heads.iter().any(|head| [head.dense.kernel, head.dense.bias].contains(&id));
        params.ids().filter(|&id| params.is_trainable(id) && !of_head(id)).collect()
    }

    /// The logits of each task, `[texts, 1]`.
    pub fn forward<F: Real>(&self, tape: &mut Tape<'_, F>, batch: &Batch) -> PerTask<Var> {
        self.record(tape, batch).logits
    }

    /// As [`forward`](Self::forward), with what stands between words and logits.
    pub fn record<F: Real>(&self, tape: &mut Tape<'_, F>, batch: &Batch) -> Recorded {
        let words = self.embedding.forward(tape, &batch.distinct, &batch.rows, &batch.segments);
        let (states, sentence) = self.shared.forward(tape, &words);
        Recorded { words: words.var(), states, sentence, logits: self.logits(tape, sentence) }
    }

    /// As [`forward`](Self::forward), for words that are on the tape or projected already.
    pub fn forward_of<F: Real>(&self, tape: &mut Tape<'_, F>, words: &Sequence<'_, F>) -> PerTask<Var> {
        let (_, sentence) = self.shared.forward(tape, words);
        self.logits(tape, sentence)
    }

    fn logits<F: Real>(&self, tape: &mut Tape<'_, F>, sentence: Var) -> PerTask<Var> {
        let kept = self.dropout.forward(tape, sentence);
        self.heads.iter().map(|head| head.dense.forward(tape, kept)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mtl::settings::{Preset, Shared};
    use crate::tensor::Tensor;

    /// The counts of the paper's sizes, 200-d frozen vectors and 25 units: section 4 of the system's description.
    #[test]
    fn parameter_counts() {
        for (shared, alone, head) in
            [(Shared::Bilstm, 45_200, 51), (Shared::Conv, 15_025, 26), (Shared::BilstmConv, 48_975, 26)]
        {
            for tasks in [vec!["a".to_owned()], vec!["a".to_owned(), "b".to_owned()]] {
                let settings = Settings { shared, ..Settings::preset(Preset::Default) };
                let table = EmbeddingInit { weight: Tensor::zeros([10, 200]), trainable: false };
                let mut params = ParamStore::<f32>::new();
                Model::new(&settings, &tasks, &table, &mut params);
                assert_eq!(params.trainable_count(), alone + tasks.len() * head, "{shared:?}");
            }
        }
    }

    /// Alike, heads of all tasks are equal; own ones differ, and are the same alone and beside another task.
    #[test]
    fn heads_start_alike_or_each_from_its_own_values() {
        let kernels = |heads: HeadStart, tasks: &[&str]| -> Vec<Vec<f32>> {
            let settings = Settings { shared: Shared::Conv, heads, ..Settings::preset(Preset::Default) };
            let table = EmbeddingInit { weight: Tensor::zeros([10, 6]), trainable: false };
            let mut params = ParamStore::<f32>::new();
            let tasks: Vec<String> = tasks.iter().map(|&task| task.to_owned()).collect();
            let model = Model::new(&settings, &tasks, &table, &mut params);
            model.heads().iter().map(|head| params.value(head.dense.kernel).data().to_vec()).collect()
        };
        let alike = kernels(HeadStart::Alike, &["a", "b"]);
        assert_eq!(alike[0], alike[1]);
        let own = kernels(HeadStart::Own, &["a", "b"]);
        assert_ne!(own[0], own[1]);
        assert_eq!([&own[0], &own[1]], [&kernels(HeadStart::Own, &["a"])[0], &kernels(HeadStart::Own, &["b", "c"])[0]]);
    }

    #[test]
    fn names_and_layouts_follow_keras() {
        let settings = Settings { shared: Shared::BilstmConv, ..Settings::preset(Preset::Default) };
        let table = EmbeddingInit { weight: Tensor::zeros([10, 6]), trainable: false };
        let mut params = ParamStore::<f32>::new();
        Model::new(&settings, &["flu".into()], &table, &mut params);
        let listed: Vec<String> =
            params.ids().map(|id| format!("{} {}", params.name(id), params.value(id).shape())).collect();
        assert_eq!(
            listed,
            [
                "embedding.weight [10, 6]",
                "shared.bilstm.forward.kernel [6, 100]",
                "shared.bilstm.forward.recurrent_kernel [25, 100]",
                "shared.bilstm.forward.bias [100]",
                "shared.bilstm.backward.kernel [6, 100]",
                "shared.bilstm.backward.recurrent_kernel [25, 100]",
                "shared.bilstm.backward.bias [100]",
                "shared.conv.kernel [3, 50, 25]",
                "shared.conv.bias [25]",
                "heads.flu.kernel [25, 1]",
                "heads.flu.bias [1]",
            ]
        );
    }
}
