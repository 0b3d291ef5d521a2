//! A pool of buffers, reused from step to step.

use std::any::Any;

use super::{Real, Shape, Tensor};

/// Lends tensors, by size class, and vectors of any type, and takes them back, so that a training step allocates (almost) nothing
/// after the first few.
///
/// A pool keeps no more buffers of a class than it has made: what is given to it beyond that was allocated elsewhere, as a
/// constant of a tape often is, and would pile up from step to step.
#[derive(Debug)]
pub struct Pool<F = f32> {
    /// `classes[c]` holds buffers whose capacity is at least 2ᶜ.
    classes: Vec<Shelf<F>>,
    /// Empty vectors: a `Shelf<T>` for each type of element that has been lent.
    vectors: Vec<Box<dyn Any + Send + Sync>>,
}

/// Free vectors of one type.
#[derive(Debug)]
struct Shelf<T> {
    free: Vec<Vec<T>>,
    /// How many were made because none was free.
    made: usize,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self { free: Vec::new(), made: 0 }
    }
}

impl<T> Shelf<T> {
    fn take(&mut self, make: impl FnOnce() -> Vec<T>) -> Vec<T> {
        self.free.pop().unwrap_or_else(|| {
            self.made += 1;
            make()
        })
    }

    fn give(&mut self, vec: Vec<T>) {
        if self.free.len() < self.made {
            self.free.push(vec);
        }
    }
}

impl<F> Default for Pool<F> {
    fn default() -> Self {
        Self { classes: Vec::new(), vectors: Vec::new() }
    }
}

impl<F: Real> Pool<F> {
    /// An empty pool.
    pub fn new() -> Self {
        Self::default()
    }

    /// A tensor whose numbers are whatever its last user left, for callers that write every element.
    /// With debug assertions they are not-a-number, so that a forgotten element shows.
    pub fn take(&mut self, shape: impl Into<Shape>) -> Tensor<F> {
        let shape = shape.into();
        let mut data = self.buffer(shape.len());
        data.resize(shape.len(), F::ZERO);
        if cfg!(debug_assertions) {
            data.fill(F::from_f64(f64::NAN));
        }
        Tensor::new(shape, data)
    }

    /// A tensor of zeros.
    pub fn zeros(&mut self, shape: impl Into<Shape>) -> Tensor<F> {
        let shape = shape.into();
        let mut data = self.buffer(shape.len());
        data.clear();
        data.resize(shape.len(), F::ZERO);
        Tensor::new(shape, data)
    }

    /// A copy of `tensor`.
    pub fn copy(&mut self, tensor: &Tensor<F>) -> Tensor<F> {
        let mut data = self.buffer(tensor.shape().len());
        data.clear();
        data.extend_from_slice(tensor.data());
        Tensor::new(tensor.shape(), data)
    }

    /// Takes a tensor back, or one from elsewhere in its place.
    pub fn give(&mut self, tensor: Tensor<F>) {
        let data = tensor.into_data();
        if data.capacity() == 0 {
            return;
        }
        let class = data.capacity().ilog2() as usize;
        if let Some(shelf) = self.classes.get_mut(class) {
            shelf.give(data);
        }
    }

    /// An empty vector, with the room that its last user left.
    pub fn take_vec<T: Send + Sync + 'static>(&mut self) -> Vec<T> {
        match self.shelf() {
            Some(shelf) => shelf.take(Vec::new),
            None => {
                self.vectors.push(Box::new(Shelf::<T> { free: Vec::new(), made: 1 }));
                Vec::new()
            }
        }
    }

    /// Takes a vector back and drops what it holds.
    pub fn give_vec<T: Send + Sync + 'static>(&mut self, mut vec: Vec<T>) {
        vec.clear();
        if let Some(shelf) = self.shelf() {
            shelf.give(vec);
        }
    }

    fn shelf<T: 'static>(&mut self) -> Option<&mut Shelf<T>> {
        self.vectors.iter_mut().find_map(|shelf| shelf.downcast_mut())
    }

    /// A buffer that holds `len` numbers without growing.
    fn buffer(&mut self, len: usize) -> Vec<F> {
        let size = len.max(1).next_power_of_two();
        let class = size.ilog2() as usize;
        if self.classes.len() <= class {
            self.classes.resize_with(class + 1, Shelf::default);
        }
        self.classes[class].take(|| Vec::with_capacity(size))
    }

    /// Capacity of the free buffers, in numbers.
    #[cfg(test)]
    pub(crate) fn idle(&self) -> usize {
        self.classes.iter().flat_map(|shelf| &shelf.free).map(Vec::capacity).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_back_for_any_shape_of_its_class() {
        let mut pool = Pool::<f32>::new();
        let first = pool.zeros([10, 10]);
        let address = first.data().as_ptr();
        pool.give(first);
        let second = pool.take([9, 13]);
        assert_eq!(second.data().as_ptr(), address);
        assert_eq!(second.shape(), Shape::from([9, 13]));
        pool.give(second);
        assert!(pool.zeros([128]).data().iter().all(|&x| x == 0.0));
    }

    #[test]
    fn a_vector_comes_back_empty_for_its_type() {
        let mut pool = Pool::<f32>::new();
        let (mut numbers, words) = (pool.take_vec::<u32>(), pool.take_vec::<&str>());
        numbers.extend([1, 2, 3]);
        pool.give_vec(words);
        pool.give_vec(numbers);
        let again = pool.take_vec::<u32>();
        assert!(again.is_empty() && again.capacity() >= 3);
        assert_eq!(pool.take_vec::<u32>().capacity(), 0);
    }

    #[test]
    fn no_more_is_kept_than_was_made() {
        let mut pool = Pool::<f32>::new();
        pool.give(Tensor::zeros([100]));
        assert_eq!(pool.idle(), 0, "no buffer has been lent yet");
        let lent = pool.zeros([100]);
        for _ in 0..10 {
            pool.give(Tensor::zeros([128]));
            pool.give_vec(vec![1_u32]);
        }
        pool.give(lent);
        assert_eq!(pool.idle(), 128);
        assert_eq!(pool.take_vec::<u32>().capacity(), 0);
    }
}
