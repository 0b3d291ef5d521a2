//! A balancing method during a training: its inputs, its weights, its state.

use serde::{Deserialize, Serialize};

use super::{
    Gram, aligned_mtl, cagrad, dynamic_weight_average, equal, geometric,
    gradnorm::GradNorm,
    imtl_g, mgda, nash_mtl, pcgrad, random,
    uncertainty::{LogVariance, Uncertainty},
    upgrad,
};
use crate::autograd::AdamSettings;
use crate::mtl::{
    model::PerTask,
    settings::{Balance, Settings},
    streams::Streams,
};

/// The inputs of a balancing method at one step. A task without a label in the batch is absent and takes no part.
#[derive(Clone, Copy, Debug)]
pub struct StepInfo<'e> {
    /// Steps that were made before, in all.
    pub step: u64,
    /// The tasks that are present, rising.
    pub tasks: &'e [usize],
    /// Their losses.
    pub losses: &'e [f64],
    /// The mean loss of every task over the last epoch, and over the one before; once two epochs are done.
    pub epochs: Option<[&'e [f64]; 2]>,
    /// Their gradients with respect to the shared parameters, for a method that [needs them](Balancer::needs_gradients).
    pub gram: Option<&'e Gram>,
}

/// A method and its state.
#[derive(Clone, Debug)]
pub struct Balancer {
    balance: Balance,
    streams: Streams,
    fixed: Vec<f64>,
    uncertainty: Uncertainty,
    gradnorm: GradNorm,
}

/// The state of a method between steps. Most have none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BalancerState {
    /// Of uncertainty weighting, task by task.
    Uncertainty(Vec<LogVariance>),
    /// Of GradNorm.
    Gradnorm(GradNorm),
}

impl Balancer {
    /// The method that the settings name, before its first step. A task without a static weight has 1.
    pub fn new(settings: &Settings, tasks: &[String]) -> Self {
        let given = |task: &String| settings.balance_weights.as_ref().and_then(|weights| weights.get(task));
        let adam = AdamSettings {
            learning_rate: settings.learning_rate,
            beta1: settings.beta1,
            beta2: settings.beta2,
            epsilon: settings.epsilon,
            form: settings.adam,
            ..AdamSettings::default()
        };
        Self {
            balance: settings.balance,
            streams: Streams::new(settings.seed),
            fixed: tasks.iter().map(|task| given(task).unwrap_or(1.0)).collect(),
            uncertainty: Uncertainty::new(tasks.len(), adam),
            gradnorm: GradNorm::new(tasks.len()),
        }
    }

    /// Equal weights.
    pub fn equal() -> Self {
        let uncertainty = Uncertainty::new(0, AdamSettings::default());
        let (fixed, gradnorm) = (Vec::new(), GradNorm::new(0));
        Self { balance: Balance::Equal, streams: Streams::new(0), fixed, uncertainty, gradnorm }
    }

    /// Whether it needs the mean losses of the previous epochs.
    pub fn looks_back(&self) -> bool {
        self.balance == Balance::DynamicWeightAverage
    }

    /// Whether it looks at the tasks' gradients. Then its weights are for the shared parameters, and each head keeps its own gradient;
    /// otherwise they are for the losses.
    pub fn needs_gradients(&self) -> bool {
        use Balance::*;
        match self.balance {
            Equal | Static | Uncertainty | DynamicWeightAverage | Geometric | Random => false,
            GradNorm | Mgda | PcGrad | CaGrad | ImtlG | UpGrad | NashMtl | AlignedMtl => true,
        }
    }

    /// The weight of each task that is present, so that the step is against Σ wᵢ gᵢ.
    ///
    /// A gradient method gives a task that is alone in the batch the weight 1 (GradNorm: the weight that it has): there is nothing to
    /// balance. Gradients that are not finite get 1 as well; they diverge however they are weighed.
    ///
    /// # Panics
    /// If the method needs gradients and has none.
    pub fn weights(&mut self, evidence: &StepInfo<'_>) -> PerTask<f64> {
        match self.balance {
            // Without an allocation, as the step that it leads to.
            Balance::Equal => PerTask::from_elem(1.0, evidence.tasks.len()),
            _ => self.chosen(evidence).into(),
        }
    }

    fn chosen(&mut self, evidence: &StepInfo<'_>) -> Vec<f64> {
        let StepInfo { step, tasks, losses, epochs, gram } = *evidence;
        let ones = || equal::weights(tasks.len());
        let of_gradients = |weights: &mut dyn FnMut(&Gram) -> Vec<f64>| {
            let gram = gram.expect("the method needs the tasks' gradients");
            assert_eq!(gram.tasks(), tasks.len(), "one gradient for each task that is present");
            if gram.is_finite() { weights(gram) } else { ones() }
        };
        let of_conflict = |weights: &mut dyn FnMut(&Gram) -> Vec<f64>| {
            of_gradients(&mut |gram| if tasks.len() < 2 { ones() } else { weights(gram) })
        };
        match self.balance {
            Balance::Equal => ones(),
            Balance::Static => tasks.iter().map(|&task| self.fixed[task]).collect(),
            Balance::Uncertainty => self.uncertainty.weights(tasks, losses),
            Balance::DynamicWeightAverage => epochs.map_or_else(ones, |epochs| {
                let [last, before] = epochs.map(|epoch| tasks.iter().map(|&task| epoch[task]).collect::<Vec<_>>());
                dynamic_weight_average::weights(&last, &before)
            }),
            Balance::Geometric => geometric::weights(losses),
            Balance::Random => random::weights(tasks.len(), &mut self.streams.rng("random loss weighting", step)),
            Balance::GradNorm => of_gradients(&mut |gram| self.gradnorm.weights(tasks, losses, gram)),
            Balance::Mgda => of_conflict(&mut mgda::weights),
            Balance::PcGrad => {
                let mut rng = self.streams.rng("order of projections", step);
                of_conflict(&mut |gram| pcgrad::weights(gram, &mut rng))
            }
            Balance::CaGrad => of_conflict(&mut cagrad::weights),
            Balance::ImtlG => of_conflict(&mut imtl_g::weights),
            Balance::UpGrad => of_conflict(&mut upgrad::weights),
            Balance::NashMtl => of_conflict(&mut nash_mtl::weights),
            Balance::AlignedMtl => of_conflict(&mut aligned_mtl::weights),
        }
    }

    /// The state to save in a checkpoint.
    pub fn state(&self) -> Option<BalancerState> {
        match self.balance {
            Balance::Uncertainty => Some(BalancerState::Uncertainty(self.uncertainty.state())),
            Balance::GradNorm => Some(BalancerState::Gradnorm(self.gradnorm.clone())),
            _ => None,
        }
    }

    /// Whether this is the state of such a method for as many tasks.
    pub fn fits(&self, state: Option<&BalancerState>) -> bool {
        match (self.state(), state) {
            (Some(BalancerState::Uncertainty(own)), Some(BalancerState::Uncertainty(other))) => {
                own.len() == other.len()
            }
            (Some(BalancerState::Gradnorm(own)), Some(BalancerState::Gradnorm(other))) => own.tasks() == other.tasks(),
            (own, other) => own.is_none() && other.is_none(),
        }
    }

    /// Restores a saved state.
    ///
    /// # Panics
    /// If it does not [fit](Self::fits).
    pub fn restore(&mut self, state: Option<BalancerState>) {
        assert!(self.fits(state.as_ref()), "the state of another method, or of other tasks");
        match state {
            Some(BalancerState::Uncertainty(state)) => self.uncertainty.restore(&state),
            Some(BalancerState::Gradnorm(state)) => self.gradnorm = state,
            None => {}
        }
    }
}
