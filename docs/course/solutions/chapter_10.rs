//! Solutions of chapter 10.

/// Nothing but the formula.
pub fn t_statistic(differences: &[f64], test_to_train: f64) -> f64 {
    let n = differences.len() as f64;
    let mean = differences.iter().sum::<f64>() / n;
    let variance = differences.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / (n - 1.0);
    mean / (variance * (1.0 / n + test_to_train)).sqrt()
}

/// A hair's breadth of slack, since sums in another order round differently.
pub fn sign_flip(differences: &[f64]) -> f64 {
    let found = differences.iter().sum::<f64>().abs();
    let ways = 1_u32 << differences.len();
    let sum = |signs: u32| -> f64 {
        differences.iter().enumerate().map(|(i, d)| if signs >> i & 1 == 1 { -d } else { *d }).sum()
    };
    let as_far = (0..ways).filter(|&signs| sum(signs).abs() >= found - 1e-9).count();
    as_far as f64 / f64::from(ways)
}

/// The controls come last: they explain a gain, they do not make one.
pub fn say_verdict(below: f64, inside: f64, above: f64, gain: f64, placebos: &[f64]) -> &'static str {
    let is_real = placebos.iter().all(|&placebo| gain > placebo);
    match () {
        () if below > 0.95 => "hurts",
        () if inside > 0.95 => "equivalent",
        () if above > 0.95 && is_real => "helps",
        () if above > 0.95 => "not the other task",
        () => "undecided",
    }
}
