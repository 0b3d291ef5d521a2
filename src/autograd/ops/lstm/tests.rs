use super::*;
use crate::autograd::{Mode, ParamStore};
use crate::tensor::Pool;

/// The hidden states of a batch and the gradients of all weights, by the fused computation or by the reference.
fn run<F: Real>(units: usize, gate: GateActivation, fused: bool) -> Vec<Tensor<F>> {
    let mut params = ParamStore::<F>::new();
    let shapes: [&[usize]; 4] = [&[9, 5], &[5, 4 * units], &[units, 4 * units], &[4 * units]];
    let ids = shapes.map(|shape| params.add(format!("{shape:?}"), wave(shape, shape[0] as f64).cast()));
    let segments = Arc::new(Segments::from_lengths([7, 2, 0, 11, 1, 3]));
    let rows: Arc<[u32]> = (0..segments.total() as u32).map(|n| n * 5 % 9).collect();
    let mut pool = Pool::new();
    let mut tape = Tape::new(&params, &mut pool, Mode::Evaluate);
    let [x, kernel, recurrent_kernel, bias] = ids.map(|id| tape.param(id));
    let directions = [false, true].map(|reversed| LstmDirection { kernel, recurrent_kernel, bias, reversed });
    let hidden = match fused {
        true => tape.lstm(x, &rows, &segments, &directions, gate),
        false => tape.lstm_reference(x, &rows, &segments, &directions, gate),
    };
    let states = tape.value(hidden).clone();
    let gradients = tape.vjp(hidden, &wave(states.shape().dims(), 0.5).cast());
    std::iter::once(states).chain(ids.map(|id| gradients.dense(id).unwrap())).collect()
}

fn assert_close<F: Real>(tolerance: f64) {
    for gate in [GateActivation::Sigmoid, GateActivation::HardSigmoid] {
        for units in [1, 15, 16, 17, 25, 32, 40] {
            for (fused, plain) in run::<F>(units, gate, true).iter().zip(run::<F>(units, gate, false)) {
                let largest = plain.data().iter().fold(0.0_f64, |m, x| m.max(x.to_f64().abs()));
                for (a, b) in fused.data().iter().zip(plain.data()) {
                    let error = (*a - *b).to_f64().abs();
                    assert!(error <= tolerance * largest, "{units} units, {gate:?}: {a} for {b} of {largest}");
                }
            }
        }
    }
}

#[test]
fn every_number_of_units_agrees_with_the_reference_in_both_precisions() {
    assert_close::<f32>(1e-5);
    assert_close::<f64>(1e-12);
}

/// Squashing functions saturate; a NaN in one must not end as one of their limits. In each gate's bias it reaches its unit at every
/// token; in a word's vector it reaches all units from that word on.
#[test]
fn a_nan_in_a_gate_or_a_word_is_one_in_the_states() {
    const TOKENS: usize = 5;
    let states = |gate: GateActivation, units: usize, bad: [Option<usize>; 2], how: &str| -> Tensor<f32> {
        let mut params = ParamStore::<f32>::new();
        let shapes: [&[usize]; 4] = [&[9, 5], &[5, 4 * units], &[units, 4 * units], &[4 * units]];
        let ids = shapes.map(|shape| params.add(format!("{shape:?}"), wave(shape, shape[0] as f64).cast()));
        for (id, place) in [(ids[3], bad[0]), (ids[0], bad[1])] {
            if let Some(place) = place {
                params.value_mut(id).data_mut()[place] = f32::NAN;
            }
        }
        let segments = Arc::new(Segments::from_lengths([TOKENS]));
        let rows: Arc<[u32]> = [0, 1, 2, 3, 4].into();
        let mut projected = Tensor::zeros([9, 4 * units]);
        let [word, kernel, bias] = [0, 1, 3].map(|i| params.value(ids[i]).clone());
        let mut pool = Pool::new();
        project(&word, &[[&kernel, &bias]], projected.data_mut(), &mut pool);
        let mut tape = Tape::new(&params, &mut pool, Mode::Evaluate);
        let [x, kernel, recurrent_kernel, bias] = ids.map(|id| tape.param(id));
        let direction = [LstmDirection { kernel, recurrent_kernel, bias, reversed: false }];
        let hidden = match how {
            "fused" => tape.lstm(x, &rows, &segments, &direction, gate),
            "reference" => tape.lstm_reference(x, &rows, &segments, &direction, gate),
            _ => tape.lstm_of_projected(&projected, &rows, &segments, &direction, gate),
        };
        tape.value(hidden).clone()
    };
    for gate in [GateActivation::Sigmoid, GateActivation::HardSigmoid] {
        for units in [1, 16, 25] {
            for how in ["fused", "reference", "projected"] {
                for quarter in 0..4 {
                    let unit = units / 2;
                    let found = states(gate, units, [Some(quarter * units + unit), None], how);
                    // At the first token there is no cell to forget, and small operations leave that gate out.
                    let from = usize::from(how == "reference" && quarter == 1);
                    for token in from..TOKENS {
                        assert!(found.row(token)[unit].is_nan(), "{how}, {gate:?}, gate {quarter}, token {token}");
                    }
                }
                let found = states(gate, units, [None, Some(2 * 5 + 3)], how);
                for token in 0..TOKENS {
                    let is_nan = |x: &f32| x.is_nan() == (token >= 2);
                    assert!(found.row(token).iter().all(is_nan), "{how}, {gate:?}, token {token}");
                }
            }
        }
    }
}

/// A gradient that is not wanted is not computed, and the others stay the same.
#[test]
fn a_frozen_recurrent_kernel_has_no_gradient_and_changes_no_other() {
    let gradients_of = |frozen: bool| {
        let mut params = ParamStore::<f32>::new();
        let shapes: [&[usize]; 4] = [&[9, 5], &[5, 12], &[3, 12], &[12]];
        let ids = shapes.map(|shape| params.add(format!("{shape:?}"), wave(shape, shape[0] as f64).cast()));
        if frozen {
            params.freeze(ids[2]);
        }
        let segments = Arc::new(Segments::from_lengths([4, 0, 2]));
        let rows: Arc<[u32]> = [0, 8, 3, 0, 5, 1].into();
        let mut pool = Pool::new();
        let mut tape = Tape::new(&params, &mut pool, Mode::Evaluate);
        let [x, kernel, recurrent_kernel, bias] = ids.map(|id| tape.param(id));
        let direction = LstmDirection { kernel, recurrent_kernel, bias, reversed: true };
        let hidden = tape.lstm(x, &rows, &segments, &[direction], GateActivation::Sigmoid);
        let gradients = tape.vjp(hidden, &wave([6, 3], 0.5).cast());
        ids.map(|id| gradients.dense(id))
    };
    let (all, mut others) = (gradients_of(false), gradients_of(true));
    assert_eq!(others[2], None);
    others[2].clone_from(&all[2]);
    assert!(all.iter().all(Option::is_some));
    assert_eq!(all, others);
}

#[test]
fn the_bits_do_not_depend_on_the_number_of_threads() {
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| run::<f32>(25, GateActivation::Sigmoid, true))
    };
    assert_eq!(on(1), on(2));
    assert_eq!(on(1), on(5));
}
