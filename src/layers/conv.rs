//! A convolution over the words of a text, pooled over time (Kim 2014).

use std::sync::Arc;

use rand::Rng;

use super::{Rows, Sequence, init};
use crate::autograd::{
    ParamId, ParamStore, Tape, Var,
    gradcheck::{Check, wave},
    ops::conv::{self, ConvActivation, Convolution, TimePooling},
};
use crate::tensor::{Pool, Real, Segments, Tensor};

/// Filters over windows of k tokens; see [`Tape::conv`].
#[derive(Clone, Copy, Debug)]
pub struct Conv {
    /// `[k, C, F]`.
    pub kernel: ParamId,
    /// `[F]`.
    pub bias: ParamId,
    /// The filters' function.
    pub activation: ConvActivation,
    /// How the windows become one vector.
    pub pooling: TimePooling,
}

impl Conv {
    /// Adds the parameters `{name}.kernel` (Glorot uniform with fans k·C and k·F) and `{name}.bias` (0), for a kernel of the shape
    /// `[k, C, F]`.
    pub fn new<F: Real>(
        params: &mut ParamStore<F>,
        name: &str,
        shape @ [width, channels, filters]: [usize; 3],
        activation: ConvActivation,
        pooling: TimePooling,
        rng: &mut impl Rng,
    ) -> Self {
        let kernel = init::glorot_uniform(shape, width * channels, width * filters, rng);
        Self {
            kernel: params.add(format!("{name}.kernel"), kernel),
            bias: params.add(format!("{name}.bias"), Tensor::zeros([filters])),
            activation,
            pooling,
        }
    }

    /// One vector a text, `[texts, F]`.
    ///
    /// # Panics
    /// If the input's columns are not the kernel's channels.
    #[track_caller]
    pub fn forward<F: Real>(&self, tape: &mut Tape<'_, F>, input: &Sequence<'_, F>) -> Var {
        let convolution = self.on(tape);
        let Sequence { values, rows, segments } = input;
        match *values {
            Rows::OnTape(x) => tape.conv(x, rows, segments, convolution),
            Rows::Projected(projected) => tape.conv_of_projected(projected, rows, segments, convolution),
        }
    }

    /// x times the kernel's parts for x `[U, C]`, into `[U, k·F]`.
    pub fn project<F: Real>(&self, params: &ParamStore<F>, x: &Tensor<F>, into: &mut [F], pool: &mut Pool<F>) {
        conv::project(x, params.value(self.kernel), into, pool);
    }

    /// The parameters on a tape.
    fn on<F: Real>(&self, tape: &mut Tape<'_, F>) -> Convolution {
        let (kernel, bias) = (tape.param(self.kernel), tape.param(self.bias));
        Convolution { kernel, bias, activation: self.activation, pooling: self.pooling }
    }
}

pub(super) fn checks() -> Vec<Check> {
    let check = |name: &str, lengths: [usize; 3], pooling, frozen| {
        let mut params = ParamStore::new();
        let x = params.add("x", wave([5, 3], 0.1));
        if frozen {
            params.freeze(x);
        }
        let layer = Conv {
            kernel: params.add("kernel", wave([3, 3, 4], 0.2)),
            bias: params.add("bias", wave([4], 0.3)),
            activation: ConvActivation::Relu,
            pooling,
        };
        let segments = Arc::new(Segments::from_lengths(lengths));
        let rows: Arc<[u32]> = [0, 3, 1, 2, 4, 4, 0, 1][..segments.total()].into();
        let sequence = move |tape: &mut Tape<'_, f64>| Sequence {
            values: Rows::OnTape(tape.param(x)),
            rows: rows.clone(),
            segments: segments.clone(),
        };
        let input = sequence.clone();
        Check::of_params(name, params, move |tape| {
            let input = input(tape);
            layer.forward(tape, &input)
        })
        .against_params(move |tape| {
            let input = sequence(tape);
            let convolution = layer.on(tape);
            tape.conv_reference(input.var(), &input.rows, &input.segments, convolution)
        })
    };
    vec![
        check("layer: conv", [4, 1, 3], TimePooling::Max, false),
        check("layer: conv, texts of one token", [1, 1, 1], TimePooling::Max, false),
        check("layer: conv, frozen words", [4, 1, 3], TimePooling::Max, true),
        check("layer: conv, mean, frozen words", [4, 1, 3], TimePooling::Mean, true),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

    #[test]
    fn the_fans_count_the_kernels_width() {
        let mut params = ParamStore::<f64>::new();
        let rng = &mut ChaCha8Rng::seed_from_u64(1);
        let conv = Conv::new(&mut params, "conv", [3, 200, 25], ConvActivation::Relu, TimePooling::Max, rng);
        let largest = params.value(conv.kernel).data().iter().fold(0.0_f64, |m, x| m.max(x.abs()));
        let limit = (6.0_f64 / 675.0).sqrt();
        assert!(largest <= limit && largest > 0.999 * limit, "{largest} of {limit}");
    }
}
