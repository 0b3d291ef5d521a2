//! Where the network has corners: it is smooth in the words but for its maxima, of which ReLU is one. (The hard sigmoid has corners too,
//! of little weight each, which are left to the [`quadrature`](super::quadrature) to find.)

use std::sync::Arc;

use crate::autograd::{
    Tape,
    ops::conv::{ConvActivation, ConvInside, TimePooling},
};
use crate::layers::{Conv, SentenceVector, Sequence};
use crate::mtl::model::{Recorded, SharedLayer};
use crate::tensor::{Segments, Tensor};

/// The numbers among which each maximum of a recorded text chooses.
pub(super) fn maxima(shared: &SharedLayer, tape: &mut Tape<'_, f64>, recorded: &Recorded) -> Vec<Vec<f64>> {
    match shared {
        SharedLayer::Bilstm(_, kind) => match (kind, recorded.states) {
            (SentenceVector::Max, Some(states)) => columns(tape.value(states)),
            _ => Vec::new(),
        },
        SharedLayer::Conv(conv, _) | SharedLayer::BilstmConv(_, conv, _) => {
            let input = recorded.states.unwrap_or(recorded.words);
            let segments = Arc::new(Segments::from_lengths([tape.shape(input).rows()]));
            of_convolution(conv, tape, &Sequence::of_tokens(input, segments))
        }
    }
}

fn of_convolution(conv: &Conv, tape: &mut Tape<'_, f64>, input: &Sequence) -> Vec<Vec<f64>> {
    // The mean keeps what it is the mean of.
    let mean = Conv { activation: ConvActivation::Linear, pooling: TimePooling::Mean, ..*conv };
    let mean = mean.forward(tape, input);
    let Some(ConvInside::Activations(windows)) = tape.conv_inside(mean) else {
        unreachable!("the words want a gradient")
    };
    let filters = match conv.pooling {
        TimePooling::Max => columns(&windows),
        TimePooling::Mean => windows.data().iter().map(|&z| vec![z]).collect(),
    };
    match (conv.activation, conv.pooling) {
        (ConvActivation::Relu, _) => filters.into_iter().map(|z| [z, vec![0.0]].concat()).collect(),
        (_, TimePooling::Max) => filters,
        (_, TimePooling::Mean) => Vec::new(),
    }
}

fn columns(rows: &Tensor<f64>) -> Vec<Vec<f64>> {
    (0..rows.cols()).map(|c| (0..rows.rows()).map(|r| rows.row(r)[c]).collect()).collect()
}
