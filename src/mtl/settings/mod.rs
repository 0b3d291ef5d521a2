//! One configuration for everything: a flat TOML table of kebab-case fields, and one `[[task]]` table a task.
//!
//! ```toml
//! preset = "paper"
//! vectors = "glove.twitter.27B.200d.txt"
//! shared = "bilstm-conv"
//! epochs = 20
//!
//! [[task]]
//! name = "influenza"
//! file = "influenza.tsv"
//! ```
//!
//! Every knob is declared once, in `fields.rs`. The struct [`Settings`], the list [`FIELDS`], the flags of the command
//! line (`--epochs 20`), the nearest name for a misspelt one and what [`Settings::to_toml`] prints come from there.
//! [`Settings::load`] lays flags over the file, and the file over a [`Preset`].
//!
//! File names in a configuration are relative to the working directory, as they are in flags, and not to the file that
//! names them.

mod choices;
mod field;
mod fields;
mod load;
mod print;
mod probe;
mod tables;
mod task_weights;

pub use choices::{
    AbsentHead, Balance, BatchComposition, EmbeddingSource, EmbeddingUpdates, HeadStart, Keep, LossNormaliser, Preset,
    Shared, UnknownWord,
};
pub use field::{Field, Kind, literal};
pub use fields::{FIELDS, Settings};
pub(crate) use load::{Schema, Tables, from_value};
pub(crate) use print::explained;
pub use probe::Probe;
pub use task_weights::TaskWeights;
