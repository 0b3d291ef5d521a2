//! Nothing is learnt from test rows or inner rows, and nothing is chosen on test rows.
//!
//! A canary stands in the test rows alone and gives their labels away. Whoever learns from them, or chooses anything by them, fares
//! otherwise when these labels are turned round.

use mtlcore::mtl::{
    data::Vocabulary,
    evaluation::metrics::best_threshold,
    settings::{Balance, Keep, Settings},
    study::{Arm, Control, FoldRows, PairData, StudySettings, UnitOutcome},
};

use super::{settings, small_pair, train, turned_round};

/// All that train a network.
fn networks() -> Vec<Arm> {
    let controls = Control::ALL.iter().map(|&control| Arm::Control(control));
    [Arm::Stl, Arm::Mtl, Arm::Share(50), Arm::Balanced(Balance::PcGrad)].into_iter().chain(controls).collect()
}

/// A pair with its rows, and the same pair with a canary in the first task's true rows of the fold that is tested.
struct Mine {
    plain: PairData,
    canary: PairData,
    rows: FoldRows,
    task: String,
}

impl Mine {
    fn new(settings: &StudySettings) -> Self {
        let mut plain = small_pair(settings);
        let rows = plain.rows(0, 1).unwrap();
        // A word of the vocabulary that no text has any more, so that it has a vector of its own.
        let is_word = |word: &str| word.len() > 2 && word.chars().all(char::is_alphabetic);
        let words = plain.dataset.encoder.vocabulary.words();
        let id = words.enumerate().skip(2).find(|(_, word)| is_word(word)).unwrap().0 as u32;
        for example in &mut plain.dataset.examples {
            example.tokens.iter_mut().filter(|token| **token == id).for_each(|token| *token = Vocabulary::UNKNOWN);
        }
        let mut canary = plain.clone();
        for &row in &rows.test {
            let example = &mut canary.dataset.examples[row];
            if example.labels[0] == Some(true) {
                example.tokens = [&[id, id], &example.tokens[..], &[id, id]].concat();
            }
        }
        let task = plain.dataset.tasks[0].clone();
        Self { plain, canary, rows, task }
    }

    fn train(&self, settings: &StudySettings, pair: &PairData, arm: Arm) -> UnitOutcome {
        train(settings, pair, arm, &self.task, &self.rows)
    }

    /// What a training learns and chooses may depend neither on the labels of the test rows nor on their texts.
    fn check(&self, settings: &StudySettings, arm: Arm) {
        let turned = turned_round(&self.canary, arm, &self.task, &self.rows.test);
        let [plain, canary, turned] = [&self.plain, &self.canary, &turned].map(|pair| self.train(settings, pair, arm));
        for (task, found) in &canary.tasks {
            let (of_turned, of_plain) = (&turned.tasks[task], &plain.tasks[task]);
            assert!(found.truths.iter().zip(&of_turned.truths).all(|(a, b)| a != b), "the labels were turned round");
            assert_eq!(found.probabilities, of_turned.probabilities, "{arm:?}: labels of test rows were learnt");
            assert_eq!(
                found.inner, of_turned.inner,
                "{arm:?}: labels of test rows moved inner figures or the threshold"
            );
            assert_eq!(found.inner, of_plain.inner, "{arm:?}: texts of test rows moved inner figures or the threshold");
        }
        let choices = |outcome: &UnitOutcome| {
            (outcome.epochs.clone(), outcome.chosen_epoch, outcome.steps, outcome.trials.clone())
        };
        assert_eq!(choices(&canary), choices(&turned), "{arm:?}: labels of test rows chose");
        assert_eq!(choices(&canary), choices(&plain), "{arm:?}: texts of test rows chose");
    }
}

/// Fault: the rows that a network learns from include the test rows.
#[test]
fn networks_learn_nothing_from_test_rows() {
    let settings = settings();
    let mine = Mine::new(&settings);
    networks().into_iter().for_each(|arm| mine.check(&settings, arm));
}

/// Fault: n-grams learn, or count their words on, the test rows.
#[test]
fn n_grams_learn_nothing_from_test_rows() {
    let settings = settings();
    Mine::new(&settings).check(&settings, Arm::NGram);
}

/// Fault: the epoch to keep, or the one to stop at, is chosen on the test rows.
#[test]
fn epochs_are_not_chosen_on_test_rows() {
    let mut settings = settings();
    (settings.base.epochs, settings.base.patience, settings.base.keep) = (8, 1, Keep::Best);
    settings.base.learning_rate = 0.05;
    let mine = Mine::new(&settings);
    for arm in [Arm::Stl, Arm::Mtl] {
        mine.check(&settings, arm);
        let stopped = mine.train(&settings, &mine.plain, arm);
        assert!(stopped.epochs.len() < 8, "it stops early, so there was a choice");
    }
}

/// Fault: trials of hyper-parameters are chosen on the test rows, or the chosen one is not the one that predicts.
#[test]
fn trials_are_chosen_on_inner_rows() {
    let settings = StudySettings { tune: 4, ..settings() };
    let mine = Mine::new(&settings);
    for arm in [Arm::Stl, Arm::Mtl, Arm::NGram] {
        mine.check(&settings, arm);
        let UnitOutcome { trials, tasks, .. } = mine.train(&settings, &mine.plain, arm);
        let scores: Vec<f64> = trials.iter().map(|trial| trial.score).collect();
        let highest = scores.iter().copied().fold(f64::MIN, f64::max);
        let of_tasks = tasks.values().map(|task| task.inner.as_ref().unwrap().score(settings.measure, 0.5));
        assert_eq!(of_tasks.sum::<f64>() / tasks.len() as f64, highest, "{arm:?}: what predicts is what scored best");
        if arm != Arm::NGram {
            let best = trials.iter().find(|trial| trial.score == highest).unwrap();
            let base = best.parameters.applied_to(&settings.base);
            let alone = StudySettings { tune: 1, base, ..settings.clone() };
            assert_eq!(tasks, mine.train(&alone, &mine.plain, arm).tasks);
        }
    }
}

/// Fault: the threshold is tuned on the test rows, or the n-grams' is not tuned at all.
#[test]
fn thresholds_are_the_best_of_the_inner_rows() {
    let settings = settings();
    let mine = Mine::new(&settings);
    let pair = &mine.plain;
    let mut tuned_away = 0;
    for arm in networks().into_iter().chain([Arm::NGram]) {
        for (task, predictions) in mine.train(&settings, pair, arm).tasks {
            let labels = |rows: &[usize]| -> Vec<bool> {
                rows.iter().filter_map(|&row| pair.dataset.examples[row].labels[pair.slot(&task)]).collect()
            };
            let inner = predictions.inner.unwrap();
            assert_eq!(inner.truths, labels(&mine.rows.inner), "{arm:?}: they are the inner rows");
            assert_eq!(predictions.truths, labels(&mine.rows.test), "{arm:?}: they are the test rows");
            assert_eq!(inner.tuned_threshold, best_threshold(&inner.probabilities, &inner.truths), "{arm:?}");
            let of_test = best_threshold(&predictions.probabilities, &predictions.truths);
            tuned_away += usize::from(inner.tuned_threshold != of_test);
        }
    }
    assert!(tuned_away > 5, "the test rows would have asked for other thresholds");
}

/// Fault: inner rows are learnt from. Where nothing is chosen by them, their labels change their own figures and nothing else.
#[test]
fn inner_rows_are_not_learnt_from() {
    let settings = settings();
    let mine = Mine::new(&settings);
    for arm in networks().into_iter().chain([Arm::NGram]) {
        let turned = turned_round(&mine.plain, arm, &mine.task, &mine.rows.inner);
        let [plain, turned] = [&mine.plain, &turned].map(|pair| mine.train(&settings, pair, arm));
        for (task, found) in &plain.tasks {
            let of_turned = &turned.tasks[task];
            assert_eq!(found.probabilities, of_turned.probabilities, "{arm:?}");
            let [inner, of_turned] = [found, of_turned].map(|predictions| predictions.inner.as_ref().unwrap());
            assert_eq!(inner.probabilities, of_turned.probabilities, "{arm:?}");
            assert_ne!(inner.truths, of_turned.truths, "{arm:?}");
        }
        let losses = |outcome: &UnitOutcome| -> Vec<f64> {
            outcome.epochs.iter().flat_map(|epoch| epoch.tasks.values().map(|task| task.loss)).collect()
        };
        assert_eq!(losses(&plain), losses(&turned), "{arm:?}: the losses of what is learnt from");
    }
}

/// Fault: the last epoch is kept where the best was asked for.
#[test]
fn the_best_epoch_is_kept_and_not_the_last() {
    let mut settings = settings();
    (settings.base.epochs, settings.base.keep, settings.base.learning_rate) = (12, Keep::Best, 0.1);
    let mine = Mine::new(&settings);
    for arm in [Arm::Stl, Arm::Mtl, Arm::Control(Control::MatchedSteps)] {
        let found = mine.train(&settings, &mine.plain, arm);
        let loss = |epoch: usize| -> f64 {
            let tasks = found.epochs[epoch - 1].tasks.values();
            tasks.map(|task| task.validation.as_ref().unwrap().log_loss).sum()
        };
        let best = (1..=found.epochs.len()).min_by(|&a, &b| loss(a).total_cmp(&loss(b))).unwrap();
        assert!(best < found.epochs.len(), "{arm:?}: the last epoch would be another one");
        assert_eq!(found.chosen_epoch, best, "{arm:?}");

        // The same training, ended there. STL with more epochs is the control with more steps.
        let mut ended = settings.clone();
        (ended.base.epochs, ended.base.keep) = (best, Keep::Last);
        let same = if arm == Arm::Mtl { Arm::Mtl } else { Arm::Stl };
        let [best, last] = [ended.clone(), StudySettings { base: last_of(&settings, &found), ..settings.clone() }]
            .map(|settings| mine.train(&settings, &mine.plain, same).tasks);
        assert!(found.tasks == best, "{arm:?}: the parameters are those of the best epoch");
        assert!(found.tasks != last, "{arm:?}: they are not those of the last");
    }
}

/// The settings of a training of as many epochs that keeps the last.
fn last_of(settings: &StudySettings, outcome: &UnitOutcome) -> Settings {
    Settings { epochs: outcome.epochs.len(), keep: Keep::Last, ..settings.base.clone() }
}
