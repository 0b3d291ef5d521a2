//! Adam (Kingma & Ba 2015, Algorithm 1) in the two forms that are in use.

mod settings;

use super::{Gradient, Gradients, ParamId, ParamStore};
use crate::tensor::{Real, Tensor, prefetch, vectorised};

pub use settings::{AdamForm, AdamSettings, RowUpdates};

/// Prefetch distance, in rows: those of a large table, and their moments, are not in a cache.
const AHEAD: usize = 2;

/// The optimiser and its state. A parameter without a gradient is left alone altogether, and its steps are not counted.
///
/// ```
/// use mtlcore::autograd::{Adam, AdamSettings, Mode, ParamStore, Tape};
/// use mtlcore::tensor::{Pool, Tensor};
///
/// let mut params = ParamStore::<f64>::new();
/// let w = params.add("w", Tensor::scalar(1.0));
/// let mut adam = Adam::new(AdamSettings { learning_rate: 0.1, ..AdamSettings::default() });
/// let mut pool = Pool::new();
/// for _ in 0..200 {
///     let mut tape = Tape::new(&params, &mut pool, Mode::Evaluate);
///     let w_on_tape = tape.param(w);
///     let loss = tape.mul(w_on_tape, w_on_tape);
///     let gradients = tape.backward(loss); // the tape ends here: `step` changes what it borrowed
///     adam.step(&mut params, &gradients);
/// }
/// assert!(params.value(w).item().abs() < 1e-3);
/// ```
#[derive(Clone, Debug)]
pub struct Adam<F = f32> {
    settings: AdamSettings,
    /// One entry for each parameter that has ever had a gradient.
    moments: Vec<Option<Moments<F>>>,
    /// The gradient of a row that has none, as long as the longest so far.
    zeros: Vec<F>,
}

/// The moments of one parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Moments<F = f32> {
    /// Running mean of the gradient, in the parameter's shape.
    pub first: Tensor<F>,
    /// Running mean of its square.
    pub second: Tensor<F>,
    /// How many updates the parameter has had.
    pub steps: u64,
}

impl<F: Real> Adam<F> {
    /// Adam before its first step.
    ///
    /// # Panics
    /// If ε [underflows](AdamSettings::epsilon_underflows).
    pub fn new(settings: AdamSettings) -> Self {
        assert!(!settings.epsilon_underflows::<F>(), "adam: an epsilon of {:e} is too small", settings.epsilon);
        Self { settings, moments: Vec::new(), zeros: Vec::new() }
    }

    /// Changes the step size, for a schedule.
    pub fn set_learning_rate(&mut self, learning_rate: f64) {
        self.settings.learning_rate = learning_rate;
    }

    /// Moves each parameter that has a gradient.
    ///
    /// A moment becomes 0 once it, or its product with the step size, would be a denormal number: those make a step several times
    /// slower, and move nothing.
    ///
    /// # Panics
    /// If a gradient or the moments of a parameter do not have its shape.
    #[track_caller]
    pub fn step(&mut self, params: &mut ParamStore<F>, gradients: &Gradients<F>) {
        self.moments.resize_with(params.len(), || None);
        for id in params.ids() {
            let Some(gradient) = gradients.get(id) else { continue };
            let shape = params.value(id).shape();
            assert_eq!(gradient.shape(), shape, "adam: gradient and parameter `{}`", params.name(id));
            if let Some(moments) = &self.moments[id.index()] {
                assert_eq!(moments.first.shape(), shape, "adam: moments and parameter `{}`", params.name(id));
            }
            let value = params.value_mut(id);
            let mut moments = self.moments[id.index()].take().unwrap_or_else(|| Moments {
                first: Tensor::zeros(shape),
                second: Tensor::zeros(shape),
                steps: 0,
            });
            moments.steps += 1;
            let rule = self.rule_at(moments.steps);
            let (m, v) = (moments.first.data_mut(), moments.second.data_mut());
            match (gradient, self.settings.row_updates) {
                (Gradient::Dense(g), _) => update(value.data_mut(), m, v, g.data(), rule),
                (Gradient::Rows { ids, rows, .. }, RowUpdates::Lazy) => {
                    let place = |row: u32| row as usize * rows.cols()..(row as usize + 1) * rows.cols();
                    for (i, &row) in ids.iter().enumerate() {
                        if let Some(later) = ids.get(i + AHEAD).map(|&row| place(row)) {
                            prefetch(&value.data()[later.clone()]);
                            prefetch(&m[later.clone()]);
                            prefetch(&v[later]);
                        }
                        let at = place(row);
                        update(&mut value.data_mut()[at.clone()], &mut m[at.clone()], &mut v[at], rows.row(i), rule);
                    }
                }
                (Gradient::Rows { ids, rows, .. }, RowUpdates::Dense) => {
                    let cols = rows.cols();
                    self.zeros.resize(cols.max(self.zeros.len()), F::ZERO);
                    let mut given = ids.iter().zip(0..).peekable();
                    for row in 0..value.rows() {
                        let g = match given.next_if(|(id, _)| **id as usize == row) {
                            Some((_, i)) => rows.row(i),
                            None => &self.zeros[..cols],
                        };
                        let at = row * cols..(row + 1) * cols;
                        update(&mut value.data_mut()[at.clone()], &mut m[at.clone()], &mut v[at], g, rule);
                    }
                }
            }
            self.moments[id.index()] = Some(moments);
        }
    }

    /// The moments of a parameter, to write a checkpoint.
    pub fn moments(&self, id: ParamId) -> Option<&Moments<F>> {
        self.moments.get(id.index())?.as_ref()
    }

    /// Restores the moments of a parameter.
    ///
    /// # Panics
    /// If the two moments have different shapes.
    #[track_caller]
    pub fn set_moments(&mut self, id: ParamId, moments: Moments<F>) {
        assert_eq!(moments.first.shape(), moments.second.shape(), "adam: first and second moment");
        if self.moments.len() <= id.index() {
            self.moments.resize_with(id.index() + 1, || None);
        }
        self.moments[id.index()] = Some(moments);
    }

    fn rule_at(&self, steps: u64) -> Rule<F> {
        let AdamSettings { learning_rate, beta1, beta2, epsilon, form, .. } = self.settings;
        let steps = steps as f64;
        let (correction1, correction2) = (1.0 - beta1.powf(steps), 1.0 - beta2.powf(steps));
        // m̂ / (√v̂ + ε) with v̂ = v / correction2 equals √correction2 / correction1 · m / (√v + ε·√correction2).
        let epsilon = match form {
            AdamForm::Kingma => epsilon * correction2.sqrt(),
            AdamForm::Keras => epsilon,
        };
        let number = F::from_f64;
        let rate = learning_rate * correction2.sqrt() / correction1;
        Rule {
            beta1: number(beta1),
            beta2: number(beta2),
            gain1: number(1.0 - beta1),
            gain2: number(1.0 - beta2),
            rate: number(rate),
            epsilon: number(epsilon),
            smallest: number(F::SMALLEST_NORMAL.to_f64() / rate.clamp(1e-6, 1.0)),
        }
    }
}

/// m ← β₁·m + gain₁·g, v ← β₂·v + gain₂·g², θ ← θ − rate · m / (√v + ε), where moments near the smallest normal number are 0.
#[derive(Clone, Copy)]
struct Rule<F> {
    beta1: F,
    beta2: F,
    gain1: F,
    gain2: F,
    rate: F,
    epsilon: F,
    /// The smallest first moment that is kept: rate · m is then a normal number, unless the rate is below 10⁻⁶.
    smallest: F,
}

vectorised! {
    fn update<F: Real>(value: &mut [F], m: &mut [F], v: &mut [F], gradient: &[F], rule: Rule<F>) {
        assert!(
            m.len() == value.len() && v.len() == value.len() && gradient.len() == value.len(),
            "adam: {} numbers with moments of {} and {} and a gradient of {}",
            value.len(),
            m.len(),
            v.len(),
            gradient.len()
        );
        for (((x, m), v), &g) in value.iter_mut().zip(m).zip(v).zip(gradient) {
            let (first, second) = (rule.beta1 * *m + rule.gain1 * g, rule.beta2 * *v + rule.gain2 * g * g);
            // Comparisons that keep a NaN.
            *m = if first.abs() < rule.smallest { F::ZERO } else { first };
            *v = if second < F::SMALLEST_NORMAL { F::ZERO } else { second };
            *x -= rule.rate * *m / (v.sqrt() + rule.epsilon);
        }
    }
}

#[cfg(test)]
mod tests;
