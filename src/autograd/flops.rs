//! How much an operation computes.

use smallvec::SmallVec;

use crate::tensor::Shape;

/// Floating-point operations. Every addition, multiplication, division and comparison counts as one, and so does every call of a
/// function (exp, tanh, 1 / (1 + e⁻ˣ)); moving numbers counts as none. A matrix product `[m, k]·[k, n]` has 2·m·k·n.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Flops {
    /// Of computing the value.
    pub forward: u64,
    /// Of passing a cotangent on to the inputs that want one, additions to their accumulators included.
    pub backward: u64,
}

/// The sizes of a recorded operation: inputs and value.
#[derive(Clone, Debug)]
pub struct Sizes {
    pub(super) inputs: SmallVec<[(Shape, bool); 8]>,
    pub(super) value: Shape,
}

impl Sizes {
    /// The shape of input `i`.
    pub fn shape(&self, i: usize) -> Shape {
        self.inputs[i].0
    }

    /// The shape of the value.
    pub fn shape_of_value(&self) -> Shape {
        self.value
    }

    /// How many numbers input `i` has.
    pub fn input(&self, i: usize) -> u64 {
        self.inputs[i].0.len() as u64
    }

    /// How many numbers the value has.
    pub fn value(&self) -> u64 {
        self.value.len() as u64
    }

    /// 1 if input `i` wants a gradient, else 0.
    pub fn wanted(&self, i: usize) -> u64 {
        u64::from(self.inputs[i].1)
    }
}
