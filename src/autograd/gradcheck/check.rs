//! One check and its report.

use std::sync::Arc;

use super::{Fault, difference::slope, fault::Faults, wave};
use crate::autograd::{Mode, ParamId, ParamStore, Tape, Var};
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
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Report {
    /// The name of the check.
    pub name: String,
    /// One for each trainable input, and one for the value where there is a reference.
    pub lines: Vec<Line>,
}

/// How far the gradient of one input is off, or the value (then the name is [`VALUE`]).
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Line {
    /// The name of the input.
    pub name: String,
    /// How many elements it has.
    pub elements: usize,
    /// The largest relative error against central differences; none for the value.
    pub against_differences: Option<f64>,
    /// The largest relative error against the reference, where there is one.
    pub against_reference: Option<f64>,
    /// Elements at a corner of the function, where there is no derivative to compare with.
    pub corners: usize,
    /// Whether the gradient is 0 everywhere. That can be right (no label, no second token), but shows that nothing flows.
    pub flat: bool,
}

/// The name of the line that compares the value itself with that of the reference.
pub const VALUE: &str = "(value)";

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

    /// Whether the computation contains an operation of this name.
    pub fn records(&self, op: &str) -> bool {
        let mut pool = Pool::new();
        let mut tape = Tape::new(&self.params, &mut pool, self.mode());
        (self.build)(&mut tape);
        tape.vars().any(|var| tape.op_name(var) == op)
    }

    /// Compares everything.
    pub fn run(&self) -> Report {
        self.run_with(&[])
    }

    /// Compares everything, with bugs planted in the computation (not in its reference).
    pub fn run_with(&self, faults: &[Fault]) -> Report {
        let mut pool = Pool::new();
        let (value, gradients) = self.differentiate(&self.build, faults, &mut pool);
        let reference = self.reference.as_ref().map(|reference| self.differentiate(reference, &[], &mut pool));
        let inputs = self.trainable().enumerate().map(|(i, id)| {
            let gradient = gradients[i].data();
            let slopes = self.slopes(id, faults, &mut pool);
            let (compared, differences): (Vec<f64>, Vec<f64>) =
                gradient.iter().zip(&slopes).filter_map(|(&ours, slope)| slope.map(|slope| (ours, slope))).unzip();
            Line {
                name: self.params.name(id).to_owned(),
                elements: gradient.len(),
                against_differences: Some(relative_error(&compared, &differences)),
                against_reference: reference.as_ref().map(|(_, theirs)| relative_error(gradient, theirs[i].data())),
                corners: gradient.len() - compared.len(),
                flat: gradient.iter().all(|&slope| slope == 0.0),
            }
        });
        let mut lines: Vec<Line> = inputs.collect();
        lines.extend(reference.as_ref().map(|(theirs, _)| Line {
            name: VALUE.into(),
            elements: value.data().len(),
            against_differences: None,
            against_reference: Some(relative_error(value.data(), theirs.data())),
            corners: 0,
            flat: false,
        }));
        Report { name: self.name.clone(), lines }
    }

    fn trainable(&self) -> impl Iterator<Item = ParamId> + '_ {
        self.params.ids().filter(|&id| self.params.is_trainable(id))
    }

    /// The difference quotient for each element of a parameter; `None` at a corner.
    fn slopes(&self, id: ParamId, faults: &[Fault], pool: &mut Pool<f64>) -> Vec<Option<f64>> {
        let mut params = self.params.clone();
        (0..params.value(id).data().len())
            .map(|element| {
                slope(params.value(id).data()[element], |x| {
                    params.value_mut(id).data_mut()[element] = x;
                    self.projection(&params, faults, pool)
                })
            })
            .collect()
    }

    fn mode(&self) -> Mode<'_> {
        self.row_keys.as_ref().map_or(Mode::Evaluate, |row_keys| Mode::Train { row_keys })
    }

    /// y, and Jᵀv for each trainable input; zeros for one that y does not depend on.
    fn differentiate(&self, build: &Build, faults: &[Fault], pool: &mut Pool<f64>) -> (Tensor<f64>, Vec<Tensor<f64>>) {
        let mut tape = Tape::observed(&self.params, pool, self.mode(), Faults(faults));
        let y = build(&mut tape);
        let value = tape.value(y).clone();
        let gradients = tape.vjp(y, &cotangent(&value));
        let dense = self
            .trainable()
            .map(|id| gradients.dense(id).unwrap_or_else(|| Tensor::zeros(self.params.value(id).shape())));
        (value, dense.collect())
    }

    /// ⟨v, y⟩.
    fn projection(&self, params: &ParamStore<f64>, faults: &[Fault], pool: &mut Pool<f64>) -> f64 {
        let mut tape = Tape::observed(params, pool, self.mode(), Faults(faults));
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

impl Line {
    /// The larger of its errors.
    pub fn worst(&self) -> f64 {
        [self.against_differences, self.against_reference].into_iter().flatten().fold(0.0, f64::max)
    }

    /// Whether its errors are below [`TOLERANCE`].
    pub fn passed(&self) -> bool {
        self.worst() < TOLERANCE
    }
}

impl Report {
    /// The largest of all its errors.
    pub fn worst(&self) -> f64 {
        self.lines.iter().map(Line::worst).fold(0.0, f64::max)
    }

    /// Whether all its errors are below [`TOLERANCE`] and something was compared.
    pub fn passed(&self) -> bool {
        let compared: usize = self.lines.iter().map(|line| line.elements - line.corners).sum();
        compared > 0 && self.lines.iter().all(Line::passed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::{
        Ctx, Op,
        gradcheck::{Corruption, Place, optimiser},
        ops,
    };

    #[test]
    fn every_operation_and_the_optimiser_pass() {
        for check in ops::checks().into_iter().chain(optimiser::checks()) {
            let report = check.run();
            assert!(report.passed(), "{report:#?}");
        }
    }

    /// y = x², with a derivative of `factor`·x.
    struct Square {
        factor: f64,
    }

    impl Op<f64> for Square {
        fn name(&self) -> &'static str {
            "square"
        }

        fn backward(&self, ctx: &mut Ctx<'_, f64>) {
            let (dy, x) = (ctx.dy(), ctx.x(0));
            let Some(dx) = ctx.dx(0) else { return };
            for ((dx, dy), x) in dx.data_mut().iter_mut().zip(dy.data()).zip(x.data()) {
                *dx += self.factor * x * dy;
            }
        }
    }

    fn square_with(factor: f64) -> Report {
        Check::new("square", [("x", wave([3], 1.0)), ("unused", wave([2], 1.0))], move |tape, [x, _]| {
            let y = Tensor::from_fn([3], |i| tape.value(x).data()[i].powi(2));
            tape.record(Square { factor }, &[x], y, [])
        })
        .run()
    }

    #[test]
    fn a_wrong_derivative_fails_and_the_right_one_passes() {
        assert!(square_with(2.0).passed());
        let report = square_with(2.0001);
        assert!(!report.passed());
        // |2.0001 − 2| / 2.0001; what the value does not depend on has a slope and a gradient of 0.
        let errors: Vec<_> = report.lines.iter().map(|line| line.against_differences.unwrap()).collect();
        approx::assert_relative_eq!(errors[0], 4.99975e-5, max_relative = 1e-3);
        assert_eq!(errors[1], 0.0);
        assert!(!square_with(f64::NAN).passed());
    }

    #[test]
    fn a_check_that_compares_nothing_does_not_pass() {
        assert!(!Check::new("nothing", [], |tape, []| tape.constant(Tensor::scalar(1.0))).run().passed());
        let at_the_corner = Check::new("corner", [("x", Tensor::zeros([2]))], |tape, [x]| tape.relu(x)).run();
        assert_eq!((at_the_corner.lines[0].corners, at_the_corner.passed()), (2, false));
    }

    /// y = a·x + b·relu(x), whose gradient is right on both sides of 0 and one of both at 0.
    #[test]
    fn a_small_corner_is_no_wrong_gradient() {
        let report = |a: f64, b: f64, x: &[f64]| {
            Check::new("corner", [("x", Tensor::new([x.len()], x.to_vec()))], move |tape, [x]| {
                let (line, corner) = (tape.scale(x, a), tape.relu(x));
                let corner = tape.scale(corner, b);
                tape.add(line, corner)
            })
            .run()
        };
        for (a, b) in [(1.0, 1.0), (100.0, 1.0), (1000.0, 1.0), (0.0, 0.001), (0.0, 0.01), (0.0, 0.02)] {
            let report = report(a, b, &[0.0, 1.0, 1e-6, -1e-6, 5e-5]);
            assert!(report.passed() && report.lines[0].corners == 1, "{a}, {b}: {report:?}");
        }
    }

    #[test]
    fn a_fault_reaches_only_its_own_operation_and_what_that_computes() {
        // y = x + tanh x: the bug in tanh's gradient must leave alone what the sum has put there before.
        let check = Check::new("sum", [("x", Tensor::new([1], vec![0.3]))], |tape, [x]| {
            let y = tape.tanh(x);
            tape.add(x, y)
        });
        let zero = |op| Fault { op, place: Place::Gradient(0), corruption: Corruption::Scale(0.0) };
        let slope = 2.0 - 0.3_f64.tanh().powi(2);
        let error = check.run_with(&[zero("tanh")]).worst();
        approx::assert_relative_eq!(error, (slope - 1.0) / slope, max_relative = 1e-6);
        assert!(check.run_with(&[zero("sigmoid")]).passed());
    }

    #[test]
    fn errors_are_relative_to_the_larger_number_and_never_to_almost_nothing() {
        assert_eq!(relative_error(&[2.0, 4.0], &[2.0, 5.0]), 0.2);
        assert_eq!(relative_error(&[1e-9, 100.0], &[0.0, 100.0]), 1e-8);
        assert_eq!(relative_error(&[f64::NAN], &[0.0]), f64::INFINITY);
    }
}
