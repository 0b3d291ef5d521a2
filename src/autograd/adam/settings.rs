//! The constants of Adam, and the forms of its update.

use crate::tensor::Real;

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
