//! Gradient checks of whole models: every shared layer, one task and two, every option that changes the mathematics.

use std::sync::Arc;

use super::{Batch, EmbeddingInit, Model, Packer};
use crate::autograd::{
    ParamStore,
    gradcheck::{Check, wave},
    ops::{
        conv::{ConvActivation, TimePooling},
        lstm::GateActivation,
    },
};
use crate::layers::SentenceVector;
use crate::mtl::settings::{LossNormaliser, Preset, Settings, Shared};
use crate::tensor::Tensor;

const SHARED: [(&str, Shared); 3] = [("B", Shared::Bilstm), ("C", Shared::Conv), ("B+C", Shared::BilstmConv)];
const ALL: [[Option<bool>; 2]; 4] =
    [[Some(true), Some(false)], [Some(false), Some(true)], [Some(true), Some(true)], [Some(false), Some(false)]];
const SOME: [[Option<bool>; 2]; 4] = [[Some(true), None], [None, Some(false)], [None, None], [Some(false), None]];
const ONE_TASK_ABSENT: [[Option<bool>; 2]; 4] = [[Some(true), None], [None, None], [Some(false), None], [None, None]];
const NONE: [[Option<bool>; 2]; 4] = [[None; 2]; 4];

/// The checks of every model.
pub fn checks() -> Vec<Check> {
    let texts: [&[u32]; 4] = [&[2, 5, 3, 2], &[4], &[6, 2, 7, 3, 5], &[3, 4]];
    let tiny: [&[u32]; 4] = [&[2], &[4], &[2], &[3]];
    let base = || Settings { units: 2, filters: 3, ..Settings::preset(Preset::Default) };
    let mut checks = Vec::new();
    for (letter, shared) in SHARED {
        let settings = || Settings { shared, ..base() };
        let two = |name: &str| format!("model {letter}, two tasks: {name}");
        checks.push(check(&format!("model {letter}, one task"), &settings(), 1, &texts, &ALL, false));
        for (name, labels) in [
            ("all labelled", ALL),
            ("some labels missing", SOME),
            ("a task absent", ONE_TASK_ABSENT),
            ("no label", NONE),
        ] {
            checks.push(check(&two(name), &settings(), 2, &texts, &labels, false));
        }
        checks.push(check(&two("texts of one token"), &settings(), 2, &tiny, &SOME, false));
        checks.push(check(&two("embedding trained"), &settings(), 2, &texts, &SOME, true));
        let paper = Settings { shared, units: 2, filters: 3, ..Settings::preset(Preset::Paper) };
        checks.push(check(&two("preset paper"), &paper, 2, &padded(&texts), &SOME, false));
        let normaliser = Settings { loss_normaliser: LossNormaliser::Batch, ..settings() };
        checks.push(check(&two("divided by the batch"), &normaliser, 2, &texts, &SOME, false));
    }
    for sentence in [SentenceVector::Max, SentenceVector::Mean] {
        let name = format!("model B, two tasks: sentence vector {sentence:?}").to_lowercase();
        checks.push(check(&name, &Settings { sentence, ..base() }, 2, &texts, &SOME, false));
    }
    for (letter, shared) in [("B", Shared::Bilstm), ("B+C", Shared::BilstmConv)] {
        let settings = Settings { shared, gate_activation: GateActivation::HardSigmoid, ..base() };
        checks.push(check(&format!("model {letter}, two tasks: hard sigmoid"), &settings, 2, &texts, &SOME, false));
    }
    for (letter, shared) in [("C", Shared::Conv), ("B+C", Shared::BilstmConv)] {
        for (conv_activation, conv_pooling, kernel_width) in [
            (ConvActivation::Tanh, TimePooling::Max, 3),
            (ConvActivation::Linear, TimePooling::Max, 3),
            (ConvActivation::Relu, TimePooling::Mean, 3),
            (ConvActivation::Relu, TimePooling::Max, 2),
        ] {
            let settings = Settings { shared, conv_activation, conv_pooling, kernel_width, ..base() };
            let kind = format!("{conv_pooling:?} of {conv_activation:?}, width {kernel_width}").to_lowercase();
            checks.push(check(&format!("model {letter}, two tasks: {kind}"), &settings, 2, &texts, &SOME, false));
        }
    }
    checks
}

/// The texts with padding before them, as ids like any other.
fn padded(texts: &[&'static [u32]; 4]) -> [&'static [u32]; 4] {
    assert_eq!(texts.map(<[u32]>::len), [4, 1, 5, 2]);
    [&[0, 2, 5, 3, 2], &[0, 0, 0, 0, 4], &[6, 2, 7, 3, 5], &[0, 0, 0, 3, 4]]
}

/// The total loss of a model in training, dropout included, as a function of all its parameters.
fn check(
    name: &str,
    settings: &Settings,
    tasks: usize,
    texts: &[&[u32]; 4],
    labels: &[[Option<bool>; 2]; 4],
    trainable: bool,
) -> Check {
    let names: Vec<String> = ["a", "b"].iter().take(tasks).map(|&task| task.into()).collect();
    let table = EmbeddingInit { weight: Tensor::zeros([8, 3]), trainable };
    let mut params = ParamStore::<f64>::new();
    let model = Model::new(settings, &names, &table, &mut params);
    // Fresh parameters hide errors: biases of 0 and rows that are all orthogonal. Any others will do.
    for (i, id) in params.ids().enumerate() {
        let shape = params.value(id).shape();
        *params.value_mut(id) = wave(shape, i as f64 + 0.5);
    }
    let batch: Batch =
        Packer::new(8).pack_labelled(texts.iter().zip(labels).map(|(&ids, labels)| (ids, &labels[..])), tasks);
    let normaliser = settings.loss_normaliser;
    let batch = Arc::new(batch);
    Check::of_params(name, params, move |tape| {
        let logits = model.forward(tape, &batch);
        let losses = model.losses(tape, &logits, &batch, normaliser);
        losses.total.unwrap_or_else(|| tape.constant(Tensor::scalar(0.0)))
    })
    .training(&[1, 2, 3, 4])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_model_passes() {
        for check in checks() {
            let report = check.run();
            assert!(report.passed(), "{report:#?}");
        }
    }
}
