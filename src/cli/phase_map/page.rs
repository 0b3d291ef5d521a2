//! The page of a phase map: size × relatedness as a heat map for each ratio, and the curves over relatedness.

use std::path::Path;

use anyhow::Result;
use minijinja::value::{Serde, Value};
use mtlcore::mtl::relatedness::phase_map::{Cell, Distribution, Ending, PhaseMap};
use serde::Serialize;
use serde_json::json;

use super::tables::{described, partner, two_arms};
use crate::{
    output::count,
    page::{
        self,
        charts::{self, Drawing},
    },
};

/// Writes the page: one file that needs no network.
pub fn write(path: &Path, map: &PhaseMap) -> Result<()> {
    let mut environment = page::environment();
    environment.add_template("phase-map.html", include_str!("phase-map.html")).expect("the template is valid");
    let style = [include_str!("../relate/heat.css"), include_str!("phase-map.css")].concat();
    environment.add_global("heat_style", Value::from_safe_string(style));
    environment.add_filter("count", |number: usize| count(number));
    let layers = map.shared.iter().flat_map(|shared| map.endings.iter().map(move |ending| (shared.word(), ending)));
    let sections: Vec<Section> = layers.map(|(shared, ending)| Section::new(map, shared, ending)).collect();
    let values = Value::from(Serde(Page { map, heads: two_arms(map), sections }));
    page::write(path, &page::render(&mut environment, "phase-map.html", &charts::scripts(), values)?)
}

/// The values of the template.
#[derive(Serialize)]
struct Page<'m> {
    map: &'m PhaseMap,
    /// What the start of the heads makes of the sign of ρ.
    heads: &'static str,
    sections: Vec<Section<'m>>,
}

/// One layer, and one way to end a training.
#[derive(Serialize)]
struct Section<'m> {
    shared: &'static str,
    regime: &'static str,
    ending: String,
    helps: usize,
    hurts: usize,
    all: usize,
    /// Trainings that the last epoch cut short.
    cut_short: usize,
    ratios: Vec<Ratio<'m>>,
}

/// One ratio of sizes.
#[derive(Serialize)]
struct Ratio<'m> {
    ratio: f64,
    heading: String,
    rows: Vec<Row<'m>>,
    charts: Vec<Drawing>,
}

/// One size of the main task.
#[derive(Serialize)]
struct Row<'m> {
    size: usize,
    alone: f64,
    cells: Vec<Shaded<'m>>,
}

#[derive(Serialize)]
struct Shaded<'m> {
    cell: &'m Cell,
    is_gain: bool,
    /// From 0 to 100: the probability of what is likelier, a gain or a loss beyond the region of equivalence.
    strength: u32,
}

impl<'m> Section<'m> {
    fn new(map: &'m PhaseMap, shared: &'static str, ending: &Ending) -> Self {
        let cells: Vec<&Cell> =
            map.cells.iter().filter(|cell| (cell.shared.word(), cell.regime) == (shared, ending.regime)).collect();
        let verdicts = |word: &str| cells.iter().filter(|cell| cell.verdict.word() == word).count();
        let ratio = |&ratio: &f64| {
            let of_ratio: Vec<&Cell> = cells.iter().copied().filter(|cell| cell.ratio == ratio).collect();
            let rows: Vec<Row> = map.grid.sizes.iter().map(|&size| Row::new(size, &of_ratio)).collect();
            let charts = rows.iter().map(|row| curve(map, ratio, row)).collect();
            Ratio { ratio, heading: partner(ratio), rows, charts }
        };
        Self {
            shared,
            regime: ending.regime.word(),
            ending: described(ending),
            helps: verdicts("helps"),
            hurts: verdicts("hurts"),
            all: cells.len(),
            cut_short: cells.iter().map(|cell| cell.cut_short).sum(),
            ratios: map.grid.ratios.iter().map(ratio).collect(),
        }
    }
}

impl<'m> Row<'m> {
    fn new(size: usize, of_ratio: &[&'m Cell]) -> Self {
        let shaded = |&cell: &&'m Cell| {
            let Distribution { helps, hurts, .. } = cell.gain;
            let strength = (100.0 * helps.max(hurts)).round() as u32;
            Shaded { cell, is_gain: helps >= hurts, strength }
        };
        let cells: Vec<Shaded> = of_ratio.iter().filter(|cell| cell.size == size).map(shaded).collect();
        Self { size, alone: cells.first().map_or(0.0, |shaded| shaded.cell.alone), cells }
    }
}

/// The gain over relatedness, with a head a task and with one head for both.
fn curve(map: &PhaseMap, ratio: f64, row: &Row) -> Drawing {
    let arm = |name: &'static str, of: fn(&Cell) -> &Distribution| {
        row.cells.iter().map(move |shaded| {
            let Distribution { mean, low, high, .. } = of(shaded.cell);
            json!({ "arm": name, "relatedness": shaded.cell.relatedness, "mean": mean, "low": low, "high": high })
        })
    };
    let points: Vec<_> = arm("a head a task", |cell| &cell.gain).chain(arm("one head", |cell| &cell.pooled)).collect();
    let region = json!([{ "low": -map.rope, "high": map.rope }]);
    let label = format!("{} rows, {}", count(row.size), partner(ratio).to_lowercase());
    let chart = charts::chart(include_str!("curve.vl.json"), json!({ "points": points, "region": region }));
    Drawing { label, chart }
}
