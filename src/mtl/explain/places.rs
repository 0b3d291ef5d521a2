//! The values and gradients at every place of the network.

use serde::Serialize;

use super::subject::Subject;
use crate::autograd::{Tape, ops::conv::ConvOrigins, trace::Sweep};
use crate::mtl::{
    model::{Recorded, SharedLayer},
    run::Trained,
};
use crate::tensor::Tensor;

/// Some numbers between the words and the heads, and each task's gradient there.
#[derive(Clone, Debug, Serialize)]
pub struct Place {
    /// `words`, `forward.states`, `forward.cells`, `forward.input-gate`, `forward.forget-gate`, `forward.candidate`,
    /// `forward.output-gate`, the same of `backward`, `windows` or `sentence`.
    pub name: String,
    /// What a row is.
    pub rows_of: RowsOf,
    /// A list for each row.
    pub value: Vec<Vec<f32>>,
    /// Of each task, as `value`. At a gate it is the gradient of the gate's argument, before γ or tanh.
    pub gradients: Vec<Vec<Vec<f32>>>,
    /// How the gradients of each two tasks agree.
    pub agreements: Vec<Agreement>,
    /// Where a maximum over time came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub windows: Option<Windows>,
}

/// What the rows of a place are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RowsOf {
    /// A row a token.
    Tokens,
    /// A row a window of tokens, named by the first of them.
    Windows,
    /// One row for the text.
    Text,
}

/// The winning windows of a convolution's filters.
#[derive(Clone, Debug, Serialize)]
pub struct Windows {
    /// How many tokens a window has.
    pub width: usize,
    /// For each filter, the token where its winning window begins.
    pub first: Vec<u32>,
}

/// Whether the gradients of two tasks point the same way.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Agreement {
    /// The two, by their place in the model's order.
    pub tasks: [usize; 2],
    /// The cosine of the angle between the two; none if one of them is 0.
    pub cosine: Option<f64>,
    /// The share of numbers where one is above and the other below 0, of those where neither is 0; none if there is none.
    pub opposed: Option<f64>,
}

/// How strongly each task pulls on a parameter that all tasks share.
#[derive(Clone, Debug, Serialize)]
pub struct Pull {
    /// The parameter's name.
    pub name: String,
    /// Its extents.
    pub shape: Vec<usize>,
    /// The norm of each task's gradient.
    pub norms: Vec<f64>,
    /// How the gradients of each two tasks agree.
    pub agreements: Vec<Agreement>,
}

/// All places in the order of the forward computation. `words` are the tasks' gradients at the words.
pub(super) fn places(
    trained: &Trained,
    subject: &Subject,
    tape: &Tape<'_>,
    recorded: &Recorded,
    sweeps: &[Sweep],
    words: Vec<Tensor>,
) -> Vec<Place> {
    let table = trained.params.value(trained.model.embedding().weight);
    let vectors = subject.ids.iter().map(|&id| table.row(id as usize).to_vec()).collect();
    let mut places = vec![Place::new("words", RowsOf::Tokens, vectors, words.iter().map(rows).collect())];
    if let Some(states) = recorded.states {
        let gradient = |sweep| tape.gradient(sweep, states).unwrap_or_else(|| Tensor::zeros(tape.shape(states)));
        let inside = |sweep| tape.lstm_cotangents(states, &gradient(sweep)).expect(RECORDED);
        let mut gradients: Vec<_> = sweeps.iter().map(|sweep| inside(sweep).into_iter()).collect();
        for (direction, values) in
            ["forward", "backward"].into_iter().zip(tape.lstm_activations(states).expect(RECORDED))
        {
            let of_tasks: Vec<_> = gradients.iter_mut().map(|g| g.next().expect("two directions")).collect();
            let mut add = |part: &str, value: Vec<Vec<f32>>, gradients| {
                places.push(Place::new(&format!("{direction}.{part}"), RowsOf::Tokens, value, gradients));
            };
            for (quarter, gate) in ["input-gate", "forget-gate", "candidate", "output-gate"].into_iter().enumerate() {
                let of_gate = |all: &Tensor| rows_of_quarter(all, quarter);
                add(gate, of_gate(&values.gates), of_tasks.iter().map(|g| of_gate(&g.arguments)).collect());
            }
            add("cells", rows(&values.cells), of_tasks.iter().map(|g| rows(&g.cells)).collect());
            add("states", rows(&values.states), of_tasks.iter().map(|g| rows(&g.states)).collect());
        }
    }
    let gradient = |sweep: &Sweep| tape.gradient(sweep, recorded.sentence).expect("every task reads the sentence");
    let gradients: Vec<Tensor> = sweeps.iter().map(gradient).collect();
    let of_rows = gradients.iter().map(rows).collect();
    let mut sentence = Place::new("sentence", RowsOf::Text, rows(tape.value(recorded.sentence)), of_rows);
    if let SharedLayer::Conv(conv, _) | SharedLayer::BilstmConv(_, conv, _) = trained.model.shared() {
        match tape.conv_origins(recorded.sentence).expect(RECORDED) {
            ConvOrigins::Winners(first) => {
                let width = trained.params.value(conv.kernel).shape().dims()[0];
                sentence.windows = Some(Windows { width, first });
            }
            ConvOrigins::Activations(activations) => {
                // y is the mean over the windows, so each has its share of dy.
                let share = (1.0 / activations.rows() as f64) as f32;
                let of_window = |dy: &Tensor| dy.data().iter().map(|dy| dy * share).collect::<Vec<f32>>();
                let spread = |dy: &Tensor| vec![of_window(dy); activations.rows()];
                let gradients = gradients.iter().map(spread).collect();
                places.push(Place::new("windows", RowsOf::Windows, rows(&activations), gradients));
            }
        }
    }
    places.push(sentence);
    places
}

const RECORDED: &str = "a traced tape keeps its operations";

/// The shared parameters that some task pulls on.
pub(super) fn pulls(trained: &Trained, sweeps: &[Sweep]) -> Vec<Pull> {
    let heads: Vec<_> = trained.model.heads().iter().flat_map(|head| [head.dense.kernel, head.dense.bias]).collect();
    let shared = trained.params.ids().filter(|id| trained.params.is_trainable(*id) && !heads.contains(id));
    let pull = |id| {
        let shape = trained.params.value(id).shape();
        let gradient = |sweep: &Sweep| sweep.gradients.dense(id).unwrap_or_else(|| Tensor::zeros(shape)).into_data();
        let gradients: Vec<Vec<f32>> = sweeps.iter().map(gradient).collect();
        Pull {
            name: trained.params.name(id).into(),
            shape: shape.dims().to_vec(),
            norms: gradients.iter().map(|g| dot(g, g).sqrt()).collect(),
            agreements: agreements(&gradients),
        }
    };
    shared.map(pull).collect()
}

impl Place {
    fn new(name: &str, rows_of: RowsOf, value: Vec<Vec<f32>>, gradients: Vec<Vec<Vec<f32>>>) -> Self {
        let flat: Vec<Vec<f32>> = gradients.iter().map(|rows| rows.concat()).collect();
        Self { name: name.into(), rows_of, value, gradients, agreements: agreements(&flat), windows: None }
    }
}

fn rows(tensor: &Tensor) -> Vec<Vec<f32>> {
    (0..tensor.rows()).map(|i| tensor.row(i).to_vec()).collect()
}

/// One of four blocks of columns.
fn rows_of_quarter(tensor: &Tensor, quarter: usize) -> Vec<Vec<f32>> {
    let units = tensor.cols() / 4;
    (0..tensor.rows()).map(|i| tensor.row(i)[quarter * units..][..units].to_vec()).collect()
}

/// Of each two gradients.
fn agreements(gradients: &[Vec<f32>]) -> Vec<Agreement> {
    let pairs = (0..gradients.len()).flat_map(|a| (a + 1..gradients.len()).map(move |b| [a, b]));
    pairs.map(|tasks| agreement(tasks, &gradients[tasks[0]], &gradients[tasks[1]])).collect()
}

fn agreement(tasks: [usize; 2], a: &[f32], b: &[f32]) -> Agreement {
    let norms = (dot(a, a) * dot(b, b)).sqrt();
    let both = a.iter().zip(b).filter(|(a, b)| **a != 0.0 && **b != 0.0);
    let (opposed, count) =
        both.fold((0, 0), |(opposed, count), (a, b)| (opposed + u32::from((*a > 0.0) != (*b > 0.0)), count + 1));
    Agreement {
        tasks,
        cosine: (norms > 0.0).then(|| (dot(a, b) / norms).clamp(-1.0, 1.0)),
        opposed: (count > 0).then(|| f64::from(opposed) / f64::from(count)),
    }
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agreement_is_the_cosine_and_the_share_of_opposite_signs() {
        // (−4, 1, 1) · (6, 1, 1) = −22, norms √18 and √38.
        let found = agreement([0, 1], &[-4.0, 1.0, 1.0, 0.0], &[6.0, 1.0, 1.0, 0.0]);
        assert!((found.cosine.unwrap() + 22.0 / 684.0_f64.sqrt()).abs() < 1e-12);
        assert_eq!(found.opposed, Some(1.0 / 3.0));
        let none = agreement([0, 1], &[0.0, 0.0], &[1.0, 2.0]);
        assert_eq!((none.cosine, none.opposed), (None, None));
    }
}
