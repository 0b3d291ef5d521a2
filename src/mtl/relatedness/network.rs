//! Layers of networks: untrained, or trained on one task; their features of texts, fitted heads, gradients and sensitivities.

use std::sync::Arc;

use super::{
    fisher,
    linear::{Features, Logistic, dense},
    lookahead::affinity,
    measured::mean,
    tasks::Task,
};
use crate::Result;
use crate::autograd::{Gradients, Mode, ParamId, ParamStore, Tape};
use crate::mtl::{
    data::{Dataset, Example, TextEncoder, hold_out},
    model::{Batch, EmbeddingInit, Model, Packer},
    settings::{LossNormaliser, Settings},
    training::{Flow, Predictor, Trainer},
};
use crate::tensor::{Pool, Real};

/// How often labels are permuted where each time a head is fitted, and where a layer is trained.
pub(super) const REFITS: usize = 5;
pub(super) const RETRAININGS: usize = 3;
/// Texts of each task that a shared layer's gradients are taken on, whose sensitivities are summed up, that representations are compared on.
const GRADIENT_TEXTS: usize = 250;
const FISHER_TEXTS: usize = 150;
const CKA_TEXTS: usize = 150;
/// Batches whose gradients may be in conflict.
const BATCHES: usize = 8;
/// The length of the lookahead's step, as a share of that of the layer's parameters: gradients have no scale of their own, since fitted
/// heads are the larger, the smaller the features.
const LOOKAHEAD_STEP: f64 = 0.01;
/// Texts that are computed together.
const CHUNK: usize = 64;
/// The share of a task's texts that tell a layer's training when to stop.
const HELD_OUT: f64 = 0.15;

/// The networks of one comparison: all have the same settings, vocabulary, word vectors and initial weights.
pub(super) struct Networks<'s> {
    pub settings: &'s Settings,
    pub encoder: TextEncoder,
    pub table: EmbeddingInit,
    /// The untrained layer with two heads.
    fresh: Layer,
}

/// A network's layer with its parameters.
pub(super) struct Layer {
    model: Model,
    params: ParamStore<f32>,
}

/// A fitted head: weights and intercept.
pub(super) type Head = (Vec<f64>, f64);

/// Texts with labels of both tasks of a pair.
pub(super) struct Union<'d> {
    pub texts: Vec<&'d [u32]>,
    /// `[task][text]`
    pub labels: [Vec<bool>; 2],
    /// Their sentence vectors by the untrained layer. `// [texts, width]`
    pub features: Vec<Vec<f64>>,
}

/// Both tasks' gradients on halves and batches of a union.
pub(super) struct PairGradients {
    /// `[half][task]`
    pub halves: [[Vec<f64>; 2]; 2],
    pub batches: Vec<[Vec<f64>; 2]>,
    /// The affinity of the second task for the first, from either half to the other.
    pub lookahead: [f64; 2],
    /// The mean of both steps' rates η.
    pub rate: f64,
}

impl<'s> Networks<'s> {
    pub fn new(settings: &'s Settings, dataset: &Dataset, table: EmbeddingInit) -> Self {
        let mut params = ParamStore::new();
        let heads = ["main".to_owned(), "partner".to_owned()];
        let model = Model::new(settings, &heads, &table, &mut params);
        Self { settings, encoder: dataset.encoder.clone(), table, fresh: Layer { model, params } }
    }

    pub fn fresh(&self) -> &Layer {
        &self.fresh
    }

    fn vocabulary(&self) -> usize {
        self.encoder.vocabulary.len()
    }

    /// A layer trained on a task's sample with these labels, with early stopping on a held-out share of it.
    pub fn train(&self, task: &Task<'_>, labels: &[bool]) -> Result<Layer> {
        let example = |(&row, &label): (&usize, &bool)| Example {
            labels: vec![Some(label)],
            validation: false,
            ..task.dataset.examples[row].clone()
        };
        let tasks = vec![task.name.to_owned()];
        let examples: Vec<Example> = task.rows.iter().zip(labels).map(example).collect();
        let split = hold_out(&tasks, &examples, HELD_OUT, self.settings.seed)?;
        let dataset = Dataset { tasks, encoder: self.encoder.clone(), examples };
        let mut trainer = Trainer::new(self.settings, &dataset, &split, &self.table);
        trainer.run(|_, _| Ok(Flow::Continue))?;
        Ok(Layer { model: trainer.model().clone(), params: trainer.params().clone() })
    }

    /// The sentence vectors of some texts. `// [texts, width]`
    pub fn features(&self, layer: &Layer, texts: &[&[u32]]) -> Vec<Vec<f64>> {
        let (mut packer, mut pool) = (Packer::new(self.vocabulary()), Pool::new());
        let mut all = Vec::with_capacity(texts.len());
        for chunk in texts.chunks(CHUNK) {
            let batch = packer.pack(chunk.iter().copied());
            let mut tape = Tape::new(&layer.params, &mut pool, Mode::Evaluate);
            let sentence = layer.model.record(&mut tape, &batch).sentence;
            let sentence = tape.value(sentence);
            all.extend((0..chunk.len()).map(|i| sentence.row(i).iter().map(|&x| f64::from(x)).collect()));
        }
        all
    }

    /// The probability of "true" for each text, by the head that the layer was trained with.
    pub fn probabilities(&self, layer: &Layer, texts: &[&[u32]]) -> Vec<f64> {
        let predictor = Predictor::new(&layer.model, &layer.params, self.vocabulary());
        predictor.probabilities(texts).into_iter().map(|of_heads| of_heads[0]).collect()
    }

    /// As many texts of either task, each with labels of both: a missing one is predicted, true for a positive logit of `predict(task,
    /// texts)`.
    pub fn union<'d>(
        &self,
        [a, b]: [(&Task<'d>, &[Vec<f64>]); 2],
        predict: impl Fn(usize, &[&[u32]]) -> Vec<f64>,
    ) -> Union<'d> {
        let n = a.0.rows.len().min(b.0.rows.len()).min(GRADIENT_TEXTS);
        // In turn, so that every batch has texts of both.
        let places = (0..n).flat_map(|i| [(a, i), (b, i)]);
        let rows: Vec<usize> = places.clone().map(|((task, _), i)| task.rows[i]).collect();
        let features = places.map(|((_, features), i)| features[i].clone()).collect();
        let texts: Vec<&[u32]> = rows.iter().map(|&row| &a.0.dataset.examples[row].tokens[..]).collect();
        let labels = [(0, a.0.slot), (1, b.0.slot)].map(|(task, slot)| {
            let scores = predict(task, &texts);
            let label = |(&row, score): (&usize, f64)| a.0.dataset.examples[row].labels[slot].unwrap_or(score > 0.0);
            rows.iter().zip(scores).map(label).collect()
        });
        Union { texts, labels, features }
    }

    /// Both tasks' gradients with heads fitted on the union. Without `batches`, those of halves only.
    pub fn gradients(&self, union: &Union<'_>, batches: bool) -> PairGradients {
        let mut params = self.fresh.params.clone();
        for (head, labels) in self.fresh.model.heads().iter().zip(&union.labels) {
            let fitted = fit_head(&union.features, labels);
            put_head(&mut params, [head.dense.kernel, head.dense.bias], &fitted);
        }
        let layer = layer_params(&params);
        let all: Vec<usize> = (0..union.texts.len()).collect();
        // Pairs of texts, one of each task, stay together.
        let half = |side: usize| all.iter().copied().filter(|i| i / 2 % 2 == side).collect::<Vec<_>>();
        let halves = [half(0), half(1)].map(|places| self.batch(union, &places));
        let of_halves = halves.each_ref().map(|batch| self.backward(&params, batch));
        let flat = |gradients: &[Gradients<f32>]| [0, 1].map(|task| flattened(&gradients[task], &layer));
        let batches = if batches { BATCHES } else { 0 };
        let of_batches = (0..batches).map(|k| {
            let places: Vec<usize> = all.iter().copied().filter(|i| i / 2 % BATCHES == k).collect();
            flat(&self.backward(&params, &self.batch(union, &places)))
        });
        let of_batches = of_batches.collect();
        let length = norm(layer.iter().flat_map(|&id| params.value(id).data().iter().map(|&x| f64::from(x))));
        let rates = of_halves.each_ref().map(|half| {
            let steepness = norm(flattened(&half[1], &layer).into_iter());
            if steepness > 0.0 { LOOKAHEAD_STEP * length / steepness } else { 0.0 }
        });
        let lookahead = [(0, 1), (1, 0)].map(|(from, to)| {
            let loss = |params: &ParamStore<f32>| self.loss(params, &halves[to], 0);
            affinity(&mut params, &layer, &of_halves[from][1], rates[from], loss)
        });
        let halves = of_halves.each_ref().map(|half| flat(half));
        PairGradients { halves, batches: of_batches, lookahead, rate: mean(&rates) }
    }

    fn batch(&self, union: &Union<'_>, places: &[usize]) -> Batch {
        let batch = Packer::new(self.vocabulary()).pack(places.iter().map(|&i| union.texts[i]));
        let labels = union.labels.each_ref().map(|labels| places.iter().map(|&i| Some(labels[i])).collect::<Arc<_>>());
        Batch { labels: labels.into(), ..batch }
    }

    fn backward(&self, params: &ParamStore<f32>, batch: &Batch) -> Vec<Gradients<f32>> {
        let mut pool = Pool::new();
        let mut tape = Tape::new(params, &mut pool, Mode::Evaluate);
        let logits = self.fresh.model.forward(&mut tape, batch);
        let losses = self.fresh.model.losses(&mut tape, &logits, batch, LossNormaliser::Labelled);
        let losses: Vec<_> = losses.tasks.into_iter().flatten().collect();
        tape.backward_each(&losses)
    }

    fn loss(&self, params: &ParamStore<f32>, batch: &Batch, task: usize) -> f64 {
        let mut pool = Pool::new();
        let mut tape = Tape::new(params, &mut pool, Mode::Evaluate);
        let logits = self.fresh.model.forward(&mut tape, batch);
        let losses = self.fresh.model.losses(&mut tape, &logits, batch, LossNormaliser::Labelled);
        losses.tasks[task].map_or(0.0, |loss| f64::from(tape.value(loss).item()))
    }

    /// The Fisher diagonal of a task's head, fitted to these labels on the untrained layer: of all texts, and of two halves.
    pub fn fisher(&self, task: &Task<'_>, features: &[Vec<f64>], labels: &[bool]) -> [Vec<f64>; 3] {
        let mut params = self.fresh.params.clone();
        let head = &self.fresh.model.heads()[0];
        put_head(&mut params, [head.dense.kernel, head.dense.bias], &fit_head(features, labels));
        let layer = layer_params(&params);
        let (mut packer, mut pool) = (Packer::new(self.vocabulary()), Pool::new());
        let of_text = |text: &[u32]| {
            let batch = packer.pack([text].into_iter());
            let mut tape = Tape::new(&params, &mut pool, Mode::Evaluate);
            let logit = self.fresh.model.forward(&mut tape, &batch)[0];
            let p = f64::from(tape.value(logit).item()).sigmoid();
            let gradients = tape.backward(logit);
            let derivative = flattened(&gradients, &layer);
            gradients.give_to(&mut pool);
            (p, derivative)
        };
        let texts: Vec<(f64, Vec<f64>)> = task.texts().into_iter().take(FISHER_TEXTS).map(of_text).collect();
        let (first, second) = texts.split_at(texts.len() / 2);
        [&texts[..], first, second].map(fisher::diagonal)
    }
}

/// Texts on which two layers' representations are compared: as many of either task.
pub(super) fn texts_to_compare<'d>(a: &Task<'d>, b: &Task<'d>) -> Vec<&'d [u32]> {
    let n = a.rows.len().min(b.rows.len()).min(CKA_TEXTS);
    a.texts().into_iter().take(n).chain(b.texts().into_iter().take(n)).collect()
}

/// A logistic regression on standardised features, as weights of the features as they are.
fn fit_head(features: &[Vec<f64>], labels: &[bool]) -> Head {
    let width = features.first().map_or(0, Vec::len);
    let moments: Vec<(f64, f64)> = (0..width)
        .map(|column| {
            let values: Vec<f64> = features.iter().map(|row| row[column]).collect();
            let middle = mean(&values);
            let variance = mean(&values.iter().map(|v| (v - middle).powi(2)).collect::<Vec<_>>());
            (middle, if variance > 0.0 { variance.sqrt() } else { 1.0 })
        })
        .collect();
    let standardised = |row: &Vec<f64>| {
        let values: Vec<f64> = row.iter().zip(&moments).map(|(x, (middle, sd))| (x - middle) / sd).collect();
        dense(&values)
    };
    let rows: Vec<Features> = features.iter().map(standardised).collect();
    let model = Logistic::fit(&rows, labels, width);
    let (weights, intercept) = model.parts();
    let weights: Vec<f64> = weights.iter().zip(&moments).map(|(w, (_, sd))| w / sd).collect();
    let moved: f64 = weights.iter().zip(&moments).map(|(w, (middle, _))| w * middle).sum();
    (weights, intercept - moved)
}

fn put_head(params: &mut ParamStore<f32>, [kernel, bias]: [ParamId; 2], (weights, intercept): &Head) {
    let values = params.value_mut(kernel).data_mut().iter_mut().zip(weights);
    values.for_each(|(value, &weight)| *value = weight as f32);
    params.value_mut(bias).data_mut()[0] = *intercept as f32;
}

/// The layer's own parameters: word vectors differ by which words a task has, heads are each task's own.
fn layer_params(params: &ParamStore<f32>) -> Vec<ParamId> {
    params.ids().filter(|&id| params.name(id).starts_with("shared.")).collect()
}

fn norm(numbers: impl Iterator<Item = f64>) -> f64 {
    numbers.map(|x| x * x).sum::<f64>().sqrt()
}

fn flattened(gradients: &Gradients<f32>, layer: &[ParamId]) -> Vec<f64> {
    let of = |&id: &ParamId| gradients.dense(id).map_or(Vec::new(), |tensor| tensor.into_data());
    layer.iter().flat_map(of).map(f64::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mtl::{
        data::{Padding, Simulation, Tokenizer},
        settings::{Preset, Shared},
    };

    /// With one head a task the sign of ρ cannot matter: with all labels of the partner flipped, its fitted head is negated and the
    /// gradient of the shared layer is the same.
    #[test]
    fn flipping_the_partners_labels_changes_no_gradient() {
        let corpus = Simulation { rows: [60, 60], ..Simulation::default() }.generate().unwrap();
        let dataset = Dataset::new(&corpus, Tokenizer::Plain, None, Padding::None);
        let settings = Settings { shared: Shared::Conv, embedding_dim: 8, ..Settings::preset(Preset::Default) };
        let table = EmbeddingInit::new(&settings, &dataset.encoder.vocabulary, None);
        let networks = Networks::new(&settings, &dataset, table);
        let tasks = [0, 1].map(|slot| Task::new(&dataset, slot, 1).unwrap());
        let features = tasks.each_ref().map(|task| networks.features(networks.fresh(), &task.texts()));
        let sides = [(&tasks[0], &features[0][..]), (&tasks[1], &features[1][..])];
        let mut union =
            networks.union(sides, |task, texts| (0..texts.len()).map(|i| ((i + task) % 3) as f64 - 0.5).collect());
        let before = networks.gradients(&union, false);
        union.labels[1].iter_mut().for_each(|label| *label = !*label);
        let after = networks.gradients(&union, false);
        for (before, after) in before.halves.iter().flatten().zip(after.halves.iter().flatten()) {
            let scale = before.iter().fold(0.0, |largest: f64, g| largest.max(g.abs()));
            assert!(scale > 0.0 && before.iter().zip(after).all(|(x, y)| (x - y).abs() < 1e-3 * scale));
        }
    }
}
