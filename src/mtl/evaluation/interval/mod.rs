//! The interval of a difference between two arms over k folds × S seeds (× R repeats), and the verdict that it gives.
//!
//! What is estimated is the expected difference over training sets of this size and over seeds, on new texts. Its variance has three
//! sources, and with several trainings in every fold each is seen on its own: the sample of test texts (by the influence of each
//! text), the seed of a training (by the spread of a fold's trainings), and the sample of training rows, which one cross-validation
//! cannot estimate, so that it is bounded as Nadeau & Bengio (2003) bound it, but from the texts' part alone: seeds do not overlap.
//!
//! | file | what it does |
//! |---|---|
//! | `measure` | [`Measure`]: what arms are compared by |
//! | `influence` | how much each text moves a measure |
//! | `paired` | [`paired_interval`]: from two arms' predictions to influences and differences |
//! | `components` | [`Interval`]: from these to the three parts of the variance |
//! | `projection` | what more seeds or more texts would make of an interval |
//! | `verdict` | [`Verdict`]: does it gain, does it cost? |
//! | `learning` | [`NothingLearnt`]: was there anything to compare? |

mod components;
mod influence;
mod learning;
mod measure;
mod paired;
mod projection;
mod verdict;

#[cfg(test)]
mod tests;

pub use components::{Interval, Variance};
pub use learning::{NothingLearnt, nothing_learnt, nothing_learnt_by_most};
pub use measure::Measure;
pub use paired::{PairedUnit, Side, paired_interval};
pub use verdict::Verdict;
