//! Known bugs, to check the checks.

use crate::autograd::{Ctx, Gradient, Gradients, Op, observer::Observer};
use crate::tensor::{Real, Tensor, pointwise};

/// A bug in one operation: what it computes, forwards or backwards, is corrupted.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Fault {
    /// The name of the operation.
    pub op: &'static str,
    /// What is corrupted.
    pub place: Place,
    /// How.
    pub corruption: Corruption,
}

/// What a [`Fault`] corrupts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "kebab-case"))]
pub enum Place {
    /// The value of the forward computation.
    Value,
    /// The cotangent of the value, as the backward computation reads it. A linear corruption of the value together with its
    /// adjoint here is a bug that forward and backward computation agree on: only a reference can tell.
    Cotangent,
    /// The gradient that the backward computation gives the input of this index.
    Gradient(usize),
}

/// How numbers are corrupted. Blocks are equal shares of the rows or columns of a tensor seen as a matrix, as an LSTM's columns
/// are those of its four gates and the rows of a convolution's kernel are those of its offsets.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "kebab-case"))]
pub enum Corruption {
    /// All are multiplied by a number.
    Scale(f64),
    /// Of as many blocks of rows as there are numbers, each is multiplied by its number.
    ScaleRows(&'static [f64]),
    /// Of as many blocks of columns as there are numbers, each is multiplied by its number.
    ScaleColumns(&'static [f64]),
    /// Two of `blocks` equal blocks of columns are swapped.
    SwapColumns {
        /// How many blocks there are.
        blocks: usize,
        /// The two that change places.
        pair: (usize, usize),
    },
    /// The rows are rotated down by this number (up, if negative).
    RotateRows(isize),
    /// The numbers are read as if they were stored column by column.
    Transpose,
    /// Zeros become this number, as if a mask had been dropped.
    FillZeros(f64),
    /// A gradient becomes the cotangent that it is made from, as if the derivative were 1 everywhere.
    ForgetDerivative,
}

/// Bugs planted in a tape.
pub(super) struct Faults<'f>(pub &'f [Fault]);

impl<F: Real> Observer<F> for Faults<'_> {
    fn computed(&mut self, op: &str, value: &mut Tensor<F>) {
        for fault in self.0.iter().filter(|fault| fault.op == op && fault.place == Place::Value) {
            fault.corruption.apply(value);
        }
    }

    /// Faults reach what this operation computes, not what others have added to the same accumulators before.
    fn backward(&self, op: &dyn Op<F>, ctx: &mut Ctx<'_, F>) {
        let faults = || self.0.iter().filter(|fault| fault.op == op.name());
        // Without a fault the operation adds to the true accumulators: one that overwrites them must not pass.
        if faults().next().is_none() {
            return op.backward(ctx);
        }
        let mut dy = ctx.dy.clone();
        for fault in faults().filter(|fault| fault.place == Place::Cotangent) {
            fault.corruption.apply(&mut dy);
        }
        let mut cotangents: Vec<Option<Tensor<F>>> = ctx.cotangents.iter().map(|_| None).collect();
        let mut gradients = Gradients::none(ctx.params.len());
        op.backward(&mut Ctx {
            node: ctx.node,
            nodes: ctx.nodes,
            params: ctx.params,
            dy: &dy,
            cotangents: &mut cotangents,
            gradients: &mut gradients,
            pool: &mut *ctx.pool,
        });

        for (i, &input) in ctx.node.inputs.iter().enumerate() {
            let corrupt = |own: &mut Tensor<F>| {
                for fault in faults().filter(|fault| fault.place == Place::Gradient(i)) {
                    fault.corruption.apply_to_gradient(own, &dy);
                }
            };
            // An input that is used twice has one accumulator, so the tensor is taken at its first use.
            if let Some(mut own) = cotangents[input.index()].take() {
                corrupt(&mut own);
                match &mut ctx.cotangents[input.index()] {
                    Some(sum) => pointwise::add(sum.data_mut(), own.data()),
                    none => *none = Some(own),
                }
            }
            if let Some(param) = ctx.nodes[input.index()].value.param()
                && let Some(Gradient::Rows { shape, ids, rows }) = gradients.get(param)
            {
                let mut own = rows.clone();
                corrupt(&mut own);
                ctx.gradients.add_rows(param, *shape, ids, &own, ctx.pool);
            }
        }
    }
}

impl Corruption {
    /// # Panics
    /// If the corruption is of another shape, or not one of a gradient and its cotangent have the same.
    fn apply_to_gradient<F: Real>(self, gradient: &mut Tensor<F>, dy: &Tensor<F>) {
        match self {
            Self::ForgetDerivative => gradient.data_mut().copy_from_slice(dy.data()),
            other => other.apply(gradient),
        }
    }

    fn apply<F: Real>(self, tensor: &mut Tensor<F>) {
        let (rows, cols) = (tensor.rows(), tensor.cols());
        let multiply = |x: &mut F, factor: f64| *x *= F::from_f64(factor);
        match self {
            Self::Scale(factor) => tensor.data_mut().iter_mut().for_each(|x| multiply(x, factor)),
            Self::ScaleRows(factors) => {
                for row in 0..rows {
                    let factor = factors[row * factors.len() / rows];
                    tensor.row_mut(row).iter_mut().for_each(|x| multiply(x, factor));
                }
            }
            Self::ScaleColumns(factors) => {
                for (i, x) in tensor.data_mut().iter_mut().enumerate() {
                    multiply(x, factors[i % cols * factors.len() / cols]);
                }
            }
            Self::SwapColumns { blocks, pair: (a, b) } => {
                let width = cols / blocks;
                for row in 0..rows {
                    (0..width).for_each(|c| tensor.row_mut(row).swap(a * width + c, b * width + c));
                }
            }
            Self::RotateRows(places) if rows > 0 => {
                tensor.data_mut().rotate_right(places.rem_euclid(rows as isize) as usize * cols);
            }
            Self::RotateRows(_) => {}
            Self::Transpose => {
                let column_major: Vec<F> = (0..rows * cols).map(|i| tensor.row(i % rows)[i / rows]).collect();
                tensor.data_mut().copy_from_slice(&column_major);
            }
            Self::FillZeros(number) => {
                tensor.data_mut().iter_mut().filter(|x| **x == F::ZERO).for_each(|x| *x = F::from_f64(number));
            }
            Self::ForgetDerivative => panic!("only a gradient has a derivative to forget"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn corrupted(corruption: Corruption) -> Vec<f64> {
        // 1 0 3
        // 4 5 6
        let mut tensor = Tensor::new([2, 3], vec![1.0, 0.0, 3.0, 4.0, 5.0, 6.0]);
        corruption.apply(&mut tensor);
        tensor.into_data()
    }

    #[test]
    fn corruptions_do_what_they_say() {
        for (corruption, expected) in [
            (Corruption::Scale(2.0), [2.0, 0.0, 6.0, 8.0, 10.0, 12.0]),
            (Corruption::ScaleRows(&[1.0, 0.5]), [1.0, 0.0, 3.0, 2.0, 2.5, 3.0]),
            (Corruption::ScaleColumns(&[1.0, 2.0, 0.0]), [1.0, 0.0, 0.0, 4.0, 10.0, 0.0]),
            (Corruption::SwapColumns { blocks: 3, pair: (0, 2) }, [3.0, 0.0, 1.0, 6.0, 5.0, 4.0]),
            (Corruption::RotateRows(1), [4.0, 5.0, 6.0, 1.0, 0.0, 3.0]),
            (Corruption::RotateRows(-1), [4.0, 5.0, 6.0, 1.0, 0.0, 3.0]),
            (Corruption::Transpose, [1.0, 4.0, 0.0, 5.0, 3.0, 6.0]),
            (Corruption::FillZeros(9.0), [1.0, 9.0, 3.0, 4.0, 5.0, 6.0]),
        ] {
            assert_eq!(corrupted(corruption), expected, "{corruption:?}");
        }
    }
}
