//! How numbers are written: the same in every format. A minus is `−` here; LaTeX makes its own of it.

/// A share as a percentage with two decimals, as in the paper's tables.
pub fn percent(share: f64) -> String {
    decimals(100.0 * share, 2)
}

/// A share as a percentage without decimals: `43 %`.
pub fn rounded_percent(share: f64) -> String {
    format!("{} %", decimals(100.0 * share, 0))
}

/// A difference in points, with its sign.
pub fn difference(points: f64) -> String {
    signed(points, 2)
}

/// A number with its sign, unless it rounds to zero.
pub fn signed(x: f64, places: usize) -> String {
    let text = decimals(x, places);
    let is_zero = text.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    if text.starts_with('−') || is_zero { text } else { format!("+{text}") }
}

/// A p-value or a posterior probability. None is certain, so none is shown as zero.
pub fn probability(p: f64) -> String {
    if p < 0.00005 { "<0.0001".into() } else { decimals(p, 4) }
}

/// A probability that a network gives, a loss or another figure that is no percentage.
pub fn score(score: f64) -> String {
    decimals(score, 4)
}

/// Very small or large numbers: `−1.2e−7`.
pub fn scientific(x: f64) -> String {
    format!("{x:.1e}").replace('-', "−")
}

/// A length in points that has no direction: a standard deviation, a smallest effect.
pub fn points(points: f64) -> String {
    decimals(points, 2)
}

/// A setting, with as many decimals as it needs, up to four.
pub fn plain(value: f64) -> String {
    ((1e4 * value).round() / 1e4).to_string().replace('-', "−")
}

/// A metric's mean or standard deviation in the unit that is usual for it.
pub fn metric(value: f64, name: &str) -> String {
    match name {
        "mcc" | "brier_score" | "log_loss" => score(value),
        _ => percent(value),
    }
}

/// Never a negative zero, which would claim a direction.
pub fn decimals(x: f64, places: usize) -> String {
    let text = format!("{x:.places$}");
    match text.strip_prefix('-') {
        Some(digits) if digits.bytes().all(|byte| matches!(byte, b'0' | b'.')) => digits.into(),
        Some(digits) => format!("−{digits}"),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_carry_a_sign_unless_they_round_to_zero() {
        let cases = [(0.514, "+0.51"), (-9.96, "−9.96"), (0.004, "0.00"), (-0.004, "0.00"), (0.0, "0.00")];
        for (points, text) in cases {
            assert_eq!(difference(points), text);
        }
    }

    #[test]
    fn a_small_p_is_never_shown_as_zero() {
        let cases =
            [(0.0, "<0.0001"), (1e-9, "<0.0001"), (0.00006, "0.0001"), (0.0670402159, "0.0670"), (1.0, "1.0000")];
        for (p, text) in cases {
            assert_eq!(probability(p), text);
        }
    }

    #[test]
    fn settings_have_no_more_decimals_than_they_need() {
        assert_eq!([1.0, 0.5, 100.0 * 0.07, -0.5].map(plain), ["1", "0.5", "7", "−0.5"]);
    }

    #[test]
    fn metrics_have_their_usual_units() {
        assert_eq!(metric(0.7652, "accuracy"), "76.52");
        assert_eq!(metric(-0.25, "mcc"), "−0.2500");
        assert_eq!(metric(0.22984, "brier_score"), "0.2298");
        assert_eq!(metric(0.0, "mcc"), "0.0000");
    }
}
