//! The bugs that people really make, to be planted one at a time: a check that lets one pass is no check.

use super::{Check, Corruption, Corruption::*, Fault, Line, Place, TOLERANCE};

/// A known bug.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Mutation {
    /// Where it is and what is wrong.
    pub description: &'static str,
    /// What it corrupts.
    pub faults: Vec<Fault>,
}

/// How a bug was caught.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Catch {
    /// The name of the check that failed.
    pub check: String,
    /// The name of the first [`Line`] that was off.
    pub line: String,
    /// What it was held against.
    pub evidence: Evidence,
    /// Its relative error.
    pub error: f64,
}

/// What numbers are held against.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "kebab-case"))]
pub enum Evidence {
    /// Central differences.
    Differences,
    /// The reference.
    Reference,
}

impl Mutation {
    /// The first of the checks that fails with this bug and passes without it.
    pub fn caught_by(&self, checks: &[Check]) -> Option<Catch> {
        checks.iter().filter(|check| self.faults.iter().any(|fault| check.records(fault.op))).find_map(|check| {
            let report = check.run_with(&self.faults);
            let (line, evidence, error) = report.lines.iter().find_map(first_error)?;
            check.run().passed().then(|| Catch { check: report.name.clone(), line, evidence, error })
        })
    }
}

fn first_error(line: &Line) -> Option<(String, Evidence, f64)> {
    let of = |error: Option<f64>, evidence| {
        let error = error.filter(|&error| error >= TOLERANCE)?;
        Some((line.name.clone(), evidence, error))
    };
    of(line.against_differences, Evidence::Differences).or_else(|| of(line.against_reference, Evidence::Reference))
}

/// The list. Where numbers depend on a size (labelled rows, lengths of texts, fans), it is that of the operation's own check.
pub fn mutations() -> Vec<Mutation> {
    [elementary(), ragged(), lstm(), conv(), losses(), initial_values(), optimiser()].into_iter().flatten().collect()
}

fn mutation(description: &'static str, faults: impl Into<Vec<Fault>>) -> Mutation {
    Mutation { description, faults: faults.into() }
}

fn value(op: &'static str, corruption: Corruption) -> Fault {
    Fault { op, place: Place::Value, corruption }
}

fn cotangent(op: &'static str, corruption: Corruption) -> Fault {
    Fault { op, place: Place::Cotangent, corruption }
}

fn gradient(op: &'static str, input: usize, corruption: Corruption) -> Fault {
    Fault { op, place: Place::Gradient(input), corruption }
}

/// A symmetric corruption on which forward and backward computation agree.
fn both_ways(op: &'static str, corruption: Corruption) -> [Fault; 2] {
    [value(op, corruption), cotangent(op, corruption)]
}

/// Rows moved by one place, on which forward and backward computation agree.
fn rows_moved_both_ways(op: &'static str) -> [Fault; 2] {
    [value(op, RotateRows(1)), cotangent(op, RotateRows(-1))]
}

fn elementary() -> Vec<Mutation> {
    vec![
        mutation("add: the bias has no gradient", [gradient("add", 1, Scale(0.0))]),
        mutation("mul: the other factor forgotten in a gradient", [gradient("mul", 0, ForgetDerivative)]),
        mutation("scale: the factor forgotten in the gradient", [gradient("scale", 0, ForgetDerivative)]),
        mutation("matmul: the product stored transposed", [value("matmul", Transpose)]),
        mutation("matmul: the left gradient transposed", [gradient("matmul", 0, Transpose)]),
        mutation("matmul: the right gradient transposed", [gradient("matmul", 1, Transpose)]),
        mutation("tanh: the derivative forgotten", [gradient("tanh", 0, ForgetDerivative)]),
        mutation("sigmoid: the derivative forgotten", [gradient("sigmoid", 0, ForgetDerivative)]),
        mutation("relu: a gradient where the input is negative", [gradient("relu", 0, ForgetDerivative)]),
        mutation("hard sigmoid: the derivative of the smooth one, 0.25", [gradient("hard_sigmoid", 0, Scale(1.25))]),
        mutation("concatenation: each row's gradient taken from the next", [cotangent("concat_rows", RotateRows(-1))]),
        mutation(
            "slice: the columns' gradients in reverse",
            [cotangent("slice_columns", SwapColumns { blocks: 3, pair: (0, 2) })],
        ),
    ]
}

fn ragged() -> Vec<Mutation> {
    vec![
        mutation("look-up: gradients one row off", [gradient("gather_rows", 0, RotateRows(1))]),
        mutation("look-up: a row off by one, forwards and backwards", rows_moved_both_ways("gather_rows")),
        mutation(
            "look-up: a word that occurs twice keeps its last gradient only",
            [cotangent("gather_rows", ScaleRows(&[0.0, 1.0, 1.0, 1.0]))],
        ),
        mutation(
            "mean over a text: not divided in the gradient",
            [cotangent("segment_mean", ScaleRows(&[2.0, 1.0, 3.0, 1.0]))],
        ),
        mutation(
            "mean over a text: not divided, forwards and backwards",
            both_ways("segment_mean", ScaleRows(&[2.0, 1.0, 3.0, 1.0])),
        ),
        mutation("maximum over a text: the gradient goes to the next row", [gradient("segment_max", 0, RotateRows(1))]),
    ]
}

/// Inputs: 0 x; kernel, recurrent kernel and bias are 1, 2, 3 of the forward and 4, 5, 6 of the backward direction.
fn lstm() -> Vec<Mutation> {
    let swapped = |pair| SwapColumns { blocks: 4, pair };
    let of_gates = |corruption| [1, 2, 3].map(|input| gradient("lstm", input, corruption));
    vec![
        mutation("lstm: gates i and f swapped in the kernel's gradient", [gradient("lstm", 1, swapped((0, 1)))]),
        mutation("lstm: gates i and f swapped in the recurrent gradient", [gradient("lstm", 2, swapped((0, 1)))]),
        mutation("lstm: gates i and f swapped in the bias's gradient", [gradient("lstm", 3, swapped((0, 1)))]),
        mutation("lstm: backward kernel's gradient in the order i, f, o, c", [gradient("lstm", 4, swapped((2, 3)))]),
        mutation("lstm: the bias has no gradient", [gradient("lstm", 3, Scale(0.0))]),
        mutation("lstm: the forget gate has no gradient", of_gates(ScaleColumns(&[1.0, 0.0, 1.0, 1.0]))),
        mutation("lstm: the output gate's gradient has the wrong sign", of_gates(ScaleColumns(&[1.0, 1.0, 1.0, -1.0]))),
        mutation("lstm: the recurrent kernel's gradient transposed", [gradient("lstm", 5, Transpose)]),
        mutation("lstm: no gradient reaches the words", [gradient("lstm", 0, Scale(0.0))]),
        mutation("lstm: cotangents read one token late", [cotangent("lstm", RotateRows(1))]),
        mutation("lstm: hidden states one token late, forwards and backwards", rows_moved_both_ways("lstm")),
        mutation(
            "lstm: the directions change places, forwards and backwards",
            both_ways("lstm", SwapColumns { blocks: 2, pair: (0, 1) }),
        ),
    ]
}

/// Inputs: 0 x, 1 kernel, 2 bias.
fn conv() -> Vec<Mutation> {
    vec![
        mutation("conv: the kernel's gradient transposed", [gradient("conv", 1, Transpose)]),
        mutation("conv: the kernel's last offset has no gradient", [gradient("conv", 1, ScaleRows(&[1.0, 1.0, 0.0]))]),
        mutation("conv: the bias has no gradient", [gradient("conv", 2, Scale(0.0))]),
        mutation("conv: winning windows one row late in the gradient", [gradient("conv", 0, RotateRows(1))]),
        mutation("conv: a text's vector given to the next", [value("conv", RotateRows(1))]),
        mutation("conv: filters in another order", [value("conv", SwapColumns { blocks: 2, pair: (0, 1) })]),
    ]
}

/// Dropout's rate is ¼; three of five labels are present.
fn losses() -> Vec<Mutation> {
    vec![
        mutation("dropout: 1/(1−p) forgotten forwards", [value("dropout", Scale(0.75))]),
        mutation("dropout: 1/(1−p) forgotten backwards", [gradient("dropout", 0, Scale(0.75))]),
        mutation("dropout: 1/(1−p) forgotten, forwards and backwards", both_ways("dropout", Scale(0.75))),
        mutation("dropout: the mask dropped backwards", [gradient("dropout", 0, ForgetDerivative)]),
        mutation("loss: rows without a label get a gradient", [gradient("masked_bce", 0, FillZeros(0.1))]),
        mutation("loss: the gradient has the wrong sign", [gradient("masked_bce", 0, Scale(-1.0))]),
        mutation("loss: the gradient not divided by the labels", [gradient("masked_bce", 0, Scale(3.0))]),
        mutation("loss: divided by all rows, forwards and backwards", both_ways("masked_bce", Scale(3.0 / 5.0))),
    ]
}

/// In the checks of initial values there are 8 inputs, 3 units or filters, and windows of 2.
fn initial_values() -> Vec<Mutation> {
    // From the limit √(6 / fans) to that of other fans.
    let fans = |right: f64, wrong: f64| Scale((right / wrong).sqrt());
    vec![
        mutation("dense: fan-in alone limits the kernel", [value("dense kernel", fans(8.0 + 3.0, 8.0))]),
        mutation("conv: fans without the width", [value("conv kernel", fans(2.0 * 8.0 + 2.0 * 3.0, 8.0 + 3.0))]),
        mutation("lstm: fan-out of one gate, not four", [value("lstm kernel", fans(8.0 + 4.0 * 3.0, 8.0 + 3.0))]),
        mutation("lstm: recurrent kernel orthogonal in the wrong order", [value("lstm recurrent kernel", Transpose)]),
        mutation("lstm: recurrent kernel not of length 1", [value("lstm recurrent kernel", Scale(1.1))]),
        mutation("lstm: the forget gate's bias lost", [value("lstm bias", Scale(0.0))]),
        mutation(
            "lstm: the forget gate's bias given to the input gate",
            [value("lstm bias", SwapColumns { blocks: 4, pair: (0, 1) })],
        ),
    ]
}

/// The settings are learning rate, β₁, β₂, ε and whether the form is Keras's.
fn optimiser() -> Vec<Mutation> {
    vec![
        mutation("adam: climbs", [value("adam gradient", Scale(-1.0))]),
        mutation("adam: a row's gradient moves the next row", [value("adam gradient", RotateRows(1))]),
        mutation("adam: ε as in Keras where Algorithm 1 is meant", [value("adam settings", FillZeros(1.0))]),
        mutation(
            "adam: ε as in Algorithm 1 where Keras is meant",
            [value("adam settings", ScaleColumns(&[1.0, 1.0, 1.0, 1.0, 0.0]))],
        ),
        mutation("adam: β₁ and β₂ swapped", [value("adam settings", SwapColumns { blocks: 5, pair: (1, 2) })]),
        mutation("adam: the first moment forgotten between steps", [value("adam first moment", Scale(0.0))]),
        mutation("adam: the second moment forgotten between steps", [value("adam second moment", Scale(0.0))]),
        mutation("adam: steps not counted", [value("adam count of steps", Scale(0.0))]),
        // After 10,000 steps the corrections are 1.
        mutation("adam: no correction of the moments' bias", [value("adam count of steps", Scale(1e4))]),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::gradcheck::wave;

    #[test]
    fn a_bug_counts_as_caught_only_by_a_check_that_passes_without_it() {
        let sound = Check::new("sound", [("x", wave([2, 2], 1.0))], |tape, [x]| tape.tanh(x));
        let broken = Check::new("broken", [("x", wave([2, 2], 1.0))], |tape, [x]| tape.tanh(x))
            .against(|tape, [x]| tape.sigmoid(x));
        let elsewhere = Check::new("elsewhere", [("x", wave([2, 2], 1.0))], |tape, [x]| tape.relu(x));
        let bug = mutation("tanh: wrong sign", [gradient("tanh", 0, Scale(-1.0))]);
        assert!(bug.caught_by(&[broken.clone(), elsewhere.clone()]).is_none());
        let catch = bug.caught_by(&[broken, elsewhere, sound]).unwrap();
        assert_eq!((catch.check.as_str(), catch.line.as_str(), catch.evidence), ("sound", "x", Evidence::Differences));
    }

    #[test]
    fn only_a_reference_tells_a_bug_on_which_both_directions_agree() {
        let check = || Check::new("scaled", [("x", wave([2, 2], 1.0))], |tape, [x]| tape.scale(x, 3.0));
        let bug = mutation("scale: half as much", both_ways("scale", Scale(0.5)));
        assert!(bug.caught_by(&[check()]).is_none());
        let with_reference = check().against(|tape, [x]| {
            let twice = tape.add(x, x);
            tape.add(twice, x)
        });
        assert_eq!(bug.caught_by(&[with_reference]).unwrap().evidence, Evidence::Reference);
    }
}
