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

impl<F: Real> Gradient<F> {
    /// The shape of the parameter.
    pub fn shape(&self) -> Shape {
        match self {
            Self::Dense(tensor) => tensor.shape(),
            Self::Rows { shape, .. } => *shape,
        }
    }

    /// Panics if rows are not those of distinct ascending ids of the parameter.
    #[track_caller]
    fn check(&self) {
        let Self::Rows { shape, ids, rows } = self else { return };
        assert!(
            rows.shape() == [ids.len(), shape.cols()].into(),
            "gradient: {} ids with rows of {} for a parameter of {shape}",
            ids.len(),
            rows.shape()
        );
        assert!(ids.is_sorted_by(|a, b| a < b), "gradient: the ids of rows are not ascending and distinct");
        check_last(ids, *shape);
    }
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
    ///
    /// # Panics
    /// If there are not as many rows as ids, or the parameter has no such rows.
    #[track_caller]
    pub fn add_rows(&mut self, id: ParamId, shape: Shape, ids: &[u32], rows: &Tensor<F>, pool: &mut Pool<F>) {
        assert!(
            rows.rows() == ids.len() && rows.cols() == shape.cols(),
            "gradient: {} ids with rows of {} for a parameter of {shape}",
            ids.len(),
            rows.shape()
        );
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

    /// Replaces the gradient of a parameter.
    ///
    /// # Panics
    /// If [rows](Gradient::Rows) do not fit their ids or shape, or the ids are not ascending and distinct.
    #[track_caller]
    pub fn set(&mut self, id: ParamId, gradient: Gradient<F>) {
        gradient.check();
        self.entries[id.index()] = Some(gradient);
    }

    /// The inner product of two gradients of one parameter, in double precision; 0 where one of them is absent.
    pub fn product(&self, other: &Self, id: ParamId) -> f64 {
        let (Some(a), Some(b)) = (self.get(id), other.get(id)) else { return 0.0 };
        match (a, b) {
            (Gradient::Dense(a), Gradient::Dense(b)) => pointwise::dot(a.data(), b.data()),
            (Gradient::Rows { ids, rows, .. }, Gradient::Dense(dense))
            | (Gradient::Dense(dense), Gradient::Rows { ids, rows, .. }) => {
                ids.iter().enumerate().map(|(i, &id)| pointwise::dot(rows.row(i), dense.row(id as usize))).sum()
            }
            (Gradient::Rows { ids, rows, .. }, Gradient::Rows { ids: others, rows: other_rows, .. }) => {
                let common = |(i, id): (usize, &u32)| Some((i, others.binary_search(id).ok()?));
                let common = ids.iter().enumerate().filter_map(common);
                common.map(|(i, at)| pointwise::dot(rows.row(i), other_rows.row(at))).sum()
            }
        }
    }

    /// `value` ← `value` − `rate`·g, where there is a gradient of the parameter.
    pub fn subtract_from(&self, id: ParamId, rate: F, value: &mut Tensor<F>) {
        match self.get(id) {
            Some(Gradient::Dense(g)) => pointwise::axpy(value.data_mut(), -rate, g.data()),
            Some(Gradient::Rows { ids, rows, .. }) => {
                for (i, &id) in ids.iter().enumerate() {
                    pointwise::axpy(value.row_mut(id as usize), -rate, rows.row(i));
                }
            }
            None => {}
        }
    }

    /// Σ wᵢ·gᵢ of the gradients of one parameter, rounded once; none where none of them is there. The sum of gradients that are
    /// zero outside some rows is zero outside these rows.
    pub fn weighted_sum(parts: &[(f64, &Self)], id: ParamId, pool: &mut Pool<F>) -> Option<Gradient<F>> {
        let parts: Vec<(f64, &Gradient<F>)> =
            parts.iter().filter_map(|(weight, part)| Some((*weight, part.get(id)?))).collect();
        let shape = parts.first()?.1.shape();
        let rows = parts.iter().filter_map(|(_, part)| match part {
            Gradient::Dense(_) => None,
            Gradient::Rows { ids, .. } => Some(&ids[..]),
        });
        let ids = (rows.clone().count() == parts.len()).then(|| distinct(rows, pool));
        let cols = shape.cols();
        let mut sum = vec![0.0; ids.as_ref().map_or(shape.len(), |ids| ids.len() * cols)];
        let mut add = |at: usize, weight: f64, numbers: &[F]| {
            sum[at..at + numbers.len()].iter_mut().zip(numbers).for_each(|(sum, x)| *sum += weight * x.to_f64());
        };
        for (weight, part) in parts {
            match part {
                Gradient::Dense(tensor) => add(0, weight, tensor.data()),
                Gradient::Rows { ids: own, rows, .. } => {
                    for (i, id) in own.iter().enumerate() {
                        let row = match &ids {
                            Some(ids) => ids.binary_search(id).expect("the id is among the distinct ones"),
                            None => *id as usize,
                        };
                        add(row * cols, weight, rows.row(i));
                    }
                }
            }
        }
        let shape_of_sum = ids.as_ref().map_or(shape, |ids| Shape::from([ids.len(), cols]));
        let mut tensor = pool.take(shape_of_sum);
        tensor.data_mut().iter_mut().zip(sum).for_each(|(x, sum)| *x = F::from_f64(sum));
        Some(match ids {
            Some(ids) => Gradient::Rows { shape, ids, rows: tensor },
            None => Gradient::Dense(tensor),
        })
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
    pointwise::add_rows(dense.data_mut(), rows.cols(), 0, ids, rows.data(), rows.cols());
}

/// Panics if the last of some ascending ids is that of no row.
#[track_caller]
fn check_last(ids: &[u32], shape: Shape) {
    if let Some(&last) = ids.last() {
        assert!((last as usize) < shape.rows(), "gradient: row {last} of a parameter of {shape}");
    }
}

/// All ids of several lists, ascending.
fn distinct<'l, F: Real>(lists: impl Iterator<Item = &'l [u32]>, pool: &mut Pool<F>) -> Vec<u32> {
    let mut ids: Vec<u32> = pool.take_vec();
    ids.extend(lists.flatten().copied());
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// One entry of distinct ascending rows from several lists, whose rows are added in the order given.
fn sum_rows<F: Real>(shape: Shape, lists: &[(&[u32], &Tensor<F>)], pool: &mut Pool<F>) -> Gradient<F> {
    let ids = distinct(lists.iter().map(|(ids, _)| *ids), pool);
    check_last(&ids, shape);
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

    #[test]
    fn rows_that_do_not_fit_are_refused() {
        let mut params = ParamStore::<f64>::new();
        let id = params.add("table", Tensor::zeros([4, 2]));
        let shape = params.value(id).shape();
        let refused = |ids: &[u32], rows: [usize; 2]| {
            let gradient = Gradient::Rows { shape, ids: ids.to_vec(), rows: Tensor::<f64>::zeros(rows) };
            let result = std::panic::catch_unwind(|| Gradients::none(1).set(id, gradient));
            result.is_err()
        };
        assert!(!refused(&[0, 3], [2, 2]));
        for (ids, rows) in
            [(vec![2, 1], [2, 2]), (vec![1, 1], [2, 2]), (vec![1, 4], [2, 2]), (vec![1], [2, 2]), (vec![1], [1, 3])]
        {
            assert!(refused(&ids, rows), "{ids:?}, {rows:?}");
        }
        let add =
            |row| Gradients::none(1).add_rows(id, shape, &[row], &Tensor::new([1, 2], vec![1.0; 2]), &mut Pool::new());
        assert!(std::panic::catch_unwind(|| add(4)).is_err());
    }

    /// Products and sums are those of the gradients with all their zeros, in whatever form each is given.
    #[test]
    fn products_and_weighted_sums_are_those_of_dense_gradients() {
        let mut params = ParamStore::<f64>::new();
        let id = params.add("table", Tensor::zeros([4, 2]));
        let shape = params.value(id).shape();
        let mut pool = Pool::new();
        let mut rows = |ids: &[u32], numbers: &[f64]| {
            let mut gradients = Gradients::none(1);
            gradients.add_rows(id, shape, ids, &Tensor::new([ids.len(), 2], numbers.to_vec()), &mut pool);
            gradients
        };
        let (a, b) = (rows(&[0, 2], &[1.0, 2.0, 3.0, 4.0]), rows(&[2, 3], &[5.0, 6.0, 7.0, 8.0]));
        let mut c = Gradients::none(1);
        c.add(id, Tensor::from_fn(shape, |i| i as f64), &mut pool);
        let dense = |gradients: &Gradients<f64>| gradients.dense(id).unwrap().data().to_vec();
        for (x, y) in [(&a, &a), (&a, &b), (&a, &c), (&c, &b), (&c, &c)] {
            let expected: f64 = dense(x).iter().zip(dense(y)).map(|(x, y)| x * y).sum();
            assert_eq!(x.product(y, id), expected);
            let mut sum = Gradients::none(1);
            sum.set(id, Gradients::weighted_sum(&[(2.0, x), (-3.0, y)], id, &mut pool).unwrap());
            let expected: Vec<f64> = dense(x).iter().zip(dense(y)).map(|(x, y)| 2.0 * x - 3.0 * y).collect();
            assert_eq!(dense(&sum), expected);
        }
        let sum = Gradients::weighted_sum(&[(1.0, &a), (1.0, &b)], id, &mut pool).unwrap();
        assert!(matches!(sum, Gradient::Rows { ids, .. } if ids == [0, 2, 3]));
        assert_eq!(
            (
                a.product(&Gradients::none(1), id),
                Gradients::weighted_sum(&[(1.0, &Gradients::<f64>::none(1))], id, &mut pool)
            ),
            (0.0, None)
        );
    }
}
