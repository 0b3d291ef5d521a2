//! Solutions of chapter 11.

/// The odds of a word are its count over that of all others.
pub fn word_weight(positive: f64, negative: f64, positives: f64, negatives: f64, words: f64) -> f64 {
    let (y1, y0) = (positive + 1.0, negative + 1.0);
    let delta = (y1 / (positives + words - y1)).ln() - (y0 / (negatives + words - y0)).ln();
    delta / (1.0 / y1 + 1.0 / y0).sqrt()
}

/// With s smaller and e equal ones (itself among them) the ranks s + 1 to s + e have the mean s + (e + 1)/2.
pub fn ranks_of(values: &[f64]) -> Vec<f64> {
    let count = |is: &dyn Fn(f64) -> bool| values.iter().filter(|&&other| is(other)).count() as f64;
    values.iter().map(|&v| count(&|other| other < v) + (count(&|other| other == v) + 1.0) / 2.0).collect()
}

/// A pair with one of the two tasks would tell what that task gains of anything.
pub fn apart(pairs: &[(usize, usize)], pair: (usize, usize)) -> Vec<(usize, usize)> {
    let is_apart =
        |&(main, partner): &(usize, usize)| [main, partner].iter().all(|&task| task != pair.0 && task != pair.1);
    pairs.iter().copied().filter(is_apart).collect()
}
