//! Exercises of chapter 6, missing labels. Fill the gaps, then ask: `cargo exercise cross_entropy` (or `masked_loss`, or
//! `task_share`).

/// The binary cross-entropy of one text, finite for every finite logit.
pub fn cross_entropy(z: f64, label: bool) -> f64 {
    todo!("max(z, 0) − y·z + ln(1 + e^(−|z|)); `x.ln_1p()` is ln(1 + x), exact also for tiny x")
}

/// The loss of a batch, divided by its labelled rows, and its gradient for each logit. No label at all: a loss of 0.
pub fn masked_loss(logits: &[f64], labels: &[Option<bool>]) -> (f64, Vec<f64>) {
    todo!("skip what is not labelled")
}

/// What the losses of a batch are divided by.
#[derive(Clone, Copy, Debug)]
pub enum Normaliser {
    /// All rows of the batch.
    Batch,
    /// The rows that are labelled for the task.
    Labelled,
}

/// The first task's share of the say over the shared layer, if rows of the two tasks are shuffled together, one label each, and
/// a row's gradient is as large for either task.
pub fn task_share(rows: [usize; 2], normaliser: Normaliser) -> f64 {
    todo!("what is the weight of a task as a whole?")
}

/// What must hold.
pub mod check {
    use super::*;

    pub fn cross_entropy(cross_entropy: fn(f64, bool) -> f64) {
        let ln2 = 2.0_f64.ln();
        for (z, label, loss) in [
            (0.0, true, ln2),
            (0.0, false, ln2),
            (3.0_f64.ln(), true, (4.0_f64 / 3.0).ln()),
            (3.0_f64.ln(), false, 4.0_f64.ln()),
            (1000.0, true, 0.0),
            (1000.0, false, 1000.0),
            (-1000.0, true, 1000.0),
        ] {
            let found = cross_entropy(z, label);
            assert!((found - loss).abs() <= 1e-12, "the loss of {z} for {label} is {loss}, not {found}");
        }
        assert!(cross_entropy(40.0, true) > 0.0, "e⁻⁴⁰ is small, but not 0");
    }

    pub fn masked_loss(masked_loss: fn(&[f64], &[Option<bool>]) -> (f64, Vec<f64>)) {
        let (loss, gradient) = masked_loss(&[0.0, f64::NAN, 3.0_f64.ln()], &[Some(true), None, Some(false)]);
        assert!((loss - 1.5 * 2.0_f64.ln()).abs() < 1e-12, "the loss is {loss}");
        assert_eq!(gradient[1], 0.0, "a row without a label has no gradient");
        assert!((gradient[0] + 0.25).abs() < 1e-12 && (gradient[2] - 0.375).abs() < 1e-12, "{gradient:?}");
        assert_eq!(masked_loss(&[1.0, 2.0], &[None, None]), (0.0, vec![0.0, 0.0]));
    }

    pub fn task_share(task_share: fn([usize; 2], Normaliser) -> f64) {
        let pair = [2_661, 9_006];
        assert_eq!((task_share(pair, Normaliser::Batch) * 1000.0).round(), 228.0);
        assert_eq!(task_share(pair, Normaliser::Labelled), 0.5);
        assert_eq!(task_share([300, 100], Normaliser::Batch), 0.75);
    }
}
