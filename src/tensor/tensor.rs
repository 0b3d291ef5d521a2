//! An owned block of numbers with a shape.

use ndarray::{ArrayView2, ArrayViewMut2};

use super::{Real, Shape};

/// Numbers in row-major order.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor<F = f32> {
    shape: Shape,
    data: Vec<F>,
}

impl<F: Real> Tensor<F> {
    /// A tensor of the given numbers, in row-major order.
    ///
    /// # Panics
    /// If there are more or fewer than the shape needs.
    #[track_caller]
    pub fn new(shape: impl Into<Shape>, data: Vec<F>) -> Self {
        let shape = shape.into();
        assert_eq!(shape.len(), data.len(), "a tensor of shape {shape} cannot hold {} numbers", data.len());
        Self { shape, data }
    }

    /// All zero.
    pub fn zeros(shape: impl Into<Shape>) -> Self {
        let shape = shape.into();
        Self { shape, data: vec![F::ZERO; shape.len()] }
    }

    /// A single number, of shape `[]`.
    pub fn scalar(value: F) -> Self {
        Self { shape: Shape::from([]), data: vec![value] }
    }

    /// Each element from its row-major position.
    pub fn from_fn(shape: impl Into<Shape>, element: impl FnMut(usize) -> F) -> Self {
        let shape = shape.into();
        Self { shape, data: (0..shape.len()).map(element).collect() }
    }

    /// The extents.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The numbers, in row-major order.
    pub fn data(&self) -> &[F] {
        &self.data
    }

    /// The numbers, to write.
    pub fn data_mut(&mut self) -> &mut [F] {
        &mut self.data
    }

    /// The numbers alone.
    pub fn into_data(self) -> Vec<F> {
        self.data
    }

    /// Rows of the tensor seen as a matrix: see [`Shape::rows`].
    pub fn rows(&self) -> usize {
        self.shape.rows()
    }

    /// Columns of the tensor seen as a matrix.
    pub fn cols(&self) -> usize {
        self.shape.cols()
    }

    /// Row `i` of the tensor seen as a matrix.
    ///
    /// # Panics
    /// If there is no such row.
    #[track_caller]
    pub fn row(&self, i: usize) -> &[F] {
        let cols = self.cols();
        &self.data[i * cols..][..cols]
    }

    /// Row `i`, to write.
    ///
    /// # Panics
    /// If there is no such row.
    #[track_caller]
    pub fn row_mut(&mut self, i: usize) -> &mut [F] {
        let cols = self.cols();
        &mut self.data[i * cols..][..cols]
    }

    /// The only element of a tensor that has one.
    ///
    /// # Panics
    /// If there are more or fewer.
    #[track_caller]
    pub fn item(&self) -> F {
        assert_eq!(self.data.len(), 1, "a tensor of shape {} is not a single number", self.shape);
        self.data[0]
    }

    /// The tensor as a matrix of [`rows`](Self::rows) by [`cols`](Self::cols).
    pub fn matrix(&self) -> ArrayView2<'_, F> {
        view(&self.data, self.rows(), self.cols())
    }

    /// The tensor as a matrix, to write.
    pub fn matrix_mut(&mut self) -> ArrayViewMut2<'_, F> {
        let (rows, cols) = (self.rows(), self.cols());
        view_mut(&mut self.data, rows, cols)
    }

    /// The same numbers in another precision.
    pub fn cast<G: Real>(&self) -> Tensor<G> {
        Tensor { shape: self.shape, data: self.data.iter().map(|&x| G::from_f64(x.to_f64())).collect() }
    }
}

/// A slice as a matrix.
///
/// # Panics
/// If the slice does not hold `rows · cols` numbers.
#[track_caller]
pub(crate) fn view<F>(data: &[F], rows: usize, cols: usize) -> ArrayView2<'_, F> {
    ArrayView2::from_shape((rows, cols), data).expect("the slice holds rows · cols numbers")
}

/// A slice as a matrix, to write.
///
/// # Panics
/// If the slice does not hold `rows · cols` numbers.
#[track_caller]
pub(crate) fn view_mut<F>(data: &mut [F], rows: usize, cols: usize) -> ArrayViewMut2<'_, F> {
    ArrayViewMut2::from_shape((rows, cols), data).expect("the slice holds rows · cols numbers")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_contiguous() {
        let t = Tensor::<f32>::from_fn([2, 2, 3], |i| i as f32);
        assert_eq!(t.row(3), [9.0, 10.0, 11.0]);
        assert_eq!(t.matrix()[[2, 1]], 7.0);
    }

    #[test]
    #[should_panic(expected = "a tensor of shape [2, 3] cannot hold 5 numbers")]
    fn a_wrong_count_panics_with_both_numbers() {
        Tensor::<f32>::new([2, 3], vec![0.0; 5]);
    }
}
