//! Relatedness from outside: what must hold whatever the texts, and a relation that was put into simulated ones.

use mtlcore::{
    autograd::{Mode, ParamStore, Tape},
    mtl::{
        data::{Dataset, Padding, Simulation, Tokenizer},
        model::{Batch, EmbeddingInit, Model, Packer},
        relatedness::{Extent, Relatedness, relate},
        settings::{LossNormaliser, Preset, Settings, Shared},
    },
    tensor::Pool,
};

fn cheap(simulation: &Simulation) -> Relatedness {
    let settings = Settings { tokenizer: Tokenizer::Plain, ..Settings::preset(Preset::Default) };
    relate(&settings, &simulation.generate().unwrap(), Extent::Cheap, &|_, _| ()).unwrap()
}

fn value(found: &Relatedness, measure: &str) -> f64 {
    found.pair("task_a", "task_b").unwrap().measures[measure].value.unwrap()
}

/// The axis of the phase map: ρ̂ finds the cosine with which the words' weights were made.
#[test]
fn the_word_weight_cosine_finds_the_relatedness_that_was_put_in() {
    for relatedness in [-0.8, 0.0, 0.8] {
        let simulation =
            Simulation { relatedness, overlap: 1.0, rows: [1000, 1000], words: 100, ..Simulation::default() };
        let found = value(&cheap(&simulation), "word_weight_cosine");
        assert!((found - relatedness).abs() < 0.2, "{relatedness}: {found}");
    }
}

#[test]
fn a_model_of_a_related_task_transfers_and_of_an_opposite_one_ranks_the_other_way_round() {
    let found = |relatedness| {
        let simulation = Simulation { relatedness, overlap: 1.0, rows: [800, 800], ..Simulation::default() };
        value(&cheap(&simulation), "zero_shot_ratio")
    };
    assert!(found(1.0) > 0.7, "{}", found(1.0));
    assert!(found(-1.0) < -0.7, "{}", found(-1.0));
}

#[test]
fn texts_of_one_law_diverge_no_more_than_chance() {
    let found = cheap(&Simulation { overlap: 1.0, ..Simulation::default() });
    assert!(value(&found, "excess_jsd").abs() < 0.01);
    let apart = cheap(&Simulation { overlap: 0.0, relatedness: 0.0, ..Simulation::default() });
    assert!(value(&apart, "excess_jsd") > 0.85);
    assert!(!apart.pair("task_a", "task_b").unwrap().measures["word_weight_cosine"].is_above_floor());
}

/// With one head a task the sign of the relation cannot matter: all labels of the partner flipped and its head negated, the gradient of
/// what is shared is the same. So the gain over ρ is a U, and only the pooled control, with one head, tells the sign.
#[test]
fn flipped_labels_and_a_negated_head_change_no_shared_gradient() {
    let corpus = Simulation { rows: [40, 40], ..Simulation::default() }.generate().unwrap();
    let dataset = Dataset::new(&corpus, Tokenizer::Plain, None, Padding::None);
    for shared in [Shared::Conv, Shared::Bilstm, Shared::BilstmConv] {
        let settings = Settings { shared, embedding_dim: 6, units: 3, filters: 4, ..Settings::preset(Preset::Default) };
        let table = EmbeddingInit::new(&settings, &dataset.encoder.vocabulary, None);
        let mut params = ParamStore::<f64>::new();
        let model = Model::new(&settings, &dataset.tasks, &table, &mut params);
        let texts = dataset.examples.iter().map(|example| (&example.tokens[..], &example.labels[..]));
        let batch = Packer::new(dataset.encoder.vocabulary.len()).pack_labelled(texts, 2);
        let gradients = |params: &ParamStore<f64>, batch: &Batch| {
            let mut pool = Pool::new();
            let mut tape = Tape::new(params, &mut pool, Mode::Evaluate);
            let logits = model.forward(&mut tape, batch);
            let losses = model.losses(&mut tape, &logits, batch, LossNormaliser::Labelled);
            let total = losses.total.unwrap();
            let gradients = tape.backward(total);
            let dense = |id| gradients.dense(id).unwrap().into_data();
            model.shared_params(params).into_iter().flat_map(dense).collect::<Vec<f64>>()
        };
        let before = gradients(&params, &batch);
        let head = &model.heads()[1].dense;
        for id in [head.kernel, head.bias] {
            params.value_mut(id).data_mut().iter_mut().for_each(|weight| *weight = -*weight);
        }
        let mut flipped = batch.clone();
        flipped.labels[1] = batch.labels[1].iter().map(|label| label.map(|label| !label)).collect();
        let after = gradients(&params, &flipped);
        assert!(before.iter().any(|g| g.abs() > 1e-6));
        let largest = before.iter().zip(&after).map(|(x, y)| (x - y).abs()).fold(0.0, f64::max);
        assert!(largest <= 1e-12, "{shared:?}: {largest}");
    }
}
