//! `results.csv`: one line a task, layer, arm, fold and threshold, for statistics elsewhere.

use std::io::{self, Write};

use super::{
    METRICS, Results,
    results::{ArmResult, FoldResult},
};
use crate::mtl::evaluation::metrics::Metrics;

/// Writes all folds of all arms.
///
/// # Errors
/// What `output` returns.
pub(in crate::mtl::study) fn write(results: &Results, output: &mut dyn Write) -> io::Result<()> {
    let mut csv = csv::Writer::from_writer(output);
    let places = ["pair", "task", "shared", "arm", "repeat", "fold", "seed", "decision", "threshold"];
    let counts = ["rows", "positives", "tp", "fp", "fn", "tn"];
    csv.write_record(places.into_iter().chain(counts).chain(METRICS.map(|(name, _)| name)))?;
    for pair in &results.pairs {
        for layer in &pair.layers {
            for task in &layer.tasks {
                let arms = [("stl", &task.stl), ("mtl", &task.mtl)].into_iter();
                let controls = task.controls.iter().map(|control| (control.control.word(), &control.arm));
                let balanced = task.balanced.iter().map(|balanced| (balanced.balance.word(), &balanced.arm));
                for (arm, result) in arms.chain(controls).chain(balanced) {
                    let place = [&pair.name, &task.task, layer.shared.word(), arm].map(str::to_owned);
                    write_arm(&mut csv, &place, result)?;
                }
            }
        }
    }
    csv.flush()
}

fn write_arm(csv: &mut csv::Writer<&mut dyn Write>, place: &[String; 4], arm: &ArmResult) -> io::Result<()> {
    for FoldResult { repeat, fold, seed, metrics, tuned, .. } in &arm.folds {
        let decisions = [("fixed", Some(metrics)), ("tuned", tuned.as_ref())];
        for (decision, metrics) in decisions.into_iter().filter_map(|(decision, metrics)| Some((decision, metrics?))) {
            let Metrics { threshold, n, positives, counts, .. } = metrics;
            let measured = METRICS.iter().map(|(_, of)| of(metrics).map_or(String::new(), |value| value.to_string()));
            let fields =
                [repeat.to_string(), fold.to_string(), seed.to_string(), decision.to_owned(), threshold.to_string()];
            let counts = [*n, *positives, counts.tp, counts.fp, counts.fn_, counts.tn].map(|count| count.to_string());
            csv.write_record(place.iter().cloned().chain(fields).chain(counts).chain(measured))?;
        }
    }
    Ok(())
}
