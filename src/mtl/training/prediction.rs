//! From texts to probabilities.

use rayon::prelude::*;

use crate::autograd::{Mode, ParamStore, Tape};
use crate::mtl::model::{Model, Packer};
use crate::tensor::{Pool, Real};

/// Texts that are packed together. Their number changes no bit of a probability.
const CHUNK: usize = 64;

/// For each text (a list of ids) the probability that each task is true, in the tasks' order.
///
/// # Panics
/// If an id is not below `vocabulary`.
pub fn probabilities<F: Real>(
    model: &Model,
    params: &ParamStore<F>,
    vocabulary: usize,
    texts: &[&[u32]],
) -> Vec<Vec<f64>> {
    let of_chunk = |(pool, packer): &mut (Pool<F>, Packer), chunk: &[&[u32]]| -> Vec<Vec<f64>> {
        let mut tape = Tape::new(params, pool, Mode::Evaluate);
        let logits = model.forward(&mut tape, &packer.pack(chunk.iter().copied()));
        let probability = |text: usize| logits.iter().map(|&z| tape.value(z).data()[text].to_f64().sigmoid()).collect();
        (0..chunk.len()).map(probability).collect()
    };
    let chunks: Vec<Vec<Vec<f64>>> =
        texts.par_chunks(CHUNK).map_init(|| (Pool::new(), Packer::new(vocabulary)), of_chunk).collect();
    chunks.into_iter().flatten().collect()
}
