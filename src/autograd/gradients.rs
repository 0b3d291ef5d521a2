//! What a backward sweep returns.

use super::ParamId;
use crate::tensor::{Pool, Real, Shape, Tensor, pointwise};

/// The gradient of one parameter.
#[derive(Clone, Debug, PartialEq)]
pub enum Gradient<F = f32> {
    /// A number for every element.
    Dense(Tensor<F>),
    /// Non-zero in some rows only, as for the words of one batch in an embedding of a large vocabulary.
    Rows {
        /// The shape of the parameter.
        shape: Shape,
        /// The rows that have a gradient, ascending and distinct.
        ids: Vec<u32>,
        /// Their gradients, `[ids.len(), cols]`.
        rows: Tensor<F>,
    },
}

/// The gradients of one scalar with respect to the parameters. A parameter that the scalar does not depend on has none: that
/// is not the same as a gradient of zero, and an optimiser leaves it alone.
#[derive(Clone, Debug)]
pub struct Gradients<F = f32> {
    entries: Vec<Option<Gradient<F>>>,
}

impl<F: Real> Gradients<F> {
    /// No gradient for any of `params` parameters.
    pub fn none(params: usize) -> Self {
        Self::none_in(Vec::new(), params)
    }

    /// The same in an empty vector of the pool's.
    pub(super) fn none_in(mut entries: Vec<Option<Gradient<F>>>, params: usize) -> Self {
        entries.resize_with(params, || None);
        Self { entries }
    }

    /// The gradient of a parameter.
    pub fn get(&self, id: ParamId) -> Option<&Gradient<F>> {
        self.entries[id.index()].as_ref()
    }

    /// The gradient of a parameter with all its zeros.
    pub fn dense(&self, id: ParamId) -> Option<Tensor<F>> {
        self.get(id).map(|gradient| match gradient {
            Gradient::Dense(tensor) => tensor.clone(),
            Gradient::Rows { shape, ids, rows } => {
                let mut dense = Tensor::zeros(*shape);
                scatter(&mut dense, ids, rows);
                dense
            }
        })
    }

    /// Gives a parameter without a gradient one of zeros.
    pub fn fill(&mut self, id: ParamId, shape: Shape, pool: &mut Pool<F>) {
        self.entries[id.index()].get_or_insert_with(|| Gradient::Dense(pool.zeros(shape)));
    }

    /// Adds to the gradient of a parameter.
    pub fn add(&mut self, id: ParamId, dense: Tensor<F>, pool: &mut Pool<F>) {
        let entry = &mut self.entries[id.index()];
        match entry {
            None => *entry = Some(Gradient::Dense(dense)),
            Some(Gradient::Dense(sum)) => {
                pointwise::add(sum.data_mut(), dense.data());
                pool.give(dense);
            }
            Some(Gradient::Rows { ids, rows, .. }) => {
                let mut sum = dense;
                scatter(&mut sum, ids, rows);
                entry.replace(Gradient::Dense(sum)).into_iter().for_each(|old| give(old, pool));
            }
        }
    }

    /// Adds to some rows of the gradient of a parameter: row `i` of `rows` to row `ids[i]`, in any order, also repeatedly.
    pub fn add_rows(&mut self, id: ParamId, shape: Shape, ids: &[u32], rows: &Tensor<F>, pool: &mut Pool<F>) {
        let entry = &mut self.entries[id.index()];
        match entry {
            None => *entry = Some(sum_rows(shape, &[(ids, rows)], pool)),
            Some(Gradient::Dense(sum)) => scatter(sum, ids, rows),
            Some(Gradient::Rows { ids: old_ids, rows: old_rows, .. }) => {
                let sum = sum_rows(shape, &[(old_ids, old_rows), (ids, rows)], pool);
                entry.replace(sum).into_iter().for_each(|old| give(old, pool));
            }
        }
    }

    /// Returns the buffers.
    pub fn give_to(mut self, pool: &mut Pool<F>) {
        for gradient in self.entries.drain(..).flatten() {
            give(gradient, pool);
        }
        pool.give_vec(self.entries);
    }
}

fn give<F: Real>(gradient: Gradient<F>, pool: &mut Pool<F>) {
    match gradient {
        Gradient::Dense(tensor) => pool.give(tensor),
        Gradient::Rows { ids, rows, .. } => {
            pool.give_vec(ids);
            pool.give(rows);
        }
    }
}

fn scatter<F: Real>(dense: &mut Tensor<F>, ids: &[u32], rows: &Tensor<F>) {
    for (i, &id) in ids.iter().enumerate() {
        pointwise::add(dense.row_mut(id as usize), rows.row(i));
    }
}

/// One entry of distinct ascending rows from several lists, whose rows are added in the order given.
fn sum_rows<F: Real>(shape: Shape, lists: &[(&[u32], &Tensor<F>)], pool: &mut Pool<F>) -> Gradient<F> {
    let mut ids: Vec<u32> = pool.take_vec();
    ids.extend(lists.iter().flat_map(|(ids, _)| ids.iter().copied()));
    ids.sort_unstable();
    ids.dedup();
    let mut sum = pool.zeros([ids.len(), shape.cols()]);
    for (list, rows) in lists {
        for (i, id) in list.iter().enumerate() {
            let at = ids.binary_search(id).expect("every id of the lists is among the distinct ones");
            pointwise::add(sum.row_mut(at), rows.row(i));
        }
    }
    Gradient::Rows { shape, ids, rows: sum }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::ParamStore;

    #[test]
    fn rows_add_up_among_themselves_and_with_dense_ones() {
        let mut params = ParamStore::<f64>::new();
        let id = params.add("table", Tensor::zeros([4, 1]));
        let shape = Shape::from([4, 1]);
        let mut pool = Pool::new();
        let mut gradients = Gradients::none(1);
        gradients.add_rows(id, shape, &[3, 1, 3], &Tensor::new([3, 1], vec![1.0, 2.0, 3.0]), &mut pool);
        assert_eq!(
            gradients.get(id),
            Some(&Gradient::Rows { shape, ids: vec![1, 3], rows: Tensor::new([2, 1], vec![2.0, 4.0]) })
        );
        gradients.add_rows(id, shape, &[0, 1], &Tensor::new([2, 1], vec![5.0, 6.0]), &mut pool);
        assert_eq!(gradients.dense(id).unwrap().data(), [5.0, 8.0, 0.0, 4.0]);
        gradients.add(id, Tensor::new([4, 1], vec![1.0; 4]), &mut pool);
        gradients.add_rows(id, shape, &[2], &Tensor::new([1, 1], vec![1.0]), &mut pool);
        assert_eq!(gradients.dense(id).unwrap().data(), [6.0, 9.0, 2.0, 5.0]);
    }
}
