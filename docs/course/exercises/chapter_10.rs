//! Exercises of chapter 10, reading a study. Fill the gaps, then ask: `cargo exercise t_statistic` (or `sign_flip`, or `say_verdict`).

/// t = mean / √(s²·(1/n + n_test/n_train)) with s² the variance (the sum of squares divided by n − 1). With `test_to_train` 0 it is
/// the paired t-test's, with 1/(k − 1) that of k folds corrected for their overlap.
pub fn t_statistic(differences: &[f64], test_to_train: f64) -> f64 {
    todo!("mean, variance, quotient")
}

/// If MTL changed nothing, each difference might as well have had the other sign. Of all 2ⁿ ways to give the differences signs: the
/// share whose mean is at least as far from 0 as the mean that was found.
pub fn sign_flip(differences: &[f64]) -> f64 {
    todo!("`signs` from 0 to 2ⁿ: bit i says whether difference i is turned around")
}

/// "helps" if P(above) > 0.95 *and* MTL gains more than the best placebo, "not the other task" if only the first holds; "hurts" if
/// P(below) > 0.95, "equivalent" if P(inside) > 0.95, else "undecided".
pub fn say_verdict(below: f64, inside: f64, above: f64, gain: f64, placebos: &[f64]) -> &'static str {
    todo!("one word, or four")
}

/// What must hold.
pub mod check {
    use mtlcore::mtl::evaluation::statistics::{corrected_resampled_t, paired_t};

    const D: [f64; 10] = [3.1, -0.4, 2.2, 5.0, 1.7, 0.3, -1.1, 4.2, 2.9, 1.0];

    pub fn t_statistic(t_statistic: fn(&[f64], f64) -> f64) {
        let close =
            |found: f64, expected: f64| assert!((found - expected).abs() < 1e-9, "t is {expected}, not {found}");
        close(t_statistic(&D, 0.0), 3.0251726497);
        close(t_statistic(&D, 1.0 / 9.0), 2.0820666106);
        let other = [0.3, -0.1, 0.2, 0.6, -0.2];
        close(t_statistic(&other, 0.0), paired_t(&other).unwrap().t);
        close(t_statistic(&other, 0.25), corrected_resampled_t(&other, 0.25).unwrap().t);
    }

    pub fn sign_flip(sign_flip: fn(&[f64]) -> f64) {
        assert_eq!(sign_flip(&[1.0, 1.0, 1.0]), 0.25, "two of eight: all plus, all minus");
        assert_eq!(sign_flip(&[2.0, -1.0]), 1.0, "no way of giving signs has a mean nearer to 0");
        assert_eq!(sign_flip(&[1.0, 2.0, 4.0, -0.5]), 4.0 / 16.0, "sums of 6.5 and 7.5, either sign");
        let p = sign_flip(&D);
        assert!(p > 0.01 && p < 0.03, "near the plain t-test's 0.014, but {p}");
    }

    pub fn say_verdict(say_verdict: fn(f64, f64, f64, f64, &[f64]) -> &'static str) {
        assert_eq!(say_verdict(0.01, 0.02, 0.97, 3.0, &[0.2, 1.0]), "helps");
        assert_eq!(say_verdict(0.01, 0.02, 0.97, 3.0, &[0.2, 3.4]), "not the other task");
        assert_eq!(say_verdict(0.96, 0.03, 0.01, -2.0, &[0.0]), "hurts");
        assert_eq!(say_verdict(0.01, 0.98, 0.01, 0.1, &[0.0]), "equivalent");
        assert_eq!(say_verdict(0.006, 0.171, 0.824, 1.89, &[0.0]), "undecided");
    }
}
