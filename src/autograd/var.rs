//! A value's place on a tape.

/// A value on a [`Tape`](super::Tape): its position in the recording, and which tape that is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Var {
    pub(super) index: u32,
    /// The number of the tape.
    pub(super) tape: u32,
}

impl Var {
    /// The position, from 0. Inputs of an operation have smaller positions than its value.
    pub fn index(self) -> usize {
        self.index as usize
    }
}
