use super::*;
use crate::autograd::{Mode, ParamStore};

/// The vectors of a batch and all gradients, by the fused computation or by the reference.
fn run<F: Real>(channels: usize, fused: bool) -> Vec<Tensor<F>> {
    let mut params = ParamStore::<F>::new();
    let shapes: [&[usize]; 3] = [&[9, channels], &[3, channels, 5], &[5]];
    let ids = shapes.map(|shape| params.add(format!("{shape:?}"), wave(shape, shape.len() as f64).cast()));
    let segments = Arc::new(Segments::from_lengths([7, 2, 0, 11, 1, 3]));
    let rows: Arc<[u32]> = (0..segments.total() as u32).map(|n| n * 5 % 9).collect();
    let mut pool = Pool::new();
    let mut tape = Tape::new(&params, &mut pool, Mode::Evaluate);
    let [x, kernel, bias] = ids.map(|id| tape.param(id));
    let (activation, pooling) = (ConvActivation::Tanh, TimePooling::Max);
    let conv = Convolution { kernel, bias, activation, pooling };
    let y = match fused {
        true => tape.conv(x, &rows, &segments, conv),
        false => tape.conv_reference(x, &rows, &segments, conv),
    };
    let vectors = tape.value(y).clone();
    let gradients = tape.vjp(y, &wave(vectors.shape().dims(), 0.5).cast());
    std::iter::once(vectors).chain(ids.map(|id| gradients.dense(id).unwrap())).collect()
}

fn assert_close<F: Real>(tolerance: f64) {
    // Summed one by one, in blocks of 16 and of 64; in whole blocks, and where the last one overlaps the one before.
    for channels in [1, 15, 16, 17, 63, 64, 65, 150, 200] {
        for (fused, plain) in run::<F>(channels, true).iter().zip(run::<F>(channels, false)) {
            let largest = plain.data().iter().fold(0.0_f64, |m, x| m.max(x.to_f64().abs()));
            for (a, b) in fused.data().iter().zip(plain.data()) {
                let error = (*a - *b).to_f64().abs();
                assert!(error <= tolerance * largest, "{channels} channels: {a} for {b} of {largest}");
            }
        }
    }
}

/// Of one filter and of as many as are convolved together, fused and by the reference.
#[test]
fn a_nan_in_any_window_is_the_maximum() {
    for filters in [1, 16, 20] {
        for (token, fused) in (0..5).flat_map(|token| [(token, true), (token, false)]) {
            let mut params = ParamStore::<f32>::new();
            let mut x = wave([5, 2], 0.3).cast::<f32>();
            x.row_mut(token)[1] = f32::NAN;
            let x = params.add("x", x);
            let kernel = params.add("kernel", wave([2, 2, filters], 0.1).cast());
            let bias = params.add("bias", Tensor::zeros([filters]));
            let mut pool = Pool::new();
            let mut tape = Tape::new(&params, &mut pool, Mode::Evaluate);
            let [x, kernel, bias] = [x, kernel, bias].map(|id| tape.param(id));
            let (activation, pooling) = (ConvActivation::Relu, TimePooling::Max);
            let conv = Convolution { kernel, bias, activation, pooling };
            let segments = Arc::new(Segments::from_lengths([5]));
            let y = match fused {
                true => tape.conv(x, segments.every_row(), &segments, conv),
                false => tape.conv_reference(x, segments.every_row(), &segments, conv),
            };
            assert!(tape.value(y).data().iter().all(|y| y.is_nan()), "{filters} filters, token {token}, {fused}");
        }
    }
}

#[test]
fn every_number_of_channels_agrees_with_the_reference_in_both_precisions() {
    assert_close::<f32>(1e-5);
    assert_close::<f64>(1e-12);
}
