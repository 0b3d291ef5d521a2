//! The state of a training as a file.

use std::{collections::HashMap, path::Path};

use safetensors::SafeTensors;
use serde::{Deserialize, Serialize};
use toml::Table;

use super::{Trainer, trainer::State};
use crate::autograd::{Moments, ParamId, ParamStore};
use crate::mtl::files::{self, NamedTensors};
use crate::tensor::Tensor;
use crate::{Error, Result};

/// What a checkpoint says beside its tensors.
#[derive(Serialize, Deserialize)]
struct Header {
    version: String,
    state: State,
    /// How many updates each parameter has had, by name.
    updates: Vec<(String, u64)>,
    /// [`Trainer::origin`].
    origin: String,
}

/// The key of the file's metadata under which the checksum of all that follows, a space and the [`Header`] stand.
const HEADER: &str = "mtlcore";

impl Trainer<'_> {
    /// Writes everything that [`restore`](Self::restore) needs, whole or not at all: the trained parameters, Adam's moments, the
    /// position, the sums and reports so far, and the best parameters so far. Frozen parameters are not among them.
    ///
    /// # Errors
    /// [`Error::Diverged`] if a parameter is not finite, so that the last good checkpoint stays; [`Error::Io`] if the file cannot be
    /// written.
    pub fn checkpoint(&self, path: &Path) -> Result<()> {
        self.check_finite()?;
        let mut tensors = NamedTensors::new();
        let mut updates = Vec::new();
        for id in self.trained() {
            let name = self.params.name(id);
            tensors.push((format!("parameter/{name}"), self.params.value(id)));
            if let Some(moments) = self.adam.moments(id) {
                tensors.push((format!("adam.first/{name}"), &moments.first));
                tensors.push((format!("adam.second/{name}"), &moments.second));
                updates.push((name.to_owned(), moments.steps));
            }
            if let Some(best) = &self.best {
                tensors.push((format!("best/{name}"), best.value(id)));
            }
        }
        let header = Header {
            version: env!("CARGO_PKG_VERSION").into(),
            state: self.state.clone(),
            updates,
            origin: self.origin().to_owned(),
        };
        let header = serde_json::to_string(&header).expect("a header is plain data");
        let sha256 = files::sha256(&header, &tensors);
        files::write_tensors(path, &tensors, Some((HEADER, format!("{sha256} {header}"))))
    }

    /// Goes back to the state of a checkpoint. The trainer must have been made from the same settings and data.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be read, [`Error::File`] if it is damaged or of another training.
    pub fn restore(&mut self, path: &Path) -> Result<()> {
        let bytes = std::fs::read(path).map_err(Error::io(path))?;
        let damaged = |what: String| Error::file(path, format!("the checkpoint is damaged: {what}"));
        let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(|error| damaged(error.to_string()))?;
        let header: Option<&String> =
            metadata.metadata().as_ref().and_then(|metadata: &HashMap<_, _>| metadata.get(HEADER));
        let header = header.ok_or_else(|| Error::file(path, "it is no checkpoint of mtlcore"))?;
        let tensors = files::read_tensors(path, &bytes)?;
        let listed: NamedTensors = tensors.iter().map(|(name, tensor)| (name.clone(), tensor)).collect();
        let (sha256, header) = header.split_once(' ').unwrap_or(("", header));
        if files::sha256(header, &listed) != sha256 {
            return Err(damaged("it does not have the checksum that it names".into()));
        }
        let header: Header = serde_json::from_str(header).map_err(|error| damaged(error.to_string()))?;
        let foreign = |what: &str| Error::file(path, format!("the checkpoint is of another training: {what}"));
        let take = |kind: &str, name: &str, like: &Tensor<f32>| {
            let tensor = tensors.get(&format!("{kind}/{name}")).filter(|tensor| tensor.shape() == like.shape());
            tensor.cloned().ok_or_else(|| foreign(&format!("`{name}` does not fit")))
        };

        // Everything is read before anything is changed.
        let mut params = self.params.clone();
        let mut best: Option<ParamStore<f32>> = None;
        let mut adam = self.adam.clone();
        let updates: HashMap<&str, u64> = header.updates.iter().map(|(name, steps)| (name.as_str(), *steps)).collect();
        for id in self.trained() {
            let (name, like) = (self.params.name(id), self.params.value(id));
            *params.value_mut(id) = take("parameter", name, like)?;
            if let Some(&steps) = updates.get(name) {
                let (first, second) = (take("adam.first", name, like)?, take("adam.second", name, like)?);
                adam.set_moments(id, Moments { first, second, steps });
            }
            if header.state.best.is_some() {
                *best.get_or_insert_with(|| self.params.clone()).value_mut(id) = take("best", name, like)?;
            }
        }
        if header.origin != self.origin() {
            return Err(foreign("it began from other settings, rows or word vectors"));
        }
        (self.params, self.adam, self.best, self.state) = (params, adam, best, header.state);
        Ok(())
    }

    /// A checksum of what the training follows from: settings, rows and frozen parameters. Only where it is the same does the
    /// position of a checkpoint mean the same.
    fn origin(&self) -> &str {
        self.origin.get_or_init(|| {
            let mut text = Table::from_iter(self.settings.to_table().into_iter().filter(|(field, _)| {
                // The tasks are known by their rows. The others change no bit, or say only when to stop and where to write.
                !["task", "vectors", "threads", "out", "epochs", "checkpoint-steps"].contains(&field.as_str())
            }))
            .to_string();
            text += &self.dataset.tasks.join(" ");
            for rows in [&self.split.train, &self.split.held_out] {
                text += "\n";
                for example in rows.iter().map(|&row| &self.dataset.examples[row]) {
                    text += &format!("{:x} {:?}\n", example.key, example.labels);
                }
            }
            let frozen = self.params.ids().filter(|&id| !self.params.is_trainable(id));
            let frozen: NamedTensors =
                frozen.map(|id| (self.params.name(id).to_owned(), self.params.value(id))).collect();
            files::sha256(&text, &frozen)
        })
    }

    fn trained(&self) -> impl Iterator<Item = ParamId> + '_ {
        self.params.ids().filter(|&id| self.params.is_trainable(id))
    }
}
