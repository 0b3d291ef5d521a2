//! Adam (Kingma & Ba 2015, Algorithm 1) in the two forms that are in use.

use super::{Gradient, Gradients, ParamId, ParamStore};
use crate::tensor::{Real, Tensor, vectorised};

/// The position of ε in the update.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum AdamForm {
    /// θ ← θ − lr · m̂ / (√v̂ + ε), the paper's Algorithm 1; PyTorch has it too.
    #[default]
    Kingma,
    /// θ ← θ − lr·√(1−β₂ᵗ)/(1−β₁ᵗ) · m / (√v + ε), the end of its section 2; Keras has it.
    Keras,
}

/// What happens to the rows of a parameter that a row-sparse gradient does not name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum RowUpdates {
    /// Their gradient is zero: their moments decay and they still move. Costs the whole parameter at every step.
    #[default]
    Dense,
    /// Nothing: neither their moments nor they change. Costs the named rows only.
    Lazy,
}

/// The constants of Adam.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct AdamSettings {
    /// Step size.
    pub learning_rate: f64,
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// ε, which keeps the quotient finite.
    pub epsilon: f64,
    /// The position of ε in the update.
    pub form: AdamForm,
    /// What happens to rows without a gradient.
    pub row_updates: RowUpdates,
}

impl Default for AdamSettings {
    /// The values that Kingma & Ba recommend.
    fn default() -> Self {
        Self {
            learning_rate: 1e-3,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            form: AdamForm::default(),
            row_updates: RowUpdates::default(),
        }
    }
}

impl AdamSettings {
    /// Whether ε, as the update adds it, is too small for a normal number of this precision at some step. Where all gradients of
    /// an element have been 0, the update would then be 0 / 0.
    pub fn epsilon_underflows<F: Real>(&self) -> bool {
        let factor = match self.form {
            AdamForm::Kingma => (1.0 - self.beta2).sqrt(), // √(1 − β₂ᵗ), which grows with t
            AdamForm::Keras => 1.0,
        };
        F::from_f64(self.epsilon * factor) < F::SMALLEST_NORMAL
    }
}

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
                    for (i, &row) in ids.iter().enumerate() {
                        let at = row as usize * rows.cols()..(row as usize + 1) * rows.cols();
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
mod tests {
    use super::*;
    use crate::tensor::{Pool, Shape};
    use serde_json::Value;

    /// Made by PyTorch and Keras: see tests/parity/README.md.
    fn golden(part: &str) -> Vec<Value> {
        let all: Value = serde_json::from_str(include_str!("../../tests/parity/adam.json")).unwrap();
        all[part].as_array().unwrap().clone()
    }

    fn numbers(list: &Value) -> Vec<f64> {
        list.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
    }

    fn tensor(array: &Value) -> Tensor<f64> {
        let dims: Vec<usize> = numbers(&array["shape"]).iter().map(|&extent| extent as usize).collect();
        Tensor::new(Shape::from(&dims[..]), numbers(&array["data"]))
    }

    fn adam(settings: &Value, row_updates: RowUpdates) -> Adam<f64> {
        let number = |name: &str| settings[name].as_f64().unwrap();
        Adam::new(AdamSettings {
            learning_rate: number("learning_rate"),
            beta1: number("beta1"),
            beta2: number("beta2"),
            epsilon: number("epsilon"),
            form: match settings["form"].as_str() {
                Some("kingma") => AdamForm::Kingma,
                Some("keras") => AdamForm::Keras,
                other => panic!("no form of Adam: {other:?}"),
            },
            row_updates,
        })
    }

    #[track_caller]
    fn assert_close(found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            approx::assert_relative_eq!(found, expected, max_relative = 1e-12);
        }
    }

    /// Moves one parameter by dense gradients and returns it after each step.
    fn walk(mut adam: Adam<f64>, start: f64, gradients: &[f64]) -> Vec<f64> {
        let mut params = ParamStore::new();
        let id = params.add("x", Tensor::scalar(start));
        let step = |&g: &f64| {
            let mut gradients = Gradients::none(1);
            gradients.add(id, Tensor::scalar(g), &mut Pool::new());
            adam.step(&mut params, &gradients);
            params.value(id).item()
        };
        gradients.iter().map(step).collect()
    }

    /// Values: the closed form of the first step, lr·g/(g + ε) and with ε/√(1 − β₂) for Keras.
    #[test]
    fn the_first_step_shows_where_epsilon_stands() {
        let keras = AdamSettings { form: AdamForm::Keras, epsilon: 1e-7, ..AdamSettings::default() };
        approx::assert_relative_eq!(walk(Adam::new(keras), 0.0, &[0.5])[0], -9.999_936_75e-4, max_relative = 1e-9);
        approx::assert_relative_eq!(
            walk(Adam::new(AdamSettings::default()), 0.0, &[0.5])[0],
            -9.999_999_8e-4,
            max_relative = 1e-10
        );
    }

    #[test]
    fn five_steps_are_those_of_pytorch_and_keras() {
        for case in golden("scalar") {
            let adam = adam(&case["adam"], RowUpdates::Dense);
            let values = walk(adam, case["start"].as_f64().unwrap(), &numbers(&case["gradients"]));
            assert_close(&values, &numbers(&case["values"]));
        }
    }

    #[test]
    fn lazily_updated_rows_are_those_of_the_peers() {
        for case in golden("lazy_rows") {
            let mut adam = adam(&case["adam"], RowUpdates::Lazy);
            let mut params = ParamStore::new();
            let id = params.add("table", tensor(&case["start"]));
            let shape = params.value(id).shape();
            for (step, expected) in case["steps"].as_array().unwrap().iter().zip(case["values"].as_array().unwrap()) {
                let ids: Vec<u32> = numbers(&step["rows"]).iter().map(|&row| row as u32).collect();
                let mut gradients = Gradients::none(1);
                gradients.add_rows(id, shape, &ids, &tensor(&step["gradient"]), &mut Pool::new());
                adam.step(&mut params, &gradients);
                assert_close(params.value(id).data(), tensor(expected).data());
            }
        }
    }

    #[test]
    fn a_row_without_a_gradient_decays_and_moves_only_if_updates_are_dense() {
        let moves = |row_updates| {
            let mut adam = Adam::<f64>::new(AdamSettings { row_updates, ..AdamSettings::default() });
            let mut params = ParamStore::new();
            let id = params.add("table", Tensor::zeros([2, 1]));
            let shape = params.value(id).shape();
            let mut step = |row: u32| {
                let mut gradients = Gradients::none(1);
                gradients.add_rows(id, shape, &[row], &Tensor::new([1, 1], vec![1.0]), &mut Pool::new());
                adam.step(&mut params, &gradients);
                (params.value(id).data()[0], adam.moments(id).unwrap().first.data()[0])
            };
            (step(0), step(1))
        };
        let (before, after) = moves(RowUpdates::Lazy);
        assert_eq!(before, after);
        let (before, after) = moves(RowUpdates::Dense);
        assert!(after.0 < before.0, "the parameter goes on falling");
        approx::assert_relative_eq!(after.1, 0.9 * before.1, max_relative = 1e-15);
    }

    /// Rows that had one gradient and no other, at several step sizes, until all moments have decayed.
    #[test]
    fn no_moment_ever_becomes_denormal() {
        for learning_rate in [1e-4, 1e-3, 2.0] {
            let settings = AdamSettings { learning_rate, beta2: 0.9, ..AdamSettings::default() };
            let mut adam = Adam::<f32>::new(settings);
            let mut params = ParamStore::new();
            let id = params.add("x", Tensor::zeros([1, 20]));
            let mut gradient = Tensor::from_fn([1, 20], |i| if i % 2 == 0 { 1.0 } else { -1e-3 } * (i + 1) as f32);
            let mut before = params.value(id).clone();
            for step in 1..=2_000 {
                let mut gradients = Gradients::none(1);
                gradients.add(id, gradient, &mut Pool::new());
                adam.step(&mut params, &gradients);
                gradient = Tensor::zeros([1, 20]);
                let Moments { first, second, .. } = adam.moments(id).unwrap();
                assert!(first.data().iter().chain(second.data()).all(|x| *x == 0.0 || x.is_normal()), "step {step}");
                let factors = first.data().iter().map(|m| adam.rule_at(step).rate * m);
                assert!(factors.into_iter().all(|x| x == 0.0 || x.is_normal()), "step {step}");
                if step == 900 {
                    before = params.value(id).clone();
                }
            }
            let Moments { first, second, .. } = adam.moments(id).unwrap();
            assert!(first.data().iter().chain(second.data()).all(|&x| x == 0.0));
            assert_eq!(params.value(id), &before, "what is dropped had long stopped moving anything");
        }
    }

    /// In f32 10⁻⁵⁰ is 0, and 10⁻⁴⁴ · √0.001 too.
    #[test]
    fn an_epsilon_that_underflows_is_known() {
        let underflows = |epsilon, form| {
            let settings = AdamSettings { epsilon, form, ..AdamSettings::default() };
            (settings.epsilon_underflows::<f32>(), settings.epsilon_underflows::<f64>())
        };
        assert_eq!(underflows(1e-50, AdamForm::Keras), (true, false));
        assert_eq!(underflows(1e-37, AdamForm::Keras), (false, false));
        assert_eq!(underflows(1e-37, AdamForm::Kingma), (true, false));
        assert_eq!(underflows(1e-8, AdamForm::Kingma), (false, false));
        assert!(
            std::panic::catch_unwind(|| {
                Adam::<f32>::new(AdamSettings { epsilon: 1e-50, ..AdamSettings::default() })
            })
            .is_err()
        );
    }

    #[test]
    #[should_panic(expected = "adam: gradient and parameter `x`")]
    fn a_gradient_of_another_shape_panics_with_both() {
        let mut params = ParamStore::<f64>::new();
        let id = params.add("x", Tensor::zeros([2, 3]));
        let mut gradients = Gradients::none(1);
        gradients.add(id, Tensor::zeros([3, 2]), &mut Pool::new());
        Adam::new(AdamSettings::default()).step(&mut params, &gradients);
    }

    #[test]
    #[should_panic(expected = "adam: moments and parameter `x`")]
    fn moments_of_another_shape_panic_with_both() {
        let mut params = ParamStore::<f64>::new();
        let id = params.add("x", Tensor::zeros([2]));
        let mut gradients = Gradients::none(1);
        gradients.add(id, Tensor::zeros([2]), &mut Pool::new());
        let mut adam = Adam::new(AdamSettings::default());
        adam.set_moments(id, Moments { first: Tensor::zeros([1]), second: Tensor::zeros([1]), steps: 1 });
        adam.step(&mut params, &gradients);
    }

    #[test]
    fn a_parameter_without_a_gradient_is_left_alone() {
        let mut params = ParamStore::<f64>::new();
        let (moved, left) = (params.add("moved", Tensor::scalar(1.0)), params.add("left", Tensor::scalar(1.0)));
        let mut gradients = Gradients::none(2);
        gradients.add(moved, Tensor::scalar(1.0), &mut Pool::new());
        let mut adam = Adam::new(AdamSettings::default());
        adam.step(&mut params, &gradients);
        assert_eq!(params.value(left).item(), 1.0);
        assert_eq!((adam.moments(moved).unwrap().steps, adam.moments(left)), (1, None));
    }
}
