//! Exercises of chapter 11, relatedness. Fill the gaps, then ask: `cargo exercise word_weight` (or `ranks_of`, or `apart`).

/// z = δ/√v of a word that occurs `positive` times in the true texts and `negative` times in the false ones, which have `positives` and
/// `negatives` words in all; there are `words` different ones, each with a prior count of 1.
pub fn word_weight(positive: f64, negative: f64, positives: f64, negatives: f64, words: f64) -> f64 {
    todo!("add the prior to the word's counts and to the totals; log-odds, variance, quotient")
}

/// The rank of each value, the smallest first, from 1; equal values share the mean of their ranks.
pub fn ranks_of(values: &[f64]) -> Vec<f64> {
    todo!("how many are smaller, and how many are equal?")
}

/// Of all ordered pairs of tasks, those that share no task with `pair`.
pub fn apart(pairs: &[(usize, usize)], pair: (usize, usize)) -> Vec<(usize, usize)> {
    todo!("neither its main task nor its partner, on either side")
}

/// What must hold.
pub mod check {
    use mtlcore::mtl::relatedness::correlation::ranks;

    pub fn word_weight(word_weight: fn(f64, f64, f64, f64, f64) -> f64) {
        let close =
            |found: f64, expected: f64| assert!((found - expected).abs() < 1e-9, "z is {expected}, not {found}");
        close(word_weight(30.0, 10.0, 60.0, 60.0, 4.0), 4.3022328084);
        close(word_weight(10.0, 30.0, 60.0, 60.0, 4.0), -4.3022328084);
        close(word_weight(5.0, 5.0, 60.0, 60.0, 4.0), 0.0);
        close(word_weight(12.0, 5.0, 30.0, 30.0, 4.0), 2.1494803132);
    }

    pub fn ranks_of(ranks_of: fn(&[f64]) -> Vec<f64>) {
        assert_eq!(ranks_of(&[0.3, 0.1, 0.2]), [3.0, 1.0, 2.0]);
        assert_eq!(ranks_of(&[3.0, 1.0, 3.0, 2.0]), [3.5, 1.0, 3.5, 2.0], "two share the ranks 3 and 4");
        let values = [-0.5, 0.3, 0.6, 2.1, 0.3, -0.1, 0.3];
        assert_eq!(ranks_of(&values), ranks(&values));
    }

    pub fn apart(apart: fn(&[(usize, usize)], (usize, usize)) -> Vec<(usize, usize)>) {
        let pairs: Vec<(usize, usize)> =
            (0..4).flat_map(|i| (0..4).map(move |j| (i, j))).filter(|(i, j)| i != j).collect();
        assert_eq!(apart(&pairs, (0, 1)), [(2, 3), (3, 2)], "of twelve pairs two are left");
        assert_eq!(apart(&pairs, (3, 1)), [(0, 2), (2, 0)]);
    }
}
