//! The page of a multiverse: the specification curve with the choices below it, and which of them decide.

use std::path::Path;

use anyhow::Result;
use minijinja::value::{Serde, Value};
use mtlcore::mtl::multiverse::{Multiverse, TaskMultiverse};
use serde::Serialize;
use serde_json::json;

use super::tables::{flips, levels, said, sentence};
use crate::page::{self, charts};

/// The height of a row of the levels' chart, in pixels.
const ROW: usize = 18;

/// Writes the page: one file that needs no network.
pub fn write(path: &Path, found: &Multiverse) -> Result<()> {
    let mut environment = page::environment();
    environment.add_template("multiverse.html", include_str!("multiverse.html")).expect("the template is valid");
    let tasks: Vec<Task> = found.tasks.iter().map(|task| Task::new(found, task)).collect();
    let values = Value::from(Serde(Page { found, tasks }));
    page::write(path, &page::render(&mut environment, "multiverse.html", &charts::scripts(), values)?)
}

/// The values of the template.
#[derive(Serialize)]
struct Page<'m> {
    found: &'m Multiverse,
    tasks: Vec<Task<'m>>,
}

#[derive(Serialize)]
struct Task<'m> {
    task: &'m TaskMultiverse,
    sentence: String,
    /// Of each share, its levels with their mean gains.
    levels: Vec<String>,
    flips: String,
    /// Each flip, in words.
    listed: Vec<String>,
    curve: String,
    specifications: String,
}

impl<'m> Task<'m> {
    fn new(found: &'m Multiverse, task: &'m TaskMultiverse) -> Self {
        Self {
            task,
            sentence: sentence(found, task),
            levels: task.shares.iter().map(|share| levels(found, share)).collect(),
            flips: flips(found, task),
            listed: task.flips.iter().map(|flip| said(found, flip)).collect(),
            curve: curve(found, task),
            specifications: specifications(found, task),
        }
    }
}

/// The gains by rank, with their intervals.
fn curve(found: &Multiverse, task: &TaskMultiverse) -> String {
    let points: Vec<_> = (1..)
        .zip(&task.universes)
        .map(|(rank, universe)| {
            let gain = &universe.gain;
            let verdict = match gain.verdict.word() {
                word @ ("helps" | "hurts" | "equivalent") => word,
                _ => "cannot tell",
            };
            json!({ "rank": rank, "gain": gain.difference, "low": gain.low, "high": gain.high, "verdict": verdict })
        })
        .collect();
    let region = json!([{ "low": -found.rope, "high": found.rope }]);
    charts::chart(include_str!("curve.vl.json"), json!({ "points": points, "region": region }))
}

/// Below the curve: which level each universe has of the choices, the decisive ones first.
fn specifications(found: &Multiverse, task: &TaskMultiverse) -> String {
    let (mut marks, mut rows) = (Vec::new(), 0);
    for share in &task.shares {
        let place = found.choices.iter().position(|choice| choice.name == share.choice).expect("it is one of them");
        for (level, described) in found.choices[place].levels.iter().enumerate() {
            // A number before each label keeps the order and tells equal labels apart.
            let row = format!("{rows:03}{}: {}", share.choice, described.label);
            rows += 1;
            for (rank, universe) in (1..).zip(&task.universes).filter(|(_, universe)| universe.levels[place] == level) {
                let sign = if universe.gain.difference > 0.0 { "above 0" } else { "below 0" };
                marks.push(json!({ "rank": rank, "row": row, "sign": sign }));
            }
        }
    }
    charts::chart_of_rows(include_str!("levels.vl.json"), (rows, ROW), json!({ "levels": marks }))
}
