//! The extents of a tensor.

use std::fmt;

/// Extents of rank 0 (a scalar) to 3, outermost first; printed as `[2, 3]`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shape {
    dims: [usize; 3],
    rank: usize,
}

impl Shape {
    /// The extents.
    pub fn dims(&self) -> &[usize] {
        &self.dims[..self.rank]
    }

    /// The number of elements; 1 for a scalar.
    pub fn len(&self) -> usize {
        self.dims().iter().product()
    }

    /// Whether some extent is 0.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The product of all extents but the last: a tensor seen as a matrix has this many rows. A scalar has one.
    pub fn rows(&self) -> usize {
        self.dims[..self.rank.saturating_sub(1)].iter().product()
    }

    /// The last extent; 1 for a scalar.
    pub fn cols(&self) -> usize {
        self.dims().last().copied().unwrap_or(1)
    }
}

impl<const RANK: usize> From<[usize; RANK]> for Shape {
    /// # Panics
    /// Above rank 3.
    fn from(extents: [usize; RANK]) -> Self {
        Self::from(&extents[..])
    }
}

impl From<&[usize]> for Shape {
    /// # Panics
    /// Above rank 3.
    fn from(extents: &[usize]) -> Self {
        assert!(extents.len() <= 3, "a shape has at most three extents, got {extents:?}");
        let mut dims = [1; 3];
        dims[..extents.len()].copy_from_slice(extents);
        Self { dims, rank: extents.len() }
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.dims())
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_counts_its_elements_and_sees_itself_as_a_matrix() {
        for (shape, len, rows, cols) in [
            (Shape::from([]), 1, 1, 1),
            (Shape::from([5]), 5, 1, 5),
            (Shape::from([2, 3]), 6, 2, 3),
            (Shape::from([3, 4, 5]), 60, 12, 5),
            (Shape::from([0, 4]), 0, 0, 4),
        ] {
            assert_eq!((shape.len(), shape.rows(), shape.cols()), (len, rows, cols), "{shape}");
        }
        assert_eq!(Shape::from([2, 3]).to_string(), "[2, 3]");
    }
}
