//! What the sums of a matrix product start from.

use super::{
    Real, Tensor,
    row_pointers::{RawStart, RowPointers},
};

/// What the sums of a product start from.
#[derive(Clone, Copy, Debug)]
pub enum Start<'s, F> {
    /// 0.
    Zero,
    /// C as it is.
    Itself,
    /// One row `[n]` for every row of C: a bias.
    Row(&'s [F]),
    /// For row i of C the columns from `first` on of row `rows[i]` of `matrix`: a gather that needs no copy.
    Gathered {
        /// `[.., first + n or more]`.
        matrix: &'s Tensor<F>,
        /// The row for each row of C, `[m]`.
        rows: &'s [u32],
        /// Its first column in use.
        first: usize,
    },
}

impl<F: Real> Start<'_, F> {
    /// # Panics
    /// If there are not m rows of n columns.
    #[track_caller]
    pub(super) fn check(self, [m, n]: [usize; 2]) {
        match self {
            Self::Zero | Self::Itself => {}
            Self::Row(row) => assert_eq!(row.len(), n, "matmul: the row to start from, and columns"),
            Self::Gathered { matrix, rows, first } => {
                let (count, shape) = (rows.len(), matrix.shape());
                let fits = count == m && first + n <= matrix.cols();
                let exist = rows.iter().all(|&row| (row as usize) < matrix.rows());
                assert!(fits && exist, "matmul: from {count} rows of {shape} and column {first}, into {:?}", (m, n));
            }
        }
    }

    /// Those of the first rows, and of the others.
    pub(super) fn split_at(self, middle: usize) -> (Self, Self) {
        match self {
            Self::Gathered { matrix, rows, first } => {
                let (upper, lower) = rows.split_at(middle);
                (Self::Gathered { matrix, rows: upper, first }, Self::Gathered { matrix, rows: lower, first })
            }
            start => (start, start),
        }
    }

    pub(super) fn raw(self) -> RawStart<F> {
        match self {
            Self::Zero => RawStart::Zero,
            Self::Itself => RawStart::Itself,
            Self::Row(row) => RawStart::Rows(RowPointers::in_order(row.as_ptr(), 0)),
            Self::Gathered { matrix, rows, first } => {
                let base = matrix.data().as_ptr().wrapping_add(first);
                RawStart::Rows(RowPointers::gathered(base, matrix.cols() as isize, rows.as_ptr()))
            }
        }
    }
}
