//! Exercises of chapter 9, conflict and balancing. Fill the gaps, then ask: `cargo exercise project_conflicts` (or
//! `shortest_mixture`, or `equal_projections`).
//!
//! Each is a function from the Gram matrix of two gradients, [[⟨g₁, g₁⟩, ⟨g₁, g₂⟩], [⟨g₂, g₁⟩, ⟨g₂, g₂⟩]], to the weights (w₁, w₂).

/// A table of inner products.
pub type Gram = [[f64; 2]; 2];

/// PCGrad: without a conflict (1, 1).
pub fn project_conflicts(gram: Gram) -> [f64; 2] {
    todo!("what is left of each when the part against the other is taken away?")
}

/// MGDA: the shortest mixture of the two. Equal gradients may be mixed in any way.
pub fn shortest_mixture(gram: Gram) -> [f64; 2] {
    todo!("w₁ between 0 and 1")
}

/// IMTL-G: w₁ + w₂ = 1, and the same gain along each arrow. If both are 0: ½ and ½.
pub fn equal_projections(gram: Gram) -> [f64; 2] {
    todo!("the other's length")
}

/// What must hold.
pub mod check {
    use super::*;

    const CONFLICT: Gram = [[18.0, -22.0], [-22.0, 38.0]];
    const AGREEMENT: Gram = [[4.0, 1.0], [1.0, 9.0]];
    /// The first gradient is 0: its task is solved, or has no label.
    const ONE_IS_ZERO: Gram = [[0.0, 0.0], [0.0, 9.0]];
    const BOTH_ARE_ZERO: Gram = [[0.0; 2]; 2];

    fn close(found: [f64; 2], expected: [f64; 2]) {
        let near = found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-4);
        assert!(near, "the weights are {expected:?}, not {found:?}");
    }

    fn finite(method: fn(Gram) -> [f64; 2]) {
        for gram in [ONE_IS_ZERO, BOTH_ARE_ZERO] {
            assert!(method(gram).iter().all(|w| w.is_finite()), "{gram:?} gives {:?}", method(gram));
        }
    }

    /// What each task gains by ⟨g, d⟩.
    fn gains(gram: Gram, w: [f64; 2]) -> [f64; 2] {
        gram.map(|row| row[0] * w[0] + row[1] * w[1])
    }

    pub fn project_conflicts(project_conflicts: fn(Gram) -> [f64; 2]) {
        close(project_conflicts(CONFLICT), [2.2222, 1.5789]);
        close(project_conflicts(AGREEMENT), [1.0, 1.0]);
        assert!(gains(CONFLICT, project_conflicts(CONFLICT)).iter().all(|&gain| gain > 0.0));
        finite(project_conflicts);
    }

    pub fn shortest_mixture(shortest_mixture: fn(Gram) -> [f64; 2]) {
        close(shortest_mixture(CONFLICT), [0.6, 0.4]);
        close(shortest_mixture(AGREEMENT), [8.0 / 11.0, 3.0 / 11.0]);
        // The first is the shorter one, and every mixture with the second is longer.
        close(shortest_mixture([[1.0, 2.0], [2.0, 9.0]]), [1.0, 0.0]);
        close(shortest_mixture([[9.0, 2.0], [2.0, 1.0]]), [0.0, 1.0]);
        close(shortest_mixture(ONE_IS_ZERO), [1.0, 0.0]);
        finite(shortest_mixture);
        let w = shortest_mixture([[4.0, 4.0], [4.0, 4.0]]);
        assert!((w[0] + w[1] - 1.0).abs() < 1e-12, "equal gradients give {w:?}");
    }

    pub fn equal_projections(equal_projections: fn(Gram) -> [f64; 2]) {
        close(equal_projections(CONFLICT), [0.5923, 0.4077]);
        close(equal_projections(AGREEMENT), [0.6, 0.4]);
        let [a, b] = gains(AGREEMENT, equal_projections(AGREEMENT));
        assert!((a / 2.0 - b / 3.0).abs() < 1e-12, "along their arrows the tasks gain {} and {}", a / 2.0, b / 3.0);
        close(equal_projections(BOTH_ARE_ZERO), [0.5, 0.5]);
        finite(equal_projections);
    }
}
