//! All methods on the same gradients.

use super::{Balancer, Gram, StepInfo};
use crate::mtl::settings::{Balance, Preset, Settings};

/// What one method makes of some gradients.
#[derive(Clone, Debug, PartialEq)]
pub struct Combined {
    /// The method.
    pub balance: Balance,
    /// The weight of each gradient.
    pub weights: Vec<f64>,
    /// ‖d‖, where d = Σ wᵢ gᵢ.
    pub norm: f64,
    /// The cosine of the angle between d and each gradient.
    pub cosines: Vec<f64>,
}

impl Combined {
    /// Whether d goes against a gradient: by a cosine below −0.001, which is more than rounding or UPGrad's regularisation leave.
    pub fn leaves_conflict(&self) -> bool {
        self.cosines.iter().any(|&cosine| cosine < -1e-3)
    }
}

/// Every method but static weights, which have to be given, at its first step: methods that learn or look back have weight 1 then.
pub fn compare(gram: &Gram, losses: &[f64], seed: u64) -> Vec<Combined> {
    let tasks: Vec<usize> = (0..gram.tasks()).collect();
    let names: Vec<String> = tasks.iter().map(ToString::to_string).collect();
    let combine = |&balance: &Balance| {
        let settings = Settings { balance, seed, ..Settings::preset(Preset::Default) };
        let evidence = StepInfo { step: 0, tasks: &tasks, losses, epochs: None, gram: Some(gram) };
        let weights = Balancer::new(&settings, &names).weights(&evidence).to_vec();
        let cosines = tasks.iter().map(|&task| gram.combined_cosine(task, &weights)).collect();
        Combined { balance, norm: gram.combined_norm(&weights), cosines, weights }
    };
    Balance::ALL.iter().filter(|&&balance| balance != Balance::Static).map(combine).collect()
}
