//! From people's files to integer examples: file → [`Record`] → tokens → ids → [`Example`].
//!
//! | file | what it does |
//! |---|---|
//! | `tasks` | what a user declares: [`TaskSource`] |
//! | `input` | a file's bytes as text: plain or gzip, UTF-8 or UTF-16, lines of bounded length |
//! | `format`, `dialect`, `reader`, `writer` | rows in and out, TSV, CSV and JSON Lines |
//! | `corpus` | [`read`]: the rows of all tasks, with their labels |
//! | `tokens`, `glove` | [`Tokenizer`] |
//! | `vocabulary`, `vectors` | [`Vocabulary`]; the rows of a GloVe file that it needs: [`Vectors`] |
//! | `dataset`, `example`, `groups` | [`Dataset`]: texts as ids; which of them stay together |
//! | `split`, `stratify` | [`hold_out`]; every class on every side |
//! | `check`, `coverage` | [`Check`]: what was understood of the data; [`Coverage`]: how many tokens have a vector |
//! | `simulate` | [`Simulation`]: a pair of tasks whose truth is known |
//! | `attrition` | how many posts of a file of fetched ones are gone: [`Attrition`] |
//! | `hydrate` | posts by their ids, from the X API or from files that people hold |

mod attrition;
mod check;
mod corpus;
mod coverage;
mod dataset;
mod dialect;
mod example;
mod format;
mod glove;
mod groups;
#[cfg(feature = "hydrate")]
pub mod hydrate;
mod input;
mod reader;
mod simulate;
mod source_entry;
mod split;
mod stratify;
mod tasks;
mod tokens;
mod vectors;
mod vocabulary;
mod writer;

pub use attrition::{Attrition, Kept, LabelAttrition, missing_of};
pub use check::{Check, FirstRow, SourceCheck, TaskCheck, VocabularyCheck};
pub use corpus::{Corpus, Record, Source, read, read_grouped, require_both_classes};
pub use coverage::Coverage;
pub use dataset::{Dataset, Padding, TextEncoder};
pub use dialect::{Delimiter, Dialect};
pub use example::Example;
pub use format::{Format, sha256};
pub use groups::DominantGroup;
pub use input::{Input, open, unpacked};
pub use reader::{Cell, Cells, Column, Fields, Json, Object, Row, RowReader};
pub(crate) use simulate::TASKS as SIMULATED_TASKS;
pub use simulate::{SIMULATION_FIELDS, SimulatedFile, SimulatedWord, Simulation, SimulationField};
pub use source_entry::SourceEntry;
pub use split::{Split, hold_out};
pub(crate) use stratify::{Group, stratify};
pub(crate) use tasks::DEFAULT_TEXT_COLUMN;
pub use tasks::TaskSource;
pub use tokens::Tokenizer;
pub use vectors::Vectors;
pub use vocabulary::Vocabulary;
pub use writer::RowWriter;
