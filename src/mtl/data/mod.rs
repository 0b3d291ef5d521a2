//! From people's files to integer examples: file → [`Record`] → tokens → ids → [`Example`].
//!
//! | file | what it does |
//! |---|---|
//! | `tasks` | what a user declares: [`TaskSource`] |
//! | `format`, `reader`, `writer` | rows in and out, TSV, CSV and JSON Lines, plain or gzip |
//! | `corpus` | [`read`]: the rows of all tasks, with their labels |
//! | `tokens`, `glove` | [`Tokenizer`] |
//! | `vocabulary`, `vectors` | [`Vocabulary`]; the rows of a GloVe file that it needs: [`Vectors`] |
//! | `dataset`, `groups` | [`Dataset`]: texts as ids; which of them stay together |
//! | `split`, `stratify` | [`hold_out`]; every class on every side |
//! | `check` | [`Check`]: what was understood of the data |
//! | `simulate` | [`Simulation`]: a pair of tasks whose truth is known |

mod check;
mod corpus;
mod dataset;
mod format;
mod glove;
mod groups;
mod reader;
mod simulate;
mod split;
mod stratify;
mod tasks;
mod tokens;
mod vectors;
mod vocabulary;
mod writer;

pub use check::{Check, Coverage, FirstRow, SourceCheck, TaskCheck, VocabularyCheck};
pub use corpus::{Corpus, Record, Source, read, read_grouped, require_both_classes};
pub use dataset::{Dataset, Encoder, Example, Padding};
pub use format::{Format, open, sha256};
pub use groups::DominantGroup;
pub use reader::{Cell, Cells, Column, Fields, Row, RowReader};
pub(crate) use simulate::TASKS as SIMULATED_TASKS;
pub use simulate::{SIMULATION_FIELDS, SimulatedFile, SimulatedWord, Simulation, SimulationField};
pub use split::{Split, hold_out};
pub(crate) use stratify::{Group, stratify};
pub use tasks::TaskSource;
pub use tokens::Tokenizer;
pub use vectors::Vectors;
pub use vocabulary::Vocabulary;
pub use writer::RowWriter;
