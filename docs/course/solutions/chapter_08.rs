//! Solutions of chapter 8.

use mtlcore::autograd::{Mode, ParamStore, Tape};
use mtlcore::tensor::{Pool, Tensor};

/// A gradient of 0 has no direction.
pub fn gradient_cosine(a: &[f64], b: &[f64]) -> Option<f64> {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let norms = dot(a, a).sqrt() * dot(b, b).sqrt();
    (norms > 0.0).then(|| dot(a, b) / norms)
}

/// The part that both tasks use is recorded once.
pub fn pull_on_shared(params: &ParamStore<f64>, texts: &Tensor<f64>, labels: [&[Option<bool>]; 2]) -> [Vec<f64>; 2] {
    let id = |name| params.find(name).expect("the network has this parameter");
    let mut pool = Pool::new();
    let mut tape = Tape::new(params, &mut pool, Mode::Evaluate);
    let texts = tape.constant(texts.clone());
    let weights = tape.param(id("shared"));
    let read = tape.matmul(texts, weights);
    let losses = [("head a", labels[0]), ("head b", labels[1])].map(|(head, labels)| {
        let head = tape.param(id(head));
        let logits = tape.matmul(read, head);
        tape.masked_bce(logits, labels, labels.iter().flatten().count() as f64)
    });
    let pulls = tape.backward_each(&losses);
    [0, 1].map(|task| pulls[task].dense(id("shared")).expect("both losses depend on it").into_data())
}

/// One step for i, and what it does to j.
pub fn lookahead_affinity(loss_j: impl Fn(&[f64]) -> f64, at: &[f64], gradient_i: &[f64], eta: f64) -> f64 {
    let after: Vec<f64> = at.iter().zip(gradient_i).map(|(x, g)| x - eta * g).collect();
    1.0 - loss_j(&after) / loss_j(at)
}
