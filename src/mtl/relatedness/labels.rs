//! Labels against labels, where texts carry both: κ, φ, mutual information, and how often one implies the other.

use serde::{Deserialize, Serialize};
use statrs::function::gamma::ln_gamma;

/// Two tasks' labels of the same texts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LabelAgreement {
    /// Texts with both labels.
    pub texts: usize,
    /// Cohen's κ (Cohen 1960); 0 if chance alone would agree on all.
    pub kappa: f64,
    /// The correlation of the two (Pearson's φ); 0 if one has a single class.
    pub phi: f64,
    /// Mutual information in nats.
    pub mutual_information: f64,
    /// Mutual information over the mean of both entropies.
    pub normalised_mutual_information: f64,
    /// Mutual information adjusted for chance (Vinh et al. 2010, arithmetic mean).
    pub adjusted_mutual_information: f64,
    /// The share of the main task's true texts that are true of the partner too.
    pub implication: f64,
}

impl LabelAgreement {
    /// Of pairs (main, partner). `None` without any.
    pub fn of(labels: &[(bool, bool)]) -> Option<Self> {
        let n = labels.len() as f64;
        if labels.is_empty() {
            return None;
        }
        let count = |a: bool, b: bool| labels.iter().filter(|&&pair| pair == (a, b)).count() as f64;
        let cells = [[count(false, false), count(false, true)], [count(true, false), count(true, true)]];
        let rows = cells.map(|row| row[0] + row[1]);
        let columns = [0, 1].map(|j| cells[0][j] + cells[1][j]);
        let observed = (cells[0][0] + cells[1][1]) / n;
        let expected = (rows[0] * columns[0] + rows[1] * columns[1]) / (n * n);
        let spread = (rows[0] * rows[1] * columns[0] * columns[1]).sqrt();
        let mi = mutual_information(cells, n);
        let middle = (entropy(rows, n) + entropy(columns, n)) / 2.0;
        let by_chance = expected_information(rows, columns, n);
        let over = |x: f64, y: f64| if y.abs() > 1e-15 { x / y } else { 0.0 };
        Some(Self {
            texts: labels.len(),
            kappa: over(observed - expected, 1.0 - expected),
            phi: over(cells[1][1] * cells[0][0] - cells[1][0] * cells[0][1], spread),
            mutual_information: mi,
            normalised_mutual_information: over(mi, middle),
            adjusted_mutual_information: over(mi - by_chance, middle - by_chance),
            implication: over(cells[1][1], rows[1]),
        })
    }
}

/// The entropy of the share of true labels, in bits.
pub fn binary_entropy(p: f64) -> f64 {
    entropy([p, 1.0 - p], 1.0) / std::f64::consts::LN_2
}

fn entropy(counts: [f64; 2], n: f64) -> f64 {
    counts.iter().filter(|&&count| count > 0.0).map(|count| -count / n * (count / n).ln()).sum()
}

fn mutual_information(cells: [[f64; 2]; 2], n: f64) -> f64 {
    let rows = cells.map(|row| row[0] + row[1]);
    let columns = [0, 1].map(|j| cells[0][j] + cells[1][j]);
    let term = |i: usize, j: usize| match cells[i][j] {
        0.0 => 0.0,
        cell => cell / n * (n * cell / (rows[i] * columns[j])).ln(),
    };
    (0..2).flat_map(|i| (0..2).map(move |j| (i, j))).map(|(i, j)| term(i, j)).sum()
}

/// The mean mutual information of labels with these counts in random order (hypergeometric).
fn expected_information(rows: [f64; 2], columns: [f64; 2], n: f64) -> f64 {
    let ln_factorial = |x: f64| ln_gamma(x + 1.0);
    let mut sum = 0.0;
    for a in rows {
        for b in columns {
            let mut cell = (a + b - n).max(1.0);
            while cell <= a.min(b) {
                let ln_p = ln_factorial(a) + ln_factorial(b) + ln_factorial(n - a) + ln_factorial(n - b)
                    - ln_factorial(n)
                    - ln_factorial(cell)
                    - ln_factorial(a - cell)
                    - ln_factorial(b - cell)
                    - ln_factorial(n - a - b + cell);
                sum += cell / n * (n * cell / (a * b)).ln() * ln_p.exp();
                cell += 1.0;
            }
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_abs_diff_eq;

    /// Expected values: scikit-learn 1.9 (`cohen_kappa_score`, `matthews_corrcoef`, `mutual_info_score` and its kin).
    #[test]
    fn agreement_equals_scikit_learns() {
        let bits = |text: &str| text.chars().map(|c| c == '1').collect::<Vec<_>>();
        let labels: Vec<(bool, bool)> = bits("1110000010").into_iter().zip(bits("1100001010")).collect();
        let found = LabelAgreement::of(&labels).unwrap();
        let close = |found: f64, expected: f64| assert_abs_diff_eq!(found, expected, epsilon = 1e-9);
        close(found.kappa, 0.583_333_333_3);
        close(found.phi, 0.583_333_333_3);
        close(found.mutual_information, 0.177_740_883_8);
        close(found.normalised_mutual_information, 0.264_097_775_1);
        close(found.adjusted_mutual_information, 0.188_751_842_0);
        assert_eq!((found.texts, found.implication), (10, 0.75));
    }

    #[test]
    fn entropy_of_a_tenth() {
        assert_abs_diff_eq!(binary_entropy(0.1), 0.468_995_593_6, epsilon = 1e-9);
        assert_eq!((binary_entropy(0.0), binary_entropy(0.5)), (0.0, 1.0));
    }

    #[test]
    fn one_class_agrees_with_nothing() {
        let found = LabelAgreement::of(&[(true, true), (true, false)]).unwrap();
        assert_eq!((found.phi, found.mutual_information, found.adjusted_mutual_information), (0.0, 0.0, 0.0));
        assert_eq!(LabelAgreement::of(&[]), None);
    }
}
