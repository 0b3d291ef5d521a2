//! Tasks, text, the model, its training and its evaluation.

pub mod data;
pub mod evaluation;
pub mod model;
pub mod settings;
pub mod streams;
