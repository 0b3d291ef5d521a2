//! Balancing: what to do where the tasks pull on the same weights in different directions.
//!
//! Every method turns what is known at a step into a weight for each task, and the step is against d = Σ wᵢ gᵢ, where gᵢ is the
//! gradient of task i. They differ in what they look at:
//!
//! | method | looks at | promises |
//! |---|---|---|
//! | [`equal`] | nothing | the gradient of the sum |
//! | static, [`TaskWeights`](super::settings::TaskWeights) | weights that are given | the gradient of the weighted sum |
//! | [`uncertainty`] | losses; learns a noise for each task | |
//! | [`dynamic_weight_average`] | the losses of the last two epochs | |
//! | [`geometric`] | losses | the scale of a loss does not matter |
//! | [`random`] | nothing: the placebo | |
//! | [`gradnorm`] | losses and lengths of the gradients | |
//! | [`mgda`] | gradients | no conflict is left |
//! | [`pcgrad`] | gradients | no conflict is left between two |
//! | [`cagrad`] | gradients | stays near the mean gradient |
//! | [`imtl_g`] | gradients | equal projections on all |
//! | [`upgrad`] | gradients | no conflict is left |
//! | [`nash_mtl`] | gradients | no conflict is left; the scale of a loss does not matter |
//! | [`aligned_mtl`] | gradients | the gradients made orthogonal |
//!
//! Two tasks are in conflict where their gradients' cosine is negative, and d leaves a conflict with a task where ⟨d, gᵢ⟩ is negative:
//! then a small step makes its loss larger. Methods that look at gradients see those with respect to the shared parameters, and only
//! their inner products, the [`Gram`] matrix.

pub mod aligned_mtl;
mod balancer;
pub mod cagrad;
mod compare;
pub mod dynamic_weight_average;
pub mod equal;
pub mod geometric;
pub mod gradnorm;
mod gram;
pub mod imtl_g;
pub mod mgda;
pub mod nash_mtl;
pub mod pcgrad;
pub mod random;
pub(in crate::mtl) mod solve;
pub mod uncertainty;
pub mod upgrad;

pub use balancer::{Balancer, BalancerState, StepInfo};
pub use compare::{Combined, compare};
pub use gram::Gram;

#[cfg(test)]
mod tests;
