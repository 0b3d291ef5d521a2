//! Buffers are used again: after the first few, a training step on a batch of the same shape allocates nothing.

use mtlcore::{
    autograd::ParamStore,
    mtl::{
        model::{Batch, EmbeddingInit, Model, Packer},
        settings::{Preset, Settings, Shared},
        training::{optimiser, step},
    },
    tensor::{Pool, Tensor},
};

const VOCABULARY: usize = 40;

/// What `measured` steps allocate after ten others on the same batch of 32 texts.
fn allocations(
    settings: &Settings,
    word_size: usize,
    trainable: bool,
    measured: usize,
) -> allocation_counter::AllocationInfo {
    let tasks = ["a".to_owned(), "b".to_owned()];
    let weight = Tensor::from_fn([VOCABULARY, word_size], |i| (i as f32 * 0.7).sin());
    let mut params = ParamStore::<f32>::new();
    let model = Model::new(settings, &tasks, &EmbeddingInit { weight, trainable }, &mut params);
    let (mut adam, mut pool) = (optimiser(settings, VOCABULARY), Pool::new());
    let batch = batch();
    let row_keys: Vec<u64> = (0..32).collect();
    let mut run = |steps: usize| {
        for _ in 0..steps {
            let losses = step(settings, &model, &mut params, &mut adam, &mut pool, &batch, &row_keys);
            assert!(losses.iter().flatten().all(|loss| loss.is_finite()));
        }
    };
    // One thread, which is the one that counts: how often threads meet, and what that takes, is not in our hands.
    let one_thread = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    one_thread.install(|| {
        run(10);
        allocation_counter::measure(|| run(measured))
    })
}

fn batch() -> Batch {
    let texts: Vec<Vec<u32>> =
        (0..32).map(|i| (0..1 + i * 5 % 13).map(|t| (t * 7 + i * 3) % VOCABULARY as u32).collect()).collect();
    let labels = [[Some(true), None], [None, Some(false)], [Some(false), Some(true)], [None, None]];
    let texts = texts.iter().zip(labels.iter().cycle()).map(|(ids, labels)| (&ids[..], &labels[..]));
    Packer::new(VOCABULARY).pack_labelled(texts, 2)
}

fn small(shared: Shared) -> Settings {
    Settings { shared, units: 3, filters: 4, ..Settings::preset(Preset::Default) }
}

#[test]
fn a_step_on_a_batch_of_known_shape_allocates_nothing() {
    for shared in [Shared::Bilstm, Shared::Conv, Shared::BilstmConv] {
        for trainable in [false, true] {
            let found = allocations(&small(shared), 6, trainable, 20);
            assert_eq!(found.count_total, 0, "{shared:?}, embedding trained: {trainable}: {found:?}");
        }
    }
}

#[test]
fn ten_thousand_steps_grow_by_nothing() {
    for shared in [Shared::Bilstm, Shared::Conv, Shared::BilstmConv] {
        let found = allocations(&small(shared), 6, true, 10_000);
        assert_eq!((found.bytes_current, found.bytes_max), (0, 0), "{shared:?}: {found:?}");
    }
}

/// Matrices that do not fit into the cache are multiplied by copies of their parts, which need no memory of their own either.
#[test]
fn nor_does_a_step_with_large_matrices() {
    let large = Settings { units: 100, filters: 130, ..small(Shared::Bilstm) };
    for shared in [Shared::Bilstm, Shared::Conv, Shared::BilstmConv] {
        let found = allocations(&Settings { shared, ..large.clone() }, 200, true, 3);
        assert_eq!(found.count_total, 0, "{shared:?}: {found:?}");
    }
}
