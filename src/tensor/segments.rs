//! Texts of different lengths, packed one after the other.

use std::sync::{Arc, OnceLock};

/// In a list of rows: no row, but zeros.
pub const NO_ROW: u32 = u32::MAX;

/// Says which rows of a packed batch belong to which text: text `i` owns rows `offsets[i]..offsets[i + 1]`.
/// There is no padding, so the work follows the real tokens.
#[derive(Clone, Debug)]
pub struct Segments {
    offsets: Vec<usize>,
    /// Made for the first recurrent layer that asks: a convolution needs none.
    steps: OnceLock<TimeSteps>,
    every_row: Arc<[u32]>,
    first_rows: Arc<[u32]>,
    last_rows: Arc<[u32]>,
}

/// The order in which a recurrent layer walks a packed batch: at step `t` it updates the `live[t]` longest texts, which are the
/// first of `order`. A buffer in step order holds the rows of step 0, then those of step 1, and so on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeSteps {
    order: Vec<usize>,
    starts: Vec<usize>,
    /// From the first token of each text to its last, and from the last to the first.
    tokens: [Vec<u32>; 2],
}

/// All else follows from the offsets.
impl PartialEq for Segments {
    fn eq(&self, other: &Self) -> bool {
        self.offsets == other.offsets
    }
}

impl Eq for Segments {}

impl Segments {
    /// Segments of the given lengths, one after the other.
    pub fn from_lengths(lengths: impl IntoIterator<Item = usize>) -> Self {
        let mut offsets = vec![0];
        let mut end = 0;
        for length in lengths {
            end += length;
            offsets.push(end);
        }
        let of_texts = |row: fn(usize, usize) -> usize| {
            offsets.windows(2).map(|o| if o[0] == o[1] { NO_ROW } else { row(o[0], o[1]) as u32 }).collect()
        };
        Self {
            steps: OnceLock::new(),
            every_row: (0..end as u32).collect(),
            first_rows: of_texts(|start, _| start),
            last_rows: of_texts(|_, end| end - 1),
            offsets,
        }
    }

    /// The number of texts.
    pub fn count(&self) -> usize {
        self.offsets.len() - 1
    }

    /// The number of rows of all texts together.
    pub fn total(&self) -> usize {
        self.offsets[self.count()]
    }

    /// The rows of text `i`.
    pub fn range(&self, i: usize) -> std::ops::Range<usize> {
        self.offsets[i]..self.offsets[i + 1]
    }

    /// The rows of each text, in turn.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = std::ops::Range<usize>> + '_ {
        (0..self.count()).map(|i| self.range(i))
    }

    /// Every row, in order.
    pub fn every_row(&self) -> &Arc<[u32]> {
        &self.every_row
    }

    /// The first row of each text; [`NO_ROW`] for one without rows.
    pub fn first_rows(&self) -> &Arc<[u32]> {
        &self.first_rows
    }

    /// The last row of each text; [`NO_ROW`] for one without rows.
    pub fn last_rows(&self) -> &Arc<[u32]> {
        &self.last_rows
    }

    /// The walk of a recurrent layer.
    pub fn steps(&self) -> &TimeSteps {
        self.steps.get_or_init(|| TimeSteps::new(&self.offsets))
    }
}

impl TimeSteps {
    fn new(offsets: &[usize]) -> Self {
        let length = |text: usize| offsets[text + 1] - offsets[text];
        let mut order: Vec<usize> = (0..offsets.len() - 1).collect();
        order.sort_by_key(|&text| std::cmp::Reverse(length(text))); // Stable: texts of one length stay in order.
        let longest = order.first().map_or(0, |&text| length(text));
        let mut starts = Vec::with_capacity(longest + 1);
        starts.push(0);
        let mut live = order.len();
        for step in 0..longest {
            while length(order[live - 1]) <= step {
                live -= 1;
            }
            starts.push(starts[step] + live);
        }
        let live = |step: usize| order[..starts[step + 1] - starts[step]].iter();
        let tokens = [false, true].map(|reversed| {
            let token = |text: usize, t: usize| if reversed { offsets[text + 1] - 1 - t } else { offsets[text] + t };
            let mut tokens = Vec::with_capacity(starts[longest]);
            (0..longest).for_each(|t| tokens.extend(live(t).map(|&text| token(text, t) as u32)));
            tokens
        });
        Self { order, starts, tokens }
    }

    /// The texts, longest first.
    pub fn order(&self) -> &[usize] {
        &self.order
    }

    /// The number of steps: the length of the longest text.
    pub fn count(&self) -> usize {
        self.starts.len() - 1
    }

    /// The rows of step `t` in a buffer in step order.
    pub fn rows(&self, t: usize) -> std::ops::Range<usize> {
        self.starts[t]..self.starts[t + 1]
    }

    /// The token of the batch at each row of a buffer in step order, for a walk from the first token of each text to its last, or
    /// (`reversed`) from the last to the first.
    pub fn tokens(&self, reversed: bool) -> &[u32] {
        &self.tokens[usize::from(reversed)]
    }

    /// The texts that are live at step `t`, in the order of [`rows`](Self::rows).
    pub fn live(&self, t: usize) -> &[usize] {
        &self.order[..self.rows(t).len()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_hold_the_live_texts_longest_first() {
        let segments = Segments::from_lengths([2, 0, 3, 1]);
        assert_eq!((segments.count(), segments.total()), (4, 6));
        assert_eq!(segments.iter().collect::<Vec<_>>(), [0..2, 2..2, 2..5, 5..6]);
        assert_eq!(**segments.every_row(), [0, 1, 2, 3, 4, 5]);
        assert_eq!(**segments.first_rows(), [0, NO_ROW, 2, 5]);
        assert_eq!(**segments.last_rows(), [1, NO_ROW, 4, 5]);
        let steps = segments.steps();
        assert_eq!(steps.order(), [2, 0, 3, 1]);
        assert_eq!((0..steps.count()).map(|t| steps.live(t).len()).collect::<Vec<_>>(), [3, 2, 1]);
        assert_eq!((0..steps.count()).map(|t| steps.rows(t)).collect::<Vec<_>>(), [0..3, 3..5, 5..6]);
        assert_eq!(steps.tokens(false), [2, 0, 5, 3, 1, 4]);
        assert_eq!(steps.tokens(true), [4, 1, 5, 3, 0, 2]);
    }

    #[test]
    fn no_text_and_empty_texts_have_no_step() {
        assert_eq!(Segments::from_lengths([]).steps().count(), 0);
        assert_eq!(Segments::from_lengths([0, 0]).steps().count(), 0);
    }
}
