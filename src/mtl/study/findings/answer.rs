//! The answer for a pair in a sentence.

use super::results::{PairResult, TaskResult};
use crate::mtl::{evaluation::statistics::Verdict, settings::Shared};

/// What multi-task learning does to the pair's tasks.
pub(super) fn sentence(pair: &PairResult) -> String {
    let cells: Vec<(Shared, &TaskResult)> =
        pair.layers.iter().flat_map(|layer| layer.tasks.iter().map(|task| (layer.shared, task))).collect();
    let of = |verdict: Verdict| -> Vec<String> {
        let with = cells.iter().filter(|(_, task)| task.f1.verdict == verdict);
        with.map(|(shared, task)| format!("{} ({} {:+.1})", task.task, shared.word(), task.f1.spread.mean)).collect()
    };
    let said = [
        (Verdict::Helps, "helps"),
        (Verdict::Hurts, "hurts"),
        (Verdict::Equivalent, "makes no difference that matters to"),
    ];
    let mut parts: Vec<String> = said
        .into_iter()
        .map(|(verdict, verb)| (verb, of(verdict)))
        .filter(|(_, cells)| !cells.is_empty())
        .map(|(verb, cells)| format!("{verb} {}", list(&cells)))
        .collect();
    let undecided = of(Verdict::Undecided).len();
    if parts.is_empty() {
        return format!(
            "These folds cannot tell whether learning {} together helps: all {undecided} comparisons are undecided.",
            list(&pair.tasks.iter().map(|task| task.name.clone()).collect::<Vec<_>>())
        );
    }
    if undecided > 0 {
        parts.push(format!("is undecided in {undecided} of {} comparisons", cells.len()));
    }
    format!("Learning together {}.", list(&parts))
}

/// `a`, `a and b`, `a, b and c`.
fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}
