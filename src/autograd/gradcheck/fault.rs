//! Known bugs, to check the checks.

use serde::Serialize;

use crate::autograd::Ctx;
use crate::tensor::{Real, Tensor};

/// A bug in one operation: what it computes, forwards or backwards, is corrupted.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Fault {
    /// The name of the operation.
    pub op: &'static str,
    /// What is corrupted.
    pub place: Place,
    /// How.
    pub corruption: Corruption,
}

/// What a [`Fault`] corrupts.
#[derive(Clone, Copy, Debug, Serialize)]
pub enum Place {
    /// The value of the forward computation.
    Value,
    /// The gradient that the backward computation gives input number so-and-so.
    Gradient(usize),
}

/// How numbers are corrupted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub enum Corruption {
    /// All become 0.
    Zero,
    /// All are multiplied by a number.
    Scale(f64),
    /// Zeros become this number, as if a mask had been dropped.
    FillZeros(f64),
    /// Of so many equal blocks of columns, two change places.
    SwapColumns {
        /// How many blocks there are.
        blocks: usize,
        /// The two that change places.
        pair: (usize, usize),
    },
    /// Of so many equal blocks of columns, one becomes 0.
    ZeroColumns {
        /// How many blocks there are.
        blocks: usize,
        /// The one that becomes 0.
        block: usize,
    },
    /// Every row takes the place of the next, the last that of the first.
    RotateRows,
    /// The numbers are read as if they were stored column by column.
    Transpose,
    /// The last row becomes 0.
    DropLastRow,
}

impl Fault {
    pub(in crate::autograd) fn corrupt_value<F: Real>(&self, op: &str, value: &mut Tensor<F>) {
        if let (Place::Value, true) = (self.place, op == self.op) {
            self.corruption.apply(value);
        }
    }

    /// To be called right after the backward computation of an operation.
    pub(in crate::autograd) fn corrupt_gradient<F: Real>(&self, op: &str, ctx: &mut Ctx<'_, F>) {
        if let (Place::Gradient(input), true) = (self.place, op == self.op)
            && let Some(gradient) = ctx.dx(input)
        {
            self.corruption.apply(gradient);
        }
    }
}

impl Corruption {
    /// Corrupts a tensor in place.
    pub fn apply<F: Real>(self, tensor: &mut Tensor<F>) {
        let (rows, cols) = (tensor.rows(), tensor.cols());
        match self {
            Self::Zero => tensor.data_mut().fill(F::ZERO),
            Self::Scale(factor) => tensor.data_mut().iter_mut().for_each(|x| *x *= F::from_f64(factor)),
            Self::FillZeros(value) => {
                tensor.data_mut().iter_mut().filter(|x| **x == F::ZERO).for_each(|x| *x = F::from_f64(value));
            }
            Self::SwapColumns { blocks, pair: (a, b) } => {
                let width = cols / blocks;
                for row in 0..rows {
                    (0..width).for_each(|c| tensor.row_mut(row).swap(a * width + c, b * width + c));
                }
            }
            Self::ZeroColumns { blocks, block } => {
                let width = cols / blocks;
                (0..rows).for_each(|row| tensor.row_mut(row)[block * width..][..width].fill(F::ZERO));
            }
            Self::RotateRows => tensor.data_mut().rotate_right(cols),
            Self::Transpose => {
                let column_major: Vec<F> = (0..rows * cols).map(|i| tensor.row(i % rows)[i / rows]).collect();
                tensor.data_mut().copy_from_slice(&column_major);
            }
            Self::DropLastRow => {
                if rows > 0 {
                    tensor.row_mut(rows - 1).fill(F::ZERO);
                }
            }
        }
    }
}
