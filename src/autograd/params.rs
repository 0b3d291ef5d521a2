//! Parameters.

use crate::tensor::{Real, Tensor};

/// The position of a parameter in its [`ParamStore`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ParamId(usize);

impl ParamId {
    /// The position as a number, from 0.
    pub fn index(self) -> usize {
        self.0
    }
}

/// Named tensors. A [`Tape`](super::Tape) borrows the store, so no parameter can change while a recording of it exists: an
/// optimiser step between forward and backward does not compile.
#[derive(Clone, Debug)]
pub struct ParamStore<F = f32> {
    params: Vec<Param<F>>,
}

#[derive(Clone, Debug)]
struct Param<F> {
    name: String,
    value: Tensor<F>,
    trainable: bool,
}

impl<F> Default for ParamStore<F> {
    fn default() -> Self {
        Self { params: Vec::new() }
    }
}

impl<F: Real> ParamStore<F> {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a trainable parameter.
    ///
    /// # Panics
    /// If the store has one of this name.
    pub fn add(&mut self, name: impl Into<String>, value: Tensor<F>) -> ParamId {
        let name = name.into();
        assert!(self.find(&name).is_none(), "two parameters are called `{name}`");
        self.params.push(Param { name, value, trainable: true });
        ParamId(self.params.len() - 1)
    }

    /// Excludes a parameter from training: no gradient is computed for it.
    pub fn freeze(&mut self, id: ParamId) {
        self.params[id.0].trainable = false;
    }

    /// Includes a parameter in training again.
    pub fn thaw(&mut self, id: ParamId) {
        self.params[id.0].trainable = true;
    }

    /// Whether gradients are computed for it.
    pub fn is_trainable(&self, id: ParamId) -> bool {
        self.params[id.0].trainable
    }

    /// Its name.
    pub fn name(&self, id: ParamId) -> &str {
        &self.params[id.0].name
    }

    /// Its numbers.
    pub fn value(&self, id: ParamId) -> &Tensor<F> {
        &self.params[id.0].value
    }

    /// Its numbers, to write.
    pub fn value_mut(&mut self, id: ParamId) -> &mut Tensor<F> {
        &mut self.params[id.0].value
    }

    /// The parameter of this name.
    pub fn find(&self, name: &str) -> Option<ParamId> {
        self.params.iter().position(|param| param.name == name).map(ParamId)
    }

    /// All of them, in the order in which they were added.
    pub fn ids(&self) -> impl ExactSizeIterator<Item = ParamId> + use<F> {
        (0..self.params.len()).map(ParamId)
    }

    /// How many parameters (tensors) there are.
    pub fn len(&self) -> usize {
        self.params.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.params.is_empty()
    }

    /// How many numbers are trained.
    pub fn trainable_count(&self) -> usize {
        self.params.iter().filter(|param| param.trainable).map(|param| param.value.shape().len()).sum()
    }

    /// The same parameters in another precision, under the same ids: this is how the very model that was trained in `f32` is
    /// checked in `f64`.
    pub fn cast<G: Real>(&self) -> ParamStore<G> {
        let cast = |p: &Param<F>| Param { name: p.name.clone(), value: p.value.cast(), trainable: p.trainable };
        ParamStore { params: self.params.iter().map(cast).collect() }
    }
}
