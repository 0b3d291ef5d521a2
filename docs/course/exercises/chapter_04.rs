//! Exercises of chapter 4, an LSTM. Fill the gaps, then ask: `cargo exercise lstm_forward` (or `lstm_backward`, or
//! `half_life`).

/// One step of an LSTM of one unit: the new (h, c) from the four arguments a of the gates, in the order i, f, c, o, and the old c.
pub fn lstm_forward(a: [f64; 4], c: f64) -> (f64, f64) {
    todo!("c ← f·c + i·g, h ← o·tanh(c)")
}

/// The gradients (da, dc₋) of the gates' arguments and of the old c, from the same inputs as `lstm_forward` and from dh and dc, what the
/// later steps ask of the *new* h and c.
pub fn lstm_backward(a: [f64; 4], c: f64, dh: f64, dc: f64) -> ([f64; 4], f64) {
    todo!("the right-hand column of the chapter")
}

/// After how many words a gradient along the memory has fallen to one half, if the forget gate is always σ(bias): a real number.
pub fn half_life(bias: f64) -> f64 {
    todo!("σ(bias)ⁿ = ½")
}

/// What must hold.
pub mod check {
    const A: [f64; 4] = [0.5, 1.2, -0.7, 0.3];

    pub fn lstm_forward(lstm_forward: fn([f64; 4], f64) -> (f64, f64)) {
        // All gates half open, nothing proposed: half of the memory is kept.
        assert_eq!(lstm_forward([0.0; 4], 1.0), (0.5 * 0.5_f64.tanh(), 0.5));
        // A closed forget gate and an open input gate: the memory is what the word proposes.
        let (h, c) = lstm_forward([50.0, -50.0, 0.4, 50.0], 7.0);
        assert!((c - 0.4_f64.tanh()).abs() < 1e-12, "c is {c}");
        assert!((h - c.tanh()).abs() < 1e-12, "h is {h}");
    }

    pub fn lstm_backward(lstm_backward: fn([f64; 4], f64, f64, f64) -> ([f64; 4], f64)) {
        let (c, dh, dc) = (0.6, 1.3, -0.4);
        // What the sweep differentiates: dh·h + dc·c of the step's results.
        let projected = |a: [f64; 4], c: f64| {
            let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
            let c = sigmoid(a[1]) * c + sigmoid(a[0]) * a[2].tanh();
            dh * sigmoid(a[3]) * c.tanh() + dc * c
        };
        let h = 1e-5;
        let (da, dc_before) = lstm_backward(A, c, dh, dc);
        for q in 0..4 {
            let moved = |by: f64| std::array::from_fn(|i| A[i] + if i == q { by } else { 0.0 });
            let slope = (projected(moved(h), c) - projected(moved(-h), c)) / (2.0 * h);
            assert!((da[q] - slope).abs() < 1e-9, "da of gate {q} is {slope}, not {}", da[q]);
        }
        let slope = (projected(A, c + h) - projected(A, c - h)) / (2.0 * h);
        assert!((dc_before - slope).abs() < 1e-9, "dc₋ is {slope}, not {dc_before}");
    }

    pub fn half_life(half_life: fn(f64) -> f64) {
        assert!((half_life(0.0) - 1.0).abs() < 1e-12, "a gate that is half open halves at each word");
        // σ(ln 3) = ¾.
        assert!((half_life(3.0_f64.ln()) - 0.5_f64.ln() / 0.75_f64.ln()).abs() < 1e-12);
        let (usual, patient) = (half_life(1.0), half_life(5.0));
        assert!(usual < 3.0 && patient > 100.0, "{usual} words for a bias of 1, {patient} for 5");
    }
}
