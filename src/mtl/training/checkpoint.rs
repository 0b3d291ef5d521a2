//! The state of a training as a file.

use std::{collections::HashMap, path::Path};

use safetensors::SafeTensors;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Trainer, trainer::State};
use crate::autograd::{Moments, ParamId};
use crate::mtl::{
    balancing::BalancerState,
    files::{self, NamedTensors},
    settings::{Keep, Settings},
};
use crate::tensor::Tensor;
use crate::{Error, Result};

/// The metadata of a checkpoint.
#[derive(Serialize, Deserialize)]
struct Header {
    version: String,
    state: State,
    /// How many updates each parameter has had, by name.
    updates: Vec<(String, u64)>,
    /// [`Trainer::origin`].
    origin: String,
    /// Shards of a batch: another number gives other bits.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    shards: usize,
    /// The state of the balancing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    balance: Option<BalancerState>,
}

fn one() -> usize {
    1
}

fn is_one(shards: &usize) -> bool {
    *shards == 1
}

/// The key of the file's metadata under which the checksum of all that follows, a space and the [`Header`] stand.
const HEADER: &str = "mtlcore";

impl Trainer<'_> {
    /// Atomically writes everything that [`restore`](Self::restore) needs: the trained parameters, Adam's moments, the state of the
    /// balancing, the position, the sums and reports so far, and the best epoch's parameters if they are kept. Frozen parameters are
    /// not among them.
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
        }
        for (id, best) in self.best.iter().flatten() {
            tensors.push((format!("best/{}", self.params.name(*id)), best));
        }
        let header = Header {
            version: env!("CARGO_PKG_VERSION").into(),
            state: self.state.clone(),
            updates,
            origin: self.origin().to_owned(),
            shards: self.settings.shards,
            balance: self.balancer.state(),
        };
        let header = serde_json::to_string(&header).expect("a header is plain data");
        let sha256 = files::sha256(&header, &tensors);
        files::write_tensors(path, &tensors, Some((HEADER, format!("{sha256} {header}")))).map(drop)
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
        let has_best = header.state.best.is_some() && self.settings.keep == Keep::Best;
        let mut best = has_best.then(Vec::new);
        let mut adam = self.adam.clone();
        let updates: HashMap<&str, u64> = header.updates.iter().map(|(name, steps)| (name.as_str(), *steps)).collect();
        for id in self.trained() {
            let (name, like) = (self.params.name(id), self.params.value(id));
            *params.value_mut(id) = take("parameter", name, like)?;
            if let Some(&steps) = updates.get(name) {
                let (first, second) = (take("adam.first", name, like)?, take("adam.second", name, like)?);
                adam.set_moments(id, Moments { first, second, steps });
            }
            if let Some(best) = &mut best {
                best.push((id, take("best", name, like)?));
            }
        }
        if header.origin != self.origin() {
            return Err(foreign("it has other rows, another order of rows or other word vectors"));
        }
        if header.shards != self.settings.shards {
            return Err(foreign("its batches were cut into another number of shards"));
        }
        if !self.balancer.fits(header.balance.as_ref()) {
            return Err(foreign("its tasks were balanced in another way"));
        }
        self.balancer.restore(header.balance);
        (self.params, self.adam, self.best, self.state) = (params, adam, best, header.state);
        Ok(())
    }

    /// A checksum of the rows in the order of the first epoch and of the frozen parameters: only where both are the same, the
    /// position of a checkpoint means the same.
    fn origin(&self) -> &str {
        self.origin.get_or_init(|| {
            let rows = self.plan(0).into_iter().map(|plan| {
                let row = |row: usize| {
                    format!("{:x} {:?}", self.dataset.examples[row].key, self.dataset.examples[row].labels)
                };
                plan.rows.into_iter().map(row).collect::<Vec<_>>().join("\n")
            });
            let frozen = self.params.ids().filter(|&id| !self.params.is_trainable(id));
            let frozen: NamedTensors =
                frozen.map(|id| (self.params.name(id).to_owned(), self.params.value(id))).collect();
            files::sha256(&rows.collect::<Vec<_>>().join("\n\n"), &frozen)
        })
    }

    /// Hashes of all that determines the bits of what comes, each with its name: processes that train one network must agree in them.
    pub fn fingerprints(&self) -> [(&'static str, [u8; 32]); 4] {
        let neutral = Settings::preset(self.settings.preset);
        let settings = Settings { out: neutral.out, threads: neutral.threads, ..self.settings.clone() };
        let mut rows = Sha256::new();
        for example in &self.dataset.examples {
            rows.update(format!("{:x} {:?} {:?}\n", example.key, example.tokens, example.labels));
        }
        rows.update(format!("{:?} {:?}", self.split.train, self.split.held_out));
        let mut numbers = Sha256::new();
        numbers.update(serde_json::to_string(&self.state).expect("a state is plain data"));
        for id in self.params.ids() {
            numbers.update(self.params.name(id));
            self.params.value(id).data().iter().for_each(|x| numbers.update(x.to_le_bytes()));
        }
        [
            ("a version of mtlcore", Sha256::digest(env!("CARGO_PKG_VERSION")).into()),
            ("settings", Sha256::digest(settings.to_toml()).into()),
            ("rows", rows.finalize().into()),
            ("word vectors, or another checkpoint,", numbers.finalize().into()),
        ]
    }

    pub(super) fn trained(&self) -> impl Iterator<Item = ParamId> + '_ {
        self.params.ids().filter(|&id| self.params.is_trainable(id))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::mtl::{
        data::{Dataset, Simulation},
        model::EmbeddingInit,
        prepare,
        settings::{Preset, Settings, Shared},
        training::{Flow, Trainer},
    };

    /// Whatever byte of a checkpoint is damaged, it is refused and nothing changes, or it says the same as before.
    #[test]
    fn no_damaged_byte_is_believed() {
        let settings =
            Settings { shared: Shared::Conv, filters: 1, kernel_width: 1, ..Settings::preset(Preset::Default) };
        let corpus = Simulation { rows: [40, 60], words: 20, ..Simulation::default() }.generate().unwrap();
        let dataset = Dataset::new(&corpus, settings.tokenizer, settings.max_length, settings.padding);
        let split = prepare::split(&settings, &dataset).unwrap();
        let table = EmbeddingInit {
            weight: Tensor::from_fn([dataset.encoder.vocabulary.len(), 2], |i| i as f32),
            trainable: false,
        };
        let mut trainer = Trainer::new(&settings, &dataset, &split, &table);
        trainer.run(|trainer, _| Ok(if trainer.steps_done() == 2 { Flow::Stop } else { Flow::Continue })).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("checkpoint.safetensors");
        trainer.checkpoint(&path).unwrap();
        let whole = fs::read(&path).unwrap();

        let mut restored = Trainer::new(&settings, &dataset, &split, &table);
        let fresh = restored.state.clone();
        let mut refused = 0;
        for byte in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[byte] ^= 1;
            fs::write(&path, damaged).unwrap();
            match restored.restore(&path) {
                Err(error) => {
                    assert!(error.to_string().contains("checkpoint"), "{error}");
                    assert_eq!(restored.state, fresh);
                    refused += 1;
                }
                Ok(()) => {
                    assert_eq!(restored.state, trainer.state);
                    restored = Trainer::new(&settings, &dataset, &split, &table);
                }
            }
        }
        // White space that fills up the header is all that may change.
        assert!(whole.len() - refused <= 8, "{refused} of {}", whole.len());
    }
}
