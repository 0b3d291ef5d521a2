//! How much each text moves a measure: its influence, the derivative of the measure with respect to the text's weight.
//!
//! The influences of a fold's texts sum to zero, and the sum of their squares is the variance of the measure over samples of texts
//! (the infinitesimal jackknife: Efron 1982).

/// Right or wrong decisions, as a share: `(1[ŷ = y] − accuracy)/n`.
pub(super) fn accuracy(decisions: &[bool], truths: &[bool]) -> (f64, Vec<f64>) {
    let n = truths.len() as f64;
    let right = |(decision, truth): (&bool, &bool)| f64::from(u8::from(decision == truth));
    let level = decisions.iter().zip(truths).map(right).sum::<f64>() / n;
    (level, decisions.iter().zip(truths).map(|pair| (right(pair) - level) / n).collect())
}

/// The counts that F is made of: F = 2·TP/E with E = Σŷ + Σy.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct FCounts {
    pub true_positives: f64,
    /// Predicted true and labelled true, added up.
    pub predicted_and_true: f64,
}

impl FCounts {
    pub fn of(decisions: &[bool], truths: &[bool]) -> Self {
        let mut counts = Self::default();
        for (&decision, &truth) in decisions.iter().zip(truths) {
            counts.true_positives += f64::from(u8::from(decision && truth));
            counts.predicted_and_true += f64::from(u8::from(decision) + u8::from(truth));
        }
        counts
    }

    /// F of the true class; 0 where nothing is true and nothing predicted true.
    pub fn f(self) -> f64 {
        if self.predicted_and_true == 0.0 { 0.0 } else { 2.0 * self.true_positives / self.predicted_and_true }
    }

    /// `(2yŷ − F·(ŷ + y))/E`, with the threshold held fixed.
    pub fn influence(self, decision: bool, truth: bool) -> f64 {
        if self.predicted_and_true == 0.0 {
            return 0.0;
        }
        let (decision, truth) = (f64::from(u8::from(decision)), f64::from(u8::from(truth)));
        (2.0 * decision * truth - self.f() * (decision + truth)) / self.predicted_and_true
    }
}

/// Average precision with tied scores as one step. For score levels u₁ > u₂ > … with N_g rows and TP_g true ones at or above u_g, p_g
/// true ones at it and P in all, AP = Σ p_g·(TP_g/N_g)/P; the influence of a text at u_g is
/// `[y·(TP_g/N_g − AP) + y·A_g − B_g]/P` with the suffix sums A_g = Σ_{h≥g} p_h/N_h and B_g = Σ_{h≥g} p_h·TP_h/N_h².
pub(super) fn average_precision(scores: &[f64], truths: &[bool]) -> (f64, Vec<f64>) {
    let levels = Levels::new(scores, truths);
    let positives = levels.all.last().map_or(0.0, |last| last.true_above);
    if positives == 0.0 {
        return (0.0, vec![0.0; scores.len()]);
    }
    let precision = |level: &Level| level.true_above / level.rows_above;
    let level = levels.all.iter().map(|level| level.true_at * precision(level)).sum::<f64>() / positives;
    let (mut a, mut b) = (vec![0.0; levels.all.len()], vec![0.0; levels.all.len()]);
    let (mut a_sum, mut b_sum) = (0.0, 0.0);
    for (g, level) in levels.all.iter().enumerate().rev() {
        a_sum += level.true_at / level.rows_above;
        b_sum += level.true_at * level.true_above / (level.rows_above * level.rows_above);
        (a[g], b[g]) = (a_sum, b_sum);
    }
    let influence = |(text, &truth): (usize, &bool)| {
        let g = levels.of_text[text];
        let of_true = if truth { precision(&levels.all[g]) - level + a[g] } else { 0.0 };
        (of_true - b[g]) / positives
    };
    (level, truths.iter().enumerate().map(influence).collect())
}

/// The area under the ROC curve, ties counting half. The influence of a true text is `(share of false texts below it − area)/P`, of a
/// false one `(share of true texts above it − area)/N`. ½ where there is one class only, which no text moves.
pub(super) fn auroc(scores: &[f64], truths: &[bool]) -> (f64, Vec<f64>) {
    let levels = Levels::new(scores, truths);
    let (positives, rows) = levels.all.last().map_or((0.0, 0.0), |last| (last.true_above, last.rows_above));
    let negatives = rows - positives;
    if positives == 0.0 || negatives == 0.0 {
        return (0.5, vec![0.0; scores.len()]);
    }
    // For a true text at a level: false ones below; for a false one: true ones above.
    let false_below = |level: &Level| {
        let false_above = level.rows_above - level.true_above;
        (negatives - false_above) + level.false_at() / 2.0
    };
    let true_above = |level: &Level| level.true_above - level.true_at / 2.0;
    let won: f64 = levels.all.iter().map(|level| level.true_at * false_below(level)).sum();
    let area = won / (positives * negatives);
    let influence = |(text, &truth): (usize, &bool)| {
        let level = &levels.all[levels.of_text[text]];
        match truth {
            true => (false_below(level) / negatives - area) / positives,
            false => (true_above(level) / positives - area) / negatives,
        }
    };
    (area, truths.iter().enumerate().map(influence).collect())
}

/// Texts with the same score.
struct Level {
    /// True ones at this score.
    true_at: f64,
    rows_at: f64,
    /// True ones at this score or above.
    true_above: f64,
    rows_above: f64,
}

impl Level {
    fn false_at(&self) -> f64 {
        self.rows_at - self.true_at
    }
}

/// Distinct scores from the highest down.
struct Levels {
    all: Vec<Level>,
    of_text: Vec<usize>, // [texts]
}

impl Levels {
    fn new(scores: &[f64], truths: &[bool]) -> Self {
        assert!(!scores.iter().any(|score| score.is_nan()), "scores are numbers, but one of them is NaN");
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_unstable_by(|&a, &b| scores[b].total_cmp(&scores[a]));
        let (mut all, mut of_text): (Vec<Level>, _) = (Vec::new(), vec![0; scores.len()]);
        for tied in order.chunk_by(|&a, &b| scores[a] == scores[b]) {
            let true_at = tied.iter().filter(|&&text| truths[text]).count() as f64;
            let rows_at = tied.len() as f64;
            let (true_before, rows_before) =
                all.last().map_or((0.0, 0.0), |above| (above.true_above, above.rows_above));
            tied.iter().for_each(|&text| of_text[text] = all.len());
            all.push(Level { true_at, rows_at, true_above: true_before + true_at, rows_above: rows_before + rows_at });
        }
        Self { all, of_text }
    }
}
