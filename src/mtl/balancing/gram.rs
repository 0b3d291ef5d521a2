//! The inner products of the tasks' gradients.

/// K gradients by their inner products, ⟨gᵢ, gⱼ⟩: all that most methods need to know of them, whatever their length.
#[derive(Clone, Debug, PartialEq)]
pub struct Gram {
    tasks: usize,
    /// Row by row, symmetric. `// [K, K]`
    products: Vec<f64>,
}

impl Gram {
    /// The matrix of K gradients whose inner products are `product(i, j)`, asked for i ≤ j only.
    pub fn from_fn(tasks: usize, mut product: impl FnMut(usize, usize) -> f64) -> Self {
        let mut products = vec![0.0; tasks * tasks];
        for i in 0..tasks {
            for j in i..tasks {
                let product = product(i, j);
                products[i * tasks + j] = product;
                products[j * tasks + i] = product;
            }
        }
        Self { tasks, products }
    }

    /// The matrix of gradients that are given as numbers.
    ///
    /// # Panics
    /// If they have different lengths.
    pub fn of(gradients: &[impl AsRef<[f64]>]) -> Self {
        Self::from_fn(gradients.len(), |i, j| {
            let (a, b) = (gradients[i].as_ref(), gradients[j].as_ref());
            assert_eq!(a.len(), b.len(), "gradients of the same parameters have one length");
            a.iter().zip(b).map(|(a, b)| a * b).sum()
        })
    }

    /// How many gradients there are (K).
    pub fn tasks(&self) -> usize {
        self.tasks
    }

    /// ⟨gᵢ, gⱼ⟩.
    pub fn product(&self, i: usize, j: usize) -> f64 {
        self.products[i * self.tasks + j]
    }

    /// ‖gᵢ‖.
    pub fn norm(&self, i: usize) -> f64 {
        self.product(i, i).sqrt()
    }

    /// The cosine of the angle between two gradients; 0 if one of them is zero.
    pub fn cosine(&self, i: usize, j: usize) -> f64 {
        let scale = self.norm(i) * self.norm(j);
        if scale > 0.0 { (self.product(i, j) / scale).clamp(-1.0, 1.0) } else { 0.0 }
    }

    /// ⟨gᵢ, d⟩ for each i, where d = Σ wⱼ gⱼ.
    pub fn times(&self, weights: &[f64]) -> Vec<f64> {
        let row = |i: usize| weights.iter().enumerate().map(|(j, weight)| weight * self.product(i, j)).sum();
        (0..self.tasks).map(row).collect()
    }

    /// ‖Σ wᵢ gᵢ‖.
    pub fn combined_norm(&self, weights: &[f64]) -> f64 {
        let square: f64 = self.times(weights).iter().zip(weights).map(|(product, weight)| product * weight).sum();
        square.max(0.0).sqrt()
    }

    /// The cosine of the angle between gᵢ and d = Σ wⱼ gⱼ; 0 if one of them is zero.
    pub fn combined_cosine(&self, i: usize, weights: &[f64]) -> f64 {
        let scale = self.norm(i) * self.combined_norm(weights);
        if scale > 0.0 { (self.times(weights)[i] / scale).clamp(-1.0, 1.0) } else { 0.0 }
    }

    /// The part of some of the gradients, in this order.
    pub fn part(&self, tasks: &[usize]) -> Self {
        Self::from_fn(tasks.len(), |i, j| self.product(tasks[i], tasks[j]))
    }

    /// Whether every gradient is finite.
    pub fn is_finite(&self) -> bool {
        self.products.iter().all(|product| product.is_finite())
    }

    /// The gradients that are not zero.
    pub(super) fn present(&self) -> Vec<usize> {
        (0..self.tasks).filter(|&i| self.product(i, i) > 0.0).collect()
    }

    /// The cosines, with [`RIDGE`] added on the diagonal. `// [K, K]`
    ///
    /// Gradients of any length make a matrix of one scale, and with the ridge it is positive definite even where gradients
    /// depend on each other; then the quadratic programmes on it have one solution, which is the same for a copy of a task.
    pub(super) fn unit(&self) -> Vec<Vec<f64>> {
        let entry = |i: usize, j: usize| if i == j { 1.0 + RIDGE } else { self.cosine(i, j) };
        (0..self.tasks).map(|i| (0..self.tasks).map(|j| entry(i, j)).collect()).collect()
    }
}

/// Far below what a gradient in single precision can tell, far above the rounding of double precision.
const RIDGE: f64 = 1e-12;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_norms_and_cosines_are_those_of_the_vectors() {
        let gram = Gram::of(&[[-4.0, 1.0, 1.0], [6.0, 1.0, 1.0]]);
        assert_eq!((gram.product(0, 0), gram.product(0, 1), gram.product(1, 1)), (18.0, -22.0, 38.0));
        approx::assert_relative_eq!(gram.cosine(0, 1), -22.0 / (18.0_f64 * 38.0).sqrt(), max_relative = 1e-14);
        // The sum is [2, 2, 2].
        assert_eq!(gram.times(&[1.0, 1.0]), [-4.0, 16.0]);
        approx::assert_relative_eq!(gram.combined_norm(&[1.0, 1.0]), 12.0_f64.sqrt(), max_relative = 1e-14);
        approx::assert_relative_eq!(
            gram.combined_cosine(1, &[1.0, 1.0]),
            16.0 / (38.0_f64 * 12.0).sqrt(),
            max_relative = 1e-14
        );
        assert_eq!(Gram::of(&[[0.0], [1.0]]).cosine(0, 1), 0.0);
    }
}
