//! Tasks, text, the model, its training and its evaluation.

pub mod balancing;
mod choices;
mod claim;
pub mod data;
mod directories;
pub mod evaluation;
pub mod explain;
pub mod files;
pub mod model;
pub mod multiverse;
pub mod prepare;
pub mod relatedness;
pub mod run;
pub mod settings;
pub mod streams;
pub mod study;
pub mod training;
