//! What must hold of any system like that of Joshi et al. 2019, whatever its data. Some of it is stated elsewhere:
//!
//! | what | where |
//! |---|---|
//! | the logit gradient of a missing label is exactly 0 | `src/autograd/ops/masked_bce.rs` |
//! | the values of hard_sigmoid | `src/tensor/pointwise.rs` |
//! | the first steps of both forms of Adam | `tests/library/parity.rs` |
//! | parameter counts at 200-d and 25 units | `src/mtl/model/mod.rs` |
//! | dropout keeps the mean, and is off in evaluation | `src/autograd/ops/dropout.rs` |
//! | the paper's table has seven impossible cells and a repeated pair | `src/mtl/evaluation/audit` |

use std::collections::BTreeMap;

use mtlcore::{
    autograd::{Mode, ParamStore, Tape},
    mtl::{
        data::{Corpus, Dataset, SimulatedFile, Simulation, Split, TaskSource, Vectors, Vocabulary},
        model::{EmbeddingInit, Model, Packer},
        prepare::{self, Prepared},
        settings::{AbsentHead, EmbeddingSource, HeadStart, LossNormaliser, Preset, Settings, Shared},
        training::{Flow, Trainer, optimiser, step},
    },
    tensor::{Pool, Tensor},
};

const SHARED: [Shared; 3] = [Shared::Bilstm, Shared::Conv, Shared::BilstmConv];

fn small(shared: Shared, preset: Preset) -> Settings {
    Settings { shared, units: 4, filters: 5, epochs: 2, ..Settings::preset(preset) }
}

fn simulation() -> Simulation {
    Simulation { rows: [150, 250], words: 100, dim: 6, ..Simulation::default() }
}

/// A new model of tasks `a` and `b` over six words.
fn model(settings: &Settings) -> (Model, ParamStore<f64>) {
    let mut params = ParamStore::new();
    let weight = Tensor::from_fn([6, 3], |i| (i as f32 * 0.7).sin());
    let table = EmbeddingInit { weight, trainable: true };
    let model = Model::new(settings, &["a".to_owned(), "b".to_owned()], &table, &mut params);
    (model, params)
}

const TEXTS: [&[u32]; 4] = [&[2, 3, 2], &[4], &[5, 2, 3, 4], &[3, 3]];

/// The bits of all parameters but the embedding by name, and of the embedding's rows by word.
type Bits = BTreeMap<String, Vec<u32>>;

fn bits(params: &ParamStore<f32>, vocabulary: &Vocabulary) -> Bits {
    let bits = |numbers: &[f32]| numbers.iter().map(|x| x.to_bits()).collect::<Vec<u32>>();
    let mut all = Bits::new();
    for id in params.ids() {
        let (name, value) = (params.name(id), params.value(id));
        if name == "embedding.weight" {
            all.extend(
                vocabulary.words().enumerate().map(|(row, word)| (format!("word {word}"), bits(value.row(row)))),
            );
        } else {
            all.insert(name.to_owned(), bits(value.data()));
        }
    }
    all
}

/// The bits after every step of a training.
fn train(settings: &Settings, dataset: &Dataset, split: &Split, table: &EmbeddingInit) -> Vec<Bits> {
    let mut steps = Vec::new();
    let mut trainer = Trainer::new(settings, dataset, split, table);
    let outcome = trainer.run(|trainer, _| {
        steps.push(bits(trainer.params(), &dataset.encoder.vocabulary));
        Ok(Flow::Continue)
    });
    outcome.unwrap();
    assert!(steps.len() > 4 && steps[0] != steps[1], "it learns");
    steps
}

#[test]
fn a_labelled_row_of_four_counts_a_quarter_or_whole() {
    // ln(1 + eᶻ) = 0.8
    let z = (0.8_f64.exp() - 1.0).ln();
    for (normaliser, expected) in [(LossNormaliser::Batch, 0.2), (LossNormaliser::Labelled, 0.8)] {
        let (model, params) = model(&small(Shared::Conv, Preset::Default));
        let mut pool = Pool::new();
        let labels = [[None, None], [Some(false), None], [None, None], [None, None]];
        let rows = TEXTS.into_iter().zip(labels.iter().map(|labels| &labels[..]));
        let batch = Packer::new(6).pack_labelled(rows, 2);
        let mut tape = Tape::new(&params, &mut pool, Mode::Evaluate);
        let logits = [9.0, -7.0].map(|other| tape.constant(Tensor::new([4, 1], vec![other, z, other, other])));
        let losses = model.losses(&mut tape, &logits, &batch, normaliser);
        assert!(losses.tasks[1].is_none());
        for loss in [losses.tasks[0], losses.total] {
            approx::assert_relative_eq!(tape.value(loss.unwrap()).item(), expected, max_relative = 1e-12);
        }
    }
}

#[test]
fn a_batch_without_labels_moves_nothing_and_says_so() {
    for shared in SHARED {
        for (preset, absent_head) in [(Preset::Default, AbsentHead::Skip), (Preset::Paper, AbsentHead::Decay)] {
            let settings = Settings { absent_head, ..small(shared, preset) };
            let (model, mut params) = model(&settings);
            let (mut adam, mut pool, mut packer) = (optimiser(&settings, 6), Pool::new(), Packer::new(6));
            let mut step_on = |params: &mut ParamStore<f64>, labels: [[Option<bool>; 2]; 4]| {
                let batch = packer.pack_labelled(TEXTS.into_iter().zip(labels.iter().map(|l| &l[..])), 2);
                step(&settings, &model, params, &mut adam, &mut pool, &batch, &[1, 2, 3, 4])
            };
            let numbers = |params: &ParamStore<f64>| -> Vec<f64> {
                params.ids().flat_map(|id| params.value(id).data().to_vec()).collect()
            };
            // Adam has moments, which must not move anything either.
            let losses = step_on(&mut params, [[Some(true), Some(false)]; 4]);
            assert!(losses.iter().all(|loss| loss.is_some_and(|loss| loss > 0.0)));
            let before = numbers(&params);
            assert_eq!(step_on(&mut params, [[None; 2]; 4]), [None, None].into());
            assert_eq!(numbers(&params), before);
            assert!(before.iter().all(|x| x.is_finite()));
        }
    }
}

/// The rows of one of two tasks, as a corpus of its own.
fn alone(corpus: &Corpus, slot: usize) -> Corpus {
    let records = corpus.records.iter().filter(|record| record.labels[slot].is_some()).cloned();
    Corpus {
        tasks: vec![corpus.tasks[slot].clone()],
        sources: corpus.sources.clone(),
        records: records
            .map(|mut record| {
                record.labels = vec![record.labels[slot]];
                record
            })
            .collect(),
    }
}

/// Embeddings of the simulation's own vectors, or random ones, as the settings ask for.
fn table(settings: &Settings, dataset: &Dataset) -> EmbeddingInit {
    let (text, vocabulary) = (simulation().vectors(), &dataset.encoder.vocabulary);
    let vectors = Vectors::from_reader(text.as_bytes(), "simulated".as_ref(), vocabulary).unwrap();
    EmbeddingInit::new(settings, vocabulary, (settings.embedding != EmbeddingSource::Random).then_some(&vectors))
}

#[test]
fn two_tasks_with_none_of_the_others_rows_are_the_single_task() {
    let corpus = simulation().generate().unwrap();
    for shared in SHARED {
        for preset in [Preset::Default, Preset::Paper] {
            for embedding in [EmbeddingSource::Frozen, EmbeddingSource::FineTuned, EmbeddingSource::Random] {
                let settings = Settings { embedding, embedding_dim: 6, ..small(shared, preset) };
                let of =
                    |corpus: &Corpus| Dataset::new(corpus, settings.tokenizer, settings.max_length, settings.padding);
                let both = of(&corpus);
                for slot in 0..2 {
                    let single = alone(&corpus, slot);
                    // With padding, the longest text of all decides on the input.
                    let single = match preset {
                        Preset::Default => of(&single),
                        Preset::Paper => Dataset::with_encoder(&single, both.encoder.clone()),
                    };
                    let rows = |dataset: &Dataset, slot: usize| Split {
                        train: (0..dataset.examples.len())
                            .filter(|&row| dataset.examples[row].labels[slot].is_some())
                            .collect(),
                        held_out: Vec::new(),
                    };
                    let mtl = train(&settings, &both, &rows(&both, slot), &table(&settings, &both));
                    let stl = train(&settings, &single, &rows(&single, 0), &table(&settings, &single));
                    assert_eq!(mtl.len(), stl.len());
                    for (number, (mut mtl, stl)) in mtl.into_iter().zip(stl).enumerate() {
                        mtl.retain(|name, _| stl.contains_key(name));
                        assert!(mtl == stl, "{shared:?} {preset:?} {embedding:?} task {slot}: step {number}");
                    }
                }
            }
        }
    }
}

/// A corpus whose two tasks have the same labels.
fn copied() -> Corpus {
    let mut corpus = alone(&simulation().generate().unwrap(), 0);
    corpus.tasks = vec!["a".into(), "b".into()];
    for record in &mut corpus.records {
        record.labels = vec![record.labels[0]; 2];
    }
    corpus
}

#[test]
fn a_task_and_its_copy_have_equal_heads_at_every_step_and_parallel_gradients() {
    let corpus = copied();
    for shared in SHARED {
        for preset in [Preset::Default, Preset::Paper] {
            let settings = Settings { heads: HeadStart::Alike, ..small(shared, preset) };
            let dataset = Dataset::new(&corpus, settings.tokenizer, settings.max_length, settings.padding);
            let split = prepare::split(&settings, &dataset).unwrap();
            let table = table(&settings, &dataset);
            for (number, bits) in train(&settings, &dataset, &split, &table).iter().enumerate() {
                for part in ["kernel", "bias"] {
                    assert!(
                        bits[&format!("heads.a.{part}")] == bits[&format!("heads.b.{part}")],
                        "{shared:?}: step {number}"
                    );
                }
            }

            let (mut params, mut pool) = (ParamStore::<f64>::new(), Pool::new());
            let model = Model::new(&settings, &dataset.tasks, &table, &mut params);
            let texts = dataset.examples[..32].iter().map(|example| (&example.tokens[..], &example.labels[..]));
            let batch = Packer::new(dataset.encoder.vocabulary.len()).pack_labelled(texts, 2);
            let keys: Vec<u64> = (0..32).collect();
            let mut tape = Tape::new(&params, &mut pool, Mode::Train { row_keys: &keys });
            let logits = model.forward(&mut tape, &batch);
            let losses = model.losses(&mut tape, &logits, &batch, settings.loss_normaliser);
            let losses: Vec<_> = losses.tasks.into_iter().flatten().collect();
            let gradients: Vec<Vec<f64>> = tape
                .backward_each(&losses)
                .iter()
                .map(|gradients| {
                    let shared = params.ids().filter(|&id| params.name(id).starts_with("shared."));
                    shared.flat_map(|id| gradients.dense(id).unwrap().into_data()).collect()
                })
                .collect();
            let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
            let (a, b) = (&gradients[0][..], &gradients[1][..]);
            let cosine = product(a, b) / (product(a, a) * product(b, b)).sqrt();
            assert!(product(a, a) > 0.0);
            approx::assert_relative_eq!(cosine, 1.0, max_relative = 1e-12);
        }
    }
}

/// As through the program in `determinism.rs`; here with tasks whose names sort the other way round, too.
#[test]
fn the_order_of_tasks_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let write = |file: SimulatedFile| {
        let path = directory.path().join(&file.name);
        std::fs::write(&path, &file.content).unwrap();
        TaskSource { label: Some("label".into()), ..TaskSource::new(&file.tasks[0], path) }
    };
    let files: Vec<TaskSource> = simulation().files().unwrap().into_iter().map(write).collect();
    let [first, second]: [TaskSource; 2] = files.try_into().unwrap();
    for shared in SHARED {
        let after = |heads, tasks: [(&str, &TaskSource); 2]| {
            let mut settings = Settings { heads, ..small(shared, Preset::Default) };
            settings.embedding_dim = 6;
            settings.tasks = tasks
                .iter()
                .map(|(name, task)| {
                    let label = task.label.clone().or(Some("label".into()));
                    TaskSource { name: (*name).into(), label, ..(*task).clone() }
                })
                .collect();
            let prepared = Prepared::new(&settings).unwrap();
            train(&settings, &prepared.dataset, &prepared.split, &prepared.table(&settings))
        };
        for heads in [HeadStart::Own, HeadStart::Alike] {
            let declared = after(heads, [("a", &first), ("b", &second)]);
            let reversed = after(heads, [("b", &second), ("a", &first)]);
            assert!(declared == reversed, "{shared:?}, {heads:?}: declared the other way round");
        }
        // A head's own values go with its name, so only heads that start alike can change names.
        let declared = after(HeadStart::Alike, [("a", &first), ("b", &second)]);
        let renamed = after(HeadStart::Alike, [("b", &first), ("a", &second)]);
        for (number, (declared, renamed)) in declared.iter().zip(&renamed).enumerate() {
            for (name, bits) in declared {
                let other = match name.strip_prefix("heads.") {
                    Some(head) => format!("heads.{}{}", if head.starts_with('a') { 'b' } else { 'a' }, &head[1..]),
                    None => name.clone(),
                };
                assert!(*bits == renamed[&other], "{shared:?}: {name} after step {number}");
            }
        }
    }
}
