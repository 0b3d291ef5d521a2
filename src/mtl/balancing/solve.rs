//! Small dense problems in double precision: a few tasks make matrices of a few rows, and no library is needed for them.

/// A square matrix by rows.
pub(in crate::mtl) type Matrix = Vec<Vec<f64>>;

/// x with Ax = b, for a symmetric positive definite A (Cholesky's decomposition).
pub(in crate::mtl) fn positive_definite(a: &Matrix, b: &[f64]) -> Vec<f64> {
    let n = b.len();
    let mut lower = a.clone();
    for i in 0..n {
        for j in 0..=i {
            let rest = a[i][j] - (0..j).map(|k| lower[i][k] * lower[j][k]).sum::<f64>();
            // Rounding may leave nothing of a pivot that the ridge made positive.
            lower[i][j] = if i == j { rest.max(f64::EPSILON * a[i][i]).sqrt() } else { rest / lower[j][j] };
        }
    }
    let mut x = b.to_vec();
    for i in 0..n {
        x[i] = (x[i] - (0..i).map(|k| lower[i][k] * x[k]).sum::<f64>()) / lower[i][i];
    }
    for i in (0..n).rev() {
        x[i] = (x[i] - (i + 1..n).map(|k| lower[k][i] * x[k]).sum::<f64>()) / lower[i][i];
    }
    x
}

/// The x ≥ 0 that minimises ½ xᵀQx − bᵀx, for a symmetric positive definite Q whose diagonal is about 1.
///
/// The active-set method of Lawson & Hanson 1974, chapter 23: a finite number of exact steps, each of which makes the
/// objective smaller. It ends where no entry at 0 wants to grow by more than 10⁻¹³ of the largest |bᵢ|.
pub(super) fn nonnegative(q: &Matrix, b: &[f64]) -> Vec<f64> {
    let n = b.len();
    let tolerance = 1e-13 * b.iter().fold(0.0, |largest: f64, b| largest.max(b.abs()));
    let (mut x, mut free) = (vec![0.0; n], vec![false; n]);
    // Every set of free entries occurs once at most; there are never nearly as many.
    for _ in 0..100 * (n + 1) {
        let descent: Vec<f64> = (0..n).map(|i| b[i] - (0..n).map(|j| q[i][j] * x[j]).sum::<f64>()).collect();
        let wants = (0..n).filter(|&i| !free[i] && descent[i] > tolerance);
        let Some(steepest) = wants.max_by(|&i, &j| descent[i].total_cmp(&descent[j])) else { break };
        free[steepest] = true;
        while !settle(q, b, &mut x, &mut free) {}
    }
    x
}

/// Goes to the minimum over the free entries, or as far on the way as no entry is negative; there an entry becomes bound.
/// Whether it came to the minimum.
fn settle(q: &Matrix, b: &[f64], x: &mut [f64], free: &mut [bool]) -> bool {
    let places: Vec<usize> = (0..x.len()).filter(|&i| free[i]).collect();
    let part: Matrix = places.iter().map(|&i| places.iter().map(|&j| q[i][j]).collect()).collect();
    let goal = positive_definite(&part, &places.iter().map(|&i| b[i]).collect::<Vec<_>>());
    let ahead = |(&i, &goal): (&usize, &f64)| (goal <= 0.0).then(|| x[i] / (x[i] - goal).max(f64::MIN_POSITIVE));
    let Some(share) = places.iter().zip(&goal).filter_map(ahead).reduce(f64::min) else {
        places.iter().zip(&goal).for_each(|(&i, &goal)| x[i] = goal);
        return true;
    };
    let nearest = |(&i, &goal): (&usize, &f64)| goal <= 0.0 && x[i] <= share * (x[i] - goal) * (1.0 + 1e-12);
    let bound: Vec<usize> = places.iter().zip(&goal).filter(|&entry| nearest(entry)).map(|(&i, _)| i).collect();
    for (&i, &goal) in places.iter().zip(&goal) {
        x[i] += share * (goal - x[i]);
    }
    for i in bound {
        (x[i], free[i]) = (0.0, false);
    }
    false
}

/// Eigenvalues of a symmetric matrix, and the eigenvector of each (Jacobi's method, in cyclic order; Golub & Van Loan 2013,
/// section 8.5).
pub(in crate::mtl) fn eigen(mut a: Matrix) -> (Vec<f64>, Matrix) {
    let n = a.len();
    let mut vectors: Matrix = (0..n).map(|i| (0..n).map(|j| f64::from(i == j)).collect()).collect();
    // Convergence is quadratic: a few sweeps do, whatever the matrix.
    for _ in 0..50 {
        let mut still = true;
        for p in 0..n {
            for q in p + 1..n {
                if a[p][q].abs() <= f64::EPSILON * (a[p][p].abs() * a[q][q].abs()).sqrt() {
                    continue;
                }
                still = false;
                let theta = (a[q][q] - a[p][p]) / (2.0 * a[p][q]);
                let sign = if theta < 0.0 { -1.0 } else { 1.0 };
                let tangent = sign / (theta.abs() + theta.hypot(1.0));
                let cosine = 1.0 / tangent.hypot(1.0);
                let sine = tangent * cosine;
                let turn = |x: f64, y: f64| (cosine * x - sine * y, sine * x + cosine * y);
                for row in &mut a {
                    (row[p], row[q]) = turn(row[p], row[q]);
                }
                for rows in [&mut a, &mut vectors] {
                    let (upper, lower) = rows.split_at_mut(q);
                    for (x, y) in upper[p].iter_mut().zip(&mut lower[0]) {
                        (*x, *y) = turn(*x, *y);
                    }
                }
            }
        }
        if still {
            break;
        }
    }
    ((0..n).map(|i| a[i][i]).collect(), vectors)
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;
    use proptest::prelude::*;

    /// RRᵀ + 1 of a random 4×4 matrix R.
    fn positive(numbers: [[f64; 4]; 4]) -> Matrix {
        let dot = |i: usize, j: usize| (0..4).map(|k| numbers[i][k] * numbers[j][k]).sum::<f64>();
        (0..4).map(|i| (0..4).map(|j| dot(i, j) + f64::from(i == j)).collect()).collect()
    }

    fn times(a: &Matrix, x: &[f64]) -> Vec<f64> {
        a.iter().map(|row| row.iter().zip(x).map(|(a, x)| a * x).sum()).collect()
    }

    proptest! {
        #[test]
        fn a_solution_solves(r in prop::array::uniform4(prop::array::uniform4(-3.0..3.0)), b in prop::array::uniform4(-3.0..3.0)) {
            let a = positive(r);
            for (found, b) in times(&a, &positive_definite(&a, &b)).iter().zip(b) {
                assert_abs_diff_eq!(*found, b, epsilon = 1e-10);
            }
        }

        /// The conditions of Karush, Kuhn and Tucker, which only the minimum fulfils.
        #[test]
        fn nothing_is_left_to_gain(r in prop::array::uniform4(prop::array::uniform4(-3.0..3.0)), b in prop::array::uniform4(-3.0..3.0)) {
            let q = positive(r);
            let x = nonnegative(&q, &b);
            for ((x, slope), b) in x.iter().zip(times(&q, &x)).zip(b) {
                prop_assert!(*x >= 0.0 && slope >= b - 1e-9);
                prop_assert!((x * (slope - b)).abs() < 1e-9);
            }
        }

        #[test]
        fn eigenvectors_are_only_stretched(r in prop::array::uniform4(prop::array::uniform4(-3.0..3.0))) {
            let a = positive(r);
            let (values, vectors) = eigen(a.clone());
            for (value, vector) in values.iter().zip(&vectors) {
                assert_abs_diff_eq!(vector.iter().map(|x| x * x).sum::<f64>(), 1.0, epsilon = 1e-12);
                for (found, x) in times(&a, vector).iter().zip(vector) {
                    assert_abs_diff_eq!(*found, value * x, epsilon = 1e-9);
                }
            }
        }
    }
}
