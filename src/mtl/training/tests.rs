//! What shards and ranks must not change.

use std::sync::mpsc::{Receiver, Sender, channel};

use super::{
    Communicator, Flow, Ranks, Trainer,
    cut::{Cut, Shard, part},
    epoch_plan,
    gradient::{Goals, Recorded, Workers},
    optimiser,
};
use crate::autograd::{Gradient, Gradients, Mode, ParamStore, Tape};
use crate::mtl::{
    data::{Dataset, Simulation, Split},
    model::{Batch, EmbeddingInit, Model, Packer, PerTask},
    prepare,
    settings::{
        Balance, BatchComposition, EmbeddingSource, EmbeddingUpdates, LossNormaliser, Preset, Settings, Shared,
    },
};
use crate::tensor::{Pool, Tensor};

const VOCABULARY: usize = 30;
const LAYERS: [Shared; 3] = [Shared::Bilstm, Shared::Conv, Shared::BilstmConv];

/// A text with the labels of two tasks.
type Row = (Vec<u32>, [Option<bool>; 2]);

/// Texts of different lengths, some without a label of a task: in the first half few rows have a label of the second task.
fn rows(count: usize) -> Vec<Row> {
    let text = |i: usize| (0..1 + i * 5 % 7).map(|t| ((t * 11 + i * 3) % VOCABULARY) as u32).collect();
    let labels = |i: usize| match i % 4 {
        0 => [Some(i.is_multiple_of(3)), None],
        1 => [Some(true), (i > count / 2).then_some(false)],
        2 => [None, (i > count / 2).then_some(true)],
        _ => [Some(false), None],
    };
    (0..count).map(|i| (text(i), labels(i))).collect()
}

fn settings(shared: Shared) -> Settings {
    Settings { shared, units: 3, filters: 4, ..Settings::preset(Preset::Default) }
}

struct Network {
    model: Model,
    params: ParamStore<f64>,
}

fn network(settings: &Settings) -> Network {
    let weight = Tensor::from_fn([VOCABULARY, 4], |i| (i as f32 * 0.7).sin());
    let mut params = ParamStore::new();
    let tasks = ["a".to_owned(), "b".to_owned()];
    let model = Model::new(settings, &tasks, &EmbeddingInit { weight, trainable: true }, &mut params);
    Network { model, params }
}

fn packed(rows: &[Row]) -> Batch {
    Packer::new(VOCABULARY).pack_labelled(rows.iter().map(|(ids, labels)| (&ids[..], &labels[..])), 2)
}

/// The losses and gradients of some rows in shards.
fn gradients(settings: &Settings, rows: &[Row], goals: &Goals<'_>) -> (PerTask<Option<f64>>, Vec<Gradients<f64>>) {
    let Network { model, params } = network(settings);
    let parts: Vec<&[Row]> = (0..settings.shards).map(|i| &rows[part(i, settings.shards, rows.len())]).collect();
    let batches: Vec<Batch> = parts.iter().map(|part| packed(part)).collect();
    let keys: Vec<u64> = (0..rows.len() as u64).collect();
    let mut start = 0;
    let shards = batches.iter().zip(&parts).map(|(batch, part)| {
        start += part.len();
        Shard { batch, row_keys: &keys[start - part.len()..start] }
    });
    let mut words: Vec<u32> = rows.iter().flat_map(|(ids, _)| ids).copied().collect();
    words.sort_unstable();
    words.dedup();
    let labelled = (0..2).map(|task| rows.iter().filter(|(_, labels)| labels[task].is_some()).count()).collect();
    let cut = Cut { shards: shards.collect(), rows: rows.len(), labelled, words: &words };
    let mut pools: Vec<Pool<f64>> = (0..settings.shards).map(|_| Pool::new()).collect();
    let workers = Workers { pools: &mut pools, sums: &mut Vec::new(), ranks: &mut Ranks::alone() };
    let recorded = Recorded::new(settings, &model, &params, &cut, workers, false);
    (recorded.losses.clone(), recorded.gradients(goals).into_vec())
}

/// The largest difference of two gradients, as a share of the largest number in them.
fn difference(a: &Gradients<f64>, b: &Gradients<f64>, params: &ParamStore<f64>) -> f64 {
    let mut worst: f64 = 0.0;
    for id in params.ids() {
        assert_eq!(a.get(id).is_some(), b.get(id).is_some(), "{}", params.name(id));
        let (Some(a), Some(b)) = (a.dense(id), b.dense(id)) else { continue };
        let largest = a.data().iter().fold(1e-300, |largest: f64, x| largest.max(x.abs()));
        let apart = a.data().iter().zip(b.data()).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        worst = worst.max(apart / largest);
    }
    worst
}

#[test]
fn the_gradient_of_a_batch_is_that_of_its_shards_up_to_rounding() {
    for shared in LAYERS {
        for normaliser in [LossNormaliser::Labelled, LossNormaliser::Batch] {
            // In eight shards of three rows, or in eight of which five are empty.
            for rows in [rows(24), rows(3)] {
                let with = |shards| Settings { shards, loss_normaliser: normaliser, ..settings(shared) };
                let params = network(&with(1)).params;
                for goals in [Goals::Each, Goals::Weighted(&[1.0, 1.0]), Goals::Weighted(&[0.3, 2.0])] {
                    let (losses, whole) = gradients(&with(1), &rows, &goals);
                    for shards in [2, 4, 8] {
                        let (sharded_losses, sharded) = gradients(&with(shards), &rows, &goals);
                        for (a, b) in losses.iter().zip(&sharded_losses) {
                            assert!((a.unwrap() - b.unwrap()).abs() < 1e-14, "{losses:?} {sharded_losses:?}");
                        }
                        assert_eq!(whole.len(), sharded.len());
                        for (a, b) in whole.iter().zip(&sharded) {
                            let apart = difference(a, b, &params);
                            assert!(apart < 1e-12, "{shared:?} {shards} shards: {apart:e}");
                        }
                    }
                }
            }
        }
    }
}

/// A task's loss is the mean over its labelled rows of the batch, however they fall into shards: three in one and one in another
/// weigh a quarter each. Expected: the losses of the rows one by one.
#[test]
fn losses_are_normalised_over_the_whole_batch() {
    let text = |i: u32| vec![i, i + 7, i + 2];
    let only_first = [0, 1, 2, 4].map(|row| (row, [Some(row % 2 == 0), None]));
    let rows: Vec<Row> = (0..8)
        .map(|row| {
            let found = only_first.iter().find(|(labelled, _)| *labelled == row);
            (text(row), found.map_or([None, Some(true)], |(_, labels)| *labels))
        })
        .collect();
    let settings = Settings { dropout: 0.0, ..settings(Shared::Bilstm) };
    let alone = |row: u32| gradients(&settings, &rows[row as usize..][..1], &Goals::Each).0[0].unwrap();
    let mean = [0, 1, 2, 4].map(alone).iter().sum::<f64>() / 4.0;
    for shards in [2, 4, 8] {
        let (losses, _) = gradients(&Settings { shards, ..settings.clone() }, &rows, &Goals::Each);
        approx::assert_relative_eq!(losses[0].unwrap(), mean, max_relative = 1e-14);
    }
}

/// Words of shards that differ, and a shard without one.
#[test]
fn a_trained_embedding_has_a_gradient_for_the_words_of_all_shards() {
    let settings = Settings { shards: 4, ..settings(Shared::Conv) };
    let rows: Vec<Row> = vec![(vec![9, 4], [Some(true), None]), (vec![7, 9], [None, Some(false)]), (vec![], [None; 2])];
    let (_, gradients) = gradients(&settings, &rows, &Goals::Weighted(&[1.0, 1.0]));
    let network = network(&settings);
    let Some(Gradient::Rows { ids, .. }) = gradients[0].get(network.model.embedding().weight) else { panic!("rows") };
    assert_eq!(ids[..], [4, 7, 9]);
}

/// A training of a simulated pair.
struct Data {
    dataset: Dataset,
    split: Split,
}

fn data(settings: &Settings) -> Data {
    let corpus = Simulation { rows: [90, 130], words: 60, ..Simulation::default() }.generate().unwrap();
    let dataset = Dataset::new(&corpus, settings.tokenizer, settings.max_length, settings.padding);
    let split = prepare::split(settings, &dataset).unwrap();
    Data { dataset, split }
}

fn table(settings: &Settings, dataset: &Dataset) -> EmbeddingInit {
    let weight = Tensor::from_fn([dataset.encoder.vocabulary.len(), 5], |i| (i as f32 * 1.3).cos());
    EmbeddingInit { weight, trainable: settings.embedding != EmbeddingSource::Frozen }
}

/// The bits of every parameter.
fn bits(params: &ParamStore<f32>) -> Vec<u32> {
    params.ids().flat_map(|id| params.value(id).data().iter().map(|x| x.to_bits()).collect::<Vec<_>>()).collect()
}

/// A step of one shard is nothing but a sweep and a step of Adam.
#[test]
fn one_shard_is_a_plain_step_to_the_bit() {
    for shared in LAYERS {
        let settings = Settings { epochs: 2, patience: 0, ..settings(shared) };
        let settings = Settings { keep: crate::mtl::settings::Keep::Last, ..settings };
        let Data { dataset, split } = data(&settings);
        let table = table(&settings, &dataset);
        let mut trainer = Trainer::new(&settings, &dataset, &split, &table);
        trainer.run(|_, _| Ok(Flow::Continue)).unwrap();

        let mut params = ParamStore::<f32>::new();
        let model = Model::new(&settings, &dataset.tasks, &table, &mut params);
        let (mut adam, mut pool) = (optimiser(&settings, dataset.encoder.vocabulary.len()), Pool::new());
        let mut packer = Packer::new(dataset.encoder.vocabulary.len());
        let mut fresh = Trainer::new(&settings, &dataset, &split, &table);
        for epoch in 0..settings.epochs {
            fresh.state.epochs = epoch;
            for plan in epoch_plan(&settings, &dataset.examples, &split.train, dataset.tasks.len(), epoch) {
                let examples = plan.rows.iter().map(|&row| &dataset.examples[row]);
                let texts = examples.map(|example| (&example.tokens[..], &example.labels[..]));
                let batch = packer.pack_labelled(texts, dataset.tasks.len());
                let row_keys = fresh.row_keys(&plan);
                let mut tape = Tape::new(&params, &mut pool, Mode::Train { row_keys: &row_keys });
                let logits = model.forward(&mut tape, &batch);
                let losses = model.losses(&mut tape, &logits, &batch, settings.loss_normaliser);
                let gradients = tape.backward(losses.total.unwrap());
                adam.step(&mut params, &gradients);
            }
        }
        assert!(bits(&params) == bits(trainer.params()), "{shared:?}");
    }
}

/// Threads that are ranks.
struct Threads {
    rank: usize,
    to: Vec<Sender<Vec<f32>>>,
    from: Vec<Receiver<Vec<f32>>>,
}

impl Communicator<f32> for Threads {
    fn rank(&self) -> usize {
        self.rank
    }

    fn count(&self) -> usize {
        self.to.len()
    }

    fn swap(&mut self, partner: usize, own: &[f32], theirs: &mut [f32]) {
        self.to[partner].send(own.to_vec()).unwrap();
        theirs.copy_from_slice(&self.from[partner].recv().unwrap());
    }
}

fn threads(count: usize) -> Vec<Threads> {
    let mut worlds: Vec<Threads> = (0..count).map(|rank| Threads { rank, to: Vec::new(), from: Vec::new() }).collect();
    for from in 0..count {
        for to in 0..count {
            let (sender, receiver) = channel();
            worlds[from].to.push(sender);
            worlds[to].from.push(receiver);
        }
    }
    worlds
}

/// The parameters and reports of a training by so many ranks, which must agree.
fn trained(settings: &Settings, ranks: usize) -> (Vec<u32>, String) {
    let Data { dataset, split } = data(settings);
    let table = table(settings, &dataset);
    let train = |communicator: Option<Threads>| {
        let trainer = Trainer::new(settings, &dataset, &split, &table);
        let mut trainer = match communicator {
            Some(communicator) => trainer.with_ranks(Ranks::of(communicator, settings.shards).unwrap()),
            None => trainer,
        };
        let mut measured = String::new();
        let observe = |trainer: &Trainer<'_>, _: super::Event<'_>| {
            measured += &format!("{:?}\n", trainer.measured());
            Ok(Flow::Continue)
        };
        trainer.run(observe).unwrap();
        (bits(trainer.params()), format!("{:?} {:?} {measured}", trainer.reports(), trainer.balance()))
    };
    if ranks == 1 {
        return train(None);
    }
    let all: Vec<_> = std::thread::scope(|scope| {
        let handles: Vec<_> =
            threads(ranks).into_iter().map(|communicator| scope.spawn(|| train(Some(communicator)))).collect();
        handles.into_iter().map(|handle| handle.join().unwrap()).collect()
    });
    assert!(all.iter().all(|one| *one == all[0]), "ranks differ");
    all.into_iter().next().unwrap()
}

/// Batches of 32 in eight shards; the last of an epoch has fewer rows.
#[test]
fn any_number_of_ranks_gives_the_bits_of_one_process() {
    let base = |shared| Settings { shards: 8, epochs: 2, ..settings(shared) };
    let trained_vectors = |updates| Settings {
        embedding: EmbeddingSource::FineTuned,
        embedding_updates: updates,
        ..base(Shared::BilstmConv)
    };
    for settings in [
        base(Shared::Bilstm),
        Settings { batch: 60, ..base(Shared::Conv) },
        base(Shared::BilstmConv),
        Settings { balance: Balance::PcGrad, ..base(Shared::Conv) },
        Settings { balance: Balance::Uncertainty, probe: Some("gradients=3".parse().unwrap()), ..base(Shared::Conv) },
        Settings { batches: BatchComposition::Alternate, ..base(Shared::Conv) },
        Settings { shards: 8, epochs: 2, units: 3, filters: 4, ..Settings::preset(Preset::Paper) },
        trained_vectors(EmbeddingUpdates::Dense),
        Settings { balance: Balance::Mgda, ..trained_vectors(EmbeddingUpdates::Lazy) },
    ] {
        let alone = trained(&settings, 1);
        for ranks in [2, 4, 8] {
            assert!(trained(&settings, ranks) == alone, "{ranks} ranks, {settings:?}");
        }
        let in_one_piece = trained(&Settings { shards: 1, ..settings.clone() }, 1);
        assert!(in_one_piece.0 != alone.0, "the order of a sum shows in its bits");
    }
}

#[test]
fn a_checkpoint_goes_on_with_the_same_shards_and_no_others() {
    let settings = Settings { shards: 4, epochs: 2, ..settings(Shared::BilstmConv) };
    let Data { dataset, split } = data(&settings);
    let table = table(&settings, &dataset);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("checkpoint");
    let mut stopped = Trainer::new(&settings, &dataset, &split, &table);
    stopped.run(|trainer, _| Ok(if trainer.steps_done() == 2 { Flow::Stop } else { Flow::Continue })).unwrap();
    stopped.checkpoint(&path).unwrap();
    let mut resumed = Trainer::new(&settings, &dataset, &split, &table);
    resumed.restore(&path).unwrap();
    resumed.run(|_, _| Ok(Flow::Continue)).unwrap();
    assert!(bits(resumed.params()) == trained(&settings, 1).0);

    let others = Settings { shards: 2, ..settings.clone() };
    let error = Trainer::new(&others, &dataset, &split, &table).restore(&path).unwrap_err().to_string();
    assert!(error.ends_with("of another training: its batches were cut into another number of shards"), "{error}");
}

#[test]
fn a_wish_to_stop_reaches_all_ranks_at_the_same_step() {
    let settings = Settings { shards: 4, epochs: 3, ..settings(Shared::Conv) };
    let Data { dataset, split } = data(&settings);
    let table = table(&settings, &dataset);
    let stopped = std::thread::scope(|scope| {
        let one = |communicator: Threads| {
            let (dataset, split, table, settings) = (&dataset, &split, &table, &settings);
            scope.spawn(move || {
                let is_last = communicator.rank == 3;
                let mut trainer =
                    Trainer::new(settings, dataset, split, table).with_ranks(Ranks::of(communicator, 4).unwrap());
                let wish = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
                trainer.stop_when(wish.clone());
                let observe = |trainer: &Trainer<'_>, _: super::Event<'_>| {
                    if is_last && trainer.steps_in_all() == 4 {
                        wish.store(true, std::sync::atomic::Ordering::Relaxed);
                    }
                    Ok(if trainer.is_to_stop() { Flow::Stop } else { Flow::Continue })
                };
                trainer.run(observe).unwrap();
                trainer.steps_in_all()
            })
        };
        let handles: Vec<_> = threads(4).into_iter().map(one).collect();
        handles.into_iter().map(|handle| handle.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(stopped, [5; 4]);
}

#[test]
fn numbers_of_ranks_that_cannot_share_are_told_those_that_can() {
    let refused = |ranks: usize, shards: usize| {
        let communicator = threads(ranks).swap_remove(0);
        Ranks::of(communicator, shards).err().map(|error| error.to_string())
    };
    assert_eq!(refused(4, 8), None);
    assert_eq!(refused(1, 1), None);
    for (ranks, shards, message) in [
        (3, 4, "`shards`: a batch of 4 shards can be shared by 1, 2 or 4 ranks, and there are 3"),
        (4, 2, "`shards`: a batch of 2 shards can be shared by 1 or 2 ranks, and there are 4"),
        (2, 1, "`shards`: a batch of 1 shard is for 1 rank, and there are 2; say --shards"),
    ] {
        assert_eq!(refused(ranks, shards).as_deref(), Some(message));
    }
}
