//! Adam against its published equations, number by number.

use super::{Check, named, wave};
use crate::autograd::{Adam, AdamForm, AdamSettings, Gradients, Moments, ParamStore, RowUpdates, Tape, Var};
use crate::tensor::{Pool, Tensor};

const ROWS: usize = 3;
const COLS: usize = 2;

/// The rows that have a gradient, step by step.
const SOME_ROWS: [&[u32]; 5] = [&[0, 2], &[1], &[0, 1, 2], &[2], &[0, 1]];
const ALL_ROWS: [&[u32]; 5] = [&[0, 1, 2]; 5];

/// Some steps of Adam on a parameter `[ROWS, COLS]`.
#[derive(Clone, Copy)]
struct Run {
    form: AdamForm,
    row_updates: RowUpdates,
    steps: [&'static [u32]; 5],
}

/// Both forms, and both ways with rows that have no gradient.
pub fn checks() -> Vec<Check> {
    [
        ("adam (kingma)", AdamForm::Kingma, RowUpdates::Dense, ALL_ROWS),
        ("adam (keras)", AdamForm::Keras, RowUpdates::Dense, ALL_ROWS),
        ("adam (rows without a gradient still move)", AdamForm::Kingma, RowUpdates::Dense, SOME_ROWS),
        ("adam (rows without a gradient stay)", AdamForm::Keras, RowUpdates::Lazy, SOME_ROWS),
    ]
    .map(|(name, form, row_updates, steps)| {
        let run = Run { form, row_updates, steps };
        Check::of_params(name, ParamStore::new(), move |tape| run.by_adam(tape)).against_params(move |tape| {
            let values = run.by_equations();
            tape.constant(values)
        })
    })
    .into()
}

impl Run {
    /// Learning rate, β₁, β₂, ε, and whether the form is Keras's (1) or not (0). Steps, and an ε beside small gradients, are so
    /// large that every mistake shows.
    fn settings(self) -> [f64; 5] {
        [0.1, 0.9, 0.999, 1e-3, f64::from(self.form == AdamForm::Keras)]
    }

    /// The gradient of each step, `[its rows, COLS]`.
    fn gradients(self) -> impl Iterator<Item = (&'static [u32], Tensor<f64>)> {
        self.steps.into_iter().zip([1.0, 0.01, 2.0, 0.3, 0.001]).enumerate().map(|(step, (ids, size))| {
            let direction = wave([ids.len(), COLS], step as f64);
            (ids, Tensor::from_fn(direction.shape(), |i| size * direction.data()[i]))
        })
    }

    /// The parameter after each step, `[steps · ROWS, COLS]`, by [`Adam`]. What it is given and what it keeps pass over the tape.
    fn by_adam(self, tape: &mut Tape<'_, f64>) -> Var {
        let mut seen = |name, tensor| {
            let var = named(tape, name, tensor);
            tape.value(var).clone()
        };
        let settings = seen("adam settings", Tensor::new([5], self.settings().into())).into_data();
        let mut adam = Adam::new(AdamSettings {
            learning_rate: settings[0],
            beta1: settings[1],
            beta2: settings[2],
            epsilon: settings[3],
            form: if settings[4] == 0.0 { AdamForm::Kingma } else { AdamForm::Keras },
            row_updates: self.row_updates,
        });
        let mut params = ParamStore::new();
        let id = params.add("θ", Tensor::zeros([ROWS, COLS]));
        let (shape, mut pool) = (params.value(id).shape(), Pool::new());
        let mut values = Vec::new();
        for (ids, gradient) in self.gradients() {
            let mut gradients = Gradients::none(1);
            gradients.add_rows(id, shape, ids, &seen("adam gradient", gradient), &mut pool);
            adam.step(&mut params, &gradients);
            values.extend_from_slice(params.value(id).data());
            let kept = adam.moments(id).expect("the parameter had a gradient").clone();
            let moments = Moments {
                first: seen("adam first moment", kept.first),
                second: seen("adam second moment", kept.second),
                steps: seen("adam count of steps", Tensor::scalar(kept.steps as f64)).item() as u64,
            };
            adam.set_moments(id, moments);
        }
        tape.constant(Tensor::new([values.len() / COLS, COLS], values))
    }

    /// The same by the equations of Kingma & Ba 2015: Algorithm 1, or for Keras's form the end of section 2.
    fn by_equations(self) -> Tensor<f64> {
        let [learning_rate, beta1, beta2, epsilon, _] = self.settings();
        let (mut theta, mut m, mut v) = ([[0.0; COLS]; ROWS], [[0.0; COLS]; ROWS], [[0.0; COLS]; ROWS]);
        let mut values = Vec::new();
        for (t, (ids, gradient)) in (1..).zip(self.gradients()) {
            for row in 0..ROWS {
                let place = ids.iter().position(|&id| id as usize == row);
                if place.is_none() && self.row_updates == RowUpdates::Lazy {
                    continue;
                }
                for col in 0..COLS {
                    let g = place.map_or(0.0, |place| gradient.row(place)[col]);
                    let (m, v) = (&mut m[row][col], &mut v[row][col]);
                    *m = beta1 * *m + (1.0 - beta1) * g;
                    *v = beta2 * *v + (1.0 - beta2) * g.powi(2);
                    theta[row][col] -= match self.form {
                        AdamForm::Kingma => {
                            let (m_hat, v_hat) = (*m / (1.0 - beta1.powi(t)), *v / (1.0 - beta2.powi(t)));
                            learning_rate * m_hat / (v_hat.sqrt() + epsilon)
                        }
                        AdamForm::Keras => {
                            let rate = learning_rate * (1.0 - beta2.powi(t)).sqrt() / (1.0 - beta1.powi(t));
                            rate * *m / (v.sqrt() + epsilon)
                        }
                    };
                }
            }
            values.extend(theta.iter().flatten());
        }
        Tensor::new([values.len() / COLS, COLS], values)
    }
}
