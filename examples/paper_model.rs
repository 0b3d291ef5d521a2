//! The paper's model (B), layer by layer, on a simulated pair: `cargo run --release --example paper_model`.
use mtlcore::autograd::{Adam, AdamSettings, Mode, ParamStore, Tape, ops::lstm::GateActivation};
use mtlcore::layers::{Bilstm, Dense, Dropout, Embedding, SentenceVector};
use mtlcore::mtl::{model::Packer, prepare::Prepared, settings::*, streams, training::epoch_plan};
use mtlcore::tensor::Pool;

/// Trains and returns, for each epoch, the mean loss of each task's batches.
pub fn train(epochs: usize) -> mtlcore::Result<Vec<[f32; 2]>> {
    let settings = Settings::preset(Preset::Default);
    let data = Prepared::new(&settings)?; // no files named: a simulated pair, and its word vectors
    let (vectors, examples) = (data.table(&settings).weight, &data.dataset.examples);
    let (mut adam, mut pool, mut packer) =
        (Adam::new(AdamSettings::default()), Pool::new(), Packer::new(vectors.rows()));
    let (mut params, mut rng) = (ParamStore::new(), streams::Streams::new(1).rng("parameters", 0));
    let reader = Bilstm::new(&mut params, "reader", (vectors.cols(), 25), 1.0, GateActivation::Sigmoid, &mut rng);
    let words = Embedding::new(&mut params, "words", vectors, false);
    let heads = ["head a", "head b"].map(|name| Dense::new(&mut params, name, 50, 1, &mut rng));
    let mut one_epoch = |epoch| {
        let (plans, mut means) = (epoch_plan(&settings, examples, &data.split.train, 2, epoch), [0.0; 2]);
        for plan in &plans {
            let texts = plan.rows.iter().map(|&row| (&examples[row].tokens[..], &examples[row].labels[..]));
            let batch = packer.pack_labelled(texts, 2);
            let row_keys: Vec<u64> =
                plan.rows.iter().map(|&row| streams::split_mix(epoch as u64, row as u64)).collect();
            let mut tape = Tape::new(&params, &mut pool, Mode::Train { row_keys: &row_keys });
            let text = words.forward(&mut tape, &batch.distinct, &batch.rows, &batch.segments);
            let states = reader.forward(&mut tape, &text);
            let sentence = reader.sentence(&mut tape, &states, SentenceVector::Last);
            let kept = Dropout { rate: 0.25 }.forward(&mut tape, sentence);
            let losses = [0, 1].map(|task| {
                let logits = heads[task].forward(&mut tape, kept);
                let labelled = batch.labels[task].iter().flatten().count();
                tape.masked_bce(logits, batch.labels[task].clone(), labelled.max(1) as f32)
            });
            means = [0, 1].map(|task| means[task] + tape.value(losses[task]).item() / plans.len() as f32);
            let total = tape.add(losses[0], losses[1]);
            let gradients = tape.backward(total);
            adam.step(&mut params, &gradients);
        }
        println!("epoch {}: loss of task a {:.3}, of task b {:.3}", epoch + 1, means[0], means[1]);
        means
    };
    Ok((0..epochs).map(&mut one_epoch).collect())
}

/// Ten epochs.
pub fn main() -> mtlcore::Result<()> {
    train(10).map(drop)
}
