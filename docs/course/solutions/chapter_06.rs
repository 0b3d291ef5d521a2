//! Solutions of chapter 6.

pub use crate::exercises::chapter_06::Normaliser;

/// The formula of the chapter.
pub fn cross_entropy(z: f64, label: bool) -> f64 {
    let y = f64::from(label);
    z.max(0.0) - y * z + (-z.abs()).exp().ln_1p()
}

/// Rows without a label are never looked at, so even one that is not a number does no harm.
pub fn masked_loss(logits: &[f64], labels: &[Option<bool>]) -> (f64, Vec<f64>) {
    let labelled = labels.iter().flatten().count() as f64;
    let (mut loss, mut gradient) = (0.0, vec![0.0; logits.len()]);
    for (i, (&z, label)) in logits.iter().zip(labels).enumerate() {
        let Some(label) = *label else { continue };
        loss += cross_entropy(z, label) / labelled;
        gradient[i] = (1.0 / (1.0 + (-z).exp()) - f64::from(label)) / labelled;
    }
    (loss, gradient)
}

/// Divided by the batch, a task weighs as much as it has rows in it; divided by its labelled rows, it weighs 1.
pub fn task_share(rows: [usize; 2], normaliser: Normaliser) -> f64 {
    let weight = |rows: usize| match normaliser {
        Normaliser::Batch => rows as f64,
        Normaliser::Labelled => 1.0,
    };
    let [first, second] = rows.map(weight);
    first / (first + second)
}
