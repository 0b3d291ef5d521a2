//! The state of a training as a file.

use std::{collections::HashMap, path::Path};

use safetensors::SafeTensors;
use serde::{Deserialize, Serialize};

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
    /// SHA-256 of the tensors.
    sha256: String,
}

/// The key of the [`Header`] among the metadata of the file.
const HEADER: &str = "mtlcore";

impl Trainer<'_> {
    /// Writes everything that [`restore`](Self::restore) needs, whole or not at all: the trained parameters, Adam's moments, the
    /// position, the sums and reports so far, and the best parameters so far. Frozen parameters are not among them.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be written.
    pub fn checkpoint(&self, path: &Path) -> Result<()> {
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
            sha256: files::sha256_of_tensors(&tensors),
        };
        let header = serde_json::to_string(&header).expect("a header is plain data");
        files::write_tensors(path, &tensors, Some((HEADER, header)))
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
        let header: Header = serde_json::from_str(header).map_err(|error| damaged(error.to_string()))?;
        let tensors = files::read_tensors(path, &bytes)?;
        let listed: NamedTensors = tensors.iter().map(|(name, tensor)| (name.clone(), tensor)).collect();
        if files::sha256_of_tensors(&listed) != header.sha256 {
            return Err(damaged("its numbers do not have the checksum that it names".into()));
        }
        let foreign =
            |name: &str| Error::file(path, format!("the checkpoint is of another training: `{name}` does not fit"));
        let take = |kind: &str, name: &str, like: &Tensor<f32>| {
            let tensor = tensors.get(&format!("{kind}/{name}")).filter(|tensor| tensor.shape() == like.shape());
            tensor.cloned().ok_or_else(|| foreign(name))
        };
        if header.state.losses.len() != self.state.losses.len() {
            return Err(foreign("tasks"));
        }

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
        (self.params, self.adam, self.best, self.state) = (params, adam, best, header.state);
        Ok(())
    }

    fn trained(&self) -> impl Iterator<Item = ParamId> + '_ {
        self.params.ids().filter(|&id| self.params.is_trainable(id))
    }
}
