//! Trials of hyper-parameters: the same number, and the same ones, for every arm.

use rand::RngExt;
use serde::{Deserialize, Serialize};

use crate::mtl::{
    settings::{EmbeddingSource, Settings},
    streams::Streams,
};

/// What a trial of `--tune` varies.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct HyperParameters {
    /// Adam's step size.
    pub learning_rate: f64,
    /// Units of the BiLSTM in each direction, and filters of the convolution, as a multiple of the settings'.
    pub width: f64,
    /// Share of the sentence vector that dropout zeroes.
    pub dropout: f64,
    /// Whether word vectors stay as they are.
    pub embedding: EmbeddingSource,
    /// The n-gram baseline's inverse strength of regularisation (scikit-learn's C).
    pub c: f64,
}

impl HyperParameters {
    /// Of a study's settings as they are: the first trial.
    pub fn of(settings: &Settings) -> Self {
        let Settings { learning_rate, dropout, embedding, .. } = *settings;
        Self { learning_rate, width: 1.0, dropout, embedding, c: 1.0 }
    }

    /// Trial number `trial` (from 0) of a study. All but the first are drawn at random (Bergstra & Bengio 2012): step size and C
    /// log-uniformly up to a factor of √10 and of 10 around the settings', width among ½, 1, 2 and 4, dropout up to ½.
    pub fn trial(settings: &Settings, study_seed: u64, trial: usize) -> Self {
        let given = Self::of(settings);
        if trial == 0 {
            return given;
        }
        let mut rng = Streams::new(study_seed).rng("trial of hyper-parameters", trial as u64);
        let learning_rate = given.learning_rate * 10f64.powf(rng.random_range(-0.5..0.5));
        let width = [0.5, 1.0, 2.0, 4.0][rng.random_range(0..4)];
        let dropout = rng.random_range(0.0..0.5);
        let is_fine_tuned: bool = rng.random();
        let embedding = match given.embedding {
            EmbeddingSource::Random => EmbeddingSource::Random,
            _ if is_fine_tuned => EmbeddingSource::FineTuned,
            _ => EmbeddingSource::Frozen,
        };
        Self { learning_rate, width, dropout, embedding, c: 10f64.powf(rng.random_range(-1.0..1.0)) }
    }

    /// The settings with these in place of their own.
    pub fn applied_to(self, settings: &Settings) -> Settings {
        let Self { learning_rate, width, dropout, embedding, c: _ } = self;
        let widened = |size: usize| ((size as f64 * width).round() as usize).max(1);
        let (units, filters) = (widened(settings.units), widened(settings.filters));
        Settings { learning_rate, units, filters, dropout, embedding, ..settings.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mtl::settings::Preset;

    #[test]
    fn the_first_trial_is_the_settings_and_others_differ() {
        let settings = Settings::preset(Preset::Default);
        let trial = |number| HyperParameters::trial(&settings, 7, number);
        assert_eq!(trial(0).applied_to(&settings), settings);
        assert_ne!(trial(1), trial(2));
        assert_eq!(trial(3), trial(3));
        for number in 1..200 {
            let HyperParameters { learning_rate, width, dropout, c, .. } = trial(number);
            assert!((3e-4..3.2e-3).contains(&learning_rate) && (0.5..=4.0).contains(&width));
            assert!((0.0..0.5).contains(&dropout) && (0.1..10.0).contains(&c));
            let applied = trial(number).applied_to(&settings);
            assert_eq!((applied.learning_rate, applied.dropout), (learning_rate, dropout));
            for (size, given) in [(applied.units, settings.units), (applied.filters, settings.filters)] {
                assert_eq!(size, (width * given as f64).round() as usize);
            }
        }
    }
}
