//! One row as the models see it.

/// One text to learn from or to be measured on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// Who it is: a hash of its text and line, the same whatever other tasks are loaded. Orders rows at random.
    pub key: u64,
    /// A hash of its tokens (after `max_length`, before padding): texts that a model cannot tell apart share it. Where the
    /// records have groups of their own, so do all that such groups and equal tokens connect; it is then the smallest hash.
    pub group: u64,
    /// The ids of its tokens, padding included.
    pub tokens: Vec<u32>,
    /// One slot a task, in the order of [`Dataset::tasks`](super::Dataset::tasks); `None` is a missing label.
    pub labels: Vec<Option<bool>>,
    /// Index into the corpus' sources.
    pub source: u32,
    /// The line of the source where its row begins.
    pub line: u64,
    /// Whether it comes from a validation file.
    pub validation: bool,
}
