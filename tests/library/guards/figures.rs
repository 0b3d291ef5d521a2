//! Pairing, signs, baselines, and what the best control is.

use approx::assert_relative_eq;
use mtlcore::mtl::{
    evaluation::interval::Verdict,
    settings::Balance,
    study::{
        Arm, Control, StudySettings,
        results::{Baseline, Side, Summary, TaskAnswer},
    },
};

use super::{
    made_up::{Text, comparisons, guess, pair, results},
    settings,
};

const SKILLS: [f64; 3] = [0.95, 0.85, 0.75];

/// A study with each kind of arm, where training may stop early.
fn all_arms() -> StudySettings {
    let mut settings = settings();
    settings.base.patience = 2;
    settings.controls = Control::ALL.to_vec();
    settings.balance = vec![Balance::PcGrad];
    settings
}

/// Fault: the folds of one arm are compared with other folds of the other. Arms that say the same of every text differ in nothing,
/// however much folds differ.
#[test]
fn folds_are_compared_with_themselves() {
    let settings = all_arms();
    let found = results(&settings, &pair(&settings), |text| text.guess(SKILLS[text.spec.fold]));
    for task in comparisons(&found) {
        let [first, .., last] = &task.stl.folds[..] else { panic!("there are three folds") };
        assert!(first.metrics.f1 > last.metrics.f1 + 0.05, "folds do differ");
        let gains = task.controls.iter().map(|control| &control.gain);
        let balanced = task.balanced.iter().flat_map(|balanced| [&balanced.from_mtl, &balanced.from_stl]);
        let real = task.real_gain.as_ref().unwrap();
        for comparison in [&task.f1, &task.accuracy, &real.f1].into_iter().chain(gains).chain(balanced) {
            assert_eq!(comparison.differences, [0.0; 3]);
        }
        let split = task.split.unwrap();
        let parts = [split.ranking.mean, split.ranking.sd, split.operating_point.mean, split.operating_point.sd];
        assert_eq!(parts, [0.0; 4]);
        assert_eq!((task.mcnemar.only_stl, task.mcnemar.only_mtl), (0, 0));
        assert_eq!((task.cell.low, task.cell.difference, task.cell.high), (0.0, 0.0, 0.0));
        for measure in task.measures.values() {
            assert_eq!((measure.difference.low, measure.difference.high), (0.0, 0.0));
        }
    }
}

/// Fault: a training of one arm is compared with a training of the other that started from another seed.
#[test]
fn trainings_are_compared_with_those_of_the_same_seed() {
    let settings = StudySettings { seeds: 3, ..all_arms() };
    let found = results(&settings, &pair(&settings), |text| text.guess(SKILLS[text.spec.seed]));
    for task in comparisons(&found) {
        assert_eq!((task.cell.low, task.cell.difference, task.cell.high), (0.0, 0.0, 0.0));
        assert_eq!((task.cell.variance.seeds, task.cell.seeds), (Some(0.0), 3));
    }
}

/// The better of two arms by far.
fn better(arm: Arm) -> impl Fn(&Text) -> f64 {
    move |text| if text.is(arm) { text.own_guess(0.97) } else { text.own_guess(0.8) }
}

/// Faults: a verdict on the wrong sign; the interval of alone − together; the ranking part with the wrong sign.
#[test]
fn what_helps_is_called_a_gain_and_mirrored_a_cost() {
    let settings = StudySettings { seeds: 2, ..all_arms() };
    let pair = pair(&settings);
    // The two exchange everything that they say.
    let gain = results(&settings, &pair, |text| guess_of(text, [0.8, 0.97]));
    let cost = results(&settings, &pair, |text| guess_of(text, [0.97, 0.8]));
    assert_eq!((gain.claims.helps, gain.claims.hurts), (2, 0));
    assert_eq!((cost.claims.helps, cost.claims.hurts), (0, 2));
    for (gain, cost) in comparisons(&gain).zip(comparisons(&cost)) {
        let (g, c) = (&gain.cell, &cost.cell);
        assert_eq!((g.verdict, c.verdict), (Verdict::Helps, Verdict::Hurts));
        assert!(g.difference > 5.0 && g.low > settings.rope && g.p_gain < 0.01 && g.p_cost > 0.99, "{g:?}");
        let close = |a: f64, b: f64| assert_relative_eq!(a, b, max_relative = 1e-9);
        close(g.difference, 100.0 * (g.together - g.alone));
        for (a, b) in [(g.difference, c.difference), (g.low, c.high), (g.high, c.low)] {
            close(a, -b);
        }
        for (a, b) in [(g.p_gain, c.p_cost), (g.p_cost, c.p_gain), (g.alone, c.together), (g.together, c.alone)] {
            close(a, b);
        }
        for (a, b) in [(&gain.f1, &cost.f1), (&gain.accuracy, &cost.accuracy)] {
            assert!(a.spread.mean > 5.0);
            a.differences.iter().zip(&b.differences).for_each(|(a, b)| close(*a, -b));
        }
        assert!(gain.mcnemar.only_mtl > 2 * gain.mcnemar.only_stl);
        assert_eq!((gain.mcnemar.only_mtl, gain.mcnemar.only_stl), (cost.mcnemar.only_stl, cost.mcnemar.only_mtl));
        let (a, b) = (gain.split.unwrap(), cost.split.unwrap());
        assert!(a.ranking.mean > 5.0);
        close(a.ranking.mean, -b.ranking.mean);
        for (a, b) in gain.measures.values().zip(cost.measures.values()) {
            assert!(a.difference.difference > 0.0);
            close(a.difference.low, -b.difference.high);
            close(a.difference.high, -b.difference.low);
        }
    }
    for (gain, cost) in gain.pairs[0].answer.tasks.iter().zip(&cost.pairs[0].answer.tasks) {
        assert_eq!((gain.verdict, gain.take), (Verdict::Helps, Some(Side::Together)));
        assert_eq!((cost.verdict, cost.take), (Verdict::Hurts, Some(Side::Alone)));
        assert!(gain.low > 0.0 && cost.high < 0.0);
        // Whichever is taken, it is the better one, against the same n-grams.
        let over = |answer: &TaskAnswer| answer.over_ngrams.unwrap();
        assert_relative_eq!(over(gain).difference, 100.0 * (gain.together - gain.ngrams), max_relative = 1e-9);
        assert_relative_eq!(over(gain).difference, over(cost).difference, max_relative = 1e-9);
    }
}

/// STL and MTL with these skills, each skill with texts of its own that it gets wrong; others are between.
fn guess_of(text: &Text, [stl, mtl]: [f64; 2]) -> f64 {
    let skill = match text.spec.arm {
        Arm::Stl => stl,
        Arm::Mtl => mtl,
        _ => 0.75,
    };
    let key = [text.row, usize::from(text.is_inner), text.spec.seed, (100.0 * skill) as usize];
    guess(text.truth, skill, &key)
}

/// Fault: the ranking part of the difference in F has the wrong sign. MTL ranks better and never reaches the fixed threshold.
#[test]
fn ranking_is_the_difference_at_tuned_thresholds() {
    let settings = all_arms();
    let found = results(&settings, &pair(&settings), |text| {
        let p = better(Arm::Mtl)(text);
        if text.is(Arm::Mtl) { p / 2.0 } else { p }
    });
    for task in comparisons(&found) {
        let (split, f1) = (task.split.unwrap(), |summary: &Summary| summary.metrics["f1"].mean);
        let tuned = [&task.stl, &task.mtl].map(|arm| f1(arm.tuned.as_ref().unwrap()));
        assert!(task.f1.spread.mean < -50.0 && tuned[1] > tuned[0] + 0.05);
        assert_relative_eq!(split.ranking.mean, 100.0 * (tuned[1] - tuned[0]), max_relative = 1e-9);
        let sum = split.ranking.mean + split.operating_point.mean;
        assert_relative_eq!(sum, task.f1.spread.mean, max_relative = 1e-9);
    }
}

/// Fault: the real gain is taken over another control than the best.
#[test]
fn the_real_gain_is_over_the_best_control() {
    let mut settings = all_arms();
    // The best one is neither the first nor the last.
    settings.controls = vec![Control::Masked, Control::Unrelated, Control::Shuffled];
    let found = results(&settings, &pair(&settings), |text| {
        text.own_guess(match text.spec.arm {
            Arm::Mtl => 0.97,
            Arm::Control(Control::Unrelated) => 0.9,
            Arm::Control(_) => 0.72,
            _ => 0.8,
        })
    });
    for task in comparisons(&found) {
        let real = task.real_gain.as_ref().unwrap();
        assert_eq!(real.best_control, Control::Unrelated);
        let best = &task.controls[1];
        for (fold, difference) in real.f1.differences.iter().enumerate() {
            let [mtl, control] = [&task.mtl, &best.arm].map(|arm| arm.folds[fold].metrics.f1);
            assert_relative_eq!(*difference, 100.0 * (mtl - control), max_relative = 1e-9);
        }
        let gain = best.difference.unwrap().difference;
        assert!(gain > 0.0 && best.gain.spread.mean > 0.0);
        let left = real.difference.unwrap().difference;
        assert_relative_eq!(left, task.cell.difference - gain, max_relative = 1e-9);
        assert!(left < task.cell.difference);
    }
}

/// Fault: the majority's prior is that of the test fold. Here the fold that is tested and the others disagree on what is frequent.
#[test]
fn the_majority_is_that_of_the_training_folds() {
    let settings = all_arms();
    let mut pair = pair(&settings);
    let labels: Vec<Option<bool>> = pair.dataset.examples.iter().map(|example| example.labels[0]).collect();
    // Most true rows of the first task are tested in the first fold, and most false ones in the others.
    for (row, label) in labels.iter().enumerate() {
        let at = row % 3;
        pair.folds[0][row] = Some(match label {
            Some(true) if row % 5 > 0 => 0,
            Some(false) if at == 0 && row % 5 > 0 => 1,
            _ => at,
        });
    }
    let found = results(&settings, &pair, |text| text.own_guess(0.8));
    let task = &pair.dataset.tasks[0];
    let baseline = found.pairs[0].baselines.iter().find(|baseline| baseline.baseline == Baseline::Majority).unwrap();
    let expected = |of: fn(prior: f64, truths: &[bool]) -> f64| -> f64 {
        let fold = |fold: usize| {
            let side = |tested: bool| -> Vec<bool> {
                let rows = (0..labels.len()).filter(|&row| (pair.folds[0][row] == Some(fold)) == tested);
                rows.filter_map(|row| labels[row]).collect()
            };
            let (learnt, tested) = (side(false), side(true));
            of(learnt.iter().filter(|&&label| label).count() as f64 / learnt.len() as f64, &tested)
        };
        (0..3).map(fold).sum::<f64>() / 3.0
    };
    let right = |prior: f64, truths: &[bool]| {
        truths.iter().filter(|&&truth| truth == (prior > 0.5)).count() as f64 / truths.len() as f64
    };
    let brier = |prior: f64, truths: &[bool]| {
        let squares = truths.iter().map(|&truth| (f64::from(u8::from(truth)) - prior).powi(2));
        squares.sum::<f64>() / truths.len() as f64
    };
    let mean = |name: &str| baseline.tasks[task].metrics[name].mean;
    assert_relative_eq!(mean("accuracy"), expected(right), max_relative = 1e-9);
    assert_relative_eq!(mean("brier_score"), expected(brier), max_relative = 1e-9);
    assert!(baseline.tasks[task].metrics["accuracy"].sd > 0.2, "in the first fold the majority is wrong");
}

/// Fault: n-grams are compared at the fixed threshold where the networks' are tuned.
#[test]
fn n_grams_are_compared_at_tuned_thresholds() {
    let settings = all_arms();
    // They rank well and never reach the fixed threshold.
    let found = results(&settings, &pair(&settings), |text| {
        if text.is(Arm::NGram) { text.own_guess(0.9) / 2.0 } else { text.own_guess(0.8) }
    });
    let baseline = found.pairs[0].baselines.iter().find(|baseline| baseline.baseline == Baseline::NGram).unwrap();
    for answer in &found.pairs[0].answer.tasks {
        let f1 = |tuned: bool| match tuned {
            true => baseline.tuned.as_ref().unwrap()[&answer.task].metrics["f1"].mean,
            false => baseline.tasks[&answer.task].metrics["f1"].mean,
        };
        assert!(f1(false) == 0.0 && f1(true) > 0.8);
        assert!(answer.ngrams > 0.8, "{}", answer.ngrams);
        assert!(answer.over_ngrams.unwrap().difference < 0.0, "the networks are worse");
    }
}
