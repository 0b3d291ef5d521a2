//! One check and its report.

use std::sync::Arc;

use serde::Serialize;

use super::{Fault, difference::slope, wave};
use crate::autograd::{Mode, ParamStore, Tape, Var};
use crate::tensor::{Pool, Tensor};

/// The largest relative error that passes.
pub const TOLERANCE: f64 = 1e-6;

type Build = Arc<dyn Fn(&mut Tape<'_, f64>) -> Var + Send + Sync>;

/// Something that is computed on a tape from the parameters of a store, to be checked.
#[derive(Clone)]
pub struct Check {
    name: String,
    params: ParamStore<f64>,
    build: Build,
    reference: Option<Build>,
    /// Dropout's keys; without them the recording is in evaluation mode.
    row_keys: Option<Vec<u64>>,
}

/// The outcome of a check.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The name of the check.
    pub name: String,
    /// For each trainable input, how far its gradient is off.
    pub inputs: Vec<InputReport>,
    /// The largest relative error of the value against that of the reference, where there is one.
    pub value_against_reference: Option<f64>,
}

/// How far the gradient of one input is off.
#[derive(Clone, Debug, Serialize)]
pub struct InputReport {
    /// The name of the input.
    pub name: String,
    /// How many elements were compared.
    pub elements: usize,
    /// The largest relative error against central differences.
    pub against_differences: f64,
    /// The largest relative error against the gradient of the reference, where there is one.
    pub against_reference: Option<f64>,
    /// How many elements stand where the function has a corner, so that there is no derivative to compare with.
    pub corners: usize,
}

impl Check {
    /// A check of what `build` computes from the named inputs.
    pub fn new<const N: usize>(
        name: &str,
        inputs: [(&str, Tensor<f64>); N],
        build: impl Fn(&mut Tape<'_, f64>, [Var; N]) -> Var + Send + Sync + 'static,
    ) -> Self {
        let mut params = ParamStore::new();
        for (input, value) in inputs {
            params.add(input, value);
        }
        Self::of_params(name, params, with_inputs(build))
    }

    /// A check of what `build` computes from the parameters of a store, as of a whole model.
    pub fn of_params(
        name: &str,
        params: ParamStore<f64>,
        build: impl Fn(&mut Tape<'_, f64>) -> Var + Send + Sync + 'static,
    ) -> Self {
        Self { name: name.into(), params, build: Arc::new(build), reference: None, row_keys: None }
    }

    /// Compares values and gradients with those of a composition that computes the same from the same inputs.
    pub fn against<const N: usize>(
        self,
        reference: impl Fn(&mut Tape<'_, f64>, [Var; N]) -> Var + Send + Sync + 'static,
    ) -> Self {
        self.against_params(with_inputs(reference))
    }

    /// As [`against`](Self::against), for a computation from the parameters of the store.
    pub fn against_params(mut self, reference: impl Fn(&mut Tape<'_, f64>) -> Var + Send + Sync + 'static) -> Self {
        self.reference = Some(Arc::new(reference));
        self
    }

    /// Records in training mode, with a key for each row of what dropout sees.
    pub fn training(mut self, row_keys: &[u64]) -> Self {
        self.row_keys = Some(row_keys.to_vec());
        self
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Compares everything.
    pub fn run(&self) -> Report {
        self.run_with(None)
    }

    /// Compares everything, with a bug planted in the computation (not in its reference).
    pub fn run_with(&self, fault: Option<&Fault>) -> Report {
        let mut pool = Pool::new();
        let (value, gradients) = self.differentiate(&self.build, fault, &mut pool);
        let reference = self.reference.as_ref().map(|reference| self.differentiate(reference, None, &mut pool));
        let inputs = self.params.ids().filter(|&id| self.params.is_trainable(id)).enumerate().map(|(i, id)| {
            let gradient = gradients[i].data();
            let mut params = self.params.clone();
            let slopes: Vec<Option<f64>> = (0..gradient.len())
                .map(|element| {
                    slope(params.value(id).data()[element], |x| {
                        params.value_mut(id).data_mut()[element] = x;
                        self.projection(&params, fault, &mut pool)
                    })
                })
                .collect();
            let smooth = |element: &usize| slopes[*element].is_some();
            let compared: Vec<f64> = (0..gradient.len()).filter(smooth).map(|element| gradient[element]).collect();
            let differences: Vec<f64> = slopes.iter().flatten().copied().collect();
            InputReport {
                name: self.params.name(id).to_owned(),
                elements: gradient.len(),
                against_differences: relative_error(&compared, &differences),
                against_reference: reference.as_ref().map(|(_, theirs)| relative_error(gradient, theirs[i].data())),
                corners: gradient.len() - compared.len(),
            }
        });
        Report {
            name: self.name.clone(),
            inputs: inputs.collect(),
            value_against_reference: reference.as_ref().map(|(theirs, _)| relative_error(value.data(), theirs.data())),
        }
    }

    fn mode(&self) -> Mode<'_> {
        self.row_keys.as_ref().map_or(Mode::Evaluate, |row_keys| Mode::Train { row_keys })
    }

    /// y, and Jᵀv for each trainable input; zeros for one that y does not depend on.
    fn differentiate(
        &self,
        build: &Build,
        fault: Option<&Fault>,
        pool: &mut Pool<f64>,
    ) -> (Tensor<f64>, Vec<Tensor<f64>>) {
        let mut tape = Tape::new(&self.params, pool, self.mode());
        tape.fault = fault;
        let y = build(&mut tape);
        let value = tape.value(y).clone();
        let gradients = tape.pull_back(y, &cotangent(&value));
        let trainable = self.params.ids().filter(|&id| self.params.is_trainable(id));
        let dense =
            trainable.map(|id| gradients.dense(id).unwrap_or_else(|| Tensor::zeros(self.params.value(id).shape())));
        (value, dense.collect())
    }

    /// ⟨v, y⟩.
    fn projection(&self, params: &ParamStore<f64>, fault: Option<&Fault>, pool: &mut Pool<f64>) -> f64 {
        let mut tape = Tape::new(params, pool, self.mode());
        tape.fault = fault;
        let y = (self.build)(&mut tape);
        let value = tape.value(y);
        cotangent(value).data().iter().zip(value.data()).map(|(v, y)| v * y).sum()
    }
}

fn with_inputs<const N: usize>(
    build: impl Fn(&mut Tape<'_, f64>, [Var; N]) -> Var + Send + Sync + 'static,
) -> impl Fn(&mut Tape<'_, f64>) -> Var + Send + Sync + 'static {
    move |tape| {
        let inputs: Vec<Var> = tape.params.ids().map(|id| tape.param(id)).collect();
        build(tape, inputs.try_into().expect("one input for each parameter"))
    }
}

/// The fixed v for a value of this shape.
fn cotangent(value: &Tensor<f64>) -> Tensor<f64> {
    wave(value.shape(), 0.5)
}

/// The largest |a − b| / max(|a|, |b|, floor). The floor is a thousandth of the largest number in either list, and at least
/// 10⁻³: below it the rounding of a difference quotient would count as an error.
fn relative_error(a: &[f64], b: &[f64]) -> f64 {
    if a.len() != b.len() {
        return f64::INFINITY;
    }
    let largest = a.iter().chain(b).fold(0.0_f64, |largest, x| largest.max(x.abs()));
    let floor = 1e-3 * largest.max(1.0);
    let error = |(a, b): (&f64, &f64)| (a - b).abs() / a.abs().max(b.abs()).max(floor);
    // A gradient that is not a number is as wrong as can be.
    a.iter().zip(b).map(error).fold(0.0, |worst, e| if e.is_nan() { f64::INFINITY } else { worst.max(e) })
}

impl Report {
    /// The largest of all its errors.
    pub fn worst(&self) -> f64 {
        let of_inputs = self.inputs.iter().flat_map(|input| [Some(input.against_differences), input.against_reference]);
        of_inputs.chain([self.value_against_reference]).flatten().fold(0.0, f64::max)
    }

    /// Whether all its errors are below [`TOLERANCE`] and something was compared.
    pub fn passed(&self) -> bool {
        let compared: usize = self.inputs.iter().map(|input| input.elements - input.corners).sum();
        compared > 0 && self.worst() < TOLERANCE
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::ops;

    #[test]
    fn every_operation_passes() {
        for check in ops::checks() {
            let report = check.run();
            assert!(report.passed(), "{report:#?}");
        }
    }

    #[test]
    fn errors_are_relative_to_the_larger_number_and_never_to_almost_nothing() {
        assert_eq!(relative_error(&[2.0, 4.0], &[2.0, 5.0]), 0.2);
        assert_eq!(relative_error(&[1e-9, 100.0], &[0.0, 100.0]), 1e-8);
        assert_eq!(relative_error(&[f64::NAN], &[0.0]), f64::INFINITY);
    }
}
