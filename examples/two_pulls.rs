//! Two tasks on one layer: the angle between their gradients, over a training. Chapter 8 of the course says what it means.
//!
//! Run with `cargo run --release --example two_pulls`.

use mtlcore::autograd::{Mode, ParamStore, Tape};
use mtlcore::mtl::data::{Dataset, Padding, Simulation, Tokenizer};
use mtlcore::mtl::model::{EmbeddingInit, Model, Packer};
use mtlcore::mtl::settings::{EmbeddingSource, HeadStart, Preset, Settings};
use mtlcore::mtl::training::{epoch_plan, optimiser, step};
use mtlcore::tensor::Pool;

/// The cosine of the two tasks' gradients on the shared layer at each step of a training, epoch by epoch. The tasks are simulated: the
/// words that count for one count for the other as `relatedness` says, from 1 (in the same way) to −1 (the other way around).
pub fn angles(relatedness: f64, epochs: usize) -> mtlcore::Result<Vec<Vec<f64>>> {
    let simulation = Simulation {
        relatedness,
        overlap: 1.0,
        doubly_labelled: true,
        prevalence: [0.5, 0.5],
        ..Simulation::default()
    };
    let dataset = Dataset::new(&simulation.generate()?, Tokenizer::Plain, None, Padding::None);
    let settings = Settings {
        embedding: EmbeddingSource::Random,
        embedding_dim: 16,
        units: 8,
        // Each head with values of its own would give both pulls signs by chance, until the heads have found theirs.
        heads: HeadStart::Alike,
        ..Settings::preset(Preset::Default)
    };
    let table = EmbeddingInit::new(&settings, &dataset.encoder.vocabulary, None);
    let mut params = ParamStore::<f32>::new();
    let model = Model::new(&settings, &dataset.tasks, &table, &mut params);
    let shared: Vec<_> = params.ids().filter(|&id| params.name(id).starts_with("shared")).collect();

    let rows: Vec<usize> = (0..dataset.examples.len()).collect();
    let (mut adam, mut pool) = (optimiser(&settings, dataset.encoder.vocabulary.len()), Pool::new());
    let mut packer = Packer::new(dataset.encoder.vocabulary.len());
    let mut of_epoch = |epoch| {
        let mut cosines = Vec::new();
        for plan in epoch_plan(&settings, &dataset.examples, &rows, 2, epoch) {
            let texts = plan.rows.iter().map(|&row| &dataset.examples[row]);
            let batch = packer.pack_labelled(texts.map(|text| (&text.tokens[..], &text.labels[..])), 2);

            let mut tape = Tape::new(&params, &mut pool, Mode::Evaluate);
            let logits = model.forward(&mut tape, &batch);
            let losses = model.losses(&mut tape, &logits, &batch, settings.loss_normaliser);
            let losses: Vec<_> = losses.tasks.into_iter().flatten().collect();
            let pulls = tape.backward_each(&losses);
            let of_task = |task: usize| -> Vec<f32> {
                shared.iter().flat_map(|&id| pulls[task].dense(id).expect("both tasks use it").into_data()).collect()
            };
            let (a, b) = (of_task(0), of_task(1));
            cosines.push(dot(&a, &b) / (dot(&a, &a) * dot(&b, &b)).sqrt());

            step(&settings, &model, &mut params, &mut adam, &mut pool, &batch, &vec![epoch as u64; plan.rows.len()]);
        }
        cosines
    };
    Ok((0..epochs).map(&mut of_epoch).collect())
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
}

/// Prints the angles of pairs of tasks that are the same, unrelated and opposed.
pub fn main() -> mtlcore::Result<()> {
    println!("relatedness  epoch  mean cosine  steps with conflict");
    for relatedness in [1.0, 0.0, -1.0] {
        for (epoch, cosines) in angles(relatedness, 8)?.into_iter().enumerate() {
            let mean = cosines.iter().sum::<f64>() / cosines.len() as f64;
            let conflicts = cosines.iter().filter(|&&cosine| cosine < 0.0).count();
            println!("{relatedness:>11}  {:>5}  {mean:>11.2}  {conflicts:>8} of {}", epoch + 1, cosines.len());
        }
    }
    Ok(())
}
