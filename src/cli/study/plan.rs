//! What a study would take, for people and for programs.

use anyhow::Result;
use mtlcore::mtl::study::{Plan, Study};

use crate::{
    output::{self, Column, count},
    page::numbers::decimals,
};

pub fn print(plan: &Plan, as_json: bool) -> Result<()> {
    if as_json {
        return output::print(&output::json(plan)?);
    }
    let Plan { units, finished, seconds_at_most, may_stop_early, threads, bytes, sha256, tasks } = plan;
    let at_most = if *may_stop_early { "at most " } else { "about " };
    let mut text = format!(
        "{} units, {} of them finished; {at_most}{} on {threads} threads of this machine, and about {} MB of memory.\nPlan {}.\n\n",
        count(units),
        count(finished),
        time(*seconds_at_most),
        count(bytes.div_ceil(1_000_000)),
        &sha256[..16],
    );
    let mut columns = vec![Column::Text("pair"), Column::Text("task")];
    columns.extend(["texts", "true", "half width", "smallest gain"].map(Column::Number));
    let rows = tasks.iter().map(|task| {
        let mut row = vec![task.pair.clone(), task.task.clone(), count(task.texts), count(task.positives)];
        row.extend([task.half_width, task.smallest_effect].map(|points| decimals(points, 1)));
        row
    });
    text += &output::table(&columns, rows);
    text += "\nHalf width: what the texts leave of the interval, in points, however many trainings there are, if the two\n\
             ways decide a tenth of the texts differently. Smallest gain: found in four of five studies.\n";
    output::print(&text)
}

/// The units for other programs that run them one by one (`--only`): TSV, the dearest first.
pub fn print_units(study: &Study) -> Result<()> {
    let mut text = "unit\tcost\tfile\tfinished\n".to_owned();
    for unit in study.planned_units() {
        text += &format!("{}\t{}\t{}\t{}\n", unit.unit, unit.cost, unit.file.display(), unit.finished);
    }
    output::print(&text)
}

/// `40 s`, `12 min`, `3.5 h`.
fn time(seconds: f64) -> String {
    match seconds {
        s if s < 90.0 => format!("{} s", decimals(s, 0)),
        s if s < 5400.0 => format!("{} min", decimals(s / 60.0, 0)),
        s => format!("{} h", decimals(s / 3600.0, 1)),
    }
}
