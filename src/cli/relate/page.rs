//! The page: a heat map of main task × partner for each measure, like tasks side by side.

use std::path::Path;

use anyhow::Result;
use minijinja::value::{Serde, Value};
use mtlcore::mtl::relatedness::{MEASURES, Measured, Relatedness, against::Against, clustered};
use serde::Serialize;

use super::{Found, against};
use crate::page;

/// Writes the page: one file that needs no network.
pub fn write(path: &Path, all: &Found) -> Result<()> {
    let found = &all.relatedness;
    let mut environment = page::environment();
    environment.add_template("relate.html", include_str!("relate.html")).expect("the template is valid");
    environment.add_global("heat_style", Value::from_safe_string(include_str!("heat.css").into()));
    environment.add_filter("measure_title", |word: &str| against::name(word).to_owned());
    let maps: Vec<Map> = MEASURES
        .iter()
        .filter(|measure| found.pairs.iter().any(|pair| pair.measures.contains_key(measure.word)))
        .map(|measure| Map::new(found, measure.word, measure.name, measure.meaning))
        .collect();
    let values = Value::from(Serde(Page { found, maps, against: all.against.as_ref() }));
    page::write(path, &page::render(&mut environment, "relate.html", &[include_str!("choose.js")], values)?)
}

/// The values of the template.
#[derive(Serialize)]
struct Page<'r> {
    found: &'r Relatedness,
    maps: Vec<Map<'r>>,
    against: Option<&'r Against>,
}

/// One measure of all pairs.
#[derive(Serialize)]
struct Map<'r> {
    word: &'static str,
    name: &'static str,
    meaning: &'static str,
    /// The tasks in their order here.
    partners: Vec<&'r str>,
    rows: Vec<Row<'r>>,
    /// Pairs with a value beyond its floor, and all.
    above: usize,
    all: usize,
}

#[derive(Serialize)]
struct Row<'r> {
    main: &'r str,
    cells: Vec<Option<Cell>>,
}

/// A pair.
#[derive(Serialize)]
struct Cell {
    value: Option<f64>,
    floor: Option<f64>,
    reliability: Option<f64>,
    reason: Option<String>,
    is_above: bool,
    /// From 0 to 100: how strongly it is coloured, beside the largest of the map.
    strength: u32,
    is_negative: bool,
}

impl<'r> Map<'r> {
    fn new(found: &'r Relatedness, word: &'static str, name: &'static str, meaning: &'static str) -> Self {
        let measured = |main: &str, partner: &str| found.pair(main, partner)?.measures.get(word);
        let value = |main: &str, partner: &str| measured(main, partner)?.value;
        // Of these two, a large value means that the tasks are far apart.
        let sign = if ["excess_jsd", "a_distance"].contains(&word) { -1.0 } else { 1.0 };
        let names: Vec<&str> = found.tasks.iter().map(|task| task.name.as_str()).collect();
        let likeness = |i: usize, j: usize| {
            let (there, back) = (value(names[i], names[j])?, value(names[j], names[i])?);
            Some(sign * (there + back) / 2.0)
        };
        let partners: Vec<&str> = clustered(names.len(), likeness).into_iter().map(|place| names[place]).collect();
        let values = found.pairs.iter().filter_map(|pair| pair.measures.get(word)?.value);
        let largest = values.map(f64::abs).fold(f64::MIN_POSITIVE, f64::max);
        let cell = |measured: &Measured| Cell {
            value: measured.value,
            floor: measured.floor,
            reliability: measured.reliability,
            reason: measured.reason.clone(),
            is_above: measured.is_above_floor(),
            strength: measured.value.map_or(0, |value| (100.0 * value.abs() / largest).round() as u32),
            is_negative: measured.value.is_some_and(|value| value < 0.0),
        };
        let row = |&main: &&'r str| Row {
            main,
            cells: partners.iter().map(|partner| measured(main, partner).map(cell)).collect(),
        };
        let rows: Vec<Row> = partners.iter().map(row).collect();
        let cells = || rows.iter().flat_map(|row| row.cells.iter().flatten());
        let (above, all) = (cells().filter(|cell| cell.is_above).count(), cells().count());
        Self { word, name, meaning, partners: partners.clone(), above, all, rows }
    }
}
