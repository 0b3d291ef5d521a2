//! A trained network, to predict with.

use crate::autograd::ParamStore;
use crate::mtl::{data::TextEncoder, model::Model, settings::Settings, training::Predictor};

/// A trained network with all that it needs to read texts.
#[derive(Clone, Debug)]
pub struct Trained {
    /// The settings that it was trained with.
    pub settings: Settings,
    /// The tasks' names, in the model's order.
    pub tasks: Vec<String>,
    /// From text to ids.
    pub encoder: TextEncoder,
    /// The network.
    pub model: Model,
    /// Its parameters.
    pub params: ParamStore<f32>,
}

impl Trained {
    /// For each text the probability that each task is true, in the tasks' order. A text's probabilities depend on that text
    /// alone, to the bit. An empty text is a text.
    ///
    /// For many calls in a row, keep a [`predictor`](Self::predictor).
    ///
    /// ```
    /// use mtlcore::mtl::run::RunDirectory;
    /// # use mtlcore::mtl::{prepare::Prepared, run::{Epochs, Manifest}, settings::{Preset, Settings}, training::Trainer};
    /// # let directory = tempfile::tempdir().unwrap();
    /// # let path = &directory.path().join("run");
    /// # let settings = Settings { epochs: 1, ..Settings::preset(Preset::Default) };
    /// # let prepared = Prepared::new(&settings)?;
    /// # let Prepared { corpus, dataset, split, vectors, .. } = &prepared;
    /// # let table = prepared.table(&settings);
    /// # let mut trainer = Trainer::new(&settings, dataset, split, &table);
    /// # let manifest = Manifest::new(&settings, corpus, dataset, split, vectors.as_ref(), 0);
    /// # let run = RunDirectory::create(path, false, &settings, dataset, split, &manifest, trainer.params())?;
    /// # trainer.checkpoint(&run.checkpoint())?;
    /// # trainer.run(|_, _| Ok(mtlcore::mtl::training::Flow::Continue))?;
    /// # run.finish(trainer.params(), Epochs { run: 1, chosen: 1 })?;
    ///
    /// let trained = RunDirectory::open(path)?.trained()?;
    /// let texts = ["flu shot done, arm is sore", "what a day"];
    /// for (text, probabilities) in texts.iter().zip(trained.probabilities(texts)) {
    ///     for (task, probability) in trained.tasks.iter().zip(probabilities) {
    ///         println!("{text}: {task} {probability:.3}");
    ///     }
    /// }
    /// # Ok::<(), mtlcore::Error>(())
    /// ```
    pub fn probabilities<'t>(&self, texts: impl IntoIterator<Item = &'t str>) -> Vec<Vec<f64>> {
        let texts: Vec<&str> = texts.into_iter().collect();
        self.predictor().probabilities_of_texts(&self.encoder, &texts)
    }

    /// What predicts again and again without preparing anew.
    pub fn predictor(&self) -> Predictor<'_> {
        Predictor::new(&self.model, &self.params, self.encoder.vocabulary.len())
    }
}
