//! A matrix laid out for many products.

use ndarray::ArrayView2;

use super::{
    Real, Tensor,
    panels::{Panel, panels},
};

/// B `[k, n]` of a product in panels of columns, in the order in which the kernel reads it.
///
/// The rows of a matrix of 1,024 columns are 4 KiB apart, so that a panel of it falls into a few sets of the cache and is read from
/// farther away each time. Worth its copy where many products share B, as all time steps of an LSTM do.
#[derive(Debug)]
pub struct Packed<'b, F> {
    panels: &'b [F],
    size: (usize, usize),
}

/// Bytes of a line of the cache.
const LINE: usize = 64;

impl<'b, F: Real> Packed<'b, F> {
    /// Numbers that a buffer for `[k, n]` holds.
    pub fn room(k: usize, n: usize) -> usize {
        k * n.next_multiple_of(F::lanes().unwrap_or(1)) + LINE / size_of::<F>()
    }

    /// Packs B into a buffer of [`room`](Self::room) numbers, whatever they are.
    ///
    /// # Panics
    /// If the buffer is too small.
    pub fn new(b: ArrayView2<F>, buffer: &'b mut Tensor<F>) -> Self {
        let size @ (k, n) = b.dim();
        assert!(buffer.data().len() >= Self::room(k, n), "packed: a buffer of {} for {size:?}", buffer.shape());
        // From a line of the cache on, so that a register is filled from one line.
        let first = buffer.data().as_ptr().align_offset(LINE).min(LINE / size_of::<F>());
        let to = &mut buffer.data_mut()[first..];
        match F::lanes() {
            Some(lanes) => {
                for Panel { first, columns, registers } in panels(n, lanes) {
                    let rows = to[k * first..].chunks_exact_mut(registers * lanes);
                    for (row, from) in rows.zip(b.rows()) {
                        // What fills up the last panel's registers is never read.
                        let row = &mut row[..columns];
                        match from.to_slice() {
                            Some(from) => row.copy_from_slice(&from[first..][..columns]),
                            None => row.iter_mut().zip(from.iter().skip(first)).for_each(|(to, &from)| *to = from),
                        }
                    }
                }
            }
            None => to.iter_mut().zip(b).for_each(|(to, &from)| *to = from),
        }
        Self { panels: to, size }
    }

    /// k and n.
    pub fn dim(&self) -> (usize, usize) {
        self.size
    }

    /// The panels; rows with their strides where there is no kernel that reads panels.
    pub(super) fn raw(&self) -> (*const F, Option<[isize; 2]>) {
        let strides = F::lanes().is_none().then_some([self.size.1 as isize, 1]);
        (self.panels.as_ptr(), strides)
    }
}
