//! Buffers that are used again from step to step.

use std::any::Any;

use super::{Real, Shape, Tensor};

/// Lends tensors, by size class, and vectors of any type, and takes them back, so that a training step allocates (almost) nothing
/// after the first few.
#[derive(Debug)]
pub struct Pool<F = f32> {
    /// `free[c]` holds buffers whose capacity is at least 2ᶜ.
    free: Vec<Vec<Vec<F>>>,
    /// Empty vectors: for each type of element that has been given, a `Vec<Vec<T>>`.
    vectors: Vec<Box<dyn Any + Send + Sync>>,
}

impl<F> Default for Pool<F> {
    fn default() -> Self {
        Self { free: Vec::new(), vectors: Vec::new() }
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

    /// Takes a tensor back.
    pub fn give(&mut self, tensor: Tensor<F>) {
        let data = tensor.into_data();
        if data.capacity() == 0 {
            return;
        }
        let class = data.capacity().ilog2() as usize;
        if self.free.len() <= class {
            self.free.resize_with(class + 1, Vec::new);
        }
        self.free[class].push(data);
    }

    /// An empty vector, with the room that its last user left.
    pub fn take_vec<T: Send + Sync + 'static>(&mut self) -> Vec<T> {
        self.vectors.iter_mut().find_map(|all| all.downcast_mut::<Vec<Vec<T>>>()?.pop()).unwrap_or_default()
    }

    /// Takes a vector back and drops what it holds.
    pub fn give_vec<T: Send + Sync + 'static>(&mut self, mut vec: Vec<T>) {
        vec.clear();
        match self.vectors.iter_mut().find_map(|all| all.downcast_mut::<Vec<Vec<T>>>()) {
            Some(all) => all.push(vec),
            None => self.vectors.push(Box::new(vec![vec])),
        }
    }

    /// A buffer that holds `len` numbers without growing.
    fn buffer(&mut self, len: usize) -> Vec<F> {
        let size = len.max(1).next_power_of_two();
        let class = size.ilog2() as usize;
        self.free.get_mut(class).and_then(Vec::pop).unwrap_or_else(|| Vec::with_capacity(size))
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
    fn a_vector_comes_back_empty_to_whoever_asks_for_its_type() {
        let mut pool = Pool::<f32>::new();
        pool.give_vec(vec![1_u32, 2, 3]);
        pool.give_vec(vec!["other"]);
        let again = pool.take_vec::<u32>();
        assert!(again.is_empty() && again.capacity() >= 3);
        assert_eq!(pool.take_vec::<u32>().capacity(), 0);
    }
}
