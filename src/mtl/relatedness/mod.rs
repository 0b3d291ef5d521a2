//! How related are two tasks, and does relatedness predict the gain of learning them together?
//!
//! Each measure is a file of pure functions with its equation and source. `tasks`, `linear` and `network` get their numbers from texts,
//! `pair` takes every measure of one pair, and [`relate`] of all pairs. [`gains`] measures gains, [`against`] compares both,
//! [`phase_map`] measures gains where relatedness is known, and [`prediction`] predicts gains. Tables and pages belong to the command line.
//!
//! | file | measure | what it asks |
//! |---|---|---|
//! | [`divergence`] | excess vocabulary divergence | do the tasks choose their words differently? |
//! | [`a_distance`] | proxy A-distance | can a linear model tell their texts apart? |
//! | [`word_weights`] | word-weight cosine ρ̂ | do the same words speak for the true class? |
//! | [`zero_shot`] | zero-shot transfer ratio | what does a model of the partner know of the main task? |
//! | [`gradient_cosine`] | head-fitted gradient cosine | do both pull a shared layer into one direction? |
//! | [`lookahead`] | lookahead affinity | does a step for the partner make the main loss smaller? |
//! | [`representation`] | adjusted R², LEEP, LogME | does a layer trained on the partner carry the main label? |
//! | [`fisher`] | Fisher embedding | are both sensitive to the same parameters? |
//! | [`cka`] | debiased linear CKA | do layers of both represent texts alike? |
//! | [`labels`] | κ, φ, mutual information | do labels of the same texts agree? |
//! | [`context`] | sizes, prevalence, lengths | predictors in their own right |

pub mod a_distance;
pub mod against;
pub mod cka;
mod clusters;
pub mod context;
pub mod correlation;
pub mod divergence;
pub mod fisher;
pub mod gains;
pub mod gradient_cosine;
pub mod labels;
pub mod linear;
pub mod lookahead;
mod measured;
mod network;
mod outlook;
mod pair;
pub mod phase_map;
pub mod prediction;
mod relate;
pub mod representation;
mod tasks;
pub mod word_weights;
pub mod zero_shot;

pub use clusters::clustered;
pub use measured::{Measured, cosine, spearman_brown};
pub use outlook::Outlook;
pub use relate::{Extent, MEASURES, Measure, PairRelatedness, Relatedness, TaskFacts, relate};
