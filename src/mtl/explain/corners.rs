//! Where the network has corners: it is smooth in the words except at its maxima, at ReLU and at the hard sigmoid.

use std::sync::Arc;

use super::quadrature::Corners;
use crate::autograd::{
    Tape,
    ops::{
        conv::{ConvActivation, ConvOrigins, TimePooling},
        lstm::GateActivation,
    },
};
use crate::layers::{Bilstm, Conv, SentenceVector, Sequence};
use crate::mtl::model::{Recorded, SharedLayer};
use crate::tensor::{Segments, Tensor};

/// The numbers that decide where each of some recorded texts, all of the same length, has its corners.
pub(super) fn corners(
    shared: &SharedLayer,
    tape: &mut Tape<'_, f64>,
    recorded: &Recorded,
    texts: usize,
) -> Vec<Corners> {
    let mut corners = vec![Corners::default(); texts];
    let (bilstm, conv) = match shared {
        SharedLayer::Bilstm(bilstm, kind) => (Some((bilstm, *kind == SentenceVector::Max)), None),
        SharedLayer::Conv(conv, _) => (None, Some(conv)),
        SharedLayer::BilstmConv(bilstm, conv, _) => (Some((bilstm, false)), Some(conv)),
    };
    if let (Some((bilstm, is_maximum)), Some(states)) = (bilstm, recorded.states) {
        of_gates(bilstm, tape, recorded, &mut corners);
        if is_maximum {
            of_columns(tape.value(states), &mut corners);
        }
    }
    if let Some(conv) = conv {
        of_convolution(conv, tape, recorded, &mut corners);
    }
    corners
}

/// A hard sigmoid is y = 0.2·a + 0.5 where neither y nor 1 − y is below 0, and flat elsewhere.
fn of_gates(bilstm: &Bilstm, tape: &Tape<'_, f64>, recorded: &Recorded, corners: &mut [Corners]) {
    if bilstm.gate != GateActivation::HardSigmoid {
        return;
    }
    for arguments in recorded.states.and_then(|states| tape.lstm_arguments(states)).expect(WANTED) {
        for (text, corners) in each(&arguments, corners) {
            let quarters = text.chunks_exact(bilstm.units).enumerate();
            for (_, gate) in quarters.filter(|(i, _)| i % 4 != CANDIDATE) {
                corners.switches.extend(gate.iter().map(|a| 0.2 * a + 0.5));
                corners.switches.extend(gate.iter().map(|a| 0.5 - 0.2 * a));
            }
        }
    }
}

fn of_convolution(conv: &Conv, tape: &mut Tape<'_, f64>, recorded: &Recorded, corners: &mut [Corners]) {
    let input = recorded.states.unwrap_or(recorded.words);
    let tokens = tape.shape(input).rows() / corners.len();
    let segments = Arc::new(Segments::from_lengths(vec![tokens; corners.len()]));
    // Pooling by the mean keeps every window's activation for its gradient; pooling by the maximum keeps the winners only.
    let mean = Conv { activation: ConvActivation::Linear, pooling: TimePooling::Mean, ..*conv };
    let mean = mean.forward(tape, &Sequence::of_tokens(input, segments));
    let Some(ConvOrigins::Activations(windows)) = tape.conv_origins(mean) else { unreachable!("{WANTED}") };
    let is_relu = conv.activation == ConvActivation::Relu;
    match conv.pooling {
        TimePooling::Mean if is_relu => {
            each(&windows, corners).for_each(|(text, corners)| corners.switches.extend(text));
        }
        TimePooling::Mean => {}
        TimePooling::Max => {
            of_columns(&windows, corners);
            if is_relu {
                corners.iter_mut().flat_map(|corners| &mut corners.maxima).for_each(|z| z.push(0.0));
            }
        }
    }
}

/// The maximum of each column of each text.
fn of_columns(rows: &Tensor<f64>, corners: &mut [Corners]) {
    for (text, corners) in each(rows, corners) {
        let column = |c| text.iter().skip(c).step_by(rows.cols()).copied().collect();
        corners.maxima.extend((0..rows.cols()).map(column));
    }
}

/// The rows of each text.
fn each<'a>(rows: &'a Tensor<f64>, corners: &'a mut [Corners]) -> impl Iterator<Item = (&'a [f64], &'a mut Corners)> {
    rows.data().chunks_exact(rows.data().len() / corners.len()).zip(corners)
}

/// Where the candidate stands among the four quarters of an LSTM's arguments.
const CANDIDATE: usize = 2;
const WANTED: &str = "the words want a gradient, so the tape keeps its operations";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::{Mode, ParamStore};
    use crate::mtl::{
        model::{Batch, EmbeddingInit, Model},
        settings::{Preset, Settings},
    };
    use crate::tensor::Pool;

    /// A gate that is clipped is so by one of its two switches.
    #[test]
    fn the_gates_switches_tell_which_are_clipped() {
        let settings = Settings { units: 5, ..Settings::preset(Preset::Paper) };
        let (texts, tokens) = (2, 7);
        let weight = Tensor::from_fn([texts * tokens, 6], |i| 9.0 * (i as f32).sin());
        let mut params = ParamStore::<f64>::new();
        let model = Model::new(&settings, &["flu".into()], &EmbeddingInit { weight, trainable: true }, &mut params);
        let segments = Arc::new(Segments::from_lengths(vec![tokens; texts]));
        let rows = segments.every_row().clone();
        let batch = Batch { distinct: rows.clone(), rows, segments, labels: [vec![None; texts].into()].into() };
        let mut pool = Pool::new();
        let mut tape = Tape::new(&params, &mut pool, Mode::Evaluate);
        let recorded = model.record(&mut tape, &batch);
        let SharedLayer::Bilstm(bilstm, _) = model.shared() else { panic!("the paper's layer B is the first") };
        let corners = corners(model.shared(), &mut tape, &recorded, texts);

        let inside = tape.lstm_activations(recorded.states.unwrap()).unwrap();
        let (mut open, mut clipped) = (0, 0);
        for (text, corners) in corners.iter().enumerate() {
            let mut switches = corners.switches.chunks_exact(bilstm.units);
            for direction in &inside {
                for n in text * tokens..(text + 1) * tokens {
                    for quarter in [0, 1, 3] {
                        let gates = &direction.gates.row(n)[quarter * bilstm.units..][..bilstm.units];
                        let [from_zero, to_one] = [(); 2].map(|()| switches.next().unwrap());
                        for ((&gate, from_zero), to_one) in gates.iter().zip(from_zero).zip(to_one) {
                            assert_eq!((*from_zero < 0.0, *to_one < 0.0), (gate == 0.0, gate == 1.0), "{gate}");
                            *(if gate > 0.0 && gate < 1.0 { &mut open } else { &mut clipped }) += 1;
                        }
                    }
                }
            }
            assert_eq!((switches.next(), corners.maxima.len()), (None, 0));
        }
        assert!(open > 50 && clipped > 50, "{open} open, {clipped} clipped");
    }
}
