//! The convolution in small operations, to read, to trace and to hold the fused one against.

use std::sync::Arc;

use super::{ConvActivation, Convolution, TimePooling, windows::Windows};
use crate::autograd::{Tape, Var, ops::NO_ROW};
use crate::tensor::{Real, Segments};

impl<F: Real> Tape<'_, F> {
    /// What [`conv`](Self::conv) computes: the windows unfolded into a matrix, one product, activation, pooling.
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn conv_reference(&mut self, x: Var, rows: &Arc<[u32]>, segments: &Arc<Segments>, conv: Convolution) -> Var {
        let shape = self.shape(conv.kernel);
        let windows = Windows { rows, segments, width: shape.dims()[0], filters: shape.cols() };
        let columns: Vec<Var> = (0..windows.width)
            .map(|j| {
                let mut at_offset = Vec::with_capacity(windows.count());
                windows.each(|text, window, _| {
                    at_offset.push(windows.rows_of(text, window).nth(j).map_or(NO_ROW, |row| row as u32));
                });
                self.gather_rows(x, at_offset)
            })
            .collect();
        let unfolded = self.concat_columns(&columns); // [windows, k·C]
        let product = self.matmul(unfolded, conv.kernel);
        let z = self.add(product, conv.bias);
        let activations = match conv.activation {
            ConvActivation::Relu => self.relu(z),
            ConvActivation::Tanh => self.tanh(z),
            ConvActivation::Linear => z,
        };
        let of_texts = Segments::from_lengths((0..segments.count()).map(|text| windows.count_in(text)));
        match conv.pooling {
            TimePooling::Max => self.segment_max(activations, &Arc::new(of_texts)),
            TimePooling::Mean => self.segment_mean(activations, &Arc::new(of_texts)),
        }
    }
}
