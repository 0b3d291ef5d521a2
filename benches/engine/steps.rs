//! Training at the paper's sizes: 200-dimensional frozen vectors, 25 units a direction, 25 filters of width 3, batches of 32
//! texts.
//!
//! `step` is one training step on a batch of 512 words: forward, backward, Adam. `epoch` is 365 such steps on batches as they
//! come, and its number is comparable with an epoch of other frameworks on 11,667 texts.

use divan::Bencher;

use crate::batch::Batch;
use crate::training::{Kind, Training};

#[divan::bench(args = [Kind::B, Kind::C, Kind::BC], sample_count = 500, sample_size = 1)]
fn step(bencher: Bencher, kind: Kind) {
    let (batch, mut training) = (Batch::typical(), Training::new(kind));
    bencher.bench_local(|| training.step(&batch));
}

#[divan::bench(args = [Kind::B, Kind::C, Kind::BC], sample_count = 10, sample_size = 1)]
fn epoch(bencher: Bencher, kind: Kind) {
    let (batches, mut training) = (Batch::epoch(), Training::new(kind));
    bencher.bench_local(|| batches.iter().map(|batch| training.step(batch)).sum::<f32>());
}
