//! What to know of a comparison before believing its verdict.

use mtlcore::mtl::{
    evaluation::interval::NothingLearnt,
    study::results::{Cell, NotLearnt},
};

use crate::page::words::{self, said};

/// Whether trainings of the comparison were still improving when they ended.
pub fn is_not_converged(cell: &Cell) -> bool {
    cell.still_improving.is_some_and(|improving| improving.is_notable())
}

/// What to know of a comparison before believing its verdict.
pub fn notes(cell: &Cell) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(NotLearnt { alone, together }) = cell.not_learnt {
        let how = |side: &str, how: NothingLearnt| {
            let how = serde_json::to_value(how).expect("a word");
            format!("{side}: {}", said(words::NOTHING_LEARNT, how.as_str().unwrap_or_default()))
        };
        notes.extend(alone.map(|found| how("alone", found)));
        notes.extend(together.map(|found| how("together", found)));
    }
    for (applies, note) in [
        (is_not_converged(cell), "not converged"),
        (cell.alone_is_matched, "alone: as many steps"),
        (cell.variance.widened, "widened"),
    ] {
        if applies {
            notes.push(note.into());
        }
    }
    notes
}
