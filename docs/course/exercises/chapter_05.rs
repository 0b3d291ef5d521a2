//! Exercises of chapter 5, convolution and max. Fill the gaps, then ask: `cargo exercise best_window` (or `window_gradient`, or
//! `count_windows`).

/// The largest z of a filter (without bias and relu) over the words x, one number a word, and the first window that reaches it. There
/// are at least as many words as the filter is wide.
pub fn best_window(x: &[f64], filter: &[f64]) -> (f64, usize) {
    todo!("x.windows(filter.len()) goes through the windows")
}

/// The gradients (dx, dfilter) of y = relu(max z), from what is asked of y. As many numbers as there are words, and as the filter has.
pub fn window_gradient(x: &[f64], filter: &[f64], dy: f64) -> (Vec<f64>, Vec<f64>) {
    todo!("only the winner has a gradient, and not even that where relu is 0")
}

/// How many windows of the given width a batch of texts of these lengths has: packed, where a text that is shorter than the window has
/// one; and padded to the longest text, where every text has as many as the longest.
pub fn count_windows(lengths: &[usize], width: usize) -> (usize, usize) {
    todo!("(packed, padded)")
}

/// What must hold.
pub mod check {
    use std::sync::Arc;

    use mtlcore::autograd::ops::conv::{ConvActivation, Convolution, TimePooling};
    use mtlcore::autograd::{Mode, ParamStore, Tape};
    use mtlcore::tensor::{Pool, Segments, Tensor};

    pub fn best_window(best_window: fn(&[f64], &[f64]) -> (f64, usize)) {
        assert_eq!(best_window(&[1.0, 2.0, 0.0, 5.0, 6.0, 1.0], &[-1.0, 1.0]), (5.0, 2));
        assert_eq!(best_window(&[3.0, 3.0, 3.0], &[1.0]), (3.0, 0), "of equal windows the first wins");
        assert_eq!(best_window(&[-2.0, -1.0], &[1.0, 1.0]), (-3.0, 0), "a maximum may be negative");
    }

    /// The engine's answer.
    fn expected(x: &[f64], filter: &[f64], dy: f64) -> (Vec<f64>, Vec<f64>) {
        let mut params = ParamStore::new();
        let words = params.add("x", Tensor::new([x.len(), 1], x.to_vec()));
        let kernel = params.add("filter", Tensor::new([filter.len(), 1, 1], filter.to_vec()));
        let text = Arc::new(Segments::from_lengths([x.len()]));
        let mut pool = Pool::new();
        let mut tape = Tape::new(&params, &mut pool, Mode::Evaluate);
        let (on_tape, kernel_on_tape) = (tape.param(words), tape.param(kernel));
        let bias = tape.constant(Tensor::zeros([1]));
        let (activation, pooling) = (ConvActivation::Relu, TimePooling::Max);
        let filter = Convolution { kernel: kernel_on_tape, bias, activation, pooling };
        let y = tape.conv(on_tape, text.every_row(), &text, filter);
        let gradients = tape.vjp(y, &Tensor::new([1, 1], vec![dy]));
        (gradients.dense(words).unwrap().into_data(), gradients.dense(kernel).unwrap().into_data())
    }

    pub fn window_gradient(window_gradient: fn(&[f64], &[f64], f64) -> (Vec<f64>, Vec<f64>)) {
        let cases: [(&[f64], &[f64]); 4] = [
            (&[1.0, 2.0, 0.0, 5.0, 6.0, 1.0], &[-1.0, 1.0]),
            (&[4.0, 1.0, 4.0, 1.0], &[2.0, 1.0]),
            (&[-1.0, -2.0], &[1.0, 1.0]),
            (&[0.5, -0.5, 2.0], &[1.0, -1.0, 3.0]),
        ];
        for (x, filter) in cases {
            assert_eq!(window_gradient(x, filter, 2.0), expected(x, filter, 2.0), "words {x:?}, filter {filter:?}");
        }
    }

    pub fn count_windows(count_windows: fn(&[usize], usize) -> (usize, usize)) {
        assert_eq!(count_windows(&[5, 3, 1], 3), (5, 9));
        assert_eq!(count_windows(&[16; 4], 3), (56, 56), "equal lengths need no padding");
        assert_eq!(count_windows(&[2, 1], 3), (2, 2), "padded, but shorter than the window");
    }
}
