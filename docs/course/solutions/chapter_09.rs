//! Solutions of chapter 9.

use crate::exercises::chapter_09::Gram;

/// A conflict means that neither gradient is 0, so the divisions need no other guard.
pub fn project_conflicts(gram: Gram) -> [f64; 2] {
    let product = gram[0][1];
    if product >= 0.0 {
        return [1.0, 1.0];
    }
    [1.0 - product / gram[0][0], 1.0 - product / gram[1][1]]
}

/// The nearest point of a line to the origin; of the segment, if it lies outside. Equal gradients are one point.
pub fn shortest_mixture(gram: Gram) -> [f64; 2] {
    let squared_distance = gram[0][0] + gram[1][1] - 2.0 * gram[0][1];
    if squared_distance <= 0.0 {
        return [0.5, 0.5];
    }
    let w = ((gram[1][1] - gram[0][1]) / squared_distance).clamp(0.0, 1.0);
    [w, 1.0 - w]
}

/// ⟨g₁, d⟩/‖g₁‖ = ⟨g₂, d⟩/‖g₂‖ holds for w ∝ (‖g₂‖, ‖g₁‖).
pub fn equal_projections(gram: Gram) -> [f64; 2] {
    let (first, second) = (gram[0][0].sqrt(), gram[1][1].sqrt());
    if first + second == 0.0 {
        return [0.5, 0.5];
    }
    [second / (first + second), first / (first + second)]
}
