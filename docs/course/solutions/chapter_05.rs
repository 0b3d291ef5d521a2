//! Solutions of chapter 5.

/// A later window wins only if it is strictly better.
pub fn best_window(x: &[f64], filter: &[f64]) -> (f64, usize) {
    let mut best = (f64::NEG_INFINITY, 0);
    for (t, window) in x.windows(filter.len()).enumerate() {
        let z: f64 = window.iter().zip(filter).map(|(x, k)| x * k).sum();
        if z > best.0 {
            best = (z, t);
        }
    }
    best
}

/// The words of the winner get the filter, the filter gets the words of the winner.
pub fn window_gradient(x: &[f64], filter: &[f64], dy: f64) -> (Vec<f64>, Vec<f64>) {
    let (mut dx, mut dfilter) = (vec![0.0; x.len()], vec![0.0; filter.len()]);
    let (z, winner) = best_window(x, filter);
    if z > 0.0 {
        for (j, &k) in filter.iter().enumerate() {
            dx[winner + j] = dy * k;
            dfilter[j] = dy * x[winner + j];
        }
    }
    (dx, dfilter)
}

/// n − width + 1, and at least one.
pub fn count_windows(lengths: &[usize], width: usize) -> (usize, usize) {
    let windows = |length: usize| (length + 1).saturating_sub(width).max(1);
    let longest = lengths.iter().copied().max().unwrap_or(0);
    (lengths.iter().map(|&length| windows(length)).sum(), lengths.len() * windows(longest))
}
